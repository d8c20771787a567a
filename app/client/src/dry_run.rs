//! The dry run of a checked file: the expected outcome of its upload.

use crate::{FileSlice, RequestFailure, Transport, retry::retried, rows};
use futures_util::{StreamExt, TryStreamExt, stream};
use muster_domain::{CheckReport, DryRun, PartRange};

/// The parts that are under way at the same time: fewer than in an upload, for which the server should have room.
const CONCURRENT_PARTS: usize = 2;

/// Requests the expected outcome of each row of a file that the check found clean. `on_progress` receives the number of
/// rows that are done. Returns `None` if `has_given_up`.
///
/// # Errors
/// The failure of the first part that has no answer, after retries; or a refusal, if the file is no longer what was checked.
pub async fn dry_run<T: Transport>(
    transport: &T,
    report: &CheckReport,
    has_given_up: impl Fn() -> bool,
    on_progress: impl Fn(u64),
) -> Result<Option<DryRun>, T::Failure> {
    let ask = async |range: PartRange| {
        if has_given_up() {
            return Ok((range, None));
        }
        let bytes = transport.read(range).await.map_err(T::Failure::refused)?;
        if !rows::is_part(&report.layout, range, &bytes) {
            return Err(T::Failure::refused(T::FILE_CHANGED.to_owned()));
        }
        let slice = FileSlice {
            layout: report.layout.clone(),
            missing_fields: report.missing_fields,
            first_line: range.first_line,
            bytes,
        };
        let answer = retried(transport.clock(), || transport.dry_run(slice.clone()), &has_given_up, |_| {}).await;
        match answer {
            Ok(dry_run) => Ok((range, Some(dry_run))),
            Err(_) if has_given_up() => Ok((range, None)),
            Err(failure) => Err(failure),
        }
    };
    let mut answers = stream::iter(report.parts.iter().copied()).map(ask).buffered(CONCURRENT_PARTS);
    let (mut whole, mut rows_done) = (DryRun::default(), 0);
    while let Some((range, part)) = answers.try_next().await? {
        let Some(part) = part else { return Ok(None) };
        whole.add(part);
        rows_done += u64::from(range.rows);
        on_progress(rows_done);
    }
    Ok(Some(whole))
}

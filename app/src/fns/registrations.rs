//! Registering a file: begin, its parts, finish; and the registrations of the past.

use super::{Dated, Failure};
use leptos::prelude::*;
pub use muster_client::{FileSlice, Part, PartDone};
use muster_domain::{
    CallOutcome, DeviceName, DryRun, GroupName, LeadingZeros, ModelName, RegistrationId, RegistrationSummary,
    UnknownModel,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The largest part that is accepted: the check closes a part before the row with which it would be larger.
pub const MAX_PART_BYTES: usize = muster_domain::PART_BYTES as usize;

/// Rows of `errors.csv`, without its header, and where those that follow begin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRows {
    pub rows: Vec<u8>,
    pub next: Option<u32>,
    /// Device names in the rows that a spreadsheet would change.
    pub fragile_names: u32,
}

/// Registrations, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationList {
    pub rows: Vec<RegistrationSummary>,
    /// Whether there are older ones behind them.
    pub has_older: bool,
}

/// Which of these model names (at most 1,000, which a report lists) the account does not have.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], [`Failure::Refused`].
#[server(prefix = "/fn", endpoint = "unknown-models", input = server_fn::codec::Json, output = super::Answer)]
pub async fn unknown_models(names: Vec<ModelName>) -> Result<Vec<UnknownModel>, Failure> {
    let viewer = super::viewer()?;
    if names.len() > muster_domain::CheckReport::MAX_MODELS {
        return Err(Failure::refused("At most 1,000 model names can be looked up at once."));
    }
    Ok(viewer.registry.unknown_models(&viewer.actor, &names).await?)
}

/// Of these device names (at most 1,000), those that no device has, but that are a registered device's with its leading
/// zeros lost.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], [`Failure::Refused`] for what is no device name.
#[server(prefix = "/fn", endpoint = "registered-with-leading-zeros", input = server_fn::codec::Json, output = server_fn::codec::Postcard)]
pub async fn registered_with_leading_zeros(names: Vec<DeviceName>) -> Result<Vec<LeadingZeros>, Failure> {
    let viewer = super::viewer()?;
    if names.len() > muster_registry::MAX_NUMERIC_NAMES {
        return Err(Failure::refused("Look up at most 1,000 device names at a time."));
    }
    Ok(viewer.registry.registered_with_leading_zeros(&viewer.actor, &names).await?)
}

/// The expected outcome of the rows of one part, found without changing anything.
///
/// # Errors
/// [`Failure::Refused`] for a part that the check would not have passed; [`Failure::SignedOut`]; [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "dry-run-part", input = server_fn::codec::Postcard, output = super::Answer)]
pub async fn dry_run_part(slice: FileSlice) -> Result<DryRun, Failure> {
    let viewer = super::viewer()?;
    let missing_fields = slice.missing_fields;
    let rows = server::rows(slice)?;
    if !rows.refused.is_empty() {
        return Err(Failure::refused("This part of the file has problems. Choose the file again."));
    }
    let dry_run = viewer.registry.dry_run(&viewer.actor, &rows.devices, missing_fields).await;
    dry_run.map_err(|error| server::failure_of(error, &viewer))
}

/// Begins a registration, and returns its id, which its parts refer to. A call with the key of an earlier one returns the
/// same registration.
///
/// # Errors
/// [`Failure::Refused`] for a group name that cannot be, [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "begin-registration", input = server_fn::codec::Json, output = super::Answer)]
pub async fn begin_registration(
    file_name: String,
    devices: u64,
    parts: u32,
    group: Option<GroupName>,
    idempotency_key: Option<Uuid>,
) -> Result<Uuid, Failure> {
    use muster_registry::NewRegistration;

    let viewer = super::viewer()?;
    let group_name = group.as_ref().map(|group| group.as_str().to_owned()).unwrap_or_default();
    let new = NewRegistration { file_name: file_name.clone(), devices, parts, group, idempotency_key };
    let begun = viewer.registry.begin_registration(&viewer.actor, new).await;
    let id = Uuid::from(begun.map_err(|error| server::failure_of(error, &viewer))?);
    super::log_action!(
        viewer.actor,
        "registration begun",
        registration = tracing::field::display(id),
        // A name may be as long as a request; its beginning identifies it.
        file = file_name.chars().take(255).collect::<String>(),
        devices = devices,
        group = group_name,
    );
    Ok(id)
}

/// Registers the rows of one part, all or none of them. Checks them again first.
///
/// # Errors
/// [`Failure::Refused`] for a part that does not fit its registration; [`Failure::SignedOut`]; [`Failure::Unavailable`]
/// or [`Failure::Superseded`], after which the same part may be sent again with a higher attempt number.
#[server(prefix = "/fn", endpoint = "register-part", input = server_fn::codec::Postcard, output = server_fn::codec::Postcard)]
pub async fn register_part(part: Part) -> Result<PartDone, Failure> {
    let viewer = super::viewer()?;
    let Part { registration, number, attempt, renew, slice } = part;
    let missing_fields = slice.missing_fields;
    let server::Rows { devices, refused } = server::rows(slice)?;
    let rows = muster_registry::PartRows { number, attempt, renew, missing_fields, devices, refused };
    let registered = viewer.registry.register_part(&viewer.actor, registration.into(), rows).await;
    let outcome = registered.map_err(server::failure)?;
    let mut tokens = Vec::with_capacity(outcome.tokens.len() * 96);
    for (name, token) in &outcome.tokens {
        muster_domain::tokens_csv::push_row(&mut tokens, name, token);
    }
    Ok(PartDone {
        registered: outcome.registered,
        already: outcome.already,
        already_never_connected: outcome.already_never_connected,
        failed: outcome.failed,
        tokens,
        token_count: outcome.tokens.len() as u32,
        errors: outcome.errors_csv,
        fragile_names: outcome.fragile_names,
    })
}

/// Marks a registration as done.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], [`Failure::Refused`] for one the account does not have.
#[server(prefix = "/fn", endpoint = "finish-registration", input = server_fn::codec::Json, output = super::Answer)]
pub async fn finish_registration(registration: RegistrationId) -> Result<(), Failure> {
    let viewer = super::viewer()?;
    let finished = viewer.registry.finish_registration(&viewer.actor, registration).await;
    let summary = finished.map_err(server::failure)?;
    super::log_action!(
        viewer.actor,
        "registration finished",
        registration = tracing::field::display(registration),
        registered = summary.registered,
        already = summary.already,
        failed = summary.failed,
    );
    Ok(())
}

/// Registrations of one list.
#[cfg(feature = "ssr")]
const MAX_LISTED: usize = 100;

/// The registrations of the account, newest first, at most 100: those before the one given, or the newest.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "registrations", input = server_fn::codec::Json, output = super::Answer)]
pub async fn registrations(before: Option<RegistrationId>) -> Result<Dated<RegistrationList>, Failure> {
    let viewer = super::viewer()?;
    let mut rows = viewer.registry.registrations(&viewer.actor, before, MAX_LISTED as u32 + 1).await?;
    let has_older = rows.len() > MAX_LISTED;
    rows.truncate(MAX_LISTED);
    Ok(viewer.dated(RegistrationList { rows, has_older }))
}

/// Deletes those devices of a registration that have never connected, as far as one call goes.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], [`Failure::Refused`] for what is no device name.
#[server(prefix = "/fn", endpoint = "undo-registration", input = server_fn::codec::Json, output = super::Answer)]
pub async fn undo_registration(
    registration: RegistrationId,
    after: Option<DeviceName>,
) -> Result<CallOutcome, Failure> {
    let viewer = super::viewer()?;
    let outcome = viewer.registry.undo_registration(&viewer.actor, registration, after.as_ref()).await?;
    let id = tracing::field::display(registration);
    super::log_action!(viewer.actor, "registration undone", registration = id, devices = outcome.devices);
    Ok(outcome)
}

/// Rows of the `errors.csv` of a registration, without its header: as many as one answer takes. The next call is given
/// what `next` says, until it says nothing.
///
/// # Errors
/// [`Failure::Refused`] for a registration the account does not have, [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "registration-errors", input = server_fn::codec::Json, output = server_fn::codec::Postcard)]
pub async fn registration_errors(registration: RegistrationId, after: Option<u32>) -> Result<ErrorRows, Failure> {
    let viewer = super::viewer()?;
    let page = viewer.registry.registration_errors(&viewer.actor, registration, after).await?;
    let page = page.ok_or_else(|| Failure::refused("This registration no longer exists."))?;
    Ok(ErrorRows { fragile_names: server::fragile_names(&page.rows), rows: page.rows, next: page.next })
}

#[cfg(feature = "ssr")]
mod server {
    use super::{Failure, FileSlice, MAX_PART_BYTES};
    use crate::fns::{log_action, viewer::Viewer};
    use muster_domain::{Field, Layout, NewDevice, Problem, Reader, Row, Separator, Sink, spreadsheet_would_change};
    use muster_registry::{MAX_PART_ROWS, RefusedRow, RegisterError};

    pub(super) fn failure(error: RegisterError) -> Failure {
        match error {
            // A file is worth trying again for: a database that is read-only while another takes over will not stay so.
            RegisterError::Store(_) => Failure::Unavailable.noted(),
            RegisterError::Superseded => Failure::Superseded.noted(),
            error => Failure::refused(error),
        }
    }

    /// The same where no part is sent: a person waits for the reason.
    pub(super) fn failure_of(error: RegisterError, viewer: &Viewer) -> Failure {
        match error {
            RegisterError::Store(error) => error.into(),
            RegisterError::Group(error) => viewer.group_failure(error),
            RegisterError::OverLimit(limit) => {
                log_action!(viewer.actor, "limit reached", limit = limit);
                Failure::refused(limit)
            }
            error => failure(error),
        }
    }

    /// The rows of a part, in order: those that can be registered, each with its line, and those with a problem.
    pub(super) struct Rows {
        pub(super) devices: Vec<(u64, NewDevice)>,
        pub(super) refused: Vec<RefusedRow>,
    }

    /// Reads the rows of a part, and checks them again: what a browser says of them is not believed. Of more rows than a
    /// part may have, one is kept, so that the registry sees that they are too many: 2 MiB may be a million of them.
    ///
    /// # Errors
    /// [`Failure::Refused`] for a part that is too large.
    pub(super) fn rows(slice: FileSlice) -> Result<Rows, Failure> {
        struct Read {
            rows: Rows,
            problems: Vec<String>,
        }
        impl Sink for Read {
            fn row(&mut self, row: &Row<'_>) {
                let Rows { devices, refused } = &mut self.rows;
                if devices.len() + refused.len() > MAX_PART_ROWS {
                    return self.problems.clear();
                }
                match row.to_device() {
                    Some(device) => devices.push((row.line(), device)),
                    None => refused.push(RefusedRow {
                        line: row.line(),
                        fields: row.fields().map(str::to_owned),
                        error: self.problems.join(" "),
                    }),
                }
                self.problems.clear();
            }
            fn problem(&mut self, problem: Problem) {
                self.problems.push(problem.sentence());
            }
        }
        if slice.bytes.len() > MAX_PART_BYTES {
            return Err(Failure::refused(
                "A part of a file is larger than 2 MiB. Reload the page and upload the file again.",
            ));
        }
        let mut read = Read { rows: Rows { devices: Vec::new(), refused: Vec::new() }, problems: Vec::new() };
        Reader::read_part(slice.layout, slice.first_line, &slice.bytes, &mut read);
        Ok(read.rows)
    }

    /// How many device names in rows of `errors.csv` a spreadsheet would change.
    pub(super) fn fragile_names(errors: &[u8]) -> u32 {
        struct Names(u32);
        impl Sink for Names {
            fn row(&mut self, row: &Row<'_>) {
                self.0 += u32::from(spreadsheet_would_change(row.field(Field::DeviceName)));
            }
            fn problem(&mut self, _: Problem) {}
        }
        let columns = Field::ALL.into_iter().map(Some).chain([None, None]).collect();
        let Ok(layout) = Layout::new(Separator::Comma, columns, true) else { return 0 };
        let mut names = Names(0);
        Reader::read_part(layout, 1, errors, &mut names);
        names.0
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use muster_domain::FieldSet;

        #[test]
        fn no_more_rows_are_kept_than_show_that_they_are_too_many() {
            let check = |bytes: Vec<u8>, expected: usize| {
                let slice =
                    FileSlice { layout: Layout::default(), missing_fields: FieldSet::default(), first_line: 1, bytes };
                let read = rows(slice).expect("a part of this size");
                assert_eq!(read.devices.len() + read.refused.len(), expected);
            };
            check(b"A1,M\nA2,M\n".to_vec(), 2);
            check(b"x\n".repeat(1_000_000), MAX_PART_ROWS + 1);
        }
    }
}

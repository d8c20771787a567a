//! Registered devices whose names differ from those of a file only by leading zeros, which spreadsheets remove.

use super::{Connection, DEVICE_OF_NAME, NAMES, columns::device_name, statements::json_names};
use crate::{errors::StoreError, types::AccountId};
use muster_domain::{DeviceName, LeadingZeros};
use sqlx::{AssertSqlSafe, query, query_scalar};
use std::collections::HashSet;

/// The maximum number of leading zeros that are looked up. Serial numbers, EANs and ICCIDs are padded to at most 20
/// digits.
const MAX_ZEROS: usize = 20;

/// For each name that is a number without leading zeros, and that no device has: the device with the same number after
/// the fewest leading zeros. It takes one index look-up for each name and number of zeros.
pub(super) async fn find(
    connection: &mut Connection,
    account: AccountId,
    names: &[DeviceName],
) -> Result<Vec<LeadingZeros>, StoreError> {
    let numbers: Vec<&str> = names.iter().map(DeviceName::as_str).filter(|name| is_plain_number(name)).collect();
    // Most accounts have no names that begin with a zero.
    let has_zeros = query("SELECT 1 FROM devices WHERE account = $1 AND name >= '0' AND name < '1' LIMIT 1")
        .bind(account.0)
        .fetch_optional(&mut *connection)
        .await?
        .is_some();
    if numbers.is_empty() || !has_zeros {
        return Ok(Vec::new());
    }
    let candidates: Vec<String> = numbers.iter().flat_map(|number| with_zeros(number)).collect();
    let found: Vec<String> = query_scalar(AssertSqlSafe(format!("SELECT d.name FROM {NAMES} {DEVICE_OF_NAME}")))
        .bind(account.0)
        .bind(json_names(candidates.iter().map(String::as_str)))
        .fetch_all(connection)
        .await?;
    let found: HashSet<String> = found.into_iter().collect();
    let pair = |number: &str| {
        let registered = with_zeros(number).find(|name| found.contains(name))?;
        (registered != number).then_some((number.to_owned(), registered))
    };
    let pairs = numbers.into_iter().filter_map(pair);
    pairs
        .map(|(number, registered)| {
            Ok(LeadingZeros { name: device_name(&number)?, registered: device_name(&registered)? })
        })
        .collect()
}

/// Whether a spreadsheet could have made this from a number with leading zeros.
fn is_plain_number(name: &str) -> bool {
    !name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number with zero, one, two and more leading zeros, as long as it is a device name.
fn with_zeros(number: &str) -> impl Iterator<Item = String> + use<'_> {
    let most = MAX_ZEROS.min(DeviceName::MAX_CHARS.saturating_sub(number.len()));
    (0..=most).map(move |zeros| format!("{}{number}", "0".repeat(zeros)))
}

//! The devices that a list of names finds.

use super::{Connection, DEVICE_OF_NAME, NAMES, statements::json_names};
use crate::{
    errors::StoreError,
    fleet::search::{List, mac_notations},
};
use sqlx::{AssertSqlSafe, query_scalar};
use std::collections::HashSet;
use uuid::Uuid;

/// The devices that the words of a list name, and the words that name none. A MAC address names a device in any
/// notation, unless a device has exactly this name.
pub(super) async fn find_names(
    connection: &mut Connection,
    account: Uuid,
    list: &List,
) -> Result<(HashSet<String>, Vec<String>), StoreError> {
    let asked = json_names(list.names());
    let mut names = existing(connection, account, asked).await?;
    // Addresses are written in lower or upper case.
    let mut notations: Vec<(&str, Vec<String>)> = Vec::new();
    for word in list.words.iter().filter(|word| !names.contains(*word)) {
        let lower = mac_notations(word);
        let upper: Vec<String> = lower.iter().map(|notation| notation.to_ascii_uppercase()).collect();
        notations.push((word, [lower, upper].concat()));
    }
    let asked = json_names(notations.iter().flat_map(|(_, notations)| notations).map(String::as_str));
    let found = existing(connection, account, asked).await?;
    let mut not_found = Vec::new();
    for (word, notations) in notations {
        if !notations.iter().any(|notation| found.contains(notation)) {
            not_found.push(word.to_owned());
        }
    }
    names.extend(found);
    Ok((names, not_found))
}

/// The names in a JSON array that devices of the account have.
async fn existing(connection: &mut Connection, account: Uuid, names: String) -> Result<HashSet<String>, StoreError> {
    let statement = format!("SELECT d.name FROM {NAMES} {DEVICE_OF_NAME}");
    let found: Vec<String> =
        query_scalar(AssertSqlSafe(statement)).bind(account).bind(names).fetch_all(connection).await?;
    Ok(found.into_iter().collect())
}

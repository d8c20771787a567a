//! The segments that devices are in, by the names of the devices.

use super::{Connection, DEVICE_OF_NAME, NAMES, statements::json_names};
use crate::errors::StoreError;
use sqlx::{AssertSqlSafe, query_as};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// The devices with these names, by their segments.
pub(in super::super) async fn names_by_segment<'a>(
    connection: &mut Connection,
    account: Uuid,
    names: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<i64, HashSet<String>>, StoreError> {
    let rows: Vec<(i64, String)> =
        query_as(AssertSqlSafe(format!("SELECT d.segment, d.name FROM {NAMES} {DEVICE_OF_NAME}")))
            .bind(account)
            .bind(json_names(names))
            .fetch_all(connection)
            .await?;
    let mut by_segment: BTreeMap<i64, HashSet<String>> = BTreeMap::new();
    for (segment, name) in rows {
        by_segment.entry(segment).or_default().insert(name);
    }
    Ok(by_segment)
}

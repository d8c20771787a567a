//! Status changes that are not in the segments yet.

use super::Connection;
use crate::{errors::StoreError, index::segment::Segment};
use sqlx::query_as;
use std::collections::HashMap;
use uuid::Uuid;

/// Changed devices by segment: names and new status bytes.
pub(super) type StatusChanges = HashMap<i64, Vec<(String, i16)>>;

/// The changes of an account's devices that are not in its segments yet.
pub(super) async fn changes(connection: &mut Connection, account: Uuid) -> Result<StatusChanges, StoreError> {
    let rows: Vec<(i64, String, i16)> =
        query_as("SELECT segment, name, status_byte FROM status_changes WHERE account = $1")
            .bind(account)
            .fetch_all(connection)
            .await?;
    let mut changes = StatusChanges::new();
    for (segment, name, status_byte) in rows {
        changes.entry(segment).or_default().push((name, status_byte));
    }
    Ok(changes)
}

/// The segment with these changes.
pub(super) fn changed(segment: &Segment, changes: &[(String, i16)]) -> Segment {
    segment.changed(changes.iter().map(|(name, status_byte)| (name.as_str(), *status_byte as u8)))
}

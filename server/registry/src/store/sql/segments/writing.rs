//! Writing segments: adding and removing devices, and storing states.

use super::{
    Connection, FOR_NO_KEY_UPDATE_SKIP_LOCKED, NEW_VERSION, by_name::names_by_segment, members, stored::state,
};
use crate::{
    errors::StoreError,
    index::segment::{Columns, SMALL_SEGMENT_DEVICES},
    types::AccountId,
};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use uuid::Uuid;

/// A segment to append this many devices of a registration to: a small one, or a new one. It is locked until the
/// transaction ends.
pub(in super::super) async fn open_for_append(
    connection: &mut Connection,
    account: AccountId,
    registration: Uuid,
    devices: usize,
) -> Result<i64, StoreError> {
    if devices < SMALL_SEGMENT_DEVICES {
        let small: Option<i64> = query_scalar(AssertSqlSafe(format!(
            "SELECT id FROM segments WHERE account = $1 AND registration = $2 AND devices < $3 ORDER BY id DESC LIMIT 1{FOR_NO_KEY_UPDATE_SKIP_LOCKED}"
        )))
        .bind(account.0)
        .bind(registration)
        .bind(SMALL_SEGMENT_DEVICES as i64)
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(small) = small {
            return Ok(small);
        }
    }
    let new = query_scalar(AssertSqlSafe(format!(
        "INSERT INTO segments (account, registration, version, devices, text)
         VALUES ($1, $2, {NEW_VERSION}, 0, '') RETURNING id"
    )));
    Ok(new.bind(account.0).bind(registration).fetch_one(connection).await?)
}

/// Appends the lines of this many devices to an opened segment.
pub(in super::super) async fn append(
    connection: &mut Connection,
    segment: i64,
    lines: &str,
    devices: usize,
) -> Result<(), StoreError> {
    if devices == 0 {
        query("DELETE FROM segments WHERE id = $1 AND devices = 0").bind(segment).execute(connection).await?;
        return Ok(());
    }
    query(AssertSqlSafe(format!(
        "UPDATE segments SET text = text || $2, devices = devices + $3, version = {NEW_VERSION} WHERE id = $1"
    )))
    .bind(segment)
    .bind(lines)
    .bind(devices as i64)
    .execute(connection)
    .await?;
    Ok(())
}

row! {
    /// The columns of a segment.
    struct ColumnsRow {
        text: String,
        status_bytes: Option<Vec<u8>>,
        last_seen: Option<Vec<u8>>,
        members: Option<Vec<u8>>,
    }
}

/// Removes devices from their segments, before they are deleted. No other transaction may change devices of the account
/// meanwhile.
pub(in super::super) async fn remove<'a>(
    connection: &mut Connection,
    account: AccountId,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), StoreError> {
    for (id, names) in names_by_segment(connection, account.0, names).await? {
        let found: Option<ColumnsRow> = query_as(
            "SELECT s.text, t.status_bytes, t.last_seen, t.members
             FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = found else { continue };
        let has_state = row.status_bytes.is_some();
        let columns = Columns { text: row.text, state: state(row.status_bytes, row.last_seen, row.members)? };
        let (left, devices) = columns.without(&names);
        if devices == 0 {
            query("DELETE FROM segments WHERE id = $1").bind(id).execute(&mut *connection).await?;
            continue;
        }
        query(AssertSqlSafe(format!(
            "UPDATE segments SET text = $2, devices = $3, version = {NEW_VERSION} WHERE id = $1"
        )))
        .bind(id)
        .bind(left.text)
        .bind(devices as i64)
        .execute(&mut *connection)
        .await?;
        if has_state {
            store_state(connection, id, &left.state.status_bytes, &left.state.last_seen).await?;
            members::store(connection, id, &left.state.members).await?;
        }
    }
    Ok(())
}

/// Stores the status bytes and last-seen times of a segment.
pub(super) async fn store_state(
    connection: &mut Connection,
    segment: i64,
    status_bytes: &[u8],
    last_seen: &[u8],
) -> Result<(), StoreError> {
    query(AssertSqlSafe(format!(
        "INSERT INTO segment_states (segment, version, status_bytes, last_seen) VALUES ($1, {NEW_VERSION}, $2, $3)
         ON CONFLICT (segment) DO UPDATE
            SET version = excluded.version, status_bytes = excluded.status_bytes, last_seen = excluded.last_seen"
    )))
    .bind(segment)
    .bind(status_bytes)
    .bind(last_seen)
    .execute(connection)
    .await?;
    Ok(())
}

//! Storing the new devices of a part.

use super::{
    Connection, DEVICE_OF_NAME, NAMES,
    segments::writing,
    statements::{json_names, sql},
};
use crate::{
    errors::StoreError,
    index::segment::push_line,
    types::{AccountId, status_code, tier_code},
};
use muster_domain::{NewDevice, PricingTier, SecurityToken, Status, Timestamp};
use sqlx::{AssertSqlSafe, query_scalar};
use std::collections::HashSet;
use uuid::Uuid;

/// New devices in one statement, of seven values each: a third of a part. SQLite copies each page that a statement is
/// the first to write to, so few long statements are faster. It allows 32,766 values.
const DEVICES_PER_STATEMENT: usize = 3_334;

/// The columns that the new devices of a part have in common.
pub(super) struct SharedColumns {
    pub(super) account: AccountId,
    pub(super) now: Timestamp,
    pub(super) default_tier: PricingTier,
    pub(super) registration: Uuid,
    /// This part, as it is stored with a device whose token it created.
    pub(super) part: Vec<u8>,
}

/// Stores new devices. Returns the ids of those whose names were still available.
pub(super) async fn insert(
    connection: &mut Connection,
    shared: &SharedColumns,
    rows: &[(u64, NewDevice)],
    added: &[(usize, Uuid, SecurityToken)],
) -> Result<HashSet<Uuid>, StoreError> {
    let mut inserted = HashSet::with_capacity(added.len());
    if added.is_empty() {
        return Ok(inserted);
    }
    let segment = writing::open_for_append(connection, shared.account, shared.registration, added.len()).await?;
    for chunk in added.chunks(DEVICES_PER_STATEMENT) {
        if insert_chunk(connection, shared, rows, chunk, segment).await? == chunk.len() as u64 {
            inserted.extend(chunk.iter().map(|(_, _, token)| token.id()));
            continue;
        }
        let registered: Vec<Uuid> = query_scalar(AssertSqlSafe(format!("SELECT d.id FROM {NAMES} {DEVICE_OF_NAME}")))
            .bind(shared.account.0)
            .bind(json_names(chunk.iter().map(|(at, ..)| rows[*at].1.name.as_str())))
            .fetch_all(&mut *connection)
            .await?;
        let registered: HashSet<Uuid> = registered.into_iter().collect();
        inserted.extend(chunk.iter().map(|(_, _, token)| token.id()).filter(|id| registered.contains(id)));
    }
    let mut lines = String::new();
    for (at, _, _) in added.iter().filter(|(_, _, token)| inserted.contains(&token.id())) {
        let row = &rows[*at].1;
        push_line(
            &mut lines,
            row.name.as_str(),
            row.friendly_name.as_ref().map(|name| name.as_str()),
            row.model.as_str(),
            tier_code(row.tier.unwrap_or(shared.default_tier)),
        );
    }
    writing::append(connection, segment, &lines, inserted.len()).await?;
    Ok(inserted)
}

/// Stores the devices whose names are still available. Returns their number.
async fn insert_chunk(
    connection: &mut Connection,
    shared: &SharedColumns,
    rows: &[(u64, NewDevice)],
    chunk: &[(usize, Uuid, SecurityToken)],
    segment: i64,
) -> Result<u64, StoreError> {
    // Shared values are bound once.
    let mut statement =
        sql("INSERT INTO devices (account, status, registered_at, token_made_at, old_token_hashes, token_from,
            registration, segment, id, name, model, friendly_name, description, tier, token_hash) SELECT ");
    statement.push_bind(shared.account.0).push(", ");
    statement.push_bind(status_code(Status::Registered)).push(", ");
    statement.push_bind(shared.now.as_ms()).push(", ");
    statement.push_bind(shared.now.as_ms()).push(", ");
    statement.push_bind(Vec::<u8>::new()).push(", ");
    statement.push_bind(shared.part.as_slice()).push(", ");
    statement.push_bind(shared.registration).push(", ");
    statement.push_bind(segment).push(", v.* FROM (");
    statement.push_values(chunk, |mut values, (at, model, token)| {
        let row = &rows[*at].1;
        values
            .push_bind(token.id())
            .push_bind(row.name.as_str())
            .push_bind(*model)
            .push_bind(row.friendly_name.as_ref().map(|name| name.as_str()))
            .push_bind(row.description.as_ref().map(|text| text.as_str()))
            .push_bind(tier_code(row.tier.unwrap_or(shared.default_tier)))
            .push_bind(token.hash().as_bytes().to_vec());
    });
    statement.push(") AS v WHERE true ON CONFLICT (account, name) DO NOTHING");
    // A statement of another length will not be used again.
    let statement = statement.build().persistent(chunk.len() == DEVICES_PER_STATEMENT);
    Ok(statement.execute(connection).await?.rows_affected())
}

//! The members of device groups: a bitmap for each segment that has members, stored with the other columns that change.

use super::{
    Connection, DEVICE_OF_NAME, FOR_NO_KEY_UPDATE, NAMES, NEW_VERSION,
    by_name::names_by_segment,
    statements::{json_names, push_numbers, sql},
    stored::{LoadError, LoadMode, StoredSegments, current_segment, stored_segments},
};
use crate::{
    errors::StoreError,
    index::{
        FleetIndex,
        cache::Cache,
        members::Members,
        segment::{Segment, lines_of_names, names},
    },
    types::AccountId,
};
use futures_util::TryStreamExt;
use memchr::memmem;
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use std::collections::HashMap;
use uuid::Uuid;

/// How the membership of devices changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Membership {
    Join,
    Leave,
}

/// The maximum number of segment texts in memory at a time.
const MAX_SEGMENTS_IN_MEMORY: usize = 16;

/// The devices with these names join or leave a group. Returns the number of devices that were not, or were, in it.
///
/// Other transactions may do the same meanwhile, but none may remove devices of the account.
pub(in super::super) async fn change<'a>(
    connection: &mut Connection,
    account: AccountId,
    group: Uuid,
    membership: Membership,
    names: impl Iterator<Item = &'a str>,
) -> Result<u64, StoreError> {
    // In the order of their ids, so that two such transactions do not wait for each other.
    let by_segment = names_by_segment(connection, account.0, names).await?;
    let segments: Vec<i64> = by_segment.keys().copied().collect();
    let mut changed = 0;
    for chunk in segments.chunks(MAX_SEGMENTS_IN_MEMORY) {
        let mut statement = sql("SELECT id, text FROM segments WHERE id IN ");
        push_numbers(&mut statement, chunk.iter().copied());
        let texts: Vec<(i64, String)> =
            statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let texts: HashMap<i64, String> = texts.into_iter().collect();
        for segment in chunk {
            let Some(text) = texts.get(segment) else { continue };
            let lines = lines_of_names(text, &by_segment[segment]);
            if membership == Membership::Join {
                add_state(connection, *segment).await?;
            }
            let mut members = lock_members(connection, *segment).await?;
            let changed_here = match membership {
                Membership::Join => members.join(group, &lines),
                Membership::Leave => members.leave(group, &lines),
            };
            if changed_here > 0 {
                store(connection, *segment, &members).await?;
            }
            changed += changed_here;
        }
    }
    Ok(changed)
}

/// Adds the state of a segment, if it has none.
async fn add_state(connection: &mut Connection, segment: i64) -> Result<(), StoreError> {
    query(AssertSqlSafe(format!(
        "INSERT INTO segment_states (segment, version, status_bytes) VALUES ($1, {NEW_VERSION}, $2)
         ON CONFLICT (segment) DO NOTHING"
    )))
    .bind(segment)
    .bind(Vec::<u8>::new())
    .execute(connection)
    .await?;
    Ok(())
}

/// The members of groups in a segment, locked until the transaction ends.
async fn lock_members(connection: &mut Connection, segment: i64) -> Result<Members, StoreError> {
    let statement = format!("SELECT members FROM segment_states WHERE segment = $1{FOR_NO_KEY_UPDATE}");
    let stored: Option<Vec<u8>> =
        query_scalar(AssertSqlSafe(statement)).bind(segment).fetch_optional(connection).await?;
    Members::parse(&stored.unwrap_or_default()).ok_or(StoreError::Corrupt)
}

/// Stores the members of groups in a segment that has a state.
pub(in super::super) async fn store(
    connection: &mut Connection,
    segment: i64,
    members: &Members,
) -> Result<(), StoreError> {
    query(AssertSqlSafe(format!("UPDATE segment_states SET members = $2, version = {NEW_VERSION} WHERE segment = $1")))
        .bind(segment)
        .bind(members.stored())
        .execute(connection)
        .await?;
    Ok(())
}

/// The members of groups, as they are stored, in each segment of an account that has any.
async fn stored_members(connection: &mut Connection, account: AccountId) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let rows = query_as(
        "SELECT s.id, t.members FROM segments s JOIN segment_states t ON t.segment = s.id
         WHERE s.account = $1 AND LENGTH(t.members) > 0",
    );
    Ok(rows.bind(account.0).fetch_all(connection).await?)
}

/// The number of members of each group that has any. Counts in the fleet index if it has the account, and else in the
/// database: a list of groups does not wait for the index, and a fleet can be too large for it.
pub(in super::super) async fn counts(
    connection: &mut Connection,
    index: &FleetIndex,
    account: AccountId,
) -> Result<HashMap<Uuid, u64>, StoreError> {
    let loaded = stored_segments(connection, &index.cache, account.0, LoadMode::OnlyIfQuick, |_, _| true).await;
    match loaded {
        Ok(StoredSegments { segments, .. }) => index.scan(move || sum(segments.values().map(Segment::members))).await,
        Err(LoadError::TakesLong | LoadError::Store(StoreError::FleetTooLarge)) => {
            let stored = stored_members(connection, account).await?;
            let parse = move || {
                let members: Option<Vec<Members>> = stored.iter().map(|(_, stored)| Members::parse(stored)).collect();
                members.map(|members| sum(members.iter())).ok_or(StoreError::Corrupt)
            };
            index.scan(parse).await?
        }
        Err(error) => Err(error.into()),
    }
}

fn sum<'a>(all: impl Iterator<Item = &'a Members>) -> HashMap<Uuid, u64> {
    let mut devices = HashMap::new();
    for (group, count) in all.flat_map(Members::counts) {
        *devices.entry(group).or_default() += count;
    }
    devices
}

/// The groups that a device is in.
pub(in super::super) async fn groups_of(
    connection: &mut Connection,
    cache: &Cache,
    account: AccountId,
    segment: i64,
    name: &str,
) -> Result<Vec<Uuid>, StoreError> {
    if let Some(found) = current_segment(connection, cache, account.0, segment).await? {
        return Ok(found.line_of(name).map(|line| found.members().groups_of(line)).unwrap_or_default());
    }
    // Only this segment is of interest. It is not cached: an account that is cached is cached whole.
    let row: Option<(String, Vec<u8>)> = query_as(
        "SELECT s.text, t.members FROM segments s JOIN segment_states t ON t.segment = s.id
         WHERE s.id = $1 AND LENGTH(t.members) > 0",
    )
    .bind(segment)
    .fetch_optional(connection)
    .await?;
    let Some((text, stored)) = row else { return Ok(Vec::new()) };
    let members = Members::parse(&stored).ok_or(StoreError::Corrupt)?;
    let line = names(&text).zip(0..).find(|(other, _)| *other == name);
    Ok(line.map(|(_, line)| members.groups_of(line)).unwrap_or_default())
}

/// Removes all members of a group.
pub(in super::super) async fn remove_group(
    connection: &mut Connection,
    account: AccountId,
    group: Uuid,
) -> Result<(), StoreError> {
    for (segment, stored) in stored_members(connection, account).await? {
        // Most groups have members in few segments. Parsing one with thousands of groups takes a millisecond.
        if memmem::find(&stored, group.as_bytes()).is_none() {
            continue;
        }
        let mut members = Members::parse(&stored).ok_or(StoreError::Corrupt)?;
        if members.remove_group(group) {
            store(connection, segment, &members).await?;
        }
    }
    Ok(())
}

/// Moves the members of all groups from the table of earlier versions. The migrations up to 9 are applied.
pub(in super::super) async fn move_to_segments(connection: &mut Connection) -> Result<(), sqlx::Error> {
    let mut after = i64::MIN;
    loop {
        // One at a time: each is looked up by the names of its devices, so that no index by segment is needed.
        let next: Option<(i64, Uuid, String)> =
            query_as("SELECT id, account, text FROM segments WHERE id > $1 ORDER BY id LIMIT 1")
                .bind(after)
                .fetch_optional(&mut *connection)
                .await?;
        let Some((segment, account, text)) = next else { return Ok(()) };
        after = segment;
        let lines: HashMap<&str, u32> = names(&text).zip(0..).collect();
        let mut rows = query_as::<_, (Uuid, String)>(AssertSqlSafe(format!(
            "SELECT gm.device_group, d.name FROM {NAMES} {DEVICE_OF_NAME} JOIN group_members gm ON gm.device = d.id"
        )))
        .bind(account)
        .bind(json_names(lines.keys().copied()))
        .fetch(&mut *connection);
        let mut groups: HashMap<Uuid, Vec<u32>> = HashMap::new();
        while let Some((group, name)) = rows.try_next().await? {
            groups.entry(group).or_default().extend(lines.get(&*name));
        }
        drop(rows);
        if groups.is_empty() {
            continue;
        }
        let mut members = Members::default();
        for (group, lines) in &groups {
            members.join(*group, lines);
        }
        query(AssertSqlSafe(format!(
            "INSERT INTO segment_states (segment, version, status_bytes, members) VALUES ($1, {NEW_VERSION}, $2, $3)
             ON CONFLICT (segment) DO UPDATE SET version = excluded.version, members = excluded.members"
        )))
        .bind(segment)
        .bind(Vec::<u8>::new())
        .bind(members.stored())
        .execute(&mut *connection)
        .await?;
    }
}

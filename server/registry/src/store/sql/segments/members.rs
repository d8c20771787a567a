//! The members of device groups: a bitmap for each segment that has members, stored with the other columns that change.

use super::{
    Connection, DEVICE_OF_NAME, FOR_NO_KEY_UPDATE, NAMES, NEW_VERSION,
    statements::{json_names, push_numbers, sql},
};
use crate::{
    errors::StoreError,
    index::{members::Members, segment::lines_of_names},
    types::AccountId,
};
use sqlx::{AssertSqlSafe, query, query_as};
use std::collections::{BTreeMap, HashMap, HashSet};
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
    let rows: Vec<(i64, String)> =
        query_as(AssertSqlSafe(format!("SELECT d.segment, d.name FROM {NAMES} {DEVICE_OF_NAME}")))
            .bind(account.0)
            .bind(json_names(names))
            .fetch_all(&mut *connection)
            .await?;
    // In the order of their ids, so that two such transactions do not wait for each other.
    let mut names: BTreeMap<i64, HashSet<&str>> = BTreeMap::new();
    for (segment, name) in &rows {
        names.entry(*segment).or_default().insert(name);
    }
    let segments: Vec<i64> = names.keys().copied().collect();
    let mut changed = 0;
    for chunk in segments.chunks(MAX_SEGMENTS_IN_MEMORY) {
        let mut statement = sql("SELECT id, text FROM segments WHERE id IN ");
        push_numbers(&mut statement, chunk.iter().copied());
        let texts: Vec<(i64, String)> =
            statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let texts: HashMap<i64, String> = texts.into_iter().collect();
        for segment in chunk {
            let Some(text) = texts.get(segment) else { continue };
            let lines = lines_of_names(text, &names[segment]);
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

/// The members of groups in a segment, locked until the transaction ends.
async fn lock_members(connection: &mut Connection, segment: i64) -> Result<Members, StoreError> {
    query(AssertSqlSafe(format!(
        "INSERT INTO segment_states (segment, version, status_bytes) VALUES ($1, {NEW_VERSION}, $2)
         ON CONFLICT (segment) DO NOTHING"
    )))
    .bind(segment)
    .bind(Vec::<u8>::new())
    .execute(&mut *connection)
    .await?;
    let stored: (Vec<u8>,) =
        query_as(AssertSqlSafe(format!("SELECT members FROM segment_states WHERE segment = $1{FOR_NO_KEY_UPDATE}")))
            .bind(segment)
            .fetch_one(connection)
            .await?;
    Members::parse(&stored.0).ok_or(StoreError::Corrupt)
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

/// The members of groups in each segment of an account that has any.
pub(in super::super) async fn of_account(
    connection: &mut Connection,
    account: AccountId,
) -> Result<Vec<(i64, Members)>, StoreError> {
    let rows: Vec<(i64, Vec<u8>)> = query_as(
        "SELECT s.id, t.members FROM segments s JOIN segment_states t ON t.segment = s.id
         WHERE s.account = $1 AND LENGTH(t.members) > 0",
    )
    .bind(account.0)
    .fetch_all(connection)
    .await?;
    let parse = |(segment, stored): (i64, Vec<u8>)| Some((segment, Members::parse(&stored)?));
    rows.into_iter().map(|row| parse(row).ok_or(StoreError::Corrupt)).collect()
}

/// The text of a segment and the members of groups in it, if there are any.
pub(in super::super) async fn of_segment(
    connection: &mut Connection,
    segment: i64,
) -> Result<Option<(String, Members)>, StoreError> {
    let row: Option<(String, Vec<u8>)> = query_as(
        "SELECT s.text, t.members FROM segments s JOIN segment_states t ON t.segment = s.id
         WHERE s.id = $1 AND LENGTH(t.members) > 0",
    )
    .bind(segment)
    .fetch_optional(connection)
    .await?;
    let parse = |(text, stored): (String, Vec<u8>)| Ok((text, Members::parse(&stored).ok_or(StoreError::Corrupt)?));
    row.map(parse).transpose()
}

/// Empties a group.
pub(in super::super) async fn remove_group(
    connection: &mut Connection,
    account: AccountId,
    group: Uuid,
) -> Result<(), StoreError> {
    for (segment, mut members) in of_account(connection, account).await? {
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
        let texts: Vec<(i64, String)> = query_as("SELECT id, text FROM segments WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after)
            .bind(MAX_SEGMENTS_IN_MEMORY as i64)
            .fetch_all(&mut *connection)
            .await?;
        let Some((last, _)) = texts.last() else { return Ok(()) };
        after = *last;
        let mut statement = sql("SELECT gm.device_group, d.segment, d.name
             FROM group_members gm JOIN devices d ON d.id = gm.device WHERE d.segment IN ");
        push_numbers(&mut statement, texts.iter().map(|(id, _)| *id));
        let rows: Vec<(Uuid, i64, String)> =
            statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let mut groups: HashMap<(i64, Uuid), HashSet<&str>> = HashMap::new();
        for (group, segment, name) in &rows {
            groups.entry((*segment, *group)).or_default().insert(name);
        }
        let mut all: HashMap<i64, Members> = HashMap::new();
        for (segment, text) in &texts {
            for ((_, group), names) in groups.iter().filter(|((of, _), _)| of == segment) {
                all.entry(*segment).or_default().join(*group, &lines_of_names(text, names));
            }
        }
        for (segment, members) in all {
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
}

//! The segments of the fleet index, as the database keeps them: see `index/`.

use super::{
    Connection, DEVICE_OF_NAME, Database, FOR_UPDATE_SKIP_LOCKED, NAMES, NEW_VERSION, compaction, json_names,
    last_seen, sql,
};
use crate::{
    errors::StoreError,
    index::{
        FleetIndex,
        cache::Cache,
        last_seen::Batch,
        segment::{Columns, SMALL_SEGMENT_DEVICES, Segment},
    },
    types::AccountId,
};
use sqlx::{AssertSqlSafe, QueryBuilder, query, query_as, query_scalar};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// Segments that one statement reads, of some 600 KiB each.
const SEGMENTS_AT_ONCE: usize = 16;

/// Segments of which one statement reads what changes, 90 KiB each.
const STATES_AT_ONCE: usize = 64;

/// The segments of an account as they are now, with the times that are still to be taken into them.
pub(super) struct Loaded {
    pub(super) segments: HashMap<i64, Segment>,
    batches: HashMap<i64, Arc<Batch>>,
    unpublished: Option<Arc<Batch>>,
}

impl Loaded {
    /// Takes in when devices were last seen; gives the segments. It takes some milliseconds if many were.
    pub(super) fn up_to_date(self) -> HashMap<i64, Segment> {
        for (id, segment) in &self.segments {
            for (batch, seen) in &self.batches {
                segment.saw_batch(*batch, seen.of(*id));
            }
            if let Some(seen) = &self.unpublished {
                segment.saw(seen.of(*id));
            }
        }
        self.segments
    }
}

/// The segments of an account, or of one of its registrations: those that are cached, and the others from the database.
pub(super) async fn load(
    connection: &mut Connection,
    index: &FleetIndex,
    account: Uuid,
    only: Option<Uuid>,
) -> Result<Loaded, StoreError> {
    // First of all: what is folded from now on is read here, or there, or twice.
    let unpublished = index.unpublished.of(AccountId(account));
    let batches = last_seen::batches(connection, &index.cache, account).await?;
    let changes = compaction::changes(connection, account).await?;
    let many_changes = changes.values().map(Vec::len).sum::<usize>() > index.options.max_changes;
    if many_changes || batches.len() > index.options.max_batches() {
        index.compact(AccountId(account));
    }
    let is_wanted = |_, registration| only.is_none() || only == registration;
    let mut segments = those(connection, &index.cache, account, is_wanted).await?;
    for (id, changes) in &changes {
        if let Some(segment) = segments.get_mut(id) {
            *segment = compaction::changed(segment, changes);
        }
    }
    Ok(Loaded { segments, batches, unpublished })
}

/// The segments of an account that are wanted, by their ids and registrations; without the changes since.
pub(super) async fn those(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<HashMap<i64, Segment>, StoreError> {
    let mut found = cached(connection, cache, account, &is_wanted).await?;
    if found.stale.is_empty() && found.missing.is_empty() {
        return Ok(found.segments);
    }
    let _turn = cache.turn_to_read().await;
    found = cached(connection, cache, account, &is_wanted).await?;
    read_states(connection, cache, account, &mut found).await?;
    for some in found.missing.chunks(SEGMENTS_AT_ONCE) {
        let mut statement = sql("SELECT s.id, s.version, s.text, t.version, t.facets, t.last_seen
             FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.id IN ");
        push_numbers(&mut statement, some.iter().copied());
        type Row = (i64, i64, String, Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>);
        let rows: Vec<Row> = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        // 10 MiB: some 80 ms for a processor.
        let parse = move || {
            let parsed = rows.into_iter().map(|(id, version, text, state_version, facets, last_seen)| {
                let columns =
                    Columns { text, facets: facets.unwrap_or_default(), last_seen: last_seen.unwrap_or_default() };
                (id, (version, state_version.unwrap_or_default()), Segment::new(columns))
            });
            parsed.collect::<Vec<_>>()
        };
        for (id, version, segment) in tokio::task::spawn_blocking(parse).await.map_err(|_| StoreError::Unavailable)? {
            cache.keep(account, id, version, &segment);
            found.segments.insert(id, segment);
        }
    }
    Ok(found.segments)
}

/// What is known of the segments that are wanted.
#[derive(Default)]
struct Known {
    /// Those that are cached as they are.
    segments: HashMap<i64, Segment>,
    /// Those whose facets and times have changed, with the version of their text.
    stale: Vec<(i64, i64, Segment)>,
    /// Those that are to be read.
    missing: Vec<i64>,
}

async fn cached(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<Known, StoreError> {
    let all: Vec<(i64, Option<Uuid>, i64, Option<i64>)> = query_as(
        "SELECT s.id, s.registration, s.version, t.version
         FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.account = $1",
    )
    .bind(account)
    .fetch_all(&mut *connection)
    .await?;
    let mut there = cache.segments(account, all.iter().map(|(id, _, version, _)| (*id, *version)));
    let mut known = Known::default();
    for (id, registration, version, state_version) in all {
        if !is_wanted(id, registration) {
            continue;
        }
        match there.remove(&id) {
            Some((there, segment)) if there == (version, state_version.unwrap_or_default()) => {
                known.segments.insert(id, segment);
            }
            Some((_, segment)) => known.stale.push((id, version, segment)),
            None => known.missing.push(id),
        }
    }
    Ok(known)
}

/// Reads the facets and times of the stale segments.
async fn read_states(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    known: &mut Known,
) -> Result<(), StoreError> {
    for some in known.stale.chunks(STATES_AT_ONCE) {
        let mut statement = sql("SELECT s.id, s.version, t.version, t.facets, t.last_seen
             FROM segments s JOIN segment_states t ON t.segment = s.id WHERE s.id IN ");
        push_numbers(&mut statement, some.iter().map(|(id, ..)| *id));
        type Row = (i64, i64, i64, Vec<u8>, Vec<u8>);
        let rows: Vec<Row> = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let mut rows: HashMap<i64, _> = rows
            .into_iter()
            .map(|(id, text, state, facets, last_seen)| (id, (text, state, facets, last_seen)))
            .collect();
        for (id, version, segment) in some {
            match rows.remove(id) {
                Some((text, state, facets, last_seen)) if text == *version => {
                    let segment = segment.with(&facets, &last_seen);
                    cache.keep(account, *id, (text, state), &segment);
                    known.segments.insert(*id, segment);
                }
                // Its text has changed meanwhile.
                _ => known.missing.push(*id),
            }
        }
    }
    Ok(())
}

/// Appends numbers in brackets, at least one.
pub(super) fn push_numbers(statement: &mut QueryBuilder<Database>, numbers: impl Iterator<Item = i64>) {
    statement.push("(");
    let mut list = statement.separated(", ");
    for number in numbers {
        list.push_bind(number);
    }
    statement.push(")");
}

/// A segment to add so many devices of a registration to: one that has few, or a new one. Others leave it alone until the
/// transaction ends.
pub(super) async fn open(
    connection: &mut Connection,
    account: AccountId,
    registration: Uuid,
    devices: usize,
) -> Result<i64, StoreError> {
    if devices < SMALL_SEGMENT_DEVICES {
        let small: Option<i64> = query_scalar(AssertSqlSafe(format!(
            "SELECT id FROM segments WHERE account = $1 AND registration = $2 AND devices < $3 ORDER BY id DESC LIMIT 1{FOR_UPDATE_SKIP_LOCKED}"
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

/// Adds the lines of so many devices to a segment that was opened.
pub(super) async fn add(
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

/// Takes devices out of their segments, before they are deleted. Nobody else may change devices of the account meanwhile.
pub(super) async fn remove<'a>(
    connection: &mut Connection,
    account: AccountId,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), StoreError> {
    let rows: Vec<(i64, String)> =
        query_as(AssertSqlSafe(format!("SELECT d.segment, d.name FROM {NAMES} {DEVICE_OF_NAME}")))
            .bind(account.0)
            .bind(json_names(names))
            .fetch_all(&mut *connection)
            .await?;
    let mut segments: BTreeMap<i64, HashSet<&str>> = BTreeMap::new();
    for (segment, name) in &rows {
        segments.entry(*segment).or_default().insert(name);
    }
    for (id, names) in segments {
        type Stored = (String, Option<Vec<u8>>, Option<Vec<u8>>);
        let found: Option<Stored> = query_as(
            "SELECT s.text, t.facets, t.last_seen
             FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
        let Some((text, facets, last_seen)) = found else { continue };
        let has_state = facets.is_some();
        let columns = Columns { text, facets: facets.unwrap_or_default(), last_seen: last_seen.unwrap_or_default() };
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
            compaction::store(connection, id, &left.facets, &left.last_seen).await?;
        }
    }
    Ok(())
}

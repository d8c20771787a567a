//! The segments of the fleet index, as the database keeps them: see `index/`.

use super::{
    Connection, DEVICE_OF_NAME, Database, FOR_UPDATE_SKIP_LOCKED, NAMES, NEW_VERSION, Pool, compaction, json_names,
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
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Segments that one statement reads, of some 600 KiB each.
const SEGMENTS_AT_ONCE: usize = 16;

/// Segments of which one statement reads what changes, 90 KiB each.
const STATES_AT_ONCE: usize = 64;

/// The memory that a segment `s` takes, about: its text and, without the models, a lower-case copy; and what each device
/// takes. The estimate decides whether a fleet fits, so that it does not depend on what is cached.
const NEEDED_BYTES: &str = "OCTET_LENGTH(s.text) * 3 / 2 + s.devices * 38";

fn needed(bytes: i64) -> usize {
    usize::try_from(bytes).unwrap_or_default()
}

/// As many devices are read in less time than it takes to notice.
const SOON_READ_DEVICES: i64 = 20_000;

/// Whether a query waits for segments that are not cached yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    Waits,
    /// It does, and takes segments of a fleet that is too large for the memory of the index.
    TakesAny,
    /// Not for many of them.
    WaitsBriefly,
}

/// Why there are no segments to ask.
pub(super) enum LoadError {
    Store(StoreError),
    /// They are to be read first, and that takes a while.
    NotCached,
}

impl From<StoreError> for LoadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for LoadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<LoadError> for StoreError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => error,
            LoadError::NotCached => Self::Unavailable,
        }
    }
}

/// The segments of an account as they are now, with the times that are still to be taken into them.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) segments: HashMap<i64, Segment>,
    /// Differs from that of any other state of these segments, but for when devices were last seen.
    pub(super) state: u64,
    batches: HashMap<i64, Arc<Batch>>,
}

impl Loaded {
    /// Takes in when devices were last seen; gives the segments. It takes some milliseconds if many were.
    pub(super) fn up_to_date(self) -> HashMap<i64, Segment> {
        for (batch, seen) in &self.batches {
            for id in seen.segments() {
                if let Some(segment) = self.segments.get(&id) {
                    segment.saw_batch(*batch, seen.of(id));
                }
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
    patience: Patience,
) -> Result<Loaded, LoadError> {
    // A fleet that is too large is known before anything of it is read.
    if !index.cache.has(account) && only.is_none() {
        let bytes: Option<i64> = query_scalar(AssertSqlSafe(format!(
            "SELECT CAST(SUM({NEEDED_BYTES}) AS BIGINT) FROM segments s WHERE s.account = $1"
        )))
        .bind(account)
        .fetch_one(&mut *connection)
        .await?;
        if needed(bytes.unwrap_or_default()) > index.cache.max_bytes() {
            return Err(StoreError::FleetTooLarge.into());
        }
    }
    // First of all: what is compacted from now on is read here, or there, or twice.
    let batches = last_seen::batches(connection, &index.cache, account).await?;
    let changes = compaction::changes(connection, account).await?;
    let many_changes = changes.values().map(Vec::len).sum::<usize>() > index.options.max_changes;
    if many_changes || batches.len() > index.options.max_batches() {
        index.compact(AccountId(account));
    }
    let is_wanted = |_, registration| only.is_none() || only == registration;
    let Those { mut segments, mut state } = those(connection, &index.cache, account, patience, is_wanted).await?;
    for (id, changes) in &changes {
        if let Some(segment) = segments.get_mut(id) {
            *segment = compaction::changed(segment, changes);
        }
        // They come in any order.
        changes.iter().for_each(|change| state = state.wrapping_add(hash_of(change)));
    }
    Ok(Loaded { segments, state, batches })
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Segments without the changes since, by their ids; and a hash of their versions.
pub(super) struct Those {
    pub(super) segments: HashMap<i64, Segment>,
    state: u64,
}

/// Reads the segments of accounts that are named, until nobody can name any more.
pub(crate) async fn keep_loading(pool: Pool, cache: Arc<Cache>, mut named: mpsc::Receiver<AccountId>) {
    while let Some(account) = named.recv().await {
        // Where it fails, the next query reads them, and says why not.
        if let Ok(mut connection) = pool.acquire().await {
            let _ = those(&mut connection, &cache, account.0, Patience::Waits, |_, _| true).await;
        }
    }
}

/// The segments of an account that are wanted, by their ids and registrations; without the changes since.
pub(super) async fn those(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    patience: Patience,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<Those, LoadError> {
    let mut found = cached(connection, cache, account, &is_wanted).await?;
    if patience != Patience::TakesAny && needed(found.needed_bytes) > cache.max_bytes() {
        return Err(StoreError::FleetTooLarge.into());
    }
    if patience == Patience::WaitsBriefly && found.missing_devices > SOON_READ_DEVICES {
        return Err(LoadError::NotCached);
    }
    if found.stale.is_empty() && found.missing.is_empty() {
        return Ok(Those { segments: found.segments, state: found.state });
    }
    let turn = cache.turn_to_read(account);
    let _turn = turn.lock().await;
    found = cached(connection, cache, account, &is_wanted).await?;
    read_states(connection, cache, account, &mut found).await?;
    for some in found.missing.chunks(SEGMENTS_AT_ONCE) {
        let mut statement = sql("SELECT s.id, s.version, s.text, t.version, t.status_bytes, t.last_seen
             FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.id IN ");
        push_numbers(&mut statement, some.iter().copied());
        type Row = (i64, i64, String, Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>);
        let rows: Vec<Row> = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        // 10 MiB: some 80 ms for a processor.
        let parse = move || {
            let parsed = rows.into_iter().map(|(id, version, text, state_version, status_bytes, last_seen)| {
                let columns = Columns {
                    text,
                    status_bytes: status_bytes.unwrap_or_default(),
                    last_seen: last_seen.unwrap_or_default(),
                };
                (id, (version, state_version.unwrap_or_default()), Segment::new(columns))
            });
            parsed.collect::<Vec<_>>()
        };
        for (id, version, segment) in tokio::task::spawn_blocking(parse).await.map_err(|_| StoreError::Unavailable)? {
            cache.keep(account, id, version, &segment);
            found.segments.insert(id, segment);
        }
    }
    Ok(Those { segments: found.segments, state: found.state })
}

/// What is known of the segments that are wanted.
#[derive(Default)]
struct Known {
    /// Those that are cached as they are.
    segments: HashMap<i64, Segment>,
    /// Those whose status_bytes and times have changed, with the version of their text.
    stale: Vec<(i64, i64, Segment)>,
    /// Those that are to be read.
    missing: Vec<i64>,
    missing_devices: i64,
    /// The memory that all of these take.
    needed_bytes: i64,
    /// A hash of all versions.
    state: u64,
}

async fn cached(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<Known, StoreError> {
    type Row = (i64, Option<Uuid>, i64, Option<i64>, i64, i64);
    let all: Vec<Row> = query_as(AssertSqlSafe(format!(
        "SELECT s.id, s.registration, s.version, t.version, s.devices, CAST({NEEDED_BYTES} AS BIGINT)
         FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.account = $1"
    )))
    .bind(account)
    .fetch_all(&mut *connection)
    .await?;
    let mut there = cache.segments(account, all.iter().map(|(id, _, version, ..)| (*id, *version)));
    let mut known = Known::default();
    for (id, registration, version, state_version, devices, bytes) in all {
        if !is_wanted(id, registration) {
            continue;
        }
        known.needed_bytes += bytes;
        known.state = known.state.wrapping_add(hash_of(&(id, version, state_version)));
        match there.remove(&id) {
            Some((there, segment)) if there == (version, state_version.unwrap_or_default()) => {
                known.segments.insert(id, segment);
            }
            Some((_, segment)) => {
                known.stale.push((id, version, segment));
            }
            None => {
                known.missing_devices += devices;
                known.missing.push(id);
            }
        }
    }
    Ok(known)
}

/// Reads the status_bytes and times of the stale segments.
async fn read_states(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    known: &mut Known,
) -> Result<(), StoreError> {
    for some in known.stale.chunks(STATES_AT_ONCE) {
        let mut statement = sql("SELECT s.id, s.version, t.version, t.status_bytes, t.last_seen
             FROM segments s JOIN segment_states t ON t.segment = s.id WHERE s.id IN ");
        push_numbers(&mut statement, some.iter().map(|(id, ..)| *id));
        type Row = (i64, i64, i64, Vec<u8>, Vec<u8>);
        let rows: Vec<Row> = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let mut rows: HashMap<i64, _> = rows
            .into_iter()
            .map(|(id, text, state, status_bytes, last_seen)| (id, (text, state, status_bytes, last_seen)))
            .collect();
        for (id, version, segment) in some {
            match rows.remove(id) {
                Some((text, state, status_bytes, last_seen)) if text == *version => {
                    let segment = segment.with(&status_bytes, &last_seen);
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
            "SELECT s.text, t.status_bytes, t.last_seen
             FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
        let Some((text, status_bytes, last_seen)) = found else { continue };
        let has_state = status_bytes.is_some();
        let columns =
            Columns { text, status_bytes: status_bytes.unwrap_or_default(), last_seen: last_seen.unwrap_or_default() };
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
            compaction::store(connection, id, &left.status_bytes, &left.last_seen).await?;
        }
    }
    Ok(())
}

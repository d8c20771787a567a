//! The segments of the fleet index, as the database keeps them: see `index/`.

use super::{
    Connection, DEVICE_OF_NAME, Database, FOR_UPDATE_SKIP_LOCKED, NAMES, NEW_VERSION, Pool, compaction, json_names,
    last_seen, members, sql,
};
use crate::{
    errors::StoreError,
    index::{
        FleetIndex,
        cache::Cache,
        last_seen::Batch,
        members::Members,
        segment::{Columns, SMALL_SEGMENT_DEVICES, Segment, State},
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

/// An estimate of the memory that a segment `s` with the state `t` takes: its text, a lower-case copy without models, 38 bytes
/// for each device, and the members of groups. It decides whether a fleet fits, because the exact size is only known for cached segments.
const NEEDED_BYTES: &str = "OCTET_LENGTH(s.text) * 3 / 2 + s.devices * 38 + COALESCE(LENGTH(t.members), 0)";

/// Checks that segments may be read.
fn check_size(cache: &Cache, mode: LoadMode, needed_bytes: i64, missing_devices: i64) -> Result<(), LoadError> {
    if mode != LoadMode::AnySize && usize::try_from(needed_bytes).unwrap_or_default() > cache.max_bytes() {
        return Err(StoreError::FleetTooLarge.into());
    }
    if mode == LoadMode::OnlyIfQuick && missing_devices > QUICKLY_READ_DEVICES {
        return Err(LoadError::TakesLong);
    }
    Ok(())
}

/// Reading so many devices takes less than 50 ms.
const QUICKLY_READ_DEVICES: i64 = 20_000;

/// How segments that are not cached are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadMode {
    /// All of them, unless the fleet is too large for the memory of the index.
    Complete,
    /// All of them, whatever the size of the fleet.
    AnySize,
    /// Only if they are few.
    OnlyIfQuick,
}

/// Why segments are not loaded.
pub(super) enum LoadError {
    Store(StoreError),
    /// Many segments would have to be read first.
    TakesLong,
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
            LoadError::TakesLong => Self::Unavailable,
        }
    }
}

/// The segments of an account with all changes, and the batches whose times are still to be recorded in them.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) segments: HashMap<i64, Segment>,
    /// A hash of the versions of these segments and of all changes, except of last-seen times.
    pub(super) state: u64,
    batches: HashMap<i64, Arc<Batch>>,
}

impl Loaded {
    /// Records the times of the batches. Takes some milliseconds if there are many.
    pub(super) fn with_last_seen(self) -> HashMap<i64, Segment> {
        for (batch, times) in &self.batches {
            for id in times.segments() {
                if let Some(segment) = self.segments.get(&id) {
                    segment.record_batch(*batch, times.of(id));
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
    mode: LoadMode,
) -> Result<Loaded, LoadError> {
    if !index.cache.has(account) && only.is_none() {
        // Its batches and changes may be many: they are not read in vain.
        let (bytes, devices): (i64, i64) = query_as(AssertSqlSafe(format!(
            "SELECT CAST(COALESCE(SUM({NEEDED_BYTES}), 0) AS BIGINT), CAST(COALESCE(SUM(s.devices), 0) AS BIGINT)
             FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.account = $1"
        )))
        .bind(account)
        .fetch_one(&mut *connection)
        .await?;
        check_size(&index.cache, mode, bytes, devices)?;
    }
    // Changes first, then segments: what is compacted meanwhile is read in the one, in the other, or in both.
    let batches = last_seen::batches(connection, &index.cache, account).await?;
    let changes = compaction::changes(connection, account).await?;
    let many_changes = changes.values().map(Vec::len).sum::<usize>() > index.options.max_changes;
    if many_changes || batches.len() > index.options.max_batches() {
        index.compact(AccountId(account));
    }
    let is_wanted = |_, registration| only.is_none() || only == registration;
    let StoredSegments { mut segments, mut state } =
        stored_segments(connection, &index.cache, account, mode, is_wanted).await?;
    for (id, changes) in &changes {
        if let Some(segment) = segments.get_mut(id) {
            *segment = compaction::changed(segment, changes);
        }
        // The sum does not depend on the order of the rows.
        changes.iter().for_each(|change| state = state.wrapping_add(hash_of(change)));
    }
    Ok(Loaded { segments, state, batches })
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Segments by their ids, without the changes since they were stored; and a hash of their versions.
pub(super) struct StoredSegments {
    pub(super) segments: HashMap<i64, Segment>,
    state: u64,
}

/// Reads the segments of accounts on request, as long as requests can come.
pub(crate) async fn load_on_request(pool: Pool, cache: Arc<Cache>, mut requests: mpsc::Receiver<AccountId>) {
    while let Some(account) = requests.recv().await {
        // If it fails, the next query reads them, and reports the error.
        if let Ok(mut connection) = pool.acquire().await {
            let _ = stored_segments(&mut connection, &cache, account.0, LoadMode::Complete, |_, _| true).await;
        }
    }
}

/// The segments of an account that `is_wanted` selects by id and registration, cached or from the database.
pub(super) async fn stored_segments(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    mode: LoadMode,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<StoredSegments, LoadError> {
    let mut found = find_cached(connection, cache, account, &is_wanted).await?;
    check_size(cache, mode, found.needed_bytes, found.missing_devices)?;
    if found.stale.is_empty() && found.missing.is_empty() {
        return Ok(StoredSegments { segments: found.segments, state: found.state });
    }
    let turn = cache.read_lock(account);
    let _turn = turn.lock().await;
    found = find_cached(connection, cache, account, &is_wanted).await?;
    read_states(connection, cache, account, &mut found).await?;
    for some in found.missing.chunks(SEGMENTS_AT_ONCE) {
        let mut statement = sql("SELECT s.id, s.version, s.text, t.version, t.status_bytes, t.last_seen, t.members
             FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.id IN ");
        push_numbers(&mut statement, some.iter().copied());
        type Row = (i64, i64, String, Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);
        let rows: Vec<Row> = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        // 10 MiB: some 80 ms for a processor.
        let parse = move || {
            let parsed =
                rows.into_iter().map(|(id, version, text, state_version, status_bytes, last_seen, members)| {
                    let columns = Columns { text, state: state(status_bytes, last_seen, members)? };
                    Ok((id, (version, state_version.unwrap_or_default()), Segment::new(columns)))
                });
            parsed.collect::<Result<Vec<_>, StoreError>>()
        };
        for (id, version, segment) in
            tokio::task::spawn_blocking(parse).await.map_err(|_| StoreError::Unavailable)??
        {
            cache.insert(account, id, version, &segment);
            found.segments.insert(id, segment);
        }
    }
    Ok(StoredSegments { segments: found.segments, state: found.state })
}

/// The state of a segment from its columns, if any are stored.
fn state(
    status_bytes: Option<Vec<u8>>,
    last_seen: Option<Vec<u8>>,
    members: Option<Vec<u8>>,
) -> Result<State, StoreError> {
    Ok(State {
        status_bytes: status_bytes.unwrap_or_default(),
        last_seen: last_seen.unwrap_or_default(),
        members: Members::parse(&members.unwrap_or_default()).ok_or(StoreError::Corrupt)?,
    })
}

/// The selected segments as far as they are cached.
#[derive(Default)]
struct Cached {
    /// Those that are cached as they are.
    segments: HashMap<i64, Segment>,
    /// Those whose state has changed, with the version of their text.
    stale: Vec<(i64, i64, Segment)>,
    /// Those that are to be read.
    missing: Vec<i64>,
    missing_devices: i64,
    /// The memory that all of these take, estimated.
    needed_bytes: i64,
    /// A hash of all versions.
    state: u64,
}

async fn find_cached(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<Cached, StoreError> {
    type Row = (i64, Option<Uuid>, i64, Option<i64>, i64, i64);
    let all: Vec<Row> = query_as(AssertSqlSafe(format!(
        "SELECT s.id, s.registration, s.version, t.version, s.devices, CAST({NEEDED_BYTES} AS BIGINT)
         FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.account = $1"
    )))
    .bind(account)
    .fetch_all(&mut *connection)
    .await?;
    let mut in_cache = cache.segments(account, all.iter().map(|(id, _, version, ..)| (*id, *version)));
    let mut known = Cached::default();
    for (id, registration, version, state_version, devices, bytes) in all {
        if !is_wanted(id, registration) {
            continue;
        }
        known.needed_bytes += bytes;
        known.state = known.state.wrapping_add(hash_of(&(id, version, state_version)));
        match in_cache.remove(&id) {
            Some((cached_version, segment)) if cached_version == (version, state_version.unwrap_or_default()) => {
                known.segments.insert(id, segment);
            }
            Some((_, segment)) => known.stale.push((id, version, segment)),
            None => {
                known.missing_devices += devices;
                known.missing.push(id);
            }
        }
    }
    Ok(known)
}

/// Reads the states of the stale segments.
async fn read_states(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    known: &mut Cached,
) -> Result<(), StoreError> {
    for some in known.stale.chunks(STATES_AT_ONCE) {
        let mut statement = sql("SELECT s.id, s.version, t.version, t.status_bytes, t.last_seen, t.members
             FROM segments s JOIN segment_states t ON t.segment = s.id WHERE s.id IN ");
        push_numbers(&mut statement, some.iter().map(|(id, ..)| *id));
        type Row = (i64, i64, i64, Vec<u8>, Vec<u8>, Vec<u8>);
        let rows: Vec<Row> = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let mut rows: HashMap<i64, _> = rows
            .into_iter()
            .map(|(id, text, version, status_bytes, last_seen, members)| {
                Ok((id, (text, version, state(Some(status_bytes), Some(last_seen), Some(members))?)))
            })
            .collect::<Result<_, StoreError>>()?;
        for (id, version, segment) in some {
            match rows.remove(id) {
                Some((text, state_version, state)) if text == *version => {
                    let segment = segment.in_state(state);
                    cache.insert(account, *id, (text, state_version), &segment);
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
        type Stored = (String, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);
        let found: Option<Stored> = query_as(
            "SELECT s.text, t.status_bytes, t.last_seen, t.members
             FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
        let Some((text, status_bytes, last_seen, members)) = found else { continue };
        let has_state = status_bytes.is_some();
        let columns = Columns { text, state: state(status_bytes, last_seen, members)? };
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
            compaction::store(connection, id, &left.state.status_bytes, &left.state.last_seen).await?;
            members::store(connection, id, &left.state.members).await?;
        }
    }
    Ok(())
}

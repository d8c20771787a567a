//! Stored segments, without the later changes, from the cache or the database.

use super::{
    Connection, Pool,
    statements::{push_numbers, sql},
};
use crate::{
    errors::StoreError,
    index::{
        cache::Cache,
        members::Members,
        segment::{Columns, Segment, State},
    },
    types::AccountId,
};
use sqlx::{AssertSqlSafe, query_as};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Segments in one statement, of about 600 KiB each.
const SEGMENTS_PER_STATEMENT: usize = 16;

/// Segment states in one statement, of about 90 KiB each.
const STATES_PER_STATEMENT: usize = 64;

/// An estimate of the memory that a segment `s` with the state `t` takes: its text, a lower-case copy without models,
/// 38 bytes for each device, and the members of groups: a small group takes four times what is stored of it. It decides
/// whether a fleet fits, because the exact size is known only for cached segments.
pub(super) const NEEDED_BYTES: &str =
    "OCTET_LENGTH(s.text) * 3 / 2 + s.devices * 38 + COALESCE(LENGTH(t.members), 0) * 4";

/// Checks that segments may be read.
pub(super) fn check_size(
    cache: &Cache,
    mode: LoadMode,
    needed_bytes: i64,
    missing_devices: i64,
) -> Result<(), LoadError> {
    if mode != LoadMode::AnySize && usize::try_from(needed_bytes).unwrap_or_default() > cache.max_bytes() {
        return Err(StoreError::FleetTooLarge.into());
    }
    if mode == LoadMode::OnlyIfQuick && missing_devices > MAX_QUICK_DEVICES {
        return Err(LoadError::TakesLong);
    }
    Ok(())
}

/// Reading this many devices takes less than 50 ms.
const MAX_QUICK_DEVICES: i64 = 20_000;

/// How segments that are not cached are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum LoadMode {
    /// All of them, unless the fleet is too large for the memory of the index.
    Complete,
    /// All of them, whatever the size of the fleet.
    AnySize,
    /// Only if there are few.
    OnlyIfQuick,
}

/// Why segments are not loaded.
pub(in super::super) enum LoadError {
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

pub(super) fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Segments by their ids, without the changes since they were stored; and a hash of their versions.
pub(in super::super) struct StoredSegments {
    pub(super) segments: HashMap<i64, Segment>,
    pub(super) state: u64,
}

/// Loads the segments of accounts on request, until no more requests can come.
pub(crate) async fn load_on_request(pool: Pool, cache: Arc<Cache>, mut requests: mpsc::Receiver<AccountId>) {
    while let Some(account) = requests.recv().await {
        // If it fails, the next query loads them, and reports the error.
        if let Ok(mut connection) = pool.acquire().await {
            let _ = stored_segments(&mut connection, &cache, account.0, LoadMode::Complete, |_, _| true).await;
        }
    }
}

row! {
    /// A segment with its state, if it has one.
    struct SegmentRow {
        id: i64,
        version: i64,
        text: String,
        state_version: Option<i64>,
        status_bytes: Option<Vec<u8>>,
        last_seen: Option<Vec<u8>>,
        members: Option<Vec<u8>>,
    }
}

/// The segments of an account that `is_wanted` selects by id and registration, cached or from the database.
pub(in super::super) async fn stored_segments(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    mode: LoadMode,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<StoredSegments, LoadError> {
    let mut found = find_cached(connection, cache, account, &is_wanted).await?;
    if !found.missing.is_empty() {
        let needed_bytes = needed_bytes(connection, account, &is_wanted).await?;
        check_size(cache, mode, needed_bytes, found.missing_devices)?;
    }
    if found.stale.is_empty() && found.missing.is_empty() {
        return Ok(StoredSegments { segments: found.segments, state: found.state });
    }
    let read_lock = cache.read_lock(account);
    let _guard = read_lock.lock().await;
    found = find_cached(connection, cache, account, &is_wanted).await?;
    read_states(connection, cache, account, &mut found).await?;
    for chunk in found.missing.chunks(SEGMENTS_PER_STATEMENT) {
        let mut statement =
            sql("SELECT s.id, s.version, s.text, t.version AS state_version, t.status_bytes, t.last_seen, t.members
             FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.id IN ");
        push_numbers(&mut statement, chunk.iter().copied());
        let rows: Vec<SegmentRow> = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        // 10 MiB: about 80 ms of a processor.
        let parse = move || {
            let parsed = rows.into_iter().map(|row| {
                let version = (row.version, row.state_version.unwrap_or_default());
                let columns = Columns { text: row.text, state: state(row.status_bytes, row.last_seen, row.members)? };
                Ok((row.id, version, Segment::new(columns)))
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
pub(super) fn state(
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

row! {
    /// The versions of a segment.
    struct VersionsRow {
        id: i64,
        registration: Option<Uuid>,
        version: i64,
        state_version: Option<i64>,
        devices: i64,
    }
}

row! {
    struct SizeRow {
        id: i64,
        registration: Option<Uuid>,
        needed_bytes: i64,
    }
}

row! {
    /// The state of a segment, with the version of its text.
    struct StateRow {
        id: i64,
        version: i64,
        state_version: i64,
        status_bytes: Vec<u8>,
        last_seen: Vec<u8>,
        members: Vec<u8>,
    }
}

/// The selected segments as far as they are cached.
#[derive(Default)]
struct Cached {
    /// Cached, and current.
    segments: HashMap<i64, Segment>,
    /// Cached, but the state has changed; with the version of the text.
    stale: Vec<(i64, i64, Segment)>,
    /// Not cached.
    missing: Vec<i64>,
    missing_devices: i64,
    /// A hash of all versions.
    state: u64,
}

async fn find_cached(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<Cached, StoreError> {
    // Only columns of an index of `segments`: its rows have large texts.
    let all: Vec<VersionsRow> = query_as(
        "SELECT s.id, s.registration, s.version, t.version AS state_version, s.devices
         FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.account = $1",
    )
    .bind(account)
    .fetch_all(&mut *connection)
    .await?;
    let mut in_cache = cache.segments(account, all.iter().map(|row| (row.id, row.version)));
    let mut known = Cached::default();
    for VersionsRow { id, registration, version, state_version, devices } in all {
        if !is_wanted(id, registration) {
            continue;
        }
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

/// An estimate of the memory that the selected segments take.
async fn needed_bytes(
    connection: &mut Connection,
    account: Uuid,
    is_wanted: impl Fn(i64, Option<Uuid>) -> bool,
) -> Result<i64, StoreError> {
    let sizes: Vec<SizeRow> = query_as(AssertSqlSafe(format!(
        "SELECT s.id, s.registration, CAST({NEEDED_BYTES} AS BIGINT) AS needed_bytes
         FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.account = $1"
    )))
    .bind(account)
    .fetch_all(connection)
    .await?;
    Ok(sizes.into_iter().filter(|row| is_wanted(row.id, row.registration)).map(|row| row.needed_bytes).sum())
}

/// Reads the states of the stale segments.
async fn read_states(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    known: &mut Cached,
) -> Result<(), StoreError> {
    for chunk in known.stale.chunks(STATES_PER_STATEMENT) {
        let mut statement =
            sql("SELECT s.id, s.version, t.version AS state_version, t.status_bytes, t.last_seen, t.members
             FROM segments s JOIN segment_states t ON t.segment = s.id WHERE s.id IN ");
        push_numbers(&mut statement, chunk.iter().map(|(id, ..)| *id));
        let rows: Vec<StateRow> = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let parse = move || {
            let parsed = rows.into_iter().map(|row| {
                let state = state(Some(row.status_bytes), Some(row.last_seen), Some(row.members))?;
                Ok((row.id, (row.version, row.state_version, state)))
            });
            parsed.collect::<Result<HashMap<i64, _>, StoreError>>()
        };
        // Of thousands of groups, some milliseconds.
        let mut rows = tokio::task::spawn_blocking(parse).await.map_err(|_| StoreError::Unavailable)??;
        for (id, version, segment) in chunk {
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

/// A segment of an account as it is cached, if that is its current version.
pub(super) async fn current_segment(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
    segment: i64,
) -> Result<Option<Segment>, StoreError> {
    let Some((cached_version, cached)) = cache.segment(account, segment) else { return Ok(None) };
    let version: Option<(i64, Option<i64>)> = query_as(
        "SELECT s.version, t.version FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.id = $1",
    )
    .bind(segment)
    .fetch_optional(connection)
    .await?;
    let version = version.map(|(text, state)| (text, state.unwrap_or_default()));
    Ok(Some(cached).filter(|_| version == Some(cached_version)))
}

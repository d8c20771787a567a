//! Folding changes into segments.
//!
//! A trigger writes each change of a device's status byte to a row of its own, so that devices that come alive at the same time
//! do not wait for each other. Queries read these rows, and the batches of last-seen times. When they have become many,
//! they are compacted into the segments.

use super::{
    Connection, DEVICE_OF_NAME, FOR_UPDATE_SKIP_LOCKED, NAMES, NEW_VERSION, Pool, ROWS_AT_ONCE, begin, json_names,
    lock,
    segments::{self, LoadMode, push_numbers},
    selection::push_ids,
    sql,
};
use crate::{
    errors::StoreError,
    index::{IndexOptions, cache::Cache, last_seen::Batch, segment::Segment},
    store::Lock,
    types::AccountId,
};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use uuid::Uuid;

/// Changes, and batches, that are compacted in one transaction.
const CHANGES_AT_ONCE: usize = 20_000;
const BATCHES_AT_ONCE: usize = 64;

/// Segments that are in memory at a time, if they are not cached.
const SEGMENTS_AT_ONCE: usize = 64;

/// Changed devices by their segments: names and new status_bytes.
pub(super) type Changes = HashMap<i64, Vec<(String, i16)>>;

/// The changes of an account's devices that are not in its segments yet.
pub(super) async fn changes(connection: &mut Connection, account: Uuid) -> Result<Changes, StoreError> {
    let rows: Vec<(i64, String, i16)> =
        query_as("SELECT segment, name, status_byte FROM status_changes WHERE account = $1")
            .bind(account)
            .fetch_all(connection)
            .await?;
    let mut changes = Changes::new();
    for (segment, name, status_byte) in rows {
        changes.entry(segment).or_default().push((name, status_byte));
    }
    Ok(changes)
}

/// The segment with these changes.
pub(super) fn changed(segment: &Segment, changes: &[(String, i16)]) -> Segment {
    segment.changed(changes.iter().map(|(name, status_byte)| (name.as_str(), *status_byte as u8)))
}

/// How often it is looked whether accounts that nobody asks for have many changes.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Compacts the changes of accounts on request, and of all accounts that have many, as long as requests can come. The first
/// pool is for reading, the second for writing.
pub(crate) async fn compact_regularly(
    [readers, writers]: [Pool; 2],
    cache: Arc<Cache>,
    options: IndexOptions,
    mut requests: mpsc::Receiver<AccountId>,
) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accounts = tokio::select! {
            account = requests.recv() => match account {
                Some(account) => vec![account],
                None => return,
            },
            _ = look.tick() => with_many(&readers, options).await.unwrap_or_default(),
        };
        for account in accounts {
            // If it fails, the next look or the next query tries again.
            while let Ok(true) = compact_some(&readers, &writers, &cache, account).await {}
        }
    }
}

async fn with_many(pool: &Pool, options: IndexOptions) -> Result<Vec<AccountId>, StoreError> {
    let accounts: Vec<Uuid> = query_scalar(
        "SELECT account FROM status_changes GROUP BY account HAVING COUNT(*) > $1
         UNION SELECT account FROM last_seen_batches GROUP BY account HAVING COUNT(*) > $2",
    )
    .bind(options.max_changes as i64)
    .bind(options.max_batches() as i64)
    .fetch_all(pool)
    .await?;
    Ok(accounts.into_iter().map(AccountId).collect())
}

/// Compacts changes of an account in one transaction. Returns whether there may be more.
async fn compact_some(readers: &Pool, writers: &Pool, cache: &Cache, account: AccountId) -> Result<bool, StoreError> {
    if cache.has(account.0) {
        // Reading takes longest. It is done before the transaction, which keeps reports waiting on SQLite.
        let mut connection = readers.acquire().await?;
        let _ = segments::stored_segments(&mut connection, cache, account.0, LoadMode::Complete, |_, _| true).await;
    }
    let mut tx = begin(writers).await?;
    // Reports of devices may come meanwhile; but the lines of a segment stay where they are.
    lock(&mut tx, account.0, Lock::Alone).await?;
    let has_more = compact(&mut tx, cache, account).await?;
    tx.commit().await?;
    Ok(has_more)
}

async fn compact(connection: &mut Connection, cache: &Cache, account: AccountId) -> Result<bool, StoreError> {
    let rows: Vec<(Uuid, i64, String, i16)> = query_as(AssertSqlSafe(format!(
        "SELECT device, segment, name, status_byte FROM status_changes WHERE account = $1 ORDER BY segment LIMIT {CHANGES_AT_ONCE}{FOR_UPDATE_SKIP_LOCKED}"
    )))
    .bind(account.0)
    .fetch_all(&mut *connection)
    .await?;
    let batches: Vec<(i64, String)> = query_as(AssertSqlSafe(format!(
        "SELECT id, batch FROM last_seen_batches WHERE account = $1 ORDER BY id LIMIT {BATCHES_AT_ONCE}{FOR_UPDATE_SKIP_LOCKED}"
    )))
    .bind(account.0)
    .fetch_all(&mut *connection)
    .await?;
    let has_more = rows.len() == CHANGES_AT_ONCE || batches.len() == BATCHES_AT_ONCE;
    let mut devices = Vec::with_capacity(rows.len());
    let mut changes: BTreeMap<i64, Vec<(String, i16)>> = BTreeMap::new();
    for (device, segment, name, status_byte) in rows {
        devices.push(device);
        changes.entry(segment).or_default().push((name, status_byte));
    }
    let ids: Vec<i64> = batches.iter().map(|(id, _)| *id).collect();
    let batches: Vec<(i64, Batch)> = batches.iter().map(|(id, text)| (*id, Batch::parse(text))).collect();
    let touched: BTreeSet<i64> =
        changes.keys().copied().chain(batches.iter().flat_map(|(_, batch)| batch.segments())).collect();
    let touched: Vec<i64> = touched.into_iter().collect();
    for some in touched.chunks(SEGMENTS_AT_ONCE) {
        let is_touched = |id, _| some.contains(&id);
        let stored = segments::stored_segments(connection, cache, account.0, LoadMode::AnySize, is_touched).await?;
        for id in some {
            let Some(segment) = stored.segments.get(id) else { continue };
            let segment = changed(segment, changes.get(id).map_or(&[][..], Vec::as_slice));
            batches.iter().for_each(|(batch, times)| segment.record_batch(*batch, times.of(*id)));
            let unknown = json_names(segment.seen_at_unknown_times());
            let times: Vec<(String, i64)> = query_as(AssertSqlSafe(format!(
                "SELECT d.name, s.last_seen FROM {NAMES} {DEVICE_OF_NAME} JOIN device_states s ON s.device = d.id"
            )))
            .bind(account.0)
            .bind(unknown)
            .fetch_all(&mut *connection)
            .await?;
            segment.record_last_seen(times.iter().map(|(name, at_ms)| (name.as_str(), *at_ms)));
            let (status_bytes, last_seen) = segment.stored();
            store(connection, *id, &status_bytes, &last_seen).await?;
        }
    }
    forget(connection, &devices, &ids).await?;
    Ok(has_more)
}

async fn forget(connection: &mut Connection, devices: &[Uuid], batches: &[i64]) -> Result<(), StoreError> {
    for some in devices.chunks(ROWS_AT_ONCE) {
        let mut statement = sql("DELETE FROM status_changes WHERE device IN ");
        push_ids(&mut statement, some);
        statement.build().persistent(some.len() == ROWS_AT_ONCE).execute(&mut *connection).await?;
    }
    if !batches.is_empty() {
        let mut statement = sql("DELETE FROM last_seen_batches WHERE id IN ");
        push_numbers(&mut statement, batches.iter().copied());
        statement.build().persistent(false).execute(connection).await?;
    }
    Ok(())
}

/// Stores the status_bytes and last-seen times of a segment.
pub(super) async fn store(
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

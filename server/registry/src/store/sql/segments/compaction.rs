//! Compaction: writing status changes and last-seen batches, the *delta*, into the segments.
//!
//! A trigger writes each change of a device's status byte to its own row, so that devices that come alive at the same
//! time do not wait for each other. Queries read these rows, and the batches of last-seen times. When there are many,
//! they are compacted into the segments.

use super::{
    Connection, DEVICE_OF_NAME, FOR_NO_KEY_UPDATE_SKIP_LOCKED, NAMES, Pool, begin, free_compacted, lock,
    statements::{MAX_ROWS_PER_STATEMENT, json_names, push_ids, push_numbers, sql},
    status_changes::changed,
    stored::{LoadMode, stored_segments},
    writing,
};
use crate::{
    errors::StoreError,
    index::{IndexOptions, cache::Cache, last_seen::Batch},
    store::contract::Lock,
    types::AccountId,
};
use sqlx::{AssertSqlSafe, query_as, query_scalar};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use uuid::Uuid;

/// The maximum number of changes and batches in one transaction.
const MAX_CHANGES_PER_TRANSACTION: usize = 20_000;
const MAX_BATCHES_PER_TRANSACTION: usize = 64;

/// The maximum number of segments in memory at a time, apart from cached ones.
const MAX_SEGMENTS_IN_MEMORY: usize = 64;

/// How often accounts that nobody queries are checked for many changes.
const COMPACTION_CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// Compacts the changes of accounts on request, and of all accounts that have many, until no more requests can come.
/// The first pool is for reading, the second for writing.
pub(crate) async fn compact_periodically(
    [readers, writers]: [Pool; 2],
    cache: Arc<Cache>,
    options: IndexOptions,
    mut requests: mpsc::Receiver<AccountId>,
) {
    let mut check = interval(COMPACTION_CHECK_INTERVAL);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accounts = tokio::select! {
            account = requests.recv() => match account {
                Some(account) => vec![account],
                None => return,
            },
            _ = check.tick() => accounts_to_compact(&readers, options).await.unwrap_or_default(),
        };
        if accounts.is_empty() {
            continue;
        }
        for account in accounts {
            // If it fails, the next check or query tries again.
            while let Ok(true) = compact_next(&readers, &writers, &cache, account).await {}
        }
        // If it fails, queries read more pages until the next compaction.
        let _ = free_compacted(&writers).await;
    }
}

async fn accounts_to_compact(pool: &Pool, options: IndexOptions) -> Result<Vec<AccountId>, StoreError> {
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
async fn compact_next(readers: &Pool, writers: &Pool, cache: &Cache, account: AccountId) -> Result<bool, StoreError> {
    if cache.has(account.0) {
        // Reading takes longest. So read before the transaction, for which reports wait on SQLite.
        let mut connection = readers.acquire().await?;
        let _ = stored_segments(&mut connection, cache, account.0, LoadMode::Complete, |_, _| true).await;
    }
    let mut tx = begin(writers).await?;
    // Devices may report meanwhile, but the lines of a segment do not move.
    lock(&mut tx, account.0, Lock::Exclusive).await?;
    let has_more = compact(&mut tx, cache, account).await?;
    tx.commit().await?;
    Ok(has_more)
}

row! {
    struct StatusChangeRow {
        device: Uuid,
        segment: i64,
        name: String,
        status_byte: i16,
    }
}

async fn compact(connection: &mut Connection, cache: &Cache, account: AccountId) -> Result<bool, StoreError> {
    let rows: Vec<StatusChangeRow> = query_as(AssertSqlSafe(format!(
        "SELECT device, segment, name, status_byte FROM status_changes WHERE account = $1 ORDER BY segment LIMIT {MAX_CHANGES_PER_TRANSACTION}{FOR_NO_KEY_UPDATE_SKIP_LOCKED}"
    )))
    .bind(account.0)
    .fetch_all(&mut *connection)
    .await?;
    let batches: Vec<(i64, String)> = query_as(AssertSqlSafe(format!(
        "SELECT id, batch FROM last_seen_batches WHERE account = $1 ORDER BY id LIMIT {MAX_BATCHES_PER_TRANSACTION}{FOR_NO_KEY_UPDATE_SKIP_LOCKED}"
    )))
    .bind(account.0)
    .fetch_all(&mut *connection)
    .await?;
    let has_more = rows.len() == MAX_CHANGES_PER_TRANSACTION || batches.len() == MAX_BATCHES_PER_TRANSACTION;
    let mut devices = Vec::with_capacity(rows.len());
    let mut changes: BTreeMap<i64, Vec<(String, i16)>> = BTreeMap::new();
    for StatusChangeRow { device, segment, name, status_byte } in rows {
        devices.push(device);
        changes.entry(segment).or_default().push((name, status_byte));
    }
    let ids: Vec<i64> = batches.iter().map(|(id, _)| *id).collect();
    let batches: Vec<(i64, Batch)> = batches.iter().map(|(id, text)| (*id, Batch::parse(text))).collect();
    let touched: BTreeSet<i64> =
        changes.keys().copied().chain(batches.iter().flat_map(|(_, batch)| batch.segments())).collect();
    let touched: Vec<i64> = touched.into_iter().collect();
    for chunk in touched.chunks(MAX_SEGMENTS_IN_MEMORY) {
        let is_touched = |id, _| chunk.contains(&id);
        let stored = stored_segments(connection, cache, account.0, LoadMode::AnySize, is_touched).await?;
        for id in chunk {
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
            writing::store_state(connection, *id, &status_bytes, &last_seen).await?;
        }
    }
    delete_compacted(connection, &devices, &ids).await?;
    Ok(has_more)
}

async fn delete_compacted(connection: &mut Connection, devices: &[Uuid], batches: &[i64]) -> Result<(), StoreError> {
    for chunk in devices.chunks(MAX_ROWS_PER_STATEMENT) {
        let mut statement = sql("DELETE FROM status_changes WHERE device IN ");
        push_ids(&mut statement, chunk);
        statement.build().persistent(chunk.len() == MAX_ROWS_PER_STATEMENT).execute(&mut *connection).await?;
    }
    if !batches.is_empty() {
        let mut statement = sql("DELETE FROM last_seen_batches WHERE id IN ");
        push_numbers(&mut statement, batches.iter().copied());
        statement.build().persistent(false).execute(connection).await?;
    }
    Ok(())
}

//! Batches of last-seen times: see `index/last_seen.rs`.

use super::{
    Connection, NEW_VERSION, Pool, begin,
    statements::{push_numbers, sql},
};
use crate::{
    errors::StoreError,
    index::{
        cache::Cache,
        last_seen::{Batch, Unpublished},
    },
};
use sqlx::{AssertSqlSafe, query, query_scalar};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

/// How often a server publishes the times of the reports that it stored.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(2);

/// Batches in one statement, of a few hundred KiB each.
const BATCHES_PER_STATEMENT: usize = 64;

/// Publishes periodically. If it fails, the next batch includes these times, too.
pub(crate) async fn publish_periodically(pool: Pool, cache: Arc<Cache>) {
    let mut tick = interval(PUBLISH_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        // If the database is unreachable, no reports are stored either.
        let _ = publish(&pool, &cache.unpublished).await;
    }
}

/// Publishes the collected times.
pub(crate) async fn publish(pool: &Pool, unpublished: &Unpublished) -> Result<(), StoreError> {
    let all = unpublished.copy();
    if all.is_empty() {
        return Ok(());
    }
    let mut tx = begin(pool).await?;
    for (account, batch) in &all {
        query(AssertSqlSafe(format!(
            "INSERT INTO last_seen_batches (id, account, batch) VALUES ({NEW_VERSION}, $1, $2)"
        )))
        .bind(account.0)
        .bind(batch.to_text())
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    for (account, batch) in &all {
        unpublished.remove(*account, batch);
    }
    Ok(())
}

/// The batches of an account, from the cache or the database.
pub(super) async fn batches(
    connection: &mut Connection,
    cache: &Cache,
    account: Uuid,
) -> Result<HashMap<i64, Arc<Batch>>, StoreError> {
    let ids: Vec<i64> = query_scalar("SELECT id FROM last_seen_batches WHERE account = $1")
        .bind(account)
        .fetch_all(&mut *connection)
        .await?;
    let mut batches = cache.batches(account, &ids);
    let missing: Vec<i64> = ids.into_iter().filter(|id| !batches.contains_key(id)).collect();
    if missing.is_empty() {
        return Ok(batches);
    }
    for chunk in missing.chunks(BATCHES_PER_STATEMENT) {
        let mut statement = sql("SELECT id, batch FROM last_seen_batches WHERE id IN ");
        push_numbers(&mut statement, chunk.iter().copied());
        let rows: Vec<(i64, String)> = statement.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let parse = move || rows.into_iter().map(|(id, text)| (id, Arc::new(Batch::parse(&text)))).collect::<Vec<_>>();
        for (id, batch) in tokio::task::spawn_blocking(parse).await.map_err(|_| StoreError::Unavailable)? {
            cache.insert_batch(account, id, &batch);
            batches.insert(id, batch);
        }
    }
    Ok(batches)
}

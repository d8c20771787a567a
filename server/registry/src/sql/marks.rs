//! How the devices of a block are: a *mark* for each line of its texts, which is the device's facet.
//!
//! A search that is about more than the texts must know of each device that it finds whether that is active, say; so
//! the marks are kept in memory, beside the texts. A trigger notes each change of a device as a *new mark*, a row of its
//! own, so that devices that come alive at the same time do not wait for each other. A search reads the new marks, too.
//! When they have become many, they are folded into the marks of their blocks.

use super::{
    Connection, FOR_UPDATE_SKIP_LOCKED, NEW_VERSION, Pool, ROWS_AT_ONCE, begin, blocks, lock, selection::push_ids, sql,
};
use crate::{errors::StoreError, grid::Texts, store::Lock, texts::Block, types::AccountId};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use uuid::Uuid;

/// New marks that are folded in one transaction.
const FOLDED_AT_ONCE: i64 = 20_000;

/// New marks: by their blocks, of which devices, and what.
pub(super) type NewMarks = HashMap<i64, Vec<(String, i16)>>;

/// The new marks of an account.
pub(super) async fn new(connection: &mut Connection, account: Uuid) -> Result<NewMarks, StoreError> {
    let rows: Vec<(i64, String, i16)> = query_as("SELECT block, name, mark FROM new_marks WHERE account = $1")
        .bind(account)
        .fetch_all(connection)
        .await?;
    let mut marks = NewMarks::new();
    for (block, name, mark) in rows {
        marks.entry(block).or_default().push((name, mark));
    }
    Ok(marks)
}

/// The block with these marks beside its own.
pub(super) fn marked(block: &Block, new: &[(String, i16)]) -> Vec<u8> {
    block.marked(new.iter().map(|(name, mark)| (name.as_str(), *mark as u8)))
}

/// How often it is looked whether devices that nobody searches for have many new marks.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Folds the new marks of the accounts that are named, and of all that have many, until nobody can name any more.
pub(crate) async fn keep_folded(pool: Pool, texts: Arc<Texts>, many: u64, mut named: mpsc::Receiver<AccountId>) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accounts = tokio::select! {
            account = named.recv() => match account {
                Some(account) => vec![account],
                None => return,
            },
            _ = look.tick() => with_many(&pool, many).await.unwrap_or_default(),
        };
        for account in accounts {
            // Where it fails now, the database is away: the next look, or the next search, tries again.
            while let Ok(true) = fold_some(&pool, &texts, account).await {}
        }
    }
}

async fn with_many(pool: &Pool, many: u64) -> Result<Vec<AccountId>, StoreError> {
    let accounts: Vec<Uuid> = query_scalar("SELECT account FROM new_marks GROUP BY account HAVING COUNT(*) > $1")
        .bind(many.cast_signed())
        .fetch_all(pool)
        .await?;
    Ok(accounts.into_iter().map(AccountId).collect())
}

/// Folds new marks of an account in one transaction; gives whether there are many more.
async fn fold_some(pool: &Pool, texts: &Texts, account: AccountId) -> Result<bool, StoreError> {
    let mut tx = begin(pool).await?;
    // Reports of devices may come meanwhile; but the lines of a block stay where they are.
    lock(&mut tx, account.0, Lock::Alone).await?;
    let has_more = fold(&mut tx, texts, account).await?;
    tx.commit().await?;
    Ok(has_more)
}

async fn fold(connection: &mut Connection, texts: &Texts, account: AccountId) -> Result<bool, StoreError> {
    let rows: Vec<(Uuid, i64, String, i16)> = query_as(AssertSqlSafe(format!(
        "SELECT device, block, name, mark FROM new_marks WHERE account = $1 ORDER BY block LIMIT {FOLDED_AT_ONCE}{FOR_UPDATE_SKIP_LOCKED}"
    )))
    .bind(account.0)
    .fetch_all(&mut *connection)
    .await?;
    let has_more = rows.len() as i64 == FOLDED_AT_ONCE;
    let mut devices = Vec::with_capacity(rows.len());
    let mut new: BTreeMap<i64, Vec<(String, i16)>> = BTreeMap::new();
    for (device, block, name, mark) in rows {
        devices.push(device);
        new.entry(block).or_default().push((name, mark));
    }
    let there = blocks::those(connection, texts, account.0, |id, _| new.contains_key(&id)).await?;
    for (id, marks) in &new {
        if let Some(block) = there.get(id) {
            store(connection, *id, &marked(block, marks)).await?;
        }
    }
    forget(connection, &devices).await?;
    Ok(has_more)
}

async fn forget(connection: &mut Connection, devices: &[Uuid]) -> Result<(), StoreError> {
    for some in devices.chunks(ROWS_AT_ONCE) {
        let mut statement = sql("DELETE FROM new_marks WHERE device IN ");
        push_ids(&mut statement, some);
        statement.build().persistent(some.len() == ROWS_AT_ONCE).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Stores the marks of a block.
pub(super) async fn store(connection: &mut Connection, block: i64, marks: &[u8]) -> Result<(), StoreError> {
    query(AssertSqlSafe(format!(
        "INSERT INTO block_marks (block, version, marks) VALUES ($1, {NEW_VERSION}, $2)
         ON CONFLICT (block) DO UPDATE SET version = excluded.version, marks = excluded.marks"
    )))
    .bind(block)
    .bind(marks)
    .execute(connection)
    .await?;
    Ok(())
}

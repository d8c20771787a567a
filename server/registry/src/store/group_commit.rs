//! Group commit: concurrent writes share a transaction. One durable commit takes about as long as another, however much
//! it contains, and one statement about as long for many rows as for one.

use crate::{errors::StoreError, store::background::Background};
use std::{
    iter,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

/// A write that shares a transaction with others of its kind.
pub(crate) trait Write: Send + Sync + Sized + 'static {
    /// The pool that transactions begin in.
    type Pool: Clone + Send + Sync + 'static;
    type Done: Send + 'static;
    type Error: From<StoreError> + Send + 'static;

    /// The maximum number in one transaction.
    const MAX_BATCH: usize;

    /// Stores these writes in one transaction, and commits it. Returns an outcome for each. A refusal of one must come
    /// before anything of it is written, since the others are committed.
    fn store_all(pool: &Self::Pool, writes: &[Self])
    -> impl Future<Output = Result<Vec<Outcome<Self>>, Failed>> + Send;

    /// Called when it is durable, even if its caller is gone.
    fn on_commit(&self) {}
}

/// What became of one write.
pub(crate) type Outcome<W> = Result<<W as Write>::Done, <W as Write>::Error>;

/// Why nothing of a transaction was stored.
pub(crate) enum Failed {
    /// It could not begin; another could not either.
    ToBegin(StoreError),
    /// A write failed, or the commit of all of them: on a disk that is nearly full, fewer may fit.
    ToStore(StoreError),
}

impl Failed {
    pub(crate) fn to_store(error: impl Into<StoreError>) -> Self {
        Self::ToStore(error.into())
    }
}

type Waiting<W> = (W, oneshot::Sender<Outcome<W>>);

/// The queue of waiting writes.
pub(crate) struct GroupCommit<W: Write> {
    /// `None` after it was closed.
    queue: Mutex<Option<mpsc::Sender<Waiting<W>>>>,
    storing: Vec<Background>,
}

impl<W: Write> GroupCommit<W> {
    /// Stores writes through this pool, in so many transactions at a time, until it is closed or dropped.
    pub(crate) fn new(pool: &W::Pool, transactions: usize) -> Self {
        let (sender, queue) = mpsc::channel(W::MAX_BATCH);
        let queue = Arc::new(AsyncMutex::new(queue));
        let storing = (0..transactions).map(|_| Background::spawn(store_queued(pool.clone(), queue.clone())));
        Self { queue: Mutex::new(Some(sender)), storing: storing.collect() }
    }

    /// Accepts no more writes, and stores those that wait.
    pub(crate) async fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        for storing in &self.storing {
            storing.finished().await;
        }
    }

    /// Stores a write. It is durable when this returns.
    pub(crate) async fn store(&self, write: W) -> Outcome<W> {
        let (done, outcome) = oneshot::channel();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        queue.ok_or(StoreError::Unavailable)?.send((write, done)).await.map_err(|_| StoreError::Unavailable)?;
        outcome.await.map_err(|_| StoreError::Unavailable)?
    }
}

/// Stores writes as they come, until the queue is closed.
async fn store_queued<W: Write>(pool: W::Pool, queue: Arc<AsyncMutex<mpsc::Receiver<Waiting<W>>>>) {
    let mut waiting = Vec::new();
    while queue.lock().await.recv_many(&mut waiting, W::MAX_BATCH).await > 0 {
        let (writes, mut senders): (Vec<W>, Vec<_>) = waiting.drain(..).unzip();
        let writes = Arc::new(writes);
        let mut tries: Vec<_> = iter::once(0..writes.len()).collect();
        while let Some(range) = tries.pop() {
            // In a separate task: after a panic, later writes are stored all the same.
            let attempt = tokio::spawn(attempt(pool.clone(), writes.clone(), range.clone()));
            let outcomes = match attempt.await.unwrap_or(Err(Failed::ToStore(StoreError::Unavailable))) {
                Ok(outcomes) => outcomes,
                Err(Failed::ToStore(_)) if range.len() > 1 => {
                    // Retry each alone, in order: one that fails does not affect the others.
                    tries.extend(range.rev().map(|at| at..at + 1));
                    continue;
                }
                // The others would wait for a transaction as long, and in vain.
                Err(Failed::ToBegin(failure)) => {
                    tries.clear();
                    senders.iter().map(|_| Err(failure.into())).collect()
                }
                Err(Failed::ToStore(failure)) => vec![Err(failure.into())],
            };
            for (sender, outcome) in senders.drain(..outcomes.len()).zip(outcomes) {
                // The caller may be gone; ignore the send error.
                let _ = sender.send(outcome);
            }
        }
    }
}

/// Stores a range of the writes in one transaction.
async fn attempt<W: Write>(pool: W::Pool, writes: Arc<Vec<W>>, range: Range<usize>) -> Result<Vec<Outcome<W>>, Failed> {
    let writes = &writes[range];
    let outcomes = W::store_all(&pool, writes).await?;
    writes.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).for_each(|(write, _)| write.on_commit());
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use sqlx::{SqlitePool, query, query_scalar};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    /// Stores its number, which the table accepts once. 3, 5 and 7 fail; 30 fails at the commit.
    struct Number(i64);

    impl Write for Number {
        type Pool = SqlitePool;
        type Done = i64;
        type Error = Refused;
        const MAX_BATCH: usize = 16;

        async fn store_all(pool: &SqlitePool, numbers: &[Self]) -> Result<Vec<Result<i64, Refused>>, Failed> {
            let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(|error| Failed::ToBegin(error.into()))?;
            let mut outcomes = Vec::new();
            for Self(number) in numbers {
                match number {
                    3 => {
                        outcomes.push(Err(Refused::Wrong));
                        continue;
                    }
                    5 => return Err(Failed::ToStore(StoreError::Corrupt)),
                    7 => panic!("a test of what becomes of the others"),
                    _ => {}
                }
                let of = if *number == 30 { -1 } else { *number };
                let stored = query("INSERT INTO numbers VALUES ($1, $2)").bind(number).bind(of).execute(&mut *tx);
                stored.await.map_err(Failed::to_store)?;
                outcomes.push(Ok(*number));
            }
            tx.commit().await.map_err(Failed::to_store)?;
            Ok(outcomes)
        }
    }

    #[derive(Debug, PartialEq)]
    enum Refused {
        Wrong,
        Database(StoreError),
    }

    impl From<StoreError> for Refused {
        fn from(failure: StoreError) -> Self {
            Self::Database(failure)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn failed_write_does_not_affect_the_others() {
        failing_writes(1).await;
        failing_writes(3).await;
    }

    async fn failing_writes(transactions: usize) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("numbers.db");
        let pool = SqlitePool::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
        let table = "CREATE TABLE numbers (
            number INTEGER PRIMARY KEY,
            of INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)";
        query(table).execute(&pool).await.unwrap();
        let group_commit = GroupCommit::new(&pool, transactions);
        for (numbers, is_again) in [(0..5, false), (5..40, false), (0..40, true)] {
            let outcomes =
                futures_util::future::join_all(numbers.clone().map(|at| group_commit.store(Number(at)))).await;
            for (at, outcome) in numbers.clone().zip(outcomes) {
                let expected = match at {
                    3 => Err(Refused::Wrong),
                    5 => Err(Refused::Database(StoreError::Corrupt)),
                    7 | 30 => Err(Refused::Database(StoreError::Unavailable)),
                    _ if is_again => Err(Refused::Database(StoreError::Unavailable)),
                    _ => Ok(at),
                };
                assert_eq!(outcome, expected, "{at}");
            }
        }
        let stored: i64 = query_scalar("SELECT COUNT(*) FROM numbers").fetch_one(&pool).await.unwrap();
        assert_eq!(stored, 36);
    }

    /// Counts its transactions: the first fails, and no other can begin.
    struct Outage;

    impl Write for Outage {
        type Pool = Arc<AtomicUsize>;
        type Done = ();
        type Error = StoreError;
        const MAX_BATCH: usize = 16;

        async fn store_all(transactions: &Self::Pool, _: &[Self]) -> Result<Vec<Outcome<Self>>, Failed> {
            match transactions.fetch_add(1, Relaxed) {
                0 => Err(Failed::ToStore(StoreError::Unavailable)),
                _ => Err(Failed::ToBegin(StoreError::Unavailable)),
            }
        }
    }

    #[tokio::test]
    async fn outage_is_found_once_for_all_waiting_writes() {
        let transactions = Arc::new(AtomicUsize::new(0));
        let group_commit = GroupCommit::new(&transactions, 1);
        let outcomes = futures_util::future::join_all((0..16).map(|_| group_commit.store(Outage))).await;
        assert_eq!(outcomes, [Err(StoreError::Unavailable); 16]);
        assert_eq!(transactions.load(Relaxed), 2);
    }
}

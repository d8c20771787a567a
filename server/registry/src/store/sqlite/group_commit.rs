//! Group commit. SQLite has one writer, and one durable commit takes about as long as another, however much it
//! contains. So writes that wait for the writer share a transaction.

use crate::{errors::StoreError, store::background::Background};
use sqlx::{SqliteConnection, SqlitePool};
use std::{
    iter,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{mpsc, oneshot};

/// A write that shares a transaction with others of its kind.
pub(crate) trait Write: Send + Sync + Sized + 'static {
    type Done: Send + 'static;
    type Error: From<StoreError> + Send + 'static;

    /// The maximum number in one transaction.
    const MAX_BATCH: usize;

    /// Stores it. A refusal must come before anything is written, since others share the transaction.
    fn store(&self, connection: &mut SqliteConnection) -> impl Future<Output = Result<Self::Done, Self::Error>> + Send;

    /// Called when it is durable, even if its caller is gone.
    fn on_commit(&self) {}

    /// The failure of the database, if it was one: then the transaction cannot continue.
    fn failure(error: &Self::Error) -> Option<StoreError>;
}

type Outcome<W> = Result<<W as Write>::Done, <W as Write>::Error>;
type Waiting<W> = (W, oneshot::Sender<Outcome<W>>);

/// The queue of waiting writes.
pub(crate) struct GroupCommit<W: Write> {
    /// `None` after it was closed.
    queue: Mutex<Option<mpsc::Sender<Waiting<W>>>>,
    storing: Background,
}

impl<W: Write> GroupCommit<W> {
    /// Stores writes through this pool, until it is closed or dropped.
    pub(crate) fn new(writer: SqlitePool) -> Self {
        let (sender, queue) = mpsc::channel(W::MAX_BATCH);
        Self { queue: Mutex::new(Some(sender)), storing: Background::spawn(store_all(writer, queue)) }
    }

    /// Accepts no more writes, and stores those that wait.
    pub(crate) async fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.storing.finished().await;
    }

    /// Stores a write. It is durable when this returns.
    pub(crate) async fn store(&self, write: W) -> Outcome<W> {
        let (done, outcome) = oneshot::channel();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        queue.ok_or(StoreError::Unavailable)?.send((write, done)).await.map_err(|_| StoreError::Unavailable)?;
        outcome.await.map_err(|_| StoreError::Unavailable)?
    }
}

/// Why nothing of a transaction was stored.
enum Failed {
    /// It could not begin; another could not either.
    ToBegin(StoreError),
    /// A write failed, or the commit of all of them: on a disk that is nearly full, fewer may fit.
    ToStore(StoreError),
}

/// Stores writes as they come, until the queue is closed.
async fn store_all<W: Write>(writer: SqlitePool, mut queue: mpsc::Receiver<Waiting<W>>) {
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, W::MAX_BATCH).await > 0 {
        let (writes, mut senders): (Vec<W>, Vec<_>) = waiting.drain(..).unzip();
        let writes = Arc::new(writes);
        let mut tries: Vec<_> = iter::once(0..writes.len()).collect();
        while let Some(range) = tries.pop() {
            // In a separate task: after a panic, later writes are stored all the same.
            let attempt = tokio::spawn(attempt(writer.clone(), writes.clone(), range.clone()));
            let outcomes = match attempt.await.unwrap_or(Err(Failed::ToStore(StoreError::Unavailable))) {
                Ok(outcomes) => outcomes,
                Err(Failed::ToStore(_)) if range.len() > 1 => {
                    // Retry each alone, in order: one that fails does not affect the others.
                    tries.extend(range.rev().map(|at| at..at + 1));
                    continue;
                }
                Err(Failed::ToBegin(failure) | Failed::ToStore(failure)) => {
                    range.clone().map(|_| Err(failure.into())).collect()
                }
            };
            for (sender, outcome) in senders.drain(..range.len()).zip(outcomes) {
                // The caller may be gone; ignore the send error.
                let _ = sender.send(outcome);
            }
        }
    }
}

/// Stores a range of the writes in one transaction.
async fn attempt<W: Write>(
    writer: SqlitePool,
    writes: Arc<Vec<W>>,
    range: Range<usize>,
) -> Result<Vec<Outcome<W>>, Failed> {
    let begun = writer.begin_with("BEGIN IMMEDIATE").await;
    let mut tx = begun.map_err(|error| Failed::ToBegin(error.into()))?;
    let mut outcomes = Vec::with_capacity(range.len());
    for write in &writes[range.clone()] {
        let outcome = write.store(&mut tx).await;
        if let Some(failure) = outcome.as_ref().err().and_then(W::failure) {
            return Err(Failed::ToStore(failure));
        }
        outcomes.push(outcome);
    }
    tx.commit().await.map_err(|error| Failed::ToStore(error.into()))?;
    writes[range].iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).for_each(|(write, _)| write.on_commit());
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use sqlx::{query, query_scalar};

    /// Stores its number, which the table accepts once. 3, 5 and 7 fail; 30 fails at the commit.
    struct Number(i64);

    impl Write for Number {
        type Done = i64;
        type Error = Refused;
        const MAX_BATCH: usize = 16;

        async fn store(&self, connection: &mut SqliteConnection) -> Result<i64, Refused> {
            match self.0 {
                3 => return Err(Refused::Wrong),
                5 => return Err(Refused::Database(StoreError::Corrupt)),
                7 => panic!("a test of what becomes of the others"),
                _ => {}
            }
            let of = if self.0 == 30 { -1 } else { self.0 };
            let stored = query("INSERT INTO numbers VALUES ($1, $2)").bind(self.0).bind(of).execute(connection);
            let stored = stored.await;
            stored.map_err(StoreError::from)?;
            Ok(self.0)
        }

        fn failure(error: &Refused) -> Option<StoreError> {
            if let Refused::Database(failure) = error { Some(*failure) } else { None }
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
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("numbers.db");
        let pool = SqlitePool::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
        let table = "CREATE TABLE numbers (
            number INTEGER PRIMARY KEY,
            of INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)";
        query(table).execute(&pool).await.unwrap();
        let group_commit = GroupCommit::new(pool.clone());
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
}

//! SQLite has one writer, and to make one thing durable takes about as long as to make many so. What waits for its turn
//! is stored together, in one transaction.

use crate::{background::Background, errors::StoreError};
use sqlx::{SqliteConnection, SqlitePool};
use std::{
    iter,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{mpsc, oneshot};

/// What is stored together with others of its kind.
pub(crate) trait Work: Send + Sync + Sized + 'static {
    type Done: Send + 'static;
    type Error: From<StoreError> + Send + 'static;

    /// The most of them in one transaction.
    const AT_ONCE: usize;

    /// Stores it. What it refuses is refused before anything is written, since it is no matter of the others'.
    fn store(&self, connection: &mut SqliteConnection) -> impl Future<Output = Result<Self::Done, Self::Error>> + Send;

    /// It is durable now, whether or not its caller is still there.
    fn stored(&self) {}

    /// What the database failed in, if it did: then the transaction cannot go on.
    fn failure(error: &Self::Error) -> Option<StoreError>;
}

type Outcome<W> = Result<<W as Work>::Done, <W as Work>::Error>;
type Waiting<W> = (W, oneshot::Sender<Outcome<W>>);

/// Where work waits.
pub(crate) struct Together<W: Work> {
    /// `None` once it is closed.
    queue: Mutex<Option<mpsc::Sender<Waiting<W>>>>,
    storing: Background,
}

impl<W: Work> Together<W> {
    /// Stores through this pool, until it is closed or dropped.
    pub(crate) fn on(writer: SqlitePool) -> Self {
        let (sender, queue) = mpsc::channel(W::AT_ONCE);
        Self { queue: Mutex::new(Some(sender)), storing: Background::spawn(store_all(writer, queue)) }
    }

    /// Takes no more work, and stores what waits.
    pub(crate) async fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.storing.finished().await;
    }

    /// Stores it; when this answers, it is durable.
    pub(crate) async fn store(&self, work: W) -> Outcome<W> {
        let (done, outcome) = oneshot::channel();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        queue.ok_or(StoreError::Unavailable)?.send((work, done)).await.map_err(|_| StoreError::Unavailable)?;
        outcome.await.map_err(|_| StoreError::Unavailable)?
    }
}

/// Why nothing of a transaction was stored.
enum Failed {
    /// It could not begin, and neither could another.
    ToBegin(StoreError),
    /// Something in it could not be stored, or all of it together: on a disk that is nearly full, less may fit.
    ToStore(StoreError),
}

/// Stores work as it comes, until nobody can send any.
async fn store_all<W: Work>(writer: SqlitePool, mut queue: mpsc::Receiver<Waiting<W>>) {
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, W::AT_ONCE).await > 0 {
        let (works, mut askers): (Vec<W>, Vec<_>) = waiting.drain(..).unzip();
        let works = Arc::new(works);
        let mut tries: Vec<_> = iter::once(0..works.len()).collect();
        while let Some(range) = tries.pop() {
            // In a task of its own: if that should panic, what comes later is stored all the same.
            let attempt = tokio::spawn(attempt(writer.clone(), works.clone(), range.clone()));
            let outcomes = match attempt.await.unwrap_or(Err(Failed::ToStore(StoreError::Unavailable))) {
                Ok(outcomes) => outcomes,
                Err(Failed::ToStore(_)) if range.len() > 1 => {
                    // Each by itself, the first of them first: what is wrong with one is no matter of the others'.
                    tries.extend(range.rev().map(|at| at..at + 1));
                    continue;
                }
                Err(Failed::ToBegin(failure) | Failed::ToStore(failure)) => {
                    range.clone().map(|_| Err(failure.into())).collect()
                }
            };
            for (asker, outcome) in askers.drain(..range.len()).zip(outcomes) {
                // The caller may be gone; ignore the send error.
                let _ = asker.send(outcome);
            }
        }
    }
}

/// Stores some of the work in one transaction.
async fn attempt<W: Work>(
    writer: SqlitePool,
    works: Arc<Vec<W>>,
    range: Range<usize>,
) -> Result<Vec<Outcome<W>>, Failed> {
    let begun = writer.begin_with("BEGIN IMMEDIATE").await;
    let mut tx = begun.map_err(|error| Failed::ToBegin(error.into()))?;
    let mut outcomes = Vec::with_capacity(range.len());
    for work in &works[range.clone()] {
        let outcome = work.store(&mut tx).await;
        if let Some(failure) = outcome.as_ref().err().and_then(W::failure) {
            return Err(Failed::ToStore(failure));
        }
        outcomes.push(outcome);
    }
    tx.commit().await.map_err(|error| Failed::ToStore(error.into()))?;
    works[range].iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).for_each(|(work, _)| work.stored());
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use sqlx::{query, query_scalar};

    /// Stores its number, which the table takes once, but for 3, 5 and 7; and 30, which it takes until the end only.
    struct Number(i64);

    impl Work for Number {
        type Done = i64;
        type Error = Refused;
        const AT_ONCE: usize = 16;

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
    async fn what_is_wrong_with_one_is_no_matter_of_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("numbers.db");
        let pool = SqlitePool::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
        let table = "CREATE TABLE numbers (
            number INTEGER PRIMARY KEY,
            of INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)";
        query(table).execute(&pool).await.unwrap();
        let together = Together::on(pool.clone());
        for (numbers, is_again) in [(0..5, false), (5..40, false), (0..40, true)] {
            let outcomes = futures_util::future::join_all(numbers.clone().map(|at| together.store(Number(at)))).await;
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

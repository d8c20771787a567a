//! Concurrent identical queries share one scan.

use crate::errors::StoreError;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::OnceCell;

/// Above this number of entries, those that nobody waits for are dropped.
const MAX_DEAD_ENTRIES: usize = 256;

/// The results of running scans, by query.
pub(crate) struct SharedScans<T>(Mutex<HashMap<String, Weak<OnceCell<T>>>>);

impl<T> Default for SharedScans<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> SharedScans<T> {
    /// The result of a running scan, or of a new one. The query must include the state of the data: a result from
    /// before a change must not be returned after it.
    pub(crate) async fn get(
        &self,
        query: String,
        result: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let cell = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() > MAX_DEAD_ENTRIES {
                all.retain(|_, cell| cell.strong_count() > 0);
            }
            if let Some(cell) = all.get(&query).and_then(Weak::upgrade) {
                cell
            } else {
                let cell = Arc::new(OnceCell::new());
                all.insert(query, Arc::downgrade(&cell));
                cell
            }
        };
        // If this caller is dropped, the next one computes the result.
        cell.get_or_try_init(|| result).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use tokio::task::yield_now;

    #[tokio::test]
    async fn concurrent_identical_queries_share_a_scan() {
        let (scans, answered) = (SharedScans::default(), AtomicU32::new(0));
        let ask = async |asked: &str| {
            let answer = async {
                yield_now().await;
                Ok(answered.fetch_add(1, Relaxed))
            };
            scans.get(asked.to_owned(), answer).await
        };
        let (one, other, another) = tokio::join!(ask("a"), ask("a"), ask("b"));
        assert!(one == other && one != another, "{one:?} {other:?} {another:?}");
        assert_eq!(ask("a").await, Ok(2), "nobody was waiting any more");
    }

    #[tokio::test]
    async fn failure_is_not_shared() {
        let scans = SharedScans::default();
        let failed = scans.get("a".to_owned(), async { Err(StoreError::Unavailable) });
        let (failed, answered) = tokio::join!(failed, scans.get("a".to_owned(), async { Ok(1) }));
        assert_eq!((failed, answered), (Err(StoreError::Unavailable), Ok(1)));
    }
}

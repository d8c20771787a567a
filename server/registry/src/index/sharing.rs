//! Identical queries share one scan, as long as the data does not change.

use crate::errors::StoreError;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::OnceCell;

/// Results that are kept after their scan: the newest. A page of names is about 5 KiB, and at most 64 KiB.
const KEPT_RESULTS: usize = 256;

/// Above this number of entries, those that are neither kept nor waited for are dropped.
const MAX_ENTRIES: usize = 2 * KEPT_RESULTS;

/// The results of scans, by query: of those that run, and of the last ones that may be kept.
pub(crate) struct SharedScans<T>(Mutex<Results<T>>);

struct Results<T> {
    by_query: HashMap<String, Weak<OnceCell<T>>>,
    kept: VecDeque<Arc<OnceCell<T>>>,
}

impl<T> Default for SharedScans<T> {
    fn default() -> Self {
        Self(Mutex::new(Results { by_query: HashMap::new(), kept: VecDeque::new() }))
    }
}

impl<T: Clone> SharedScans<T> {
    /// The result of a scan that runs or is kept, or of a new one. The query must include the state of the data: a
    /// result from before a change must not be returned after it. `is_kept`: the state covers all that the result
    /// depends on, so it may be returned after the scan, too.
    pub(crate) async fn get(
        &self,
        query: String,
        is_kept: bool,
        result: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let cell = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if all.by_query.len() > MAX_ENTRIES {
                all.by_query.retain(|_, cell| cell.strong_count() > 0);
            }
            if let Some(cell) = all.by_query.get(&query).and_then(Weak::upgrade) {
                cell
            } else {
                let cell = Arc::new(OnceCell::new());
                all.by_query.insert(query, Arc::downgrade(&cell));
                if is_kept {
                    all.kept.truncate(KEPT_RESULTS - 1);
                    all.kept.push_front(cell.clone());
                }
                cell
            }
        };
        // If this caller is dropped, the next one computes the result.
        cell.get_or_try_init(|| result).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
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
            scans.get(asked.to_owned(), asked.starts_with("kept"), answer).await
        };
        let (one, other, another) = tokio::join!(ask("a"), ask("a"), ask("b"));
        assert!(one == other && one != another, "{one:?} {other:?} {another:?}");
        assert_eq!(ask("a").await, Ok(2), "nobody was waiting any more");
        assert_eq!((ask("kept").await, ask("kept").await), (Ok(3), Ok(3)));
        for other in 1..KEPT_RESULTS {
            ask(&format!("kept {other}")).await.unwrap();
        }
        assert_eq!(ask("kept").await, Ok(3), "the oldest of those that are kept");
        ask("kept as well").await.unwrap();
        assert_eq!(ask("kept").await, Ok(4 + KEPT_RESULTS as u32), "newer ones took its place");
    }

    #[tokio::test]
    async fn failure_is_not_shared() {
        let scans = SharedScans::default();
        let failed = scans.get("a".to_owned(), true, async { Err(StoreError::Unavailable) });
        let (failed, answered) = tokio::join!(failed, scans.get("a".to_owned(), true, async { Ok(1) }));
        assert_eq!((failed, answered), (Err(StoreError::Unavailable), Ok(1)));
    }
}

//! Identical queries share one scan, as long as the data does not change.

use crate::errors::StoreError;
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::OnceCell;

/// Results that are cached after their scan: the newest. A page of names is about 5 KiB, and at most 64 KiB.
const CACHED_RESULTS: usize = 256;

/// Above this number of entries, those that are neither cached nor waited for are dropped.
const MAX_ENTRIES: usize = 2 * CACHED_RESULTS;

/// The results of scans, by query: of those that run, and of the last ones that may be cached.
pub(crate) struct SharedScans<T>(Mutex<Results<T>>);

/// A SHA-256 of the text of a query: texts may be long.
type Query = [u8; 32];

struct Results<T> {
    by_query: HashMap<Query, Weak<OnceCell<T>>>,
    cached: VecDeque<Arc<OnceCell<T>>>,
}

impl<T> Default for SharedScans<T> {
    fn default() -> Self {
        Self(Mutex::new(Results { by_query: HashMap::new(), cached: VecDeque::new() }))
    }
}

impl<T: Clone> SharedScans<T> {
    /// The result of a scan that runs or is cached, or of a new one. The query must include the state of the data: a
    /// result from before a change must not be returned after it. `is_cached`: the state covers all that the result
    /// depends on, so it may be returned after the scan, too.
    pub(crate) async fn get(
        &self,
        query: &str,
        is_cached: bool,
        result: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let query: Query = Sha256::digest(query).into();
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
                if is_cached {
                    all.cached.truncate(CACHED_RESULTS - 1);
                    all.cached.push_front(cell.clone());
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
            scans.get(asked, asked.starts_with("cached"), answer).await
        };
        let (one, other, another) = tokio::join!(ask("a"), ask("a"), ask("b"));
        assert!(one == other && one != another, "{one:?} {other:?} {another:?}");
        assert_eq!(ask("a").await, Ok(2), "nobody was waiting any more");
        assert_eq!((ask("cached").await, ask("cached").await), (Ok(3), Ok(3)));
        for other in 1..CACHED_RESULTS {
            ask(&format!("cached {other}")).await.unwrap();
        }
        assert_eq!(ask("cached").await, Ok(3), "the oldest of those that are cached");
        ask("cached as well").await.unwrap();
        assert_eq!(ask("cached").await, Ok(4 + CACHED_RESULTS as u32), "newer ones took its place");
    }

    #[tokio::test]
    async fn failure_is_not_shared() {
        let scans = SharedScans::default();
        let failed = scans.get("a", true, async { Err(StoreError::Unavailable) });
        let (failed, answered) = tokio::join!(failed, scans.get("a", true, async { Ok(1) }));
        assert_eq!((failed, answered), (Err(StoreError::Unavailable), Ok(1)));
    }
}

//! Identical queries under way share one scan.

use crate::errors::StoreError;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::OnceCell;

/// Above this, answers that nobody waits for any more are dropped.
const MAX_DEAD_ENTRIES: usize = 256;

/// Answers that somebody waits for, by question.
pub(crate) struct UnderWay<T>(Mutex<HashMap<String, Weak<OnceCell<T>>>>);

impl<T> Default for UnderWay<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> UnderWay<T> {
    /// The answer that somebody else is waiting for, or a new one. The question must name the state of the data, too: an answer
    /// from before a change must not be given after it.
    pub(crate) async fn get(
        &self,
        asked: String,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let cell = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() > MAX_DEAD_ENTRIES {
                all.retain(|_, cell| cell.strong_count() > 0);
            }
            if let Some(cell) = all.get(&asked).and_then(Weak::upgrade) {
                cell
            } else {
                let cell = Arc::new(OnceCell::new());
                all.insert(asked, Arc::downgrade(&cell));
                cell
            }
        };
        // If this caller is dropped, the next one computes the answer.
        cell.get_or_try_init(|| answer).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use tokio::task::yield_now;

    #[tokio::test]
    async fn concurrent_identical_questions_share_an_answer() {
        let (under_way, answered) = (UnderWay::default(), AtomicU32::new(0));
        let ask = async |asked: &str| {
            let answer = async {
                yield_now().await;
                Ok(answered.fetch_add(1, Relaxed))
            };
            under_way.get(asked.to_owned(), answer).await
        };
        let (one, other, another) = tokio::join!(ask("a"), ask("a"), ask("b"));
        assert!(one == other && one != another, "{one:?} {other:?} {another:?}");
        assert_eq!(ask("a").await, Ok(2), "nobody was waiting any more");
    }

    #[tokio::test]
    async fn failure_is_not_shared() {
        let under_way = UnderWay::default();
        let failed = under_way.get("a".to_owned(), async { Err(StoreError::Unavailable) });
        let (failed, answered) = tokio::join!(failed, under_way.get("a".to_owned(), async { Ok(1) }));
        assert_eq!((failed, answered), (Err(StoreError::Unavailable), Ok(1)));
    }
}

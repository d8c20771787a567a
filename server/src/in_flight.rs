//! Counts the concurrent connections or requests of each holder.

use crate::body::on_drop;
use axum::body::Body;
use http::Response;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts what each holder has concurrently. A holder with nothing takes no memory.
#[derive(Debug)]
pub(crate) struct InFlight<H: Hash + Eq + Copy> {
    max_per_holder: usize,
    counts: Mutex<HashMap<H, usize>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Entry<H: Hash + Eq + Copy> {
    of: Arc<InFlight<H>>,
    holder: H,
}

impl<H: Hash + Eq + Copy> InFlight<H> {
    pub(crate) fn new(max_per_holder: usize) -> Arc<Self> {
        Arc::new(Self { max_per_holder, counts: Mutex::default() })
    }

    /// Counts one more, if the holder may have it.
    pub(crate) fn enter(self: &Arc<Self>, holder: H) -> Option<Entry<H>> {
        let mut counts = self.counts();
        let count = counts.entry(holder).or_default();
        if *count >= self.max_per_holder {
            return None;
        }
        *count += 1;
        Some(Entry { of: self.clone(), holder })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<H, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<H: Hash + Eq + Copy> Drop for Entry<H> {
    fn drop(&mut self) {
        let mut counts = self.of.counts();
        if let Some(count) = counts.get_mut(&self.holder) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.holder);
            }
        }
    }
}

/// Holds something until a response was sent: the request of a client that reads slowly is in progress until then.
pub(crate) fn until_sent(response: Response<Body>, held: impl Send + Unpin + 'static) -> Response<Body> {
    response.map(|body| on_drop(body, move |_| drop(held)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    #[test]
    fn each_holder_has_a_limit_of_its_own() {
        let in_flight = InFlight::new(2);
        let first = in_flight.enter("a").unwrap();
        let second = in_flight.enter("a").unwrap();
        assert!(in_flight.enter("a").is_none());
        assert!(in_flight.enter("b").is_some());
        drop(first);
        let third = in_flight.enter("a").unwrap();
        drop((second, third));
        assert!(in_flight.counts().is_empty(), "no count remains");
    }

    #[tokio::test]
    async fn a_request_lasts_until_its_response_was_sent() {
        let in_flight = InFlight::new(1);
        let response = until_sent(Response::new(Body::from("answer")), in_flight.enter("a").unwrap());
        assert!(in_flight.enter("a").is_none());
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        assert_eq!(&body[..], b"answer");
        assert!(in_flight.enter("a").is_some());
    }
}

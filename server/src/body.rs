//! Receives request bodies within a deadline and a memory budget, before any work is done for them.

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use std::{
    collections::HashMap,
    future::poll_fn,
    hash::Hash,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// A sender that is silent for this long is gone.
const MAX_SILENCE: Duration = Duration::from_secs(10);

/// A body may take this long at any speed. After that its average rate must reach the minimum, so that a byte every nine
/// seconds is cut off. A slow modem sends 5 KiB a second.
const GRACE: Duration = Duration::from_secs(20);
const MIN_BYTES_PER_SECOND: u64 = 4 * 1024;

/// No body takes longer: a page that sends a part of a file gives up after 70 seconds.
const MAX_TIME: Duration = Duration::from_secs(120);

/// Why a body did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// Its sender was silent, or too slow.
    Slow,
    /// It is larger than it may be.
    TooLarge,
    /// So many bodies arrive that there is no memory for more.
    NoMemory,
    /// The connection ended.
    Broken,
}

/// The bytes of all bodies that are in memory, and of those of each holder.
#[derive(Debug)]
pub(crate) struct BodyMemory<H: Hash + Eq + Copy> {
    max_bytes: usize,
    max_bytes_per_holder: usize,
    used: Mutex<Used<H>>,
}

#[derive(Debug)]
struct Used<H> {
    bytes: usize,
    by_holder: HashMap<H, usize>,
}

/// A body that is in memory, until this is dropped.
#[derive(Debug)]
pub(crate) struct Charge<H: Hash + Eq + Copy> {
    memory: Arc<BodyMemory<H>>,
    holder: H,
    bytes: usize,
}

impl<H: Hash + Eq + Copy> BodyMemory<H> {
    pub(crate) fn new(max_bytes: usize, max_bytes_per_holder: usize) -> Arc<Self> {
        let used = Mutex::new(Used { bytes: 0, by_holder: HashMap::new() });
        Arc::new(Self { max_bytes, max_bytes_per_holder, used })
    }

    /// Receives a whole body. Memory is charged as bytes arrive, so a large Content-Length alone reserves nothing.
    pub(crate) async fn receive(
        self: &Arc<Self>,
        holder: H,
        body: &mut Body,
        announced: Option<usize>,
        max_bytes: usize,
    ) -> Result<(Bytes, Charge<H>), BodyError> {
        let mut charge = Charge { memory: self.clone(), holder, bytes: 0 };
        if announced.is_some_and(|bytes| bytes > max_bytes) {
            return Err(BodyError::TooLarge);
        }
        let begun = Instant::now();
        // Reserved pages that are never written take no memory.
        let mut received = Vec::with_capacity(announced.unwrap_or_default());
        loop {
            let deadline = (begun + max_time(received.len())).min(Instant::now() + MAX_SILENCE);
            let frame = timeout_at(deadline, poll_fn(|context| Pin::new(&mut *body).poll_frame(context)));
            let Some(frame) = frame.await.map_err(|_| BodyError::Slow)? else {
                return Ok((received.into(), charge));
            };
            // A piece may be a small part of a large buffer, so it is copied.
            let Ok(piece) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            if received.len() + piece.len() > max_bytes {
                return Err(BodyError::TooLarge);
            }
            if !charge.add(piece.len()) {
                return Err(BodyError::NoMemory);
            }
            received.extend_from_slice(&piece);
        }
    }

    fn used(&self) -> MutexGuard<'_, Used<H>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time allowed for a body of which this much has arrived.
fn max_time(received: usize) -> Duration {
    (GRACE + Duration::from_millis(received as u64 * 1_000 / MIN_BYTES_PER_SECOND)).min(MAX_TIME)
}

impl<H: Hash + Eq + Copy> Charge<H> {
    /// The size of the body.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn add(&mut self, bytes: usize) -> bool {
        let mut used = self.memory.used();
        let of_holder = used.by_holder.get(&self.holder).copied().unwrap_or_default();
        if used.bytes + bytes > self.memory.max_bytes || of_holder + bytes > self.memory.max_bytes_per_holder {
            return false;
        }
        used.bytes += bytes;
        used.by_holder.insert(self.holder, of_holder + bytes);
        drop(used);
        self.bytes += bytes;
        true
    }
}

impl<H: Hash + Eq + Copy> Drop for Charge<H> {
    fn drop(&mut self) {
        let mut used = self.memory.used();
        used.bytes -= self.bytes;
        if let Some(of_holder) = used.by_holder.get_mut(&self.holder) {
            *of_holder -= self.bytes;
            if *of_holder == 0 {
                used.by_holder.remove(&self.holder);
            }
        }
    }
}

/// A body that is handed to `then` when it is dropped, whether it was read to its end or not.
pub(crate) fn on_drop(body: Body, then: impl FnOnce(Body) + Send + Unpin + 'static) -> Body {
    Body::new(OnDrop { body, then: Some(then) })
}

struct OnDrop<F: FnOnce(Body)> {
    body: Body,
    then: Option<F>,
}

impl<F: FnOnce(Body)> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(then) = self.then.take() {
            then(mem::take(&mut self.body));
        }
    }
}

impl<F: FnOnce(Body) + Unpin> HttpBody for OnDrop<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use futures_util::{StreamExt, stream};
    use std::{convert::Infallible, future::pending};
    use tokio::time::sleep;

    /// Sends pieces of this size, this far apart: so many, or for ever.
    fn trickle(bytes: usize, pause: Duration, pieces: usize) -> Body {
        let piece = move |_| async move {
            sleep(pause).await;
            Ok::<_, Infallible>(vec![b'x'; bytes])
        };
        Body::from_stream(stream::iter(0..pieces).then(piece).boxed())
    }

    fn memory() -> Arc<BodyMemory<&'static str>> {
        BodyMemory::new(1_000_000, 600_000)
    }

    async fn receive(mut body: Body) -> (Result<usize, BodyError>, Duration) {
        let begun = Instant::now();
        let received = memory().receive("a", &mut body, None, 500_000).await;
        (received.map(|(bytes, _)| bytes.len()), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn slow_bodies_end() {
        let silent = Body::from_stream(stream::once(pending::<Result<Vec<u8>, Infallible>>()).boxed());
        let (done, time) = receive(silent).await;
        assert_eq!((done, time.as_secs()), (Err(BodyError::Slow), 10));
        let (done, time) = receive(trickle(1, Duration::from_secs(9), usize::MAX)).await;
        assert_eq!(done, Err(BodyError::Slow));
        assert!(time <= Duration::from_secs(21), "{time:?}");
        // At this rate it may continue, but not for ever.
        let (done, time) = receive(trickle(4_100, Duration::from_secs(1), usize::MAX)).await;
        assert_eq!(done, Err(BodyError::Slow));
        assert_eq!(time.as_secs(), MAX_TIME.as_secs());
        assert_eq!(receive(trickle(4_100, Duration::from_secs(1), 50)).await.0, Ok(50 * 4_100));
        assert_eq!(receive(trickle(10, Duration::from_secs(4), 4)).await.0, Ok(40));
        assert_eq!(receive(Body::empty()).await.0, Ok(0));
    }

    #[tokio::test]
    async fn bodies_have_a_largest_size() {
        let check = async |bytes: usize, announced: Option<usize>, expected: Result<usize, BodyError>| {
            let received = memory().receive("a", &mut Body::from(vec![b'x'; bytes]), announced, 100).await;
            assert_eq!(received.map(|(bytes, _)| bytes.len()), expected, "{bytes} {announced:?}");
        };
        check(100, Some(100), Ok(100)).await;
        check(100, None, Ok(100)).await;
        check(101, Some(101), Err(BodyError::TooLarge)).await;
        check(101, None, Err(BodyError::TooLarge)).await;
    }

    #[tokio::test]
    async fn bodies_in_memory_are_bounded_in_all_and_for_each_holder() {
        let memory = memory();
        let receive = async |holder, bytes: usize| {
            let mut body = Body::from(vec![b'x'; bytes]);
            memory.receive(holder, &mut body, Some(bytes), usize::MAX).await.map(|(_, charge)| charge)
        };
        let first = receive("a", 400_000).await.unwrap();
        assert_eq!(receive("a", 300_000).await.unwrap_err(), BodyError::NoMemory);
        let second = receive("a", 200_000).await.unwrap();
        assert_eq!(receive("b", 500_000).await.unwrap_err(), BodyError::NoMemory);
        let third = receive("b", 400_000).await.unwrap();
        drop((first, second));
        let fourth = receive("b", 200_000).await.unwrap();
        drop((third, fourth));
        assert!(memory.used().by_holder.is_empty() && memory.used().bytes == 0, "nothing is charged any more");
    }
}

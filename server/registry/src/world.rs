//! The clock and the random numbers, as parameters, so that tests can set them.

use muster_domain::Timestamp;
use std::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering},
};
use uuid::Uuid;

/// The source of time and randomness.
pub trait World: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Fills `dest` with unpredictable bytes.
    fn fill_random(&self, dest: &mut [u8]);
}

/// The machine's clock and the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemWorld;

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock and draws random bytes")]
impl World for SystemWorld {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn fill_random(&self, dest: &mut [u8]) {
        // Without randomness, the process must not issue tokens that can be guessed.
        getrandom::fill(dest).expect("the operating system gives random bytes");
    }
}

/// A world for tests: its clock is set by hand, and its bytes come from a counter.
#[derive(Debug)]
pub struct FakeWorld {
    now_ms: AtomicI64,
    drawn: Mutex<u64>,
}

impl FakeWorld {
    /// A world at this time.
    #[must_use]
    pub fn at(now_ms: i64) -> Self {
        Self { now_ms: AtomicI64::new(now_ms), drawn: Mutex::new(0) }
    }

    /// Moves the clock.
    pub fn pass_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl World for FakeWorld {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.now_ms.load(Ordering::SeqCst))
    }

    fn fill_random(&self, dest: &mut [u8]) {
        use sha2::{Digest, Sha256};
        let mut drawn = self.drawn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in dest.chunks_mut(32) {
            *drawn += 1;
            let bytes = Sha256::digest(drawn.to_be_bytes());
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// A UUIDv7 (RFC 9562): the time, then randomness, so that new rows are stored side by side.
pub(crate) fn new_id(world: &dyn World) -> Uuid {
    let mut random = [0; 10];
    world.fill_random(&mut random);
    id_at(world.now(), random)
}

/// A UUIDv7 of this time and randomness.
pub(crate) fn id_at(now: Timestamp, random: [u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(now.as_ms().max(0).cast_unsigned(), &random).into_uuid()
}

//! How many requests a second each device or account may send.

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};
use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// Bursts of this many seconds' worth are allowed.
const BURST_SECONDS: u32 = 10;

/// Holders that are remembered, about 100 bytes each. A holder is forgotten when it has its whole burst again, so there
/// are more only if so many devices report within seconds. Then rates are not counted until holders are removed again: the
/// concurrency limits hold.
const MAX_HOLDERS: usize = 200_000;

/// Checks between two removals of holders that have their whole burst again.
const CHECKS_BETWEEN_CLEANINGS: u32 = 20_000;

/// The limit. It goes by a clock that never jumps.
pub(crate) struct RateLimit<H: Hash + Eq + Clone, C: Clock = MonotonicClock> {
    limiter: RateLimiter<H, HashMapStateStore<H>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    max_holders: usize,
    checks: AtomicU32,
}

impl<H: Hash + Eq + Clone> RateLimit<H> {
    /// So many requests a second, with bursts of ten seconds' worth.
    pub(crate) fn per_second(rate: NonZeroU32) -> Self {
        Self::with(rate, MAX_HOLDERS, MonotonicClock)
    }
}

impl<H: Hash + Eq + Clone, C: Clock + Clone> RateLimit<H, C> {
    fn with(rate: NonZeroU32, max_holders: usize, clock: C) -> Self {
        let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECONDS - 1));
        let quota = Quota::per_second(rate).allow_burst(burst);
        let limiter = RateLimiter::new(quota, HashMapStateStore::default(), clock.clone());
        Self { limiter, clock, max_holders, checks: AtomicU32::new(0) }
    }

    /// Counts a request of this holder; if it is one too many, gives the time after which it may come again.
    pub(crate) fn check(&self, holder: &H) -> Result<(), Duration> {
        let checks = self.checks.fetch_add(1, Ordering::Relaxed);
        let is_full = self.limiter.len() >= self.max_holders;
        if checks % CHECKS_BETWEEN_CLEANINGS == CHECKS_BETWEEN_CLEANINGS - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        } else if is_full {
            return Ok(());
        }
        self.limiter.check_key(holder).map_err(|refused| refused.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn limit(rate: u32, max_holders: usize) -> (RateLimit<u32, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (RateLimit::with(NonZeroU32::new(rate).unwrap(), max_holders, clock.clone()), clock)
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let (limit, clock) = limit(10, 100);
        for _ in 0..100 {
            assert_eq!(limit.check(&1), Ok(()));
        }
        let wait = limit.check(&1).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100), "{wait:?}");
        assert_eq!(limit.check(&2), Ok(()), "each holder has its own");
        clock.advance(wait);
        assert_eq!(limit.check(&1), Ok(()));
        assert!(limit.check(&1).is_err());
    }

    #[test]
    fn once_a_second_is_never_too_fast() {
        let (limit, clock) = limit(1, 100);
        for _ in 0..10_000 {
            assert_eq!(limit.check(&1), Ok(()));
            clock.advance(Duration::from_secs(1));
        }
    }

    #[test]
    fn holders_are_forgotten() {
        let (limit, clock) = limit(10, 1_000);
        for holder in 0..5_000 {
            assert_eq!(limit.check(&holder), Ok(()));
        }
        assert_eq!(limit.limiter.len(), 1_000, "no more than that");
        clock.advance(Duration::from_secs(60));
        for _ in 0..CHECKS_BETWEEN_CLEANINGS {
            clock.advance(Duration::from_millis(100));
            assert_eq!(limit.check(&7), Ok(()));
        }
        assert!(limit.limiter.len() <= 1, "{}", limit.limiter.len());
    }
}

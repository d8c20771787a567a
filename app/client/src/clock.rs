//! Time and randomness for the pauses between attempts.

/// Time and randomness. A test implements it with a virtual time.
#[expect(async_fn_in_trait, reason = "an upload runs on one thread, so its futures need not be Send")]
pub trait Clock {
    /// The current time in milliseconds, since any fixed moment.
    fn now_ms(&self) -> u64;

    /// A random number: at least 0 and less than 1.
    fn random(&self) -> f64;

    /// Completes after this time, or later: a browser delays the timers of a hidden tab by up to a minute.
    async fn sleep_ms(&self, ms: u32);

    /// Completes when the time for an answer is over. Override it where [`Self::sleep_ms`] may be late.
    async fn time_limit_ms(&self, ms: u32) {
        self.sleep_ms(ms).await;
    }
}

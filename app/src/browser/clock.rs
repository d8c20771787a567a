//! The browser's time and randomness.

use gloo_timers::future::TimeoutFuture;
use muster_client::Clock;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

/// The browser's time and randomness.
pub(crate) struct BrowserClock;

impl Clock for BrowserClock {
    fn now_ms(&self) -> u64 {
        js_sys::Date::now() as u64
    }

    fn random(&self) -> f64 {
        js_sys::Math::random()
    }

    async fn sleep_ms(&self, ms: u32) {
        TimeoutFuture::new(ms).await;
    }

    /// Unlike a timer, an `AbortSignal` is not delayed in a hidden tab.
    async fn time_limit_ms(&self, ms: u32) {
        let signal = AbortSignal::timeout_with_u32(ms);
        let end = js_sys::Promise::new(&mut |resolve, _| signal.set_onabort(Some(&resolve)));
        // It never fails: nobody rejects it.
        let _ = JsFuture::from(end).await;
    }
}

//! Sending a request again: growing, jittered pauses while the server does not answer.

use crate::fns::Failure;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use std::pin::pin;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

/// How often a request is sent before it fails. With the pauses below that is three quarters of a minute.
const MAX_ATTEMPTS: u32 = 8;

/// The pause before the first retry; each is twice the one before, up to [`MAX_PAUSE_MS`], and jittered.
const FIRST_PAUSE_MS: u32 = 500;
const MAX_PAUSE_MS: u32 = 15_000;

/// The longest pause that the server may ask for.
const MAX_RETRY_AFTER_MS: u32 = 60_000;

/// How long an answer is waited for. The server gives up after a minute; what has not come by then never comes.
const MAX_WAIT_MS: u32 = 70_000;

/// How often a pause checks whether the caller has given up.
pub(crate) const LOOK_MS: u32 = 100;

/// Sends a request, with the number of the attempt from 1, until it succeeds, fails permanently, has been sent
/// [`MAX_ATTEMPTS`] times, or `has_given_up`. `note` receives the reason for a pause, and `None` after a success.
pub(crate) async fn retried<T, F: Future<Output = Result<T, Failure>>>(
    mut send: impl FnMut(u32) -> F,
    has_given_up: impl Fn() -> bool,
    note: impl Fn(Option<String>),
) -> Result<T, Failure> {
    let mut attempt = 1;
    loop {
        let outcome = match select(pin!(send(attempt)), pin!(passed(MAX_WAIT_MS))).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Err(Failure::Lost),
        };
        let failure = match outcome {
            Ok(done) => {
                if attempt > 1 {
                    note(None);
                }
                return Ok(done);
            }
            Err(failure) => failure,
        };
        if !failure.is_temporary() || attempt == MAX_ATTEMPTS || has_given_up() {
            return Err(failure);
        }
        let pause_ms = pause_ms(attempt, js_sys::Math::random(), failure.retry_after_ms());
        note(Some(waiting_note(&failure, pause_ms)));
        // By the clock: in a tab that is not seen, a timer of a tenth of a second takes a second or a minute.
        let until = js_sys::Date::now() + f64::from(pause_ms);
        while js_sys::Date::now() < until {
            if has_given_up() {
                return Err(failure);
            }
            TimeoutFuture::new(LOOK_MS).await;
        }
        attempt += 1;
    }
}

/// Why the request has to be sent again, and when that will be.
fn waiting_note(failure: &Failure, pause_ms: u32) -> String {
    let reason = if *failure == Failure::Lost { "Can't reach Muster" } else { "Muster is busy" };
    format!("{reason}. Retrying in {} s…", pause_ms.div_ceil(1_000))
}

/// Ends when so much time has passed. Unlike a timer, it comes no later in a tab that is not seen.
async fn passed(ms: u32) {
    let signal = AbortSignal::timeout_with_u32(ms);
    let end = js_sys::Promise::new(&mut |resolve, _| signal.set_onabort(Some(&resolve)));
    // It never fails: nobody rejects it.
    let _ = JsFuture::from(end).await;
}

/// The pause after this attempt: doubled each time, and between half and all of that, so that many browsers
/// that lost one server do not all come back at the same moment. No shorter than the server asks for, within a limit.
fn pause_ms(attempt: u32, random: f64, retry_after_ms: u32) -> u32 {
    let full = FIRST_PAUSE_MS.saturating_mul(1 << (attempt - 1).min(16)).min(MAX_PAUSE_MS);
    let jittered = |ms: u32| ms / 2 + (f64::from(ms / 2) * random) as u32;
    match retry_after_ms.min(MAX_RETRY_AFTER_MS) {
        0 => jittered(full),
        least => least + jittered(full),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_note_tells_a_lost_connection_from_a_busy_server() {
        let check = |failure: Failure, pause_ms: u32, expected: &str| {
            assert_eq!(waiting_note(&failure, pause_ms), expected);
        };
        check(Failure::Lost, 250, "Can't reach Muster. Retrying in 1 s…");
        check(Failure::Unavailable, 4_001, "Muster is busy. Retrying in 5 s…");
        check(Failure::TooMany { retry_after_s: 3 }, 3_000, "Muster is busy. Retrying in 3 s…");
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        let check = |attempt: u32, retry_after_ms: u32, shortest: u32, longest: u32| {
            let pause_ms = |random| pause_ms(attempt, random, retry_after_ms);
            assert_eq!((pause_ms(0.0), pause_ms(1.0)), (shortest, longest));
        };
        check(1, 0, 250, 500);
        check(2, 0, 500, 1_000);
        check(5, 0, 4_000, 8_000);
        check(7, 0, 7_500, 15_000);
        check(60, 0, 7_500, 15_000);
        check(1, 3_000, 3_250, 3_500);
        check(1, u32::MAX, 60_250, 60_500);
    }
}

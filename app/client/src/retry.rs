//! Retrying a request: growing, jittered pauses while the server does not answer.

use crate::{Clock, FailureKind, RequestFailure};
use futures_util::future::{Either, select};
use std::pin::pin;

/// How often a request is sent before it fails. With the pauses below that takes about three quarters of a minute.
const MAX_ATTEMPTS: u32 = 8;

/// The pause before the first retry. Each pause is twice the one before, up to [`MAX_PAUSE_MS`], and jittered.
const FIRST_PAUSE_MS: u32 = 500;
const MAX_PAUSE_MS: u32 = 15_000;

/// The longest pause that the server may ask for.
const MAX_RETRY_AFTER_MS: u32 = 60_000;

/// The time limit of an attempt. The server ends a request after 60 s, so an answer that has not come by then is lost.
const ATTEMPT_LIMIT_MS: u32 = 70_000;

/// How often a pause checks whether the caller has given up.
pub(crate) const POLL_MS: u32 = 100;

/// Sends a request until it succeeds, fails permanently, has been sent eight times, or `has_given_up`. `note` receives
/// a sentence about each pause, and `None` after a success that followed a pause.
///
/// # Errors
/// The failure of the last attempt.
pub async fn retried<T, F: RequestFailure, R: Future<Output = Result<T, F>>>(
    clock: &impl Clock,
    mut send: impl FnMut() -> R,
    has_given_up: impl Fn() -> bool,
    note: impl Fn(Option<String>),
) -> Result<T, F> {
    let mut attempt = 1;
    loop {
        let outcome = match select(pin!(send()), pin!(clock.time_limit_ms(ATTEMPT_LIMIT_MS))).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Err(F::lost()),
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
        let kind = failure.kind();
        if !kind.is_temporary() || attempt == MAX_ATTEMPTS || has_given_up() {
            return Err(failure);
        }
        let pause_ms = pause_ms(attempt, clock.random(), kind);
        note(Some(waiting_note(kind, pause_ms)));
        // By the clock: in a hidden tab, a timer of a tenth of a second takes a second or a minute.
        let end_ms = clock.now_ms() + u64::from(pause_ms);
        while clock.now_ms() < end_ms {
            if has_given_up() {
                return Err(failure);
            }
            clock.sleep_ms(POLL_MS).await;
        }
        attempt += 1;
    }
}

/// Why the request has to be sent again, and when that will be.
fn waiting_note(kind: FailureKind, pause_ms: u32) -> String {
    let reason = if kind == FailureKind::Lost { "Can't reach Muster" } else { "Muster is busy" };
    format!("{reason}. Retrying in {} s…", pause_ms.div_ceil(1_000))
}

/// The pause after this attempt. It doubles each time, and is jittered between half of that and all of it, so that many
/// clients that lost one server do not all return at the same moment. It is at least as long as the server asks for,
/// within a limit.
fn pause_ms(attempt: u32, random: f64, kind: FailureKind) -> u32 {
    let full = FIRST_PAUSE_MS.saturating_mul(1 << (attempt - 1).min(16)).min(MAX_PAUSE_MS);
    let jittered = full / 2 + (f64::from(full / 2) * random) as u32;
    match kind {
        FailureKind::Busy { retry_after_ms } => retry_after_ms.min(MAX_RETRY_AFTER_MS) + jittered,
        FailureKind::Lost | FailureKind::Refused | FailureKind::SignedOut | FailureKind::Fault => jittered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_note_tells_a_lost_connection_from_a_busy_server() {
        let check = |kind: FailureKind, pause_ms: u32, expected: &str| {
            assert_eq!(waiting_note(kind, pause_ms), expected);
        };
        check(FailureKind::Lost, 250, "Can't reach Muster. Retrying in 1 s…");
        check(FailureKind::Busy { retry_after_ms: 0 }, 4_001, "Muster is busy. Retrying in 5 s…");
        check(FailureKind::Busy { retry_after_ms: 3_000 }, 3_000, "Muster is busy. Retrying in 3 s…");
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        let check = |attempt: u32, retry_after_ms: u32, shortest: u32, longest: u32| {
            let pause_ms = |random| pause_ms(attempt, random, FailureKind::Busy { retry_after_ms });
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

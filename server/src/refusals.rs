//! Requests and connections that were refused: counted by reason, and summarised in the log every ten seconds.
//!
//! A line for each would be written thousands of times a second, just when the server has no time for it.

use axum::{
    Json,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use muster_app::fns::Failure;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::problem::Problem;

/// How often refusals are summed up, if there are any.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(10);

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There are as many connections as there may be.
    Connections,
    /// One address has as many connections, or requests behind a proxy, as it may.
    OfAddress,
    /// A device has as many requests under way as it may.
    OfDevice,
    /// An account has as many requests under way as it may.
    OfAccount,
    /// A device sends more in a second than it may.
    DeviceRate,
    /// An account sends more in a second than it may.
    AccountRate,
    /// A body did not arrive in time.
    SlowBody,
    /// A body is larger than it may be.
    TooLarge,
    /// There is no memory for another body.
    BodyMemory,
    /// Every permit is taken, and the queue is full or did not move.
    Busy,
    /// Too many wrong passwords.
    SignIn,
    /// Anything else that was answered with 503: the database cannot be used, or a request took too long.
    Unavailable,
}

impl Reason {
    /// All of them, each with its name.
    pub(crate) const ALL: [(Self, &'static str); 12] = [
        (Self::Connections, "too many connections"),
        (Self::OfAddress, "too many connections or requests of one address"),
        (Self::OfDevice, "too many concurrent requests of one device"),
        (Self::OfAccount, "too many concurrent requests of one account"),
        (Self::DeviceRate, "device rate exceeded"),
        (Self::AccountRate, "account rate exceeded"),
        (Self::SlowBody, "body too slow"),
        (Self::TooLarge, "body too large"),
        (Self::BodyMemory, "no memory for another body"),
        (Self::Busy, "no permit free"),
        (Self::SignIn, "too many wrong passwords"),
        (Self::Unavailable, "unavailable"),
    ];
}

/// How many were refused since the last summary, by reason.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(Arc<[AtomicU64; Reason::ALL.len()]>);

impl Refusals {
    pub(crate) fn count(&self, reason: Reason) {
        self.0[reason as usize].fetch_add(1, Ordering::Relaxed);
        metrics::counter!("muster_refusals_total", "reason" => Reason::ALL[reason as usize].1).increment(1);
    }

    /// A summary of the refusals since the last call; `None`: there were none.
    pub(crate) fn take_summary(&self) -> Option<String> {
        let counts = Reason::ALL.iter().zip(self.0.iter());
        let parts: Vec<_> = counts
            .map(|((_, name), count)| (name, count.swap(0, Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{name}: {count}"))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Writes the summaries, as long as it is polled.
    pub(crate) async fn write_summaries(&self) {
        loop {
            tokio::time::sleep(SUMMARY_INTERVAL).await;
            if let Some(summary) = self.take_summary() {
                tracing::warn!("refused in the last {} s: {summary}", SUMMARY_INTERVAL.as_secs());
            }
        }
    }
}

/// A request that is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    pub(crate) status: StatusCode,
    /// When the same request may be sent again, in whole seconds.
    pub(crate) retry_after_s: u32,
}

impl Refused {
    /// 503: it may work in a second.
    pub(crate) fn busy(reason: Reason) -> Self {
        Self { reason, status: StatusCode::SERVICE_UNAVAILABLE, retry_after_s: 1 }
    }

    /// 429: it is the sender that sends too much.
    pub(crate) fn too_many(reason: Reason, wait: Duration) -> Self {
        let retry_after_s = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
        Self { reason, status: StatusCode::TOO_MANY_REQUESTS, retry_after_s }
    }

    /// The answer: for a server function as the page reads it, else a problem.
    pub(crate) fn answer(self, is_function: bool) -> Response {
        let Self { reason, status, retry_after_s } = self;
        let failure = match status {
            StatusCode::TOO_MANY_REQUESTS => Failure::TooMany { retry_after_s },
            StatusCode::PAYLOAD_TOO_LARGE => Failure::Refused("This request is too large.".to_owned()),
            _ => Failure::Unavailable,
        };
        let mut response = if is_function {
            (status, Json(failure)).into_response()
        } else if status == StatusCode::REQUEST_TIMEOUT {
            Problem::new(status, "The body did not arrive in time. Send the request again.").into_response()
        } else {
            Problem::new(status, failure.sentence()).into_response()
        };
        if status != StatusCode::PAYLOAD_TOO_LARGE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
        }
        response.extensions_mut().insert(reason);
        response
    }
}

/// Counts refused requests, and adds `Retry-After` to every 503.
pub(crate) async fn count(State(refusals): State<Refusals>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    let reason = response.extensions().get::<Reason>().copied();
    let reason = reason.or(match status {
        StatusCode::SERVICE_UNAVAILABLE => Some(Reason::Unavailable),
        StatusCode::TOO_MANY_REQUESTS => Some(Reason::SignIn),
        _ => None,
    });
    if let Some(reason) = reason {
        refusals.count(reason);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
    }
    response
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    #[test]
    fn refusals_are_summed_up_once() {
        let refusals = Refusals::default();
        assert_eq!(refusals.take_summary(), None);
        for _ in 0..18_052 {
            refusals.count(Reason::Busy);
        }
        refusals.count(Reason::Connections);
        let expected = "too many connections: 1, no permit free: 18052";
        assert_eq!(refusals.take_summary().unwrap(), expected);
        assert_eq!(refusals.take_summary(), None);
    }

    #[test]
    fn every_reason_has_a_name() {
        // A reason that is missing would not be counted.
        for (at, (reason, _)) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, at);
        }
        assert_eq!(Reason::Unavailable as usize + 1, Reason::ALL.len());
    }

    #[tokio::test]
    async fn refusals_say_when_to_come_again() {
        let check = async |refused: Refused, is_function: bool, status: u16, wait: &str, body: &str| {
            let response = refused.answer(is_function);
            assert_eq!(response.status(), status);
            assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), wait);
            let kind = if is_function { "application/json" } else { "application/problem+json" };
            assert_eq!(response.headers().get(header::CONTENT_TYPE).unwrap(), kind);
            let text = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
            let text = str::from_utf8(&text).unwrap();
            assert!(text.contains(body), "{text}");
        };
        let busy = Refused::busy(Reason::Busy);
        check(busy, false, 503, "1", r#""status":503"#).await;
        check(busy, true, 503, "1", r#""Unavailable""#).await;
        let too_fast = Refused::too_many(Reason::DeviceRate, Duration::from_millis(2_001));
        check(too_fast, false, 429, "3", r#""status":429"#).await;
        check(too_fast, true, 429, "3", r#"{"TooMany":{"retry_after_s":3}}"#).await;
        check(Refused::too_many(Reason::DeviceRate, Duration::ZERO), false, 429, "1", "429").await;
    }
}

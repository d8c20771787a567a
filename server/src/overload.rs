//! What keeps the server on its feet when more is asked of it than it can do: it says so at once, and goes on with
//! what it has begun.

use crate::problem::Problem;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Requests of one kind that may be under way at once. Each kind has its own, so that none keeps another out: devices
/// that all report at once leave the people their page, and files that are registered leave the devices their reports.
#[derive(Clone)]
pub(crate) struct Lane {
    free: Arc<Semaphore>,
    /// How many places a request takes; none, where it is not of this kind.
    places: fn(&Request) -> u32,
}

impl Lane {
    /// So many places, of which a request takes as many as this says.
    pub(crate) fn of(places: usize, taken: fn(&Request) -> u32) -> Self {
        Self { free: Arc::new(Semaphore::new(places)), places: taken }
    }
}

/// Lets a request in where its lane is free; else answers 503 without doing anything for it.
pub(crate) async fn admit(State(lane): State<Lane>, request: Request, next: Next) -> Response {
    match lane.free.try_acquire_many((lane.places)(&request)) {
        Ok(_permit) => next.run(request).await,
        Err(_) => Problem::unavailable().into_response(),
    }
}

/// Says with every 503, whoever made it, when to ask again.
pub(crate) async fn retry_after(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
    }
    response
}

/// Lets the process have as many connections as the system allows it: the usual 1,024 are soon used up by devices.
pub(crate) fn raise_open_files() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit on open files stays as it is");
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use axum::{Router, body::Body, middleware::from_fn, middleware::from_fn_with_state, routing::get};
    use tokio::sync::Notify;
    use tower::ServiceExt;

    #[tokio::test]
    async fn one_too_many_is_told_at_once_and_the_next_is_let_in() {
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (has_begun, may_go) = (begun.clone(), go.clone());
        let slow = move || {
            let (begun, go) = (begun.clone(), go.clone());
            async move {
                begun.notify_one();
                go.notified().await;
                "done"
            }
        };
        let router = Router::new()
            .route("/slow", get(slow))
            .route("/quick", get(|| async { "done" }))
            .layer(from_fn_with_state(Lane::of(1, |request| (request.uri().path() == "/slow").into()), admit))
            .layer(from_fn(retry_after));
        let ask = |path| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
        let first = tokio::spawn(ask("/slow"));
        has_begun.notified().await;
        let second = ask("/slow").await.unwrap();
        assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(second.headers().get(header::RETRY_AFTER).unwrap(), "1");
        assert_eq!(ask("/quick").await.unwrap().status(), StatusCode::OK, "another lane");
        may_go.notify_one();
        assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::OK);
        may_go.notify_one();
        assert_eq!(ask("/slow").await.unwrap().status(), StatusCode::OK);
    }
}

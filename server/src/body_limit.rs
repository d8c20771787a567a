//! The largest body of each server function.
//!
//! `leptos_axum` adds a route for each server function by itself, past the layers that other routes of the same router
//! have. So this layer goes around all of them: without it, axum's default of 2 MiB applies.

use axum::{
    Json,
    extract::{DefaultBodyLimit, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use muster_app::fns::{Failure, registrations::MAX_PART_BYTES};
use muster_domain::ThingModel;

/// What the largest requests have beside their content: an id, some numbers, and the columns of a file.
const ENVELOPE_BYTES: usize = 4 * 1024;

/// A filter with 1,000 device groups has up to 515 kB (128 characters of 4 bytes each), and a search for 1,000 device
/// names up to 131 kB.
const MAX_FILTER_BYTES: usize = 1024 * 1024;

/// 10,000 device names of 128 characters, in quotes and with commas, and a filter.
const MAX_CHOSEN_BYTES: usize = 10_000 * 131 + MAX_FILTER_BYTES;

/// The largest body that is accepted at this path.
pub(crate) fn max_body_bytes(path: &str) -> usize {
    match path.strip_prefix("/fn/") {
        Some("register-part") => MAX_PART_BYTES + ENVELOPE_BYTES,
        // A little more than a model may have, so that the sentence about that comes from where models are checked.
        Some("upload-model") => ThingModel::MAX_BYTES + ENVELOPE_BYTES,
        Some("change-devices" | "generate-tokens" | "export-devices") => MAX_CHOSEN_BYTES,
        _ => MAX_FILTER_BYTES,
    }
}

/// Refuses a body that is too large: before it is read where its length is known, and else when it is.
pub(crate) async fn limit_body(mut request: Request, next: Next) -> Response {
    let max = max_body_bytes(request.uri().path());
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > max) {
        // As the page understands it: a failure that trying again does not mend.
        let failure = Failure::Refused(format!("This request is too large: at most {max} bytes are accepted."));
        return (StatusCode::PAYLOAD_TOO_LARGE, Json(failure)).into_response();
    }
    DefaultBodyLimit::max(max).apply(&mut request);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use axum::{RequestExt, Router, body::Body, middleware::from_fn, routing::post};
    use tower::ServiceExt;

    /// Reads its body as server functions do.
    async fn read(request: Request) -> StatusCode {
        let body = axum::body::to_bytes(request.into_limited_body(), usize::MAX).await;
        body.map_or(StatusCode::UNPROCESSABLE_ENTITY, |_| StatusCode::OK)
    }

    #[tokio::test]
    async fn bodies_of_the_largest_size_are_accepted_and_no_larger_ones() {
        let router = Router::new().route("/fn/{name}", post(read)).layer(from_fn(limit_body));
        let check = async |name: &str, bytes: usize, has_length: bool, expected: StatusCode| {
            let mut request = Request::post(format!("/fn/{name}"));
            if has_length {
                request = request.header(header::CONTENT_LENGTH, bytes);
            }
            let request = request.body(Body::from(vec![b'x'; bytes])).unwrap();
            assert_eq!(router.clone().oneshot(request).await.unwrap().status(), expected, "{name}, {bytes} bytes");
        };
        for (name, max) in [
            ("register-part", 2 * 1024 * 1024 + 4 * 1024),
            ("upload-model", 1024 * 1024 + 4 * 1024),
            ("export-devices", 1_310_000 + 1024 * 1024),
            ("devices", 1024 * 1024),
            ("there-is-no-such-function", 1024 * 1024),
        ] {
            check(name, max, true, StatusCode::OK).await;
            check(name, max + 1, true, StatusCode::PAYLOAD_TOO_LARGE).await;
            check(name, max, false, StatusCode::OK).await;
            check(name, max + 1, false, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    }
}

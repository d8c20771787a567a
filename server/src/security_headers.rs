//! The headers of every response that protect the person at the screen, and the check that a POST comes from our own page.

use crate::{client::Client, overload::is_function, problem::Problem, public_url::PublicUrl};
use axum::{
    Json,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use muster_app::fns::Failure;

/// Refuses a request that changes something and does not come from a page of this portal.
pub(crate) async fn only_our_pages(State(public): State<PublicUrl>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let client = request.extensions().get::<Client>();
    let checked = client.map_or_else(|| Err(String::new()), |client| public.check(client, request.headers()));
    match checked {
        Err(sentence) if changes => {
            let status = StatusCode::FORBIDDEN;
            // It may be our page behind a proxy that is not configured: then its user reads why.
            if is_function(&request) {
                (status, Json(Failure::Refused(sentence))).into_response()
            } else {
                Problem::new(status, sentence).into_response()
            }
        }
        _ => next.run(request).await,
    }
}

/// The Content-Security-Policy of a page whose inline scripts carry this nonce.
pub(crate) fn page_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Puts the usual headers on every response that does not have them.
pub(crate) async fn headers(State(public): State<PublicUrl>, request: Request, next: Next) -> Response {
    let is_https =
        request.extensions().get::<Client>().is_some_and(|client| public.is_https(client, request.headers()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::X_FRAME_OPTIONS, "DENY");
    put(header::REFERRER_POLICY, "same-origin");
    put(header::CACHE_CONTROL, "no-store");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    put(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    if is_https {
        put(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000");
    }
    response
}

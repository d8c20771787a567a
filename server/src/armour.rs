//! What every answer carries to protect the person at the screen, and the check that a POST comes from our own page.

use crate::problem::Problem;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// How people reach the portal.
#[derive(Clone, Debug)]
pub(crate) struct PublicUrl {
    /// `https://host[:port]` without a path; `None`: whatever `Host` they used.
    origin: Option<String>,
}

impl PublicUrl {
    /// From the setting; a path or a slash at its end is no matter.
    ///
    /// # Errors
    /// A sentence, where it is not an `http://` or `https://` address.
    pub(crate) fn parse(setting: Option<&str>) -> Result<Self, String> {
        let Some(setting) = setting else { return Ok(Self { origin: None }) };
        let wrong =
            || format!("MUSTER_PUBLIC_URL must be an address such as https://muster.example.com, not {setting:?}");
        let uri: http::Uri = setting.parse().map_err(|_| wrong())?;
        match (uri.scheme_str(), uri.authority()) {
            (Some(scheme @ ("http" | "https")), Some(host)) => Ok(Self { origin: Some(format!("{scheme}://{host}")) }),
            _ => Err(wrong()),
        }
    }

    /// True where it is reached over HTTPS, so that cookies are kept to it.
    pub(crate) fn is_https(&self) -> bool {
        self.origin.as_deref().is_some_and(|origin| origin.starts_with("https:"))
    }

    fn allows(&self, headers: &HeaderMap) -> bool {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        if text(HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site != "same-origin") {
            return false;
        }
        // Browsers send Origin with every POST; what does not is not our page.
        let Some(origin) = text(header::ORIGIN) else { return false };
        match &self.origin {
            Some(public) => public.eq_ignore_ascii_case(origin),
            None => text(header::HOST)
                .is_some_and(|host| origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))),
        }
    }
}

/// Refuses a request that changes something and does not come from a page of this portal.
pub(crate) async fn only_our_pages(State(public): State<PublicUrl>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && !public.allows(request.headers()) {
        let sentence = "This request does not come from a page of this portal. Open the portal by the address in MUSTER_PUBLIC_URL.";
        return Problem::new(StatusCode::FORBIDDEN, sentence).into_response();
    }
    next.run(request).await
}

/// The Content-Security-Policy of a page whose inline scripts carry this nonce.
pub(crate) fn page_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Puts the usual headers on every answer that does not have them.
pub(crate) async fn headers(State(public): State<PublicUrl>, request: Request, next: Next) -> Response {
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
    if public.is_https() {
        put(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000");
    }
    response
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    #[test]
    fn a_post_must_come_from_our_own_page() {
        let check = |public: Option<&str>, pairs: &[(&'static str, &'static str)], expected: bool| {
            let headers =
                pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect();
            assert_eq!(PublicUrl::parse(public).unwrap().allows(&headers), expected, "{public:?} {pairs:?}");
        };
        let public = Some("https://muster.example.com/");
        check(None, &[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1:3000")], true);
        check(None, &[("host", "127.0.0.1:3000"), ("origin", "http://evil.example")], false);
        check(None, &[("host", "127.0.0.1:3000")], false);
        check(None, &[("host", "127.0.0.1:3000"), ("origin", "null")], false);
        check(None, &[("host", "a"), ("origin", "http://a"), ("sec-fetch-site", "same-origin")], true);
        check(None, &[("host", "a"), ("origin", "http://a"), ("sec-fetch-site", "same-site")], false);
        check(public, &[("host", "10.0.0.7"), ("origin", "https://muster.example.com")], true);
        check(public, &[("host", "10.0.0.7"), ("origin", "http://muster.example.com")], false);
    }
}

//! The id of a request, which appears in its response, in a problem's body and in every log line about it.

use crate::client::Client;
use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue};
use muster_registry::{SystemWorld, World};
use std::fmt::Write;

/// The header of requests and responses.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is accepted from a proxy.
const MAX_CHARS: usize = 64;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// Only letters, digits, `-`, `_` and `.`, which are safe in log lines and headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// The id of the request that this task answers, if it answers one.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// 16 random hexadecimal digits. Servers need not agree on a sequence, and clients cannot count requests.
    fn random() -> Self {
        let mut bytes = [0; 8];
        SystemWorld.fill_random(&mut bytes);
        Self(bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }

    /// The id in these headers, if it is valid.
    fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let id = headers.get(HEADER)?.to_str().ok()?;
        let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
        ((1..=MAX_CHARS).contains(&id.len()) && id.chars().all(is_plain)).then(|| Self(id.to_owned()))
    }
}

/// Assigns an id to a request: the one that a trusted proxy sent, so that both logs have the same, or a new one. Other
/// clients cannot choose it, as they could imitate the id of another request.
pub(crate) async fn assign(mut request: Request, next: Next) -> Response {
    let is_proxied = request.extensions().get::<Client>().is_some_and(|client| client.is_proxied);
    let sent = if is_proxied { RequestId::from_headers(request.headers()) } else { None };
    let id = sent.unwrap_or_else(RequestId::random);
    request.extensions_mut().insert(id.clone());
    let header = HeaderValue::from_str(id.as_str());
    let mut response = CURRENT.scope(id, next.run(request)).await;
    if let Ok(header) = header {
        response.headers_mut().insert(HEADER, header);
    }
    response
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use crate::client::{self, TrustedProxies};
    use axum::{
        Router,
        body::Body,
        extract::ConnectInfo,
        middleware::{from_fn, from_fn_with_state},
        routing::get,
    };
    use std::{collections::HashSet, net::SocketAddr};
    use tower::ServiceExt;

    /// The id in the response and in the handler, of a request from this address with this header.
    async fn ids(peer: [u8; 4], sent: Option<&str>) -> (String, String) {
        let handler = async || RequestId::current().map_or_else(String::new, |id| id.as_str().to_owned());
        let proxies: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        let router = Router::new()
            .route("/", get(handler))
            .layer(from_fn(assign))
            .layer(from_fn_with_state(proxies, client::identify));
        let mut request = Request::builder().uri("/").extension(ConnectInfo(SocketAddr::from((peer, 1))));
        if let Some(sent) = sent {
            request = request.header(HEADER, sent);
        }
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let header = response.headers().get(HEADER).unwrap().to_str().unwrap().to_owned();
        let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        (header, str::from_utf8(&body).unwrap().to_owned())
    }

    #[tokio::test]
    async fn only_a_proxy_may_name_a_request() {
        let (proxy, stranger) = ([10, 1, 2, 3], [192, 0, 2, 1]);
        let long = "x".repeat(MAX_CHARS);
        let too_long = "x".repeat(MAX_CHARS + 1);
        for (peer, sent, is_kept) in [
            (proxy, "0af7651916cd43dd-8448_eb.211c", true),
            (proxy, long.as_str(), true),
            (proxy, too_long.as_str(), false),
            (proxy, "", false),
            (proxy, "a b", false),
            (proxy, "a\"b", false),
            (proxy, "a=1", false),
            (stranger, "0af7651916cd43dd", false),
        ] {
            let (header, inside) = ids(peer, Some(sent)).await;
            assert_eq!(header, inside, "{sent}");
            assert_eq!(header == sent, is_kept, "{sent}");
            assert!(is_kept || (header.len() == 16 && header.bytes().all(|byte| byte.is_ascii_hexdigit())), "{header}");
        }
    }

    #[tokio::test]
    async fn each_request_has_its_own() {
        let mut seen = HashSet::new();
        for _ in 0..100 {
            assert!(seen.insert(ids([192, 0, 2, 1], None).await.0));
        }
    }
}

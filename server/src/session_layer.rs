//! Finds the actor of a request by its session cookie, and redirects requests without one to the sign-in page.

use crate::{
    client::{Client, source_of},
    overload::{Limits, WORK_TIMEOUT, is_function},
    public_url::PublicUrl,
    refusals::{Reason, Refused},
};
use axum::{
    Json,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use http::StatusCode;
use muster_app::fns::{
    Failure,
    session::{IsHttps, PLAIN_SESSION_COOKIE, SECURE_SESSION_COOKIE},
};
use muster_domain::SessionKey;
use muster_registry::{Registry, StoreError};
use std::sync::Arc;
use tokio::time::timeout;
use tracing::Span;

/// The longest address that is remembered over a sign-in.
const MAX_RETURN_BYTES: usize = 2_048;

/// Paths that need no session. Signing out twice is no error.
const OPEN: [&str; 3] = ["/sign-in", "/fn/sign-in", "/fn/sign-out"];

/// What [`authenticate_session`] needs.
#[derive(Clone)]
pub(crate) struct Sessions {
    pub(crate) registry: Registry,
    pub(crate) limits: Arc<Limits>,
    pub(crate) public: PublicUrl,
}

/// Puts the `Actor` and the key of the session among the extensions of a request. A page asked for without a
/// session leads to `/sign-in`, and back again; a server function is answered before its body has come.
pub(crate) async fn authenticate_session(
    State(sessions): State<Sessions>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    let is_https =
        request.extensions().get::<Client>().is_some_and(|client| sessions.public.is_https(client, request.headers()));
    request.extensions_mut().insert(IsHttps(is_https));
    let mut is_known = false;
    if let Some(key) = session_key(&jar, is_https) {
        let permit = match sessions.limits.session_lookup(source_of(&request)).await {
            Ok(permit) => permit,
            Err(refused) => return refused.answer(is_function(&request)),
        };
        let found = timeout(WORK_TIMEOUT, sessions.registry.session(&key)).await;
        drop(permit);
        match found.unwrap_or(Err(StoreError::Unavailable)) {
            Ok(Some(actor)) => {
                Span::current().record("account", actor.account_name());
                request.extensions_mut().insert(actor);
                request.extensions_mut().insert(Arc::new(key));
                is_known = true;
            }
            Ok(None) => {}
            Err(_) => return Refused::busy(Reason::Unavailable).answer(is_function(&request)),
        }
    }
    let path = request.uri().path();
    if is_known || OPEN.contains(&path) {
        return next.run(request).await;
    }
    if is_function(&request) {
        // As the page reads it from a server function.
        return (StatusCode::UNAUTHORIZED, Json(Failure::SignedOut)).into_response();
    }
    let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
    if path == "/" || wanted.len() > MAX_RETURN_BYTES {
        return Redirect::to("/sign-in").into_response();
    }
    Redirect::to(&format!("/sign-in?to={}", muster_app::query::encode(wanted))).into_response()
}

/// The session's key. Over HTTPS, only the cookie counts that no other host can set; but not every request shows whether it
/// came over HTTPS, if the proxy in between is not configured.
fn session_key(jar: &CookieJar, is_https: bool) -> Option<SessionKey> {
    let key = |name: &str| jar.get(name).and_then(|cookie| SessionKey::parse(cookie.value()).ok());
    let secure = key(SECURE_SESSION_COOKIE);
    if is_https { secure } else { secure.or_else(|| key(PLAIN_SESSION_COOKIE)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum_extra::extract::cookie::Cookie;

    #[test]
    fn plain_cookie_does_not_count_over_https() {
        let key = |byte| SessionKey::new(uuid_of(byte), [byte; 32]);
        let jar = |cookies: &[(&'static str, u8)]| {
            cookies.iter().fold(CookieJar::new(), |jar, (name, byte)| jar.add(Cookie::new(*name, key(*byte).reveal())))
        };
        let check = |cookies: &[(&'static str, u8)], is_https: bool, expected: Option<u8>| {
            let found = session_key(&jar(cookies), is_https).map(|key| key.id());
            assert_eq!(found, expected.map(|byte| key(byte).id()), "{cookies:?} {is_https}");
        };
        check(&[(PLAIN_SESSION_COOKIE, 1)], false, Some(1));
        check(&[(PLAIN_SESSION_COOKIE, 1)], true, None);
        check(&[(SECURE_SESSION_COOKIE, 2)], true, Some(2));
        check(&[(SECURE_SESSION_COOKIE, 2)], false, Some(2));
        check(&[(PLAIN_SESSION_COOKIE, 1), (SECURE_SESSION_COOKIE, 2)], false, Some(2));
        check(&[], false, None);
    }

    fn uuid_of(byte: u8) -> uuid::Uuid {
        uuid::Uuid::from_bytes([byte; 16])
    }
}

//! Who is it: finds the person of a request by its session cookie, and leads those without one to the sign-in page.

use crate::problem::Problem;
use axum::{
    Json,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use http::StatusCode;
use muster_app::fns::{Failure, session::SESSION_COOKIE};
use muster_domain::SessionKey;
use muster_registry::Registry;
use std::sync::Arc;

/// The longest address that is remembered over a sign-in.
const MAX_RETURN_BYTES: usize = 2_048;

/// What is for those without a session, too. Who signs out twice is signed out.
const OPEN: [&str; 3] = ["/sign-in", "/fn/sign-in", "/fn/sign-out"];

/// Puts the `Person` and their session's key among the extensions of a request. A page asked for without a
/// session leads to `/sign-in`, and back again; a server function is answered before its body has come, so that nobody
/// without a session holds a place by sending slowly.
pub(crate) async fn find_person(
    State(registry): State<Registry>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    let key = jar.get(SESSION_COOKIE).and_then(|cookie| SessionKey::parse(cookie.value()).ok());
    let mut is_known = false;
    if let Some(key) = key {
        match registry.session(&key).await {
            Ok(Some(person)) => {
                request.extensions_mut().insert(person);
                request.extensions_mut().insert(Arc::new(key));
                is_known = true;
            }
            Ok(None) => {}
            Err(_) => return Problem::unavailable().into_response(),
        }
    }
    let path = request.uri().path();
    if is_known || OPEN.contains(&path) {
        return next.run(request).await;
    }
    if path.starts_with("/fn/") {
        // As the page reads it from a server function.
        return (StatusCode::UNAUTHORIZED, Json(Failure::SignedOut)).into_response();
    }
    let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
    if path == "/" || wanted.len() > MAX_RETURN_BYTES {
        return Redirect::to("/sign-in").into_response();
    }
    Redirect::to(&format!("/sign-in?to={}", muster_app::query::encode(wanted))).into_response()
}

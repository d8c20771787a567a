//! Signing in and out.

use super::Failure;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The person at the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The e-mail address they sign in with.
    pub email: String,
    /// The name of their account.
    pub account: String,
}

/// The cookie that holds the session's key.
#[cfg(feature = "ssr")]
pub const SESSION_COOKIE: &str = "muster_session";

/// Whether the portal is reached over HTTPS, so that its cookie is kept to it. Provided by the server.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug)]
pub struct SecureCookies(pub bool);

/// Where to go after signing in: a path of this portal, never another site.
pub fn safe_return(to: &str) -> &str {
    let is_local = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\r', '\n', '\t']);
    if is_local && !to.starts_with("/sign-in") && !to.starts_with("/fn/") { to } else { "/devices" }
}

/// Signs a person in: sets the session's cookie and gives the path to go on to.
///
/// # Errors
/// [`Failure::Refused`] for a wrong e-mail address or password, or too many guesses.
#[server(prefix = "/fn", endpoint = "sign-in", input = server_fn::codec::Json)]
pub async fn sign_in(email: String, password: String, to: String) -> Result<String, Failure> {
    use muster_registry::{Password, SignInError};

    let registry = super::registry()?;
    match registry.sign_in(&email, &Password::given(password)).await {
        Ok((key, person)) => {
            super::log_action!(super::Actor::of(Some(&person)), "signed in");
            set_cookie(&key.reveal(), muster_registry::SESSION_ABSOLUTE_MS / 1_000);
            Ok(safe_return(&to).to_owned())
        }
        Err(SignInError::Store(error)) => Err(error.into()),
        Err(error) => {
            // People type their password into the wrong box: what was typed is logged only if somebody signs in with it.
            let person = registry.person_with_email(&email).await.unwrap_or_default();
            let is_limit = matches!(error, SignInError::TooMany { .. });
            super::log_action!(super::Actor::of(person.as_ref()), "sign-in failed", limit_reached = is_limit);
            Err(Failure::refused(error))
        }
    }
}

/// Ends the session.
///
/// # Errors
/// [`Failure::Unavailable`] where the session could not be ended.
#[server(prefix = "/fn", endpoint = "sign-out", input = server_fn::codec::Json)]
pub async fn sign_out() -> Result<(), Failure> {
    use axum::http::request::Parts;
    use muster_domain::SessionKey;

    // The session layer leaves the key beside the person it found for it.
    if let Some(key) =
        use_context::<Parts>().and_then(|parts| parts.extensions.get::<std::sync::Arc<SessionKey>>().cloned())
    {
        let viewer = super::viewer()?;
        viewer.registry.sign_out(&key).await?;
        super::log_action!(viewer.actor(), "signed out");
    }
    set_cookie("", 0);
    Ok(())
}

/// Who is signed in.
///
/// # Errors
/// [`Failure::SignedOut`].
#[server(prefix = "/fn", endpoint = "me", input = server_fn::codec::Json)]
pub async fn who_am_i() -> Result<Me, Failure> {
    let viewer = super::viewer()?;
    Ok(Me { email: viewer.person.email, account: viewer.person.account_name.to_string() })
}

#[cfg(feature = "ssr")]
fn set_cookie(value: &str, max_age_s: i64) {
    let secure = if use_context::<SecureCookies>().is_some_and(|secure| secure.0) { "; Secure" } else { "" };
    let cookie = format!("{SESSION_COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}");
    if let (Some(answer), Ok(cookie)) = (use_context::<leptos_axum::ResponseOptions>(), cookie.parse()) {
        answer.append_header(http::header::SET_COOKIE, cookie);
    }
}

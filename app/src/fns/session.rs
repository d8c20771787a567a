//! Signing in and out.

use super::Failure;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The user at the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The email address they sign in with.
    pub email: String,
    /// The name of their account.
    pub account: String,
}

/// The cookie that holds the session's key, if the portal is reached over HTTPS. Browsers accept a name with this prefix
/// only from the host itself, for the whole host, and over HTTPS.
#[cfg(feature = "ssr")]
pub const SECURE_SESSION_COOKIE: &str = "__Host-muster_session";

/// The same over HTTP, as on localhost.
#[cfg(feature = "ssr")]
pub const PLAIN_SESSION_COOKIE: &str = "muster_session";

/// Whether the request came over HTTPS. The server puts it among the request's extensions.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsHttps(pub bool);

/// Where to go after signing in: a path of this portal, never another site.
pub fn safe_return(to: &str) -> &str {
    let is_local = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\r', '\n', '\t']);
    if is_local && !to.starts_with("/sign-in") && !to.starts_with("/fn/") { to } else { "/devices" }
}

/// Signs a user in: sets the session's cookie and gives the path to go to. The session that it replaces ends.
///
/// # Errors
/// [`Failure::Refused`] for a wrong email address or password; [`Failure::TooMany`] after many of those.
#[server(prefix = "/fn", endpoint = "sign-in", input = server_fn::codec::Json, output = super::Answer)]
pub async fn sign_in(email: String, password: String, to: String) -> Result<String, Failure> {
    use muster_registry::{Password, SignInError};

    let registry = super::registry()?;
    match registry.sign_in(&email, server::source(), &Password::given(password)).await {
        Ok((key, actor)) => {
            // It would stay valid with no way to end it: the browser forgets its key.
            server::end_session(&registry).await?;
            super::log_action!(actor, "signed in");
            server::set_cookie(&key.reveal(), muster_registry::SESSION_ABSOLUTE_MS / 1_000);
            Ok(safe_return(&to).to_owned())
        }
        Err(SignInError::Store(error)) => Err(error.into()),
        Err(error) => {
            // People type their password into the wrong box: what was typed is logged only if somebody signs in with it.
            let user = registry.user_with_email(&email).await.unwrap_or_default();
            let is_limit = matches!(error, SignInError::TooMany { .. });
            // Nobody acts yet. The fields are those of `log_action!`.
            tracing::info!(
                account = user.as_ref().map_or("unknown", |user| user.account_name.as_str()),
                user = user.as_ref().map_or("unknown", |user| user.email.as_str()),
                address = super::logged_address().as_str(),
                limit_reached = is_limit,
                "sign-in failed"
            );
            Err(match error {
                SignInError::TooMany { retry_after_s } => Failure::TooMany { retry_after_s }.noted(),
                error => Failure::refused(error),
            })
        }
    }
}

/// Ends the session.
///
/// # Errors
/// [`Failure::Unavailable`] where the session could not be ended.
#[server(prefix = "/fn", endpoint = "sign-out", input = server_fn::codec::Json, output = super::Answer)]
pub async fn sign_out() -> Result<(), Failure> {
    let viewer = super::viewer().ok();
    server::end_session(&super::registry()?).await?;
    if let Some(viewer) = viewer {
        super::log_action!(viewer.actor, "signed out");
    }
    server::set_cookie("", 0);
    server::clear_site_data();
    Ok(())
}

/// Who is signed in.
///
/// # Errors
/// [`Failure::SignedOut`].
#[server(prefix = "/fn", endpoint = "me", input = server_fn::codec::Json, output = super::Answer)]
pub async fn who_am_i() -> Result<Me, Failure> {
    let actor = super::viewer()?.actor;
    Ok(Me { email: actor.name().to_owned(), account: actor.account_name().to_owned() })
}

#[cfg(feature = "ssr")]
mod server {
    use super::{Failure, IsHttps, PLAIN_SESSION_COOKIE, SECURE_SESSION_COOKIE};
    use crate::fns::ClientAddress;
    use axum::http::request::Parts;
    use cookie::{Cookie, SameSite, time::Duration};
    use leptos::prelude::use_context;
    use leptos_axum::ResponseOptions;
    use muster_domain::SessionKey;
    use muster_registry::{Registry, Source};
    use std::{
        net::{IpAddr, Ipv4Addr},
        sync::Arc,
    };

    /// Something that the server put among the extensions of the request.
    fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
        use_context::<Parts>().and_then(|parts| parts.extensions.get().cloned())
    }

    /// Where the request comes from.
    pub(super) fn source() -> Source {
        Source::of(extension::<ClientAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.0))
    }

    /// Ends the session of the request, if it has one.
    pub(super) async fn end_session(registry: &Registry) -> Result<(), Failure> {
        // The session layer leaves the key beside the user it found for it.
        if let Some(key) = extension::<Arc<SessionKey>>() {
            registry.sign_out(&key).await?;
        }
        Ok(())
    }

    pub(super) fn set_cookie(value: &str, max_age_s: i64) {
        let Some(answer) = use_context::<ResponseOptions>() else { return };
        let is_https = matches!(extension::<IsHttps>(), Some(IsHttps(true)));
        let name = if is_https { SECURE_SESSION_COOKIE } else { PLAIN_SESSION_COOKIE };
        let cookie = Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(max_age_s))
            .secure(is_https);
        if let Ok(cookie) = cookie.to_string().parse() {
            answer.append_header(http::header::SET_COOKIE, cookie);
        }
    }

    /// Has the browser forget what the portal stored there.
    ///
    /// Not `"cookies"`: that ends the sessions of everything else in the company's domain, and the session's own cookie is
    /// removed above. Not `"cache"`: there are only assets in it, since pages are `no-store`, and they would be loaded again.
    pub(super) fn clear_site_data() {
        if let Some(answer) = use_context::<ResponseOptions>() {
            let name = http::HeaderName::from_static("clear-site-data");
            answer.insert_header(name, http::HeaderValue::from_static("\"storage\""));
        }
    }
}

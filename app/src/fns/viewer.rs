//! The signed-in user of a request, and the registry that answers it.

use super::failure::Failure;
use axum::http::request::Parts;
use leptos::prelude::use_context;
use muster_registry::{Actor, GroupError, Registry};
use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Weak},
};

/// The address of the client of a request, behind the proxies that are configured. The server puts it among the
/// request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The permits that a request holds while it is processed. The server adds them to the request's extensions. A page loads
/// its values in separate tasks, which continue after the browser has disconnected: they hold the permits as well.
#[derive(Clone)]
pub struct Work(pub Weak<dyn Send + Sync>);

/// The actor of the request. The server's session layer puts it among the request's extensions, and nowhere else is a
/// session looked at.
pub(crate) struct Viewer {
    /// The signed-in user.
    pub(crate) actor: Actor,
    /// What Muster knows. Everything asked of it is asked as `actor`.
    pub(crate) registry: Registry,
    _work: Option<Arc<dyn Send + Sync>>,
}

/// Writes into the log what an [`Actor`] did, and from which address. Text is written in quotes and escaped, so that a
/// name cannot add a line. No value may be a secret.
macro_rules! log_action {
    ($actor:expr, $what:literal $(, $field:ident = $value:expr)* $(,)?) => {{
        let actor = &$actor;
        tracing::info!(
            account = actor.account_name(),
            user = actor.name(),
            address = $crate::fns::viewer::logged_address().as_str(),
            $($field = $value,)*
            $what
        );
    }};
}
pub(crate) use log_action;

/// The address of the request that is being answered, as the log names it.
pub(crate) fn logged_address() -> String {
    let address = use_context::<Parts>().and_then(|parts| parts.extensions.get::<ClientAddress>().copied());
    address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
}

impl Viewer {
    /// A value that was just read, with the time.
    pub(crate) fn dated<T>(&self, value: T) -> super::Dated<T> {
        super::Dated { value, now: self.registry.now() }
    }

    /// Why an action on a device group failed.
    pub(crate) fn group_failure(&self, error: GroupError) -> Failure {
        match error {
            GroupError::Store(error) => error.into(),
            error => {
                if error == GroupError::TooMany {
                    log_action!(self.actor, "limit reached", limit = "device groups");
                }
                Failure::refused(error)
            }
        }
    }
}

/// The viewer of this request, or [`Failure::SignedOut`].
pub(crate) fn viewer() -> Result<Viewer, Failure> {
    let extensions = use_context::<Parts>().map(|parts| parts.extensions).unwrap_or_default();
    let work = extensions.get::<Work>().and_then(|work| work.0.upgrade());
    match extensions.get::<Actor>() {
        Some(actor) => Ok(Viewer { actor: actor.clone(), registry: registry()?, _work: work }),
        None => Err(Failure::SignedOut.noted()),
    }
}

/// The registry that the server provides to every request.
pub(crate) fn registry() -> Result<Registry, Failure> {
    use_context::<Registry>().ok_or_else(|| Failure::Unavailable.noted())
}

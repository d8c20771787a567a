//! Who is asking: the person whose session came with the request, and the registry to ask for them.

use super::failure::Failure;
use axum::http::request::Parts;
use leptos::prelude::use_context;
use muster_registry::{AccountId, Person, Registry};
use std::{fmt, net::IpAddr};

/// The address that a request came from. The server puts it among the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The person of the request. The server's session layer puts it among the request's extensions, and nowhere
/// else is a session looked at.
pub(crate) struct Viewer {
    /// The person.
    pub(crate) person: Person,
    /// What Muster knows. Everything asked of it is bound to `account`.
    pub(crate) registry: Registry,
}

impl Viewer {
    /// The account of the person: the only one whose things they see.
    pub(crate) fn account(&self) -> AccountId {
        self.person.account
    }
}

/// The person of this request, or [`Failure::SignedOut`].
pub(crate) fn viewer() -> Result<Viewer, Failure> {
    let person = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Person>().cloned());
    match person {
        Some(person) => Ok(Viewer { person, registry: registry()? }),
        None => Err(Failure::SignedOut.noted()),
    }
}

/// The registry that the server provides to every request.
pub(crate) fn registry() -> Result<Registry, Failure> {
    use_context::<Registry>().ok_or_else(|| Failure::Unavailable.noted())
}

//! The server functions: what the page may ask of the server.
//!
//! Each does three things: who is it, do it (one call of the registry), say it. They take JSON or bytes, and
//! every one has an explicit endpoint below `/fn`, which `server/tests/functions.rs` lists.

pub mod devices;
pub mod failure;
pub mod groups;
pub mod models;
pub mod registrations;
pub mod session;
pub mod settings;
pub mod tokens;
#[cfg(feature = "ssr")]
mod viewer;

pub use failure::Failure;
#[cfg(feature = "ssr")]
pub use viewer::ClientAddress;
#[cfg(feature = "ssr")]
pub(crate) use viewer::{Actor, log_action, registry, viewer};

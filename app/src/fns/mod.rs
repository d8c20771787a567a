//! The server functions: what the page may ask of the server.
//!
//! Each finds the signed-in user, calls the registry once, and answers. They take JSON or bytes, and answer an [`Answer`]
//! or bytes. Each has an explicit endpoint below `/fn`, which `app/tests/functions.rs` lists.

mod answer;
mod dated;
pub mod devices;
pub mod failure;
pub mod groups;
pub mod models;
pub mod registrations;
mod resource;
pub mod session;
pub mod settings;
pub mod tokens;
#[cfg(feature = "ssr")]
mod viewer;

pub use answer::{Answer, AnswerEncoding};
pub use dated::Dated;
pub use failure::Failure;
pub(crate) use failure::{SESSION_ENDED, SIGN_IN};
pub(crate) use resource::{Sent, sent};
#[cfg(feature = "ssr")]
pub use viewer::{ClientAddress, Work};
#[cfg(feature = "ssr")]
pub(crate) use viewer::{log_action, logged_address, registry, viewer};

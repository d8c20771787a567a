//! Muster's use cases and data: accounts, users, models, devices, tokens and registrations.
//!
//! [`Registry`] is what server functions, routes, the device endpoint and commands call. Each of its methods is one use
//! case and at most one transaction, in the account of the [`Actor`] or device that it takes first. It stores everything through
//! `store::contract::Store`, on SQLite or on PostgreSQL; no other crate sees SQL.
#![warn(missing_docs)]
#![expect(
    clippy::duplicate_mod,
    reason = "the SQL that both databases share is compiled once for each, with its own types"
)]

mod accounts;
mod actor;
mod devices;
mod errors;
mod fleet;
mod heavy;
mod index;
mod models;
mod registrations;
mod registry;
mod store;
mod types;
mod world;

pub use accounts::{
    AccountName, AccountNameProblem, Password, PasswordProblem, User,
    sessions::{SESSION_ABSOLUTE_MS, SESSION_IDLE_MS},
    sign_in_limits::{FREE_ATTEMPTS, FREE_ATTEMPTS_OF_SOURCE, Source, WRONG_PASSWORD_WINDOW_MS},
};
pub use actor::Actor;
pub use devices::{AuthenticatedDevice, reports::MAX_STATE_BYTES};
pub use errors::{
    AccountError, AuthError, DeleteModelError, GroupError, ModelError, NotReady, OpenError, RegisterError, SignInError,
    StateError, StoreError, UserError,
};
pub use fleet::{MAX_GROUPS, MAX_NUMERIC_NAMES, MAX_PAGE_DEVICES, search::has_too_many_names};
pub use index::{IndexOptions, IndexUse};
pub use models::MAX_MODELS;
pub use registrations::{ErrorsPage, MAX_PART_ROWS, NewRegistration, PartOutcome, PartRows, RefusedRow};
pub use registry::Registry;
pub use store::{OpenOptions, PoolUse, backup, create_private_folder};
pub use types::{AccountId, UserId};
pub use world::{FakeWorld, SystemWorld, World};

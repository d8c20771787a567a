//! What Muster knows and does with it: accounts, people, models, devices, tokens and registrations.
//!
//! [`Registry`] is the one thing that a server function, a route, the device endpoint and a command call. Each of
//! its methods is one use case and at most one transaction, and is bound to one account. Behind it stands
//! [`store::Store`], on SQLite or on PostgreSQL; no other crate sees SQL.
#![warn(missing_docs)]
#![expect(
    clippy::duplicate_mod,
    reason = "the SQL that both databases share is compiled once for each, with its own types"
)]

mod devices;
mod errors;
mod models;
mod password;
mod people;
mod postgres;
mod registering;
mod registry;
mod sqlite;
mod state;
mod store;
mod types;
mod world;

pub use errors::{
    AccountError, AuthError, DeleteModelError, GroupError, ModelError, OpenError, PersonError, RegisterError,
    SignInError, StateError, StoreError,
};
pub use models::{MAX_MODELS, ModelOutcome, ModelPut};
pub use password::{Password, PasswordProblem};
pub use people::{GUESSES, GUESSES_WITHIN_MS, SESSION_ABSOLUTE_MS, SESSION_IDLE_MS};
pub use registering::{MAX_PART_ROWS, NewRegistration, PartOutcome, PartRows, RefusedRow};
pub use registry::Registry;
pub use state::MAX_STATE_BYTES;
pub use types::{
    AccountId, AccountName, AuthenticatedDevice, Change, Chosen, Cursor, DeviceDetail, DeviceFilter, DeviceItem,
    DevicePage, DeviceQuery, GroupName, GroupSummary, MAX_DEVICES_PER_CALL, MAX_GROUPS, MAX_PAGE_DEVICES, Matching,
    ModelSummary, NameProblem, OldTokens, Person, PersonId, Place, RegistrationId, RegistrationSummary, Sort, Status,
    Step, Timestamp, UnknownModel,
};
pub use world::{FakeWorld, SystemWorld, World};

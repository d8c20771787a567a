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

mod background;
mod backup;
mod data_schema;
mod devices;
mod errors;
mod files;
mod fleet;
mod heavy;
mod index;
mod model_cache;
mod models;
mod password;
mod people;
mod postgres;
mod registering;
mod registry;
mod schema;
mod search;
mod sign_in_limits;
mod sqlite;
mod state;
mod store;
mod together;
mod types;
mod world;

pub use backup::backup;
pub use errors::{
    AccountError, AuthError, DeleteModelError, GroupError, ModelError, NotReady, OpenError, PersonError, RegisterError,
    SignInError, StateError, StoreError,
};
pub use files::create_private_folder;
pub use fleet::{
    Change, Chosen, Cursor, DeviceFilter, DeviceItem, DevicePage, DeviceQuery, MAX_DEVICES_PER_CALL, MAX_NUMERIC_NAMES,
    MAX_PAGE_DEVICES, Matching, Place, Sort, Step,
};
pub use index::{IndexOptions, IndexUse};
pub use models::{MAX_MODELS, ModelOutcome, ModelPut};
pub use password::{Password, PasswordProblem};
pub use people::{SESSION_ABSOLUTE_MS, SESSION_IDLE_MS};
pub use registering::{ErrorsPage, MAX_PART_ROWS, NewRegistration, PartOutcome, PartRows, RefusedRow};
pub use registry::{OpenOptions, PoolUse, Registry};
pub use search::{MAX_SEARCHED_NAMES, has_too_many_names};
pub use sign_in_limits::{FREE_GUESSES, FREE_GUESSES_OF_SOURCE, GUESSES_WITHIN_MS, Source};
pub use state::MAX_STATE_BYTES;
pub use types::{
    AccountId, AccountName, AuthenticatedDevice, DeviceDetail, GroupName, GroupSummary, MAX_GROUPS, ModelSummary,
    NameProblem, OldTokens, Person, PersonId, RegistrationId, RegistrationSummary, Status, Timestamp, TokenJob,
    UnknownModel,
};
pub use world::{FakeWorld, SystemWorld, World};

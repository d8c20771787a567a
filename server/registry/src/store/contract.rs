//! The contract between the use cases and the databases.
//!
//! Narrow traits, one for each file of `sql/` with use cases, and [`Store`] for all of them. A transaction never leaves
//! a method. Everything is bound to an account, except what comes before one is known: signing in, and authenticating a
//! token.

use crate::{
    accounts::{AccountName, User},
    devices::{AuthenticatedDevice, TokenUse},
    errors::{AccountError, GroupError, NotReady, RegisterError, StateError, StoreError, UserError},
    index::{IndexUse, last_seen::Seen},
    registrations::{ErrorsPage, NewRegistration, PartOutcome, PartRows},
    types::{AccountId, UserId},
    world::World,
};
use async_trait::async_trait;
use muster_domain::{
    CallOutcome, Change, DeviceDetail, DeviceFilter, DeviceName, DevicePage, DeviceQuery, DryRun, FieldSet, GroupName,
    GroupSummary, LeadingZeros, ModelName, ModelSummary, NewDevice, OldTokens, PricingTier, RegistrationId,
    RegistrationSummary, SecretHash, Status, Targets, Timestamp, TokenJob,
};
use std::sync::Arc;
use uuid::Uuid;

/// The use of a connection pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// The purpose of its connections.
    pub name: &'static str,
    /// The number of open connections.
    pub open: usize,
    /// The number of idle connections.
    pub idle: usize,
}

/// All traits.
pub(crate) trait Store:
    Upkeep + Accounts + Users + Sessions + Models + Fleet + FleetActions + Groups + Devices + Registrations + Send + Sync
{
}

/// The database itself.
#[async_trait]
pub(crate) trait Upkeep {
    async fn ready(&self) -> Result<(), NotReady>;
    async fn close(&self);
    fn pools(&self) -> Vec<PoolUse>;
    fn index_use(&self) -> IndexUse;
}

/// A user with the hash of the user's password.
pub(crate) struct Credentials {
    pub(crate) user: User,
    pub(crate) password_hash: String,
}

/// An attempt to sign in.
#[derive(Clone, Copy)]
pub(crate) struct NewSignInAttempt {
    pub(crate) id: Uuid,
    pub(crate) email_hash: Uuid,
    pub(crate) source_hash: Uuid,
    pub(crate) now: Timestamp,
}

/// A stored session.
pub(crate) struct StoredSession {
    pub(crate) user: User,
    pub(crate) secret_hash: SecretHash,
    pub(crate) made: Timestamp,
    pub(crate) seen: Timestamp,
}

/// Accounts and their settings.
#[async_trait]
pub(crate) trait Accounts {
    async fn add_account(&self, id: AccountId, name: &AccountName, now: Timestamp) -> Result<(), AccountError>;
    async fn account_named(&self, name: &AccountName) -> Result<Option<AccountId>, StoreError>;
    async fn default_tier(&self, account: AccountId) -> Result<PricingTier, StoreError>;
    async fn set_default_tier(&self, account: AccountId, tier: PricingTier) -> Result<(), StoreError>;
}

/// The users of accounts.
#[async_trait]
pub(crate) trait Users {
    async fn has_users(&self) -> Result<bool, StoreError>;
    async fn add_user(
        &self,
        id: UserId,
        account: AccountId,
        email: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), UserError>;
    /// Changes the password of a user of the account, ends the user's sessions, and deletes the wrong passwords for the
    /// email address.
    async fn set_password(
        &self,
        account: AccountId,
        email: &str,
        email_hash: Uuid,
        hash: &str,
    ) -> Result<(), UserError>;
    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError>;
    /// Adds the account if it is missing, and its first user. Returns false if there is a user already.
    async fn add_first_user(
        &self,
        account: AccountId,
        name: &AccountName,
        id: UserId,
        email: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}

/// Signing in, and sessions.
#[async_trait]
pub(crate) trait Sessions {
    /// Counts an attempt before the password is verified, and deletes old attempts. If the attempt has to wait, counts
    /// nothing and returns the delay in milliseconds.
    async fn record_attempt(&self, attempt: NewSignInAttempt) -> Result<Option<i64>, StoreError>;
    /// Adds a session. Deletes sessions not seen since `idle_since`, sessions made before `absolute_since`, and the
    /// wrong passwords of the source for the email address.
    async fn add_session(&self, new: NewSession) -> Result<(), StoreError>;
    async fn session(&self, id: Uuid) -> Result<Option<StoredSession>, StoreError>;
    async fn touch_session(&self, id: Uuid, now: Timestamp) -> Result<(), StoreError>;
    async fn end_session(&self, id: Uuid) -> Result<(), StoreError>;
}

/// A session to be added.
pub(crate) struct NewSession {
    pub(crate) id: Uuid,
    pub(crate) user: UserId,
    pub(crate) secret_hash: SecretHash,
    pub(crate) now: Timestamp,
    pub(crate) idle_since: Timestamp,
    pub(crate) absolute_since: Timestamp,
    pub(crate) email_hash: Uuid,
    pub(crate) source_hash: Uuid,
}

/// A model definition to be stored.
pub(crate) struct NewModel<'a> {
    pub(crate) id: Uuid,
    pub(crate) name: &'a ModelName,
    pub(crate) description: Option<&'a str>,
    pub(crate) definition: &'a str,
    pub(crate) counts: [i32; 3],
    pub(crate) now: Timestamp,
}

/// The outcome of storing a model.
pub(crate) enum StoredModel {
    Added,
    Updated,
    Unchanged,
    TooMany,
}

/// The outcome of deleting a model.
pub(crate) enum DeletedModel {
    Deleted,
    NotFound,
    InUse(u64),
}

/// Model definitions.
#[async_trait]
pub(crate) trait Models {
    async fn put_model(&self, account: AccountId, model: NewModel<'_>) -> Result<StoredModel, StoreError>;
    async fn models(&self, account: AccountId) -> Result<Vec<ModelSummary>, StoreError>;
    async fn model_names(&self, account: AccountId) -> Result<Vec<String>, StoreError>;
    async fn model_definition(&self, account: AccountId, name: &ModelName) -> Result<Option<String>, StoreError>;
    async fn definition_of(&self, account: AccountId, model: Uuid) -> Result<Option<(String, i32)>, StoreError>;
    async fn delete_model(&self, account: AccountId, name: &ModelName) -> Result<DeletedModel, StoreError>;
}

/// The data that authenticates a device's token.
pub(crate) struct TokenRow {
    pub(crate) account: AccountId,
    pub(crate) account_name: String,
    pub(crate) name: DeviceName,
    pub(crate) status: Status,
    pub(crate) token_hash: SecretHash,
    pub(crate) old_token_hashes: Vec<u8>,
    pub(crate) model: Uuid,
    pub(crate) model_version: i32,
    pub(crate) segment: i64,
    /// Whether the device has used a token before.
    pub(crate) is_used: bool,
}

/// A new token for a device.
pub(crate) struct NewToken {
    pub(crate) device: Uuid,
    pub(crate) hash: SecretHash,
}

/// Merges a report into the stored state, if there is one, and returns the new state.
pub(crate) type Merge = Box<dyn Fn(Option<&str>) -> Result<String, StateError> + Send + Sync>;

/// A report of a device.
pub(crate) struct Report {
    pub(crate) device: AuthenticatedDevice,
    pub(crate) merge: Merge,
    pub(crate) at: Timestamp,
}

impl Report {
    /// What the fleet index records of it.
    pub(crate) fn seen(&self) -> Seen {
        Seen {
            account: self.device.account,
            segment: self.device.segment,
            name: self.device.name.clone(),
            at_ms: self.at.as_ms(),
        }
    }
}

/// A part of a file to register.
pub(crate) struct NewPart {
    pub(crate) account: AccountId,
    pub(crate) registration: RegistrationId,
    pub(crate) rows: PartRows,
    pub(crate) world: Arc<dyn World>,
}

/// How a lock is held.
#[derive(Clone, Copy)]
pub(crate) enum Lock {
    /// Together with others that share it.
    Shared,
    /// Alone.
    Exclusive,
}

/// Lists of the devices of an account.
#[async_trait]
pub(crate) trait Fleet {
    async fn devices(&self, account: AccountId, query: &DeviceQuery, now: Timestamp) -> Result<DevicePage, StoreError>;
    async fn count_devices(&self, account: AccountId, filter: &DeviceFilter, now: Timestamp)
    -> Result<u64, StoreError>;
    /// See [`Registry::registered_with_leading_zeros`](crate::Registry::registered_with_leading_zeros).
    async fn registered_with_leading_zeros(
        &self,
        account: AccountId,
        names: &[DeviceName],
    ) -> Result<Vec<LeadingZeros>, StoreError>;
}

/// Actions on many devices of an account.
#[async_trait]
pub(crate) trait FleetActions {
    /// The next devices of the targets, by name, and the name to continue after.
    async fn select_targets(
        &self,
        account: AccountId,
        targets: &Targets,
        now: Timestamp,
    ) -> Result<(Vec<(Uuid, DeviceName)>, Option<DeviceName>), StoreError>;
    async fn export(
        &self,
        account: AccountId,
        targets: &Targets,
        now: Timestamp,
    ) -> Result<(Vec<NewDevice>, Option<DeviceName>), StoreError>;
    async fn change_devices(
        &self,
        account: AccountId,
        targets: &Targets,
        change: &Change,
        new_group: Uuid,
        now: Timestamp,
    ) -> Result<CallOutcome, GroupError>;
    /// Deletes the next devices of the registration that never used a token.
    async fn undo_registration(
        &self,
        account: AccountId,
        registration: RegistrationId,
        after: Option<&DeviceName>,
    ) -> Result<CallOutcome, StoreError>;
}

/// Device groups, except for their members.
#[async_trait]
pub(crate) trait Groups {
    async fn groups(&self, account: AccountId) -> Result<Vec<GroupSummary>, StoreError>;
    async fn create_group(&self, account: AccountId, id: Uuid, name: &GroupName) -> Result<(), GroupError>;
    async fn rename_group(&self, account: AccountId, from: &GroupName, to: &GroupName) -> Result<(), GroupError>;
    /// Deletes a group, not its devices. Returns false if there is none.
    async fn delete_group(&self, account: AccountId, name: &GroupName) -> Result<bool, StoreError>;
}

/// One device, its tokens and data.
#[async_trait]
pub(crate) trait Devices {
    async fn device(&self, account: AccountId, name: &DeviceName) -> Result<Option<DeviceDetail>, StoreError>;
    /// Stores new tokens, all or none. Returns the devices that still exist and have no token of a later attempt.
    async fn replace_tokens(
        &self,
        account: AccountId,
        tokens: &[NewToken],
        old: OldTokens,
        job: TokenJob,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError>;
    async fn token_row(&self, device: Uuid) -> Result<Option<TokenRow>, StoreError>;
    /// Records the first use of a token. The first use of the newest token revokes the older ones.
    async fn record_token_use(&self, used: TokenUse) -> Result<(), StoreError>;
    /// Merges a report into the stored state, and stores the time.
    async fn store_report(&self, report: Report) -> Result<(), StateError>;
}

/// Registrations and their parts.
#[async_trait]
pub(crate) trait Registrations {
    /// Begins a registration with this id, or returns the one that has the same idempotency key.
    async fn begin_registration(
        &self,
        account: AccountId,
        user: Option<UserId>,
        id: RegistrationId,
        new: &NewRegistration,
        now: Timestamp,
    ) -> Result<RegistrationId, GroupError>;
    async fn register_part(&self, part: NewPart) -> Result<PartOutcome, RegisterError>;
    /// The outcome of these rows, each with its line, if they were registered now.
    async fn dry_run(
        &self,
        account: AccountId,
        rows: &[(u64, NewDevice)],
        missing_fields: FieldSet,
    ) -> Result<DryRun, StoreError>;
    /// Marks a registration as finished if all its parts are registered. Returns false if the account has no such
    /// registration.
    async fn finish_registration(
        &self,
        account: AccountId,
        id: RegistrationId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    async fn registrations(
        &self,
        account: AccountId,
        only: Option<RegistrationId>,
        before: Option<RegistrationId>,
        limit: u32,
    ) -> Result<Vec<RegistrationSummary>, StoreError>;
    /// A page of `errors.csv`: the parts after the given one, as many as fit. `None`: the account has no such
    /// registration.
    async fn errors_csv(
        &self,
        account: AccountId,
        id: RegistrationId,
        after: Option<u32>,
    ) -> Result<Option<ErrorsPage>, StoreError>;
}

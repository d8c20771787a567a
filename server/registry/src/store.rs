//! The seam between what Muster does and the database it does it on.
//!
//! Narrow traits, one for each file of `sql/`, and [`Store`] for all of them. A transaction never leaves a
//! method. Everything is bound to an account, except what comes before one is known: signing in, and a token.

use crate::{
    errors::{AccountError, GroupError, NotReady, PersonError, RegisterError, StateError, StoreError},
    fleet::{Change, Chosen, DeviceFilter, DevicePage, DeviceQuery, Step},
    index::{IndexUse, last_seen::Seen},
    registering::{ErrorsPage, NewRegistration, PartOutcome, PartRows},
    registry::PoolUse,
    types::{
        AccountId, AccountName, AuthenticatedDevice, DeviceDetail, GroupName, GroupSummary, ModelSummary, OldTokens,
        Person, PersonId, RegistrationId, RegistrationSummary, Status, Timestamp, TokenJob, TokenUse,
    },
    world::World,
};
use async_trait::async_trait;
use muster_domain::{DeviceName, ModelName, NewDevice, PricingTier, SecretHash};
use std::sync::Arc;
use uuid::Uuid;

/// All of it.
pub(crate) trait Store:
    Upkeep + People + Models + Fleet + Groups + Devices + Registrations + Send + Sync
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

/// A person with what their password is compared to.
pub(crate) struct Credentials {
    pub(crate) person: Person,
    pub(crate) password_hash: String,
}

/// Somebody tries a password.
#[derive(Clone, Copy)]
pub(crate) struct NewGuess {
    pub(crate) id: Uuid,
    pub(crate) email_hash: Uuid,
    pub(crate) source_hash: Uuid,
    pub(crate) now: Timestamp,
}

/// A session as it is kept.
pub(crate) struct StoredSession {
    pub(crate) person: Person,
    pub(crate) secret_hash: SecretHash,
    pub(crate) made: Timestamp,
    pub(crate) seen: Timestamp,
}

/// Accounts, people and sessions.
#[async_trait]
pub(crate) trait People {
    async fn add_account(&self, id: AccountId, name: &AccountName, now: Timestamp) -> Result<(), AccountError>;
    async fn account_named(&self, name: &AccountName) -> Result<Option<AccountId>, StoreError>;
    async fn default_tier(&self, account: AccountId) -> Result<PricingTier, StoreError>;
    async fn set_default_tier(&self, account: AccountId, tier: PricingTier) -> Result<(), StoreError>;
    async fn has_people(&self) -> Result<bool, StoreError>;
    async fn add_person(
        &self,
        id: PersonId,
        account: AccountId,
        email: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), PersonError>;
    /// Changes a password, ends the person's sessions, and forgets the wrong passwords for their address.
    async fn set_password(&self, email: &str, email_hash: Uuid, hash: &str) -> Result<(), PersonError>;
    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError>;
    /// Makes the account of that name, if it is missing, and its first person; false, where there is a person already.
    async fn add_first_person(
        &self,
        account: AccountId,
        name: &AccountName,
        id: PersonId,
        email: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Counts a guess, before it is known whether it is right, and forgets old ones; if it has to wait, counts nothing and
    /// gives the milliseconds.
    async fn guess(&self, guess: NewGuess) -> Result<Option<i64>, StoreError>;
    /// Adds a session. Deletes those not seen since `idle_since`, those made before `absolute_since`, and the wrong
    /// passwords of the source for the email address.
    async fn add_session(&self, new: NewSession) -> Result<(), StoreError>;
    async fn session(&self, id: Uuid) -> Result<Option<StoredSession>, StoreError>;
    async fn see_session(&self, id: Uuid, now: Timestamp) -> Result<(), StoreError>;
    async fn end_session(&self, id: Uuid) -> Result<(), StoreError>;
}

/// A session to be added.
pub(crate) struct NewSession {
    pub(crate) id: Uuid,
    pub(crate) person: PersonId,
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

/// What became of it.
pub(crate) enum StoredModel {
    Added,
    Updated,
    Unchanged,
    TooMany,
}

/// What became of a model that was to be deleted.
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

/// What a token is compared with.
pub(crate) struct TokenRow {
    pub(crate) account: AccountId,
    pub(crate) name: DeviceName,
    pub(crate) status: Status,
    pub(crate) token_hash: SecretHash,
    pub(crate) old_token_hashes: Vec<u8>,
    pub(crate) model: Uuid,
    pub(crate) model_version: i32,
    pub(crate) segment: i64,
    /// Whether a token of it was shown before.
    pub(crate) is_used: bool,
}

/// A new token for a device.
pub(crate) struct NewToken {
    pub(crate) device: Uuid,
    pub(crate) hash: SecretHash,
}

/// What becomes of a device's state: of the text that is kept, if there is one, a new text.
pub(crate) type Merge = Box<dyn Fn(Option<&str>) -> Result<String, StateError> + Send + Sync>;

/// What a device sent.
pub(crate) struct Report {
    pub(crate) device: AuthenticatedDevice,
    pub(crate) merge: Merge,
    pub(crate) at: Timestamp,
}

impl Report {
    /// What the fleet index learns from it.
    pub(crate) fn seen(&self) -> Seen {
        Seen {
            account: self.device.account,
            segment: self.device.segment,
            name: self.device.name.clone(),
            at_ms: self.at.as_ms(),
        }
    }
}

/// A part of a file that is to be registered.
pub(crate) struct NewPart {
    pub(crate) account: AccountId,
    pub(crate) registration: RegistrationId,
    pub(crate) rows: PartRows,
    pub(crate) world: Arc<dyn World>,
}

/// Who else may hold a lock.
#[derive(Clone, Copy)]
pub(crate) enum Lock {
    /// Those that share it.
    Shared,
    /// Nobody.
    Alone,
}

/// The devices of an account, many at once.
#[async_trait]
pub(crate) trait Fleet {
    async fn devices(&self, account: AccountId, query: &DeviceQuery) -> Result<DevicePage, StoreError>;
    async fn count_devices(&self, account: AccountId, filter: &DeviceFilter) -> Result<u64, StoreError>;
    /// See [`Registry::registered_with_leading_zeros`](crate::Registry::registered_with_leading_zeros).
    async fn registered_with_leading_zeros(
        &self,
        account: AccountId,
        names: &[DeviceName],
    ) -> Result<Vec<(DeviceName, DeviceName)>, StoreError>;
    /// Which devices are chosen, by name, and where the next call goes on.
    async fn chosen(
        &self,
        account: AccountId,
        chosen: &Chosen,
    ) -> Result<(Vec<(Uuid, DeviceName)>, Option<DeviceName>), StoreError>;
    async fn export(
        &self,
        account: AccountId,
        chosen: &Chosen,
    ) -> Result<(Vec<NewDevice>, Option<DeviceName>), StoreError>;
    async fn change_devices(
        &self,
        account: AccountId,
        chosen: &Chosen,
        change: &Change,
        new_group: Uuid,
    ) -> Result<Step, GroupError>;
    /// Deletes those of the registration's devices that never showed a token.
    async fn undo_registration(
        &self,
        account: AccountId,
        registration: RegistrationId,
        after: Option<&DeviceName>,
    ) -> Result<Step, StoreError>;
}

/// Device groups, but for who is in them.
#[async_trait]
pub(crate) trait Groups {
    async fn groups(&self, account: AccountId) -> Result<Vec<GroupSummary>, StoreError>;
    async fn make_group(&self, account: AccountId, id: Uuid, name: &GroupName) -> Result<(), GroupError>;
    async fn rename_group(&self, account: AccountId, from: &GroupName, to: &GroupName) -> Result<(), GroupError>;
    /// Deletes a group, not its devices; false, where there is none.
    async fn delete_group(&self, account: AccountId, name: &GroupName) -> Result<bool, StoreError>;
}

/// One device, its tokens and data.
#[async_trait]
pub(crate) trait Devices {
    async fn device(&self, account: AccountId, name: &DeviceName) -> Result<Option<DeviceDetail>, StoreError>;
    /// Stores new tokens, all or none; gives the devices that are still there and have none of a later attempt.
    async fn replace_tokens(
        &self,
        account: AccountId,
        tokens: &[NewToken],
        old: OldTokens,
        made_by: TokenJob,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError>;
    async fn token_row(&self, device: Uuid) -> Result<Option<TokenRow>, StoreError>;
    /// Notes the first time that a token was shown, and ends the tokens before the newest, if it was that.
    async fn token_used(&self, used: TokenUse) -> Result<(), StoreError>;
    /// Stores what a report makes of the state there is, and notes that the device was seen.
    async fn store_report(&self, report: Report) -> Result<(), StateError>;
}

/// Registrations and their parts.
#[async_trait]
pub(crate) trait Registrations {
    async fn begin_registration(
        &self,
        account: AccountId,
        person: PersonId,
        id: RegistrationId,
        new: &NewRegistration,
        now: Timestamp,
    ) -> Result<(), GroupError>;
    async fn register_part(&self, part: NewPart) -> Result<PartOutcome, RegisterError>;
    /// Marks a registration as done, if all its parts are there; false, where the account has no such registration.
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
    /// Rows of `errors.csv`, of as many parts behind one as fit; `None`: the account has no such registration.
    async fn errors_csv(
        &self,
        account: AccountId,
        id: RegistrationId,
        after: Option<u32>,
    ) -> Result<Option<ErrorsPage>, StoreError>;
}

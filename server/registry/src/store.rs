//! The seam between what Muster does and the database it does it on.
//!
//! Four narrow traits, one for each file of `sql/`, and [`Store`] for all of them. A transaction never leaves a
//! method. Everything is bound to an account, except what comes before one is known: signing in, and a token.

use crate::{
    errors::{AccountError, PersonError, RegisterError, StoreError},
    registering::{NewRegistration, PartOutcome, PartRows},
    types::{
        AccountId, AccountName, Change, DeviceDetail, DevicePage, DeviceQuery, GroupName, GroupSummary, ModelSummary,
        Person, PersonId, RegistrationId, RegistrationSummary, Status, Timestamp,
    },
    world::World,
};
use async_trait::async_trait;
use muster_domain::{DeviceName, ModelName, PricingTier, SecretHash};
use uuid::Uuid;

/// All of it.
pub(crate) trait Store: People + Models + Devices + Registrations + Send + Sync {}

/// A person with what their password is compared to.
pub(crate) struct Credentials {
    pub(crate) person: Person,
    pub(crate) password_hash: String,
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
    async fn ping(&self) -> Result<(), StoreError>;
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
    async fn set_password(&self, email: &str, hash: &str) -> Result<(), PersonError>;
    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError>;
    /// The moments of the last failures since `since`, newest first, at most `limit`.
    async fn failures(
        &self,
        address_hash: &[u8; 32],
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Timestamp>, StoreError>;
    /// Notes a failure, and forgets those before `since`.
    async fn add_failure(&self, address_hash: &[u8; 32], now: Timestamp, since: Timestamp) -> Result<(), StoreError>;
    async fn forget_failures(&self, address_hash: &[u8; 32]) -> Result<(), StoreError>;
    /// Makes a session, and forgets those not seen since `idle_since`.
    async fn add_session(
        &self,
        id: Uuid,
        person: &Person,
        hash: &SecretHash,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<(), StoreError>;
    async fn session(&self, id: Uuid) -> Result<Option<StoredSession>, StoreError>;
    async fn see_session(&self, id: Uuid, now: Timestamp) -> Result<(), StoreError>;
    async fn end_session(&self, id: Uuid) -> Result<(), StoreError>;
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
    async fn definition_of(&self, account: AccountId, model: Uuid) -> Result<Option<(String, Timestamp)>, StoreError>;
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
    pub(crate) model_updated: Timestamp,
}

/// A new token for a device.
pub(crate) struct NewToken {
    pub(crate) device: Uuid,
    pub(crate) hash: SecretHash,
}

/// Devices, their tokens, data and groups.
#[async_trait]
pub(crate) trait Devices {
    async fn devices(&self, account: AccountId, query: &DeviceQuery) -> Result<DevicePage, StoreError>;
    async fn device(&self, account: AccountId, name: &DeviceName) -> Result<Option<DeviceDetail>, StoreError>;
    async fn change_devices(&self, account: AccountId, names: &[DeviceName], change: Change)
    -> Result<u64, StoreError>;
    async fn device_ids(&self, account: AccountId, names: &[DeviceName])
    -> Result<Vec<(Uuid, DeviceName)>, StoreError>;
    /// Stores new tokens, all or none; gives the devices that are still there.
    async fn replace_tokens(
        &self,
        account: AccountId,
        tokens: &[NewToken],
        keep_old: bool,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError>;
    async fn token_row(&self, device: Uuid) -> Result<Option<TokenRow>, StoreError>;
    /// The newest token was used: those before it stop. Nothing happens if another was made meanwhile.
    async fn drop_old_tokens(&self, device: Uuid, newest: &SecretHash) -> Result<(), StoreError>;
    async fn state(&self, device: Uuid) -> Result<Option<String>, StoreError>;
    /// Stores the state if it is still `before`, and notes that the device was seen; `None`: the device may not
    /// connect any more; `Some(false)`: the state had changed meanwhile.
    async fn set_state(
        &self,
        device: Uuid,
        before: Option<&str>,
        state: &str,
        now: Timestamp,
    ) -> Result<Option<bool>, StoreError>;
    async fn groups(&self, account: AccountId) -> Result<Vec<GroupSummary>, StoreError>;
    async fn add_to_group(
        &self,
        account: AccountId,
        names: &[DeviceName],
        group: &GroupName,
        new_id: Uuid,
    ) -> Result<u64, StoreError>;
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
        new_group: Uuid,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    async fn register_part(
        &self,
        account: AccountId,
        id: RegistrationId,
        part: PartRows,
        world: &dyn World,
    ) -> Result<PartOutcome, RegisterError>;
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
    /// The rows of `errors.csv`, part by part; `None`: the account has no such registration.
    async fn errors_csv(&self, account: AccountId, id: RegistrationId) -> Result<Option<Vec<u8>>, StoreError>;
}

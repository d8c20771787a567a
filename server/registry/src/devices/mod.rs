//! One device: its details, its tokens, and its reports. The types that do not travel are here; the use cases are in the
//! files.

mod details;
pub(crate) mod reports;
mod tokens;

use crate::types::AccountId;
use muster_domain::{DeviceName, SecretHash, Timestamp};
use uuid::Uuid;

/// A device whose token was valid when it was verified. It is not an [`Actor`](crate::Actor), and can do no more than the
/// use cases that take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatedDevice {
    pub(crate) account: AccountId,
    pub(crate) account_name: String,
    pub(crate) id: Uuid,
    pub(crate) name: DeviceName,
    /// Its model, and the version of the model's definition.
    pub(crate) model: Uuid,
    pub(crate) model_version: i32,
    /// Its segment in the fleet index. It never moves to another.
    pub(crate) segment: i64,
    /// The changes by this use of its token, if there are any: see
    /// [`Registry::record_token_use`](crate::Registry::record_token_use).
    pub(crate) token_use: Option<TokenUse>,
}

impl AuthenticatedDevice {
    /// Its account.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Its account's name.
    #[must_use]
    pub fn account_name(&self) -> &str {
        &self.account_name
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &DeviceName {
        &self.name
    }
}

/// A use of a token that changes something: the first use of any token of the device, or of its newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenUse {
    pub(crate) device: Uuid,
    /// The hash of the newest token, if that one was used and there are older ones. This revokes them, unless a newer
    /// one was created meanwhile.
    pub(crate) newest: Option<SecretHash>,
    pub(crate) at: Timestamp,
}

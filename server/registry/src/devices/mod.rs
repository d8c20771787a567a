//! One device: its details, its tokens, and its reports. The types that do not travel are here; the use
//! cases are in the files.

mod details;
pub(crate) mod reports;
mod tokens;

use crate::types::AccountId;
use muster_domain::{DeviceName, SecretHash, Timestamp};
use uuid::Uuid;

/// A device whose token was valid when it was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatedDevice {
    /// Its account.
    pub account: AccountId,
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: DeviceName,
    /// Its model, and the version of the model's definition.
    pub(crate) model: Uuid,
    pub(crate) model_version: i32,
    /// Its segment in the fleet index. It never moves to another.
    pub(crate) segment: i64,
    /// What this use of its token changes, if anything: see [`Registry::record_token_use`](crate::Registry::record_token_use).
    pub(crate) token_use: Option<TokenUse>,
}

/// A use of a token that changes something: the first use of any token of the device, or of its newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenUse {
    pub(crate) device: Uuid,
    /// The hash of the newest token, if that one was used and there are older ones. This revokes them, unless a newer one
    /// was created meanwhile.
    pub(crate) newest: Option<SecretHash>,
    pub(crate) at: Timestamp,
}

//! One device: its details, its tokens, and its reports. The types are here; the use cases are in the files.

mod details;
pub(crate) mod reports;
mod tokens;

use crate::types::{AccountId, Timestamp};
use muster_domain::{DeviceName, ModelName, PricingTier, SecretHash};
use uuid::Uuid;

/// Whether a device may connect, and whether it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It has never sent data.
    Registered,
    /// It has sent data.
    Active,
    /// It may not connect.
    Disabled,
}

impl Status {
    /// As it is displayed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "Registered",
            Self::Active => "Active",
            Self::Disabled => "Disabled",
        }
    }

    /// As it is stored.
    pub(crate) const fn code(self) -> i16 {
        match self {
            Self::Registered => 0,
            Self::Active => 1,
            Self::Disabled => 2,
        }
    }

    pub(crate) const fn from_code(code: i16) -> Option<Self> {
        match code {
            0 => Some(Self::Registered),
            1 => Some(Self::Active),
            2 => Some(Self::Disabled),
            _ => None,
        }
    }
}

/// One row of a page of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceItem {
    /// Its name.
    pub name: DeviceName,
    /// Its model's name.
    pub model: ModelName,
    /// Its friendly name.
    pub friendly_name: Option<String>,
    /// Its pricing tier.
    pub tier: PricingTier,
    /// Its status.
    pub status: Status,
    /// When it last sent data.
    pub last_seen: Option<Timestamp>,
}

/// All details of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceDetail {
    /// Its row in a list.
    pub item: DeviceItem,
    /// Its description.
    pub description: Option<String>,
    /// The names of its groups.
    pub groups: Vec<String>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When its newest token was created.
    pub token_made: Timestamp,
    /// The last value of each property, a JSON object.
    pub state: Option<String>,
}

/// What happens to the old tokens of a device that gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldTokens {
    /// They are valid until the new one is first used.
    KeepUntilNewIsUsed,
    /// They are revoked immediately.
    RevokeNow,
}

/// One press of **Generate**, and how often it was tried. A device remembers which job created its newest token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenJob {
    /// Random, drawn by the browser once for each job.
    pub id: Uuid,
    /// Counts the calls of the job from 1, including those that are sent again: no two have the same number.
    pub attempt: u32,
}

impl TokenJob {
    /// As it is stored with a device. A part of a registration takes a byte more.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.id.as_bytes().to_vec();
        bytes.extend(self.attempt.to_be_bytes());
        bytes
    }

    /// The attempt of this job that is stored with a device; `None` if something else is stored.
    pub(crate) fn attempt_in(self, origin: &[u8]) -> Option<u32> {
        let attempt = origin.strip_prefix(self.id.as_bytes())?;
        attempt.try_into().ok().map(u32::from_be_bytes)
    }
}

/// A device whose token was valid when it was verified: what acts at the device endpoint. It is not an
/// [`Actor`](crate::Actor), and can do no more than the use cases that take it.
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
    /// What this use of its token changes, if anything: see [`Registry::record_token_use`](crate::Registry::record_token_use).
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
    /// The hash of the newest token, if that one was used. This revokes the older ones, unless a newer one was created
    /// meanwhile.
    pub(crate) newest: Option<SecretHash>,
    pub(crate) at: Timestamp,
}

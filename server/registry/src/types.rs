//! The registry's own words.

use crate::fleet::DeviceItem;
use muster_domain::{DeviceName, ModelName, PricingTier, SecretHash};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The most device groups of an account.
pub const MAX_GROUPS: u32 = 10_000;

/// A moment: milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// In milliseconds.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// Which account. Every use case is bound to one.
    AccountId
    /// Which person.
    PersonId
    /// Which registration.
    RegistrationId
}

/// Why a name cannot be one; a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameProblem(&'static str);

/// The name of an account: 3–24 lower-case letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountName(String);

impl AccountName {
    /// Takes a name.
    ///
    /// # Errors
    /// [`NameProblem`], where it does not follow the rule.
    pub fn parse(text: &str) -> Result<Self, NameProblem> {
        let is_right = (3..=24).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if is_right {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameProblem("An account's name is 3 to 24 lower-case letters and digits."))
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a device group: 1–128 characters without control characters, not counting spaces around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(String);

impl GroupName {
    /// Takes a name; spaces around it are not part of it.
    ///
    /// # Errors
    /// [`NameProblem`], where it does not follow the rule.
    pub fn parse(text: &str) -> Result<Self, NameProblem> {
        let text = text.trim();
        let is_right = (1..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if is_right {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameProblem("A device group's name is 1 to 128 characters, without line breaks."))
        }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// Their account.
    pub account: AccountId,
    /// Its name.
    pub account_name: String,
    /// What they sign in with, in lower case.
    pub email: String,
}

/// Whether a device may connect and has.
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
    /// The word on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "Registered",
            Self::Active => "Active",
            Self::Disabled => "Disabled",
        }
    }

    /// The number in the database.
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

/// The number of a tier in the database: its place in [`PricingTier::ALL`], which never changes.
pub(crate) fn tier_code(tier: PricingTier) -> i16 {
    match tier {
        PricingTier::ExtraSmall => 0,
        PricingTier::Small => 1,
        PricingTier::Medium => 2,
        PricingTier::Large => 3,
    }
}

pub(crate) fn tier_of(code: i16) -> Option<PricingTier> {
    PricingTier::ALL.into_iter().find(|tier| tier_code(*tier) == code)
}

/// One row of the list of models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSummary {
    /// Its name.
    pub name: ModelName,
    /// What its definition says it is.
    pub description: Option<String>,
    /// How many properties it has.
    pub properties: u32,
    /// How many events.
    pub events: u32,
    /// How many actions.
    pub actions: u32,
    /// How many devices are of this model.
    pub devices: u64,
    /// When its definition last changed.
    pub updated: Timestamp,
}

/// A model name that the account does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownModel {
    /// The name that was asked for.
    pub name: ModelName,
    /// The one it has that may have been meant.
    pub nearest: Option<String>,
}

/// One device, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceDetail {
    /// What the page shows of it.
    pub item: DeviceItem,
    /// Its description.
    pub description: Option<String>,
    /// The names of its groups.
    pub groups: Vec<String>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When its newest token was made.
    pub token_made: Timestamp,
    /// The last value of each property, a JSON object.
    pub state: Option<String>,
}

/// One row of the list of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSummary {
    /// Its name.
    pub name: String,
    /// How many devices are in it.
    pub devices: u64,
}

/// What becomes of the tokens a device has when it gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldTokens {
    /// They work until the new one is first used.
    KeepUntilNewIsUsed,
    /// They stop now.
    StopNow,
}

/// One press of *Generate*, whichever devices it is for, and how often it was tried. A device remembers which job made its
/// newest token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenJob {
    /// Drawn by the browser, once for the job.
    pub id: Uuid,
    /// Counts the calls of the job from 1, those that are sent again, too: none has the number of another.
    pub attempt: u32,
}

impl TokenJob {
    /// How a device remembers it. A part of a registration is remembered with a byte more.
    pub(crate) fn noted(self) -> Vec<u8> {
        let mut noted = self.id.as_bytes().to_vec();
        noted.extend(self.attempt.to_be_bytes());
        noted
    }

    /// The attempt of this job that a device remembers, if it remembers this job.
    pub(crate) fn attempt_in(self, noted: &[u8]) -> Option<u32> {
        let attempt = noted.strip_prefix(self.id.as_bytes())?;
        attempt.try_into().ok().map(u32::from_be_bytes)
    }
}

/// A device whose token was good, at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatedDevice {
    /// Its account.
    pub account: AccountId,
    /// Which device.
    pub id: Uuid,
    /// Its name.
    pub name: DeviceName,
    /// Its model, and which definition of it.
    pub(crate) model: Uuid,
    pub(crate) model_version: i32,
    /// The segment of the fleet index that it is in. It stays there.
    pub(crate) segment: i64,
    /// What this use of its token changes, if anything: see [`Registry::note_token_use`](crate::Registry::note_token_use).
    pub(crate) token_use: Option<TokenUse>,
}

/// The use of a token that changes something: the first of a device, or the first of its newest token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenUse {
    pub(crate) device: Uuid,
    /// The hash of the device's newest token, if it is that one. The older ones end, unless a newer one was made meanwhile.
    pub(crate) newest: Option<SecretHash>,
    pub(crate) at: Timestamp,
}

/// A registration: one file that was or is being registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationSummary {
    /// Which.
    pub id: RegistrationId,
    /// The file's name.
    pub file_name: String,
    /// Who uploaded it.
    pub by: String,
    /// When.
    pub begun: Timestamp,
    /// When its last part was done, if all were.
    pub finished: Option<Timestamp>,
    /// How many devices the file asks for.
    pub devices: u64,
    /// How many were registered.
    pub registered: u64,
    /// How many were registered already.
    pub already: u64,
    /// How many failed.
    pub failed: u64,
}

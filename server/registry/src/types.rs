//! Types that several modules share: times, ids, and the codes of pricing tiers.

use muster_domain::PricingTier;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A time: milliseconds since 1970-01-01 00:00 UTC.
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
    /// The id of an account. A use case takes it from its actor.
    AccountId
    /// The id of a user.
    UserId
    /// The id of a registration.
    RegistrationId
}

/// Why a name is invalid, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameProblem(pub(crate) &'static str);

/// A tier as it is stored: its index in [`PricingTier::ALL`], which never changes.
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

//! Types that several modules share: ids, and the codes of tiers and statuses.

use muster_domain::{PricingTier, Status};
use uuid::Uuid;

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
}

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

/// A status as it is stored: its index in [`Status::ALL`], which never changes.
pub(crate) const fn status_code(status: Status) -> i16 {
    match status {
        Status::Registered => 0,
        Status::Active => 1,
        Status::Disabled => 2,
    }
}

pub(crate) fn status_of(code: i16) -> Option<Status> {
    Status::ALL.into_iter().find(|status| status_code(*status) == code)
}

//! Actions on many devices.

use super::{DeviceFilter, GroupName, OverLimit};
use crate::{DeviceName, PricingTier, Timestamp};
use serde::{Deserialize, Serialize};

/// The maximum number of devices that one call changes or creates tokens for, in one transaction; and of names in its
/// lists.
pub const MAX_DEVICES_PER_CALL: usize = 10_000;

/// The devices that an action is for. One call takes at most [`MAX_DEVICES_PER_CALL`] of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Targets {
    /// The devices with these names. Names that the account does not have are ignored.
    Named(Vec<DeviceName>),
    /// The devices that match, by name, in as many calls as it takes: see [`CallOutcome::next`].
    Matching(Matching),
}

impl Targets {
    /// Checks the limits of the lists.
    ///
    /// # Errors
    /// [`OverLimit`].
    pub fn check(&self) -> Result<(), OverLimit> {
        let names = match self {
            Self::Named(names) => names,
            Self::Matching(matching) => {
                matching.filter.check()?;
                &matching.except
            }
        };
        if names.len() > MAX_DEVICES_PER_CALL {
            return Err(OverLimit("At most 10,000 devices can be named in one call."));
        }
        Ok(())
    }
}

/// The devices that match a filter, however many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matching {
    /// The filter.
    pub filter: DeviceFilter,
    /// Only devices registered by then: the user did not see later ones when choosing.
    pub registered_by: Timestamp,
    /// Except these.
    pub except: Vec<DeviceName>,
    /// Only devices with names after this one, where the previous call stopped.
    pub after: Option<DeviceName>,
}

impl Matching {
    /// The time since which silent devices were not seen, if the filter is for silent devices: counted from when they
    /// were chosen. A device that fell silent later was not on the screen.
    #[must_use]
    pub fn silent_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.filter.silent_since(now.min(self.registered_by))
    }
}

/// The outcome of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallOutcome {
    /// The number of devices that it changed.
    pub devices: u64,
    /// The name to continue after in the next call; `None`: all devices are done.
    pub next: Option<DeviceName>,
}

/// A change of devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// They may no longer connect.
    Disable,
    /// They may connect again.
    Enable,
    /// They are deleted, with their tokens.
    Delete,
    /// They get this pricing tier.
    Tier(PricingTier),
    /// They join this group. It is created if it does not exist, unless there are no devices to join.
    AddToGroup(GroupName),
    /// They leave this group.
    RemoveFromGroup(GroupName),
}

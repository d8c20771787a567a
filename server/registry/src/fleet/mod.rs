//! The fleet: lists of devices, searches, groups, and actions on many devices. The types are here; the use cases are in
//! the files.

mod actions;
mod groups;
mod queries;
pub(crate) mod search;

use crate::{
    devices::{DeviceItem, Status},
    types::{NameProblem, RegistrationId, Timestamp, tier_code},
};
use muster_domain::{DeviceName, ModelName, PricingTier};
use std::fmt;

/// The maximum number of devices on a page.
pub const MAX_PAGE_DEVICES: u32 = 500;

/// The maximum number of devices that one call changes or creates tokens for, in one transaction. Callers enforce it
/// for lists of names.
pub const MAX_DEVICES_PER_CALL: usize = 10_000;

/// The maximum number of names that one call looks up with leading zeros: about 20,000 index look-ups.
pub const MAX_NUMERIC_NAMES: usize = 1_000;

/// The maximum number of device groups in an account.
pub const MAX_GROUPS: u32 = 10_000;

/// A filter: devices that meet all of its conditions. The default matches all devices of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    /// Part of the name, friendly name or model, in any letter case; a MAC address in any notation; or a list of at
    /// most [`MAX_SEARCHED_NAMES`](crate::MAX_SEARCHED_NAMES) device names, which matches these devices.
    pub search: Option<String>,
    /// Only devices with this status.
    pub status: Option<Status>,
    /// Only devices of this model.
    pub model: Option<ModelName>,
    /// Only devices with this pricing tier.
    pub tier: Option<PricingTier>,
    /// Only devices in any of these groups. If empty, groups do not matter.
    pub groups: Vec<GroupName>,
    /// Only devices that have never sent data.
    pub never_seen: bool,
    /// Only devices of this registration.
    pub registration: Option<RegistrationId>,
    /// Only silent devices: `Active`, but not seen since then.
    pub silent_since: Option<Timestamp>,
}

/// What a list of devices is sorted by. Devices that are equal in it are sorted by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By name, in natural order: by its bytes, but numbers by value.
    #[default]
    Name,
    /// By the model's name.
    Model,
    /// By friendly name, in natural order with A–Z as a–z; devices without one are first.
    FriendlyName,
    /// By tier, the smallest first.
    Tier,
    /// By status: Registered, Active, Disabled.
    Status,
    /// By the time of the last report; devices without one are first.
    LastSeen,
}

/// A device's position in a sorted list. The device may have been deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The name.
    pub name: DeviceName,
    /// The sort key, from [`DeviceItem::sort_key`]. Empty in a list by name.
    pub key: String,
}

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PagePosition {
    /// The first page.
    #[default]
    First,
    /// The page after this position.
    After(Cursor),
    /// The page before this position.
    Before(Cursor),
    /// The last page.
    Last,
}

impl PagePosition {
    pub(crate) fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::After(cursor) | Self::Before(cursor) => Some(cursor),
            Self::First | Self::Last => None,
        }
    }

    /// Whether the page ends at its position instead of beginning there.
    pub(crate) fn is_backwards(&self) -> bool {
        matches!(self, Self::Before(_) | Self::Last)
    }
}

/// A query for a page of devices. The default is the first page of all, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceQuery {
    /// Which devices.
    pub filter: DeviceFilter,
    /// What they are sorted by.
    pub sort: Sort,
    /// Whether the order is descending.
    pub is_descending: bool,
    /// Which page.
    pub position: PagePosition,
    /// The page size, at most [`MAX_PAGE_DEVICES`].
    pub limit: u32,
}

impl DeviceItem {
    /// The device's key in this sort, for a [`Cursor`].
    #[must_use]
    pub fn sort_key(&self, sort: Sort) -> String {
        match sort {
            Sort::Name => String::new(),
            Sort::Model => self.model.to_string(),
            Sort::FriendlyName => self.friendly_name.as_deref().unwrap_or_default().to_ascii_lowercase(),
            Sort::Tier => tier_code(self.tier).to_string(),
            Sort::Status => self.status.code().to_string(),
            Sort::LastSeen => self.last_seen.map(|at| at.as_ms().to_string()).unwrap_or_default(),
        }
    }
}

/// A page of devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DevicePage {
    /// The devices.
    pub items: Vec<DeviceItem>,
    /// The number of matches on all pages.
    pub total: u64,
    /// Whether there is a next page.
    pub has_next: bool,
    /// Whether there is a previous page.
    pub has_previous: bool,
    /// The fleet is too large for the memory of the index: there is only this list by name, from the database.
    pub is_too_large: bool,
    /// If the search is a list of device names: the names that the account does not have.
    pub names_not_found: Vec<String>,
}

/// The devices that an action is for. One call takes at most [`MAX_DEVICES_PER_CALL`] of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// The devices with these names. Names that the account does not have are ignored.
    Named(Vec<DeviceName>),
    /// The devices that match, by name, in as many calls as it takes: see [`CallOutcome::next`].
    Matching(Matching),
}

/// The devices that match a filter, however many.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// The outcome of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOutcome {
    /// The number of devices that it changed.
    pub devices: u64,
    /// The name to continue after in the next call; `None`: all devices are done.
    pub next: Option<DeviceName>,
}

/// A change of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// The name of a device group: 1–128 characters without control characters, not counting spaces around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(String);

impl GroupName {
    /// Parses a name; spaces around it are not part of it.
    ///
    /// # Errors
    /// [`NameProblem`] if it does not follow the rule.
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

/// One row of the list of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSummary {
    /// The name.
    pub name: String,
    /// How many devices are in it.
    pub devices: u64,
}

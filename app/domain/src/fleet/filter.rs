//! Filters of devices.

use super::{GroupName, OverLimit, RegistrationId, Status};
use crate::{ModelName, PricingTier, Timestamp};
use serde::{Deserialize, Serialize};

/// The maximum number of groups in a filter.
pub const MAX_FILTER_GROUPS: usize = 1_000;

/// The maximum number of names in a search for a list: it looks up each of them, and each request of the page has them.
pub const MAX_SEARCHED_NAMES: usize = 1_000;

/// The longest silence that a filter asks for: ten years.
pub const MAX_SILENT_HOURS: u32 = 10 * 365 * 24;

/// A filter: devices that meet all of its conditions. The default matches all devices of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFilter {
    /// Part of the name, friendly name or model, in any letter case; a MAC address in any notation; or a list of at
    /// most 1,000 device names, which matches these devices.
    pub search: Option<String>,
    /// Only devices with this status.
    pub status: Option<Status>,
    /// Only devices of this model.
    pub model: Option<ModelName>,
    /// Only devices with this pricing tier.
    pub tier: Option<PricingTier>,
    /// Only devices in any of these groups, at most [`MAX_FILTER_GROUPS`]. If empty, groups do not matter.
    pub groups: Vec<GroupName>,
    /// Only devices that have never sent data.
    pub never_seen: bool,
    /// Only devices of this registration.
    pub registration: Option<RegistrationId>,
    /// Only silent devices: `Active`, but not seen for so many hours. More than [`MAX_SILENT_HOURS`] count as that many.
    pub silent_hours: Option<u32>,
}

impl DeviceFilter {
    /// The time since which silent devices were not seen, if the filter is for silent devices.
    #[must_use]
    pub fn silent_since(&self, now: Timestamp) -> Option<Timestamp> {
        let hours = i64::from(self.silent_hours?.min(MAX_SILENT_HOURS));
        Some(Timestamp::from_ms(now.as_ms().saturating_sub(hours * 3_600_000)))
    }

    /// Checks the limit of the list.
    ///
    /// # Errors
    /// [`OverLimit`].
    pub fn check(&self) -> Result<(), OverLimit> {
        if self.groups.len() > MAX_FILTER_GROUPS {
            return Err(OverLimit("At most 1,000 device groups can be chosen at once."));
        }
        Ok(())
    }
}

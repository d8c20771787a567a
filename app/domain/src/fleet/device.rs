//! One device, in a list and by itself.

use super::{Cursor, GroupName, Sort, Status};
use crate::{DeviceName, ModelName, PricingTier, Timestamp};
use serde::{Deserialize, Serialize};

/// One row of a page of devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl DeviceItem {
    /// The device's position in a list that is sorted like this.
    #[must_use]
    pub fn cursor(&self, sort: Sort) -> Cursor {
        Cursor { name: self.name.clone(), key: self.sort_key(sort) }
    }

    /// The device's key in this sort, for a [`Cursor`]. Tiers and statuses are numbered in their order.
    #[must_use]
    pub fn sort_key(&self, sort: Sort) -> String {
        let number = |place: Option<usize>| place.unwrap_or_default().to_string();
        match sort {
            Sort::Name => String::new(),
            Sort::Model => self.model.to_string(),
            Sort::FriendlyName => self.friendly_name.as_deref().unwrap_or_default().to_ascii_lowercase(),
            Sort::Tier => number(PricingTier::ALL.iter().position(|tier| *tier == self.tier)),
            Sort::Status => number(Status::ALL.iter().position(|status| *status == self.status)),
            Sort::LastSeen => self.last_seen.map(|at| at.as_ms().to_string()).unwrap_or_default(),
        }
    }
}

/// All details of a device. Never a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceDetail {
    /// Its row in a list.
    pub item: DeviceItem,
    /// Its description.
    pub description: Option<String>,
    /// The names of its groups.
    pub groups: Vec<GroupName>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When its newest token was created.
    pub token_made: Timestamp,
    /// The last value of each property, a JSON object.
    pub state: Option<String>,
}

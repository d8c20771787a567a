//! A device as it is asked for, before anything has a place for it.

use serde::{Deserialize, Serialize};

use crate::{Description, DeviceName, FriendlyName, ModelName, PricingTier};

/// A device to register: one row of a registration file, or one request of a device that registers itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NewDevice {
    /// Its name, unique in its account.
    pub name: DeviceName,
    /// The model definition that says what it reports. Whether the account has it is not known here.
    pub model: ModelName,
    /// What people call it.
    pub friendly_name: Option<FriendlyName>,
    /// A note about it.
    pub description: Option<Description>,
    /// Its pricing tier; `None` is the account's default tier.
    pub tier: Option<PricingTier>,
}

impl NewDevice {
    /// The five fields in the order in which a registration file has them; blank where there is none.
    #[must_use]
    pub fn fields(&self) -> [&str; 5] {
        [
            self.name.as_str(),
            self.model.as_str(),
            self.friendly_name.as_ref().map_or("", FriendlyName::as_str),
            self.description.as_ref().map_or("", Description::as_str),
            self.tier.map_or("", PricingTier::as_str),
        ]
    }
}

//! The status of a device.

use serde::{Deserialize, Serialize};

/// Whether a device may connect, and whether it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// It has never sent data.
    Registered,
    /// It has sent data.
    Active,
    /// It may not connect.
    Disabled,
}

impl Status {
    /// All of them, in the order in which devices are sorted.
    pub const ALL: [Self; 3] = [Self::Registered, Self::Active, Self::Disabled];

    /// As it is displayed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "Registered",
            Self::Active => "Active",
            Self::Disabled => "Disabled",
        }
    }

    /// The status of exactly this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

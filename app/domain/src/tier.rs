//! The pricing tiers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::nearest::nearest;

/// What an account pays for a device. Written exactly so: the names are case-sensitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PricingTier {
    /// `ExtraSmall`
    ExtraSmall,
    /// `Small`
    Small,
    /// `Medium`
    Medium,
    /// `Large`
    Large,
}

/// A text is not one of the four names. Its `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The pricing tier is exactly one of ExtraSmall, Small, Medium and Large")]
pub struct UnknownTier;

impl PricingTier {
    /// All four, the smallest first.
    pub const ALL: [Self; 4] = [Self::ExtraSmall, Self::Small, Self::Medium, Self::Large];

    /// The name, in files and on the screen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExtraSmall => "ExtraSmall",
            Self::Small => "Small",
            Self::Medium => "Medium",
            Self::Large => "Large",
        }
    }

    /// The tier of exactly this name.
    ///
    /// # Errors
    /// [`UnknownTier`] for any other text, such as `small`.
    pub fn parse(text: &str) -> Result<Self, UnknownTier> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == text).ok_or(UnknownTier)
    }

    /// The tier that was probably meant by a text that is none, for a suggestion: `small` is likely `Small`,
    /// `extra-small` likely `ExtraSmall`. `None` if it resembles none of them.
    #[must_use]
    pub fn nearest(text: &str) -> Option<Self> {
        let joined: String = text.chars().filter(|it| !matches!(it, ' ' | '_' | '-')).collect();
        nearest(&joined, Self::ALL.into_iter().map(Self::as_str)).and_then(|name| Self::parse(name).ok())
    }
}

impl fmt::Display for PricingTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for PricingTier {
    type Err = UnknownTier;
    fn from_str(text: &str) -> Result<Self, UnknownTier> {
        Self::parse(text)
    }
}

impl TryFrom<String> for PricingTier {
    type Error = UnknownTier;
    fn try_from(text: String) -> Result<Self, UnknownTier> {
        Self::parse(&text)
    }
}

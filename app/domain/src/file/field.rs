//! The five fields of a row, and what may separate them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A field of a row, in the order in which they stand when no header says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Field {
    /// Required.
    DeviceName,
    /// Required.
    ModelName,
    /// Optional.
    FriendlyName,
    /// Optional.
    Description,
    /// Optional; blank is the account's default tier.
    PricingTier,
}

impl Field {
    /// All five, in order.
    pub const ALL: [Self; 5] =
        [Self::DeviceName, Self::ModelName, Self::FriendlyName, Self::Description, Self::PricingTier];

    /// What the field is called on the screen and in the header of a file.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::DeviceName => "Device name",
            Self::ModelName => "Model name",
            Self::FriendlyName => "Device friendly name",
            Self::Description => "Description",
            Self::PricingTier => "Pricing tier",
        }
    }

    /// Its place among the five, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// What stands between two fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Separator {
    /// `,`
    #[default]
    Comma,
    /// `;`, which spreadsheets write where the comma is the decimal sign.
    Semicolon,
    /// A tab, as in what is copied out of a spreadsheet.
    Tab,
}

impl Separator {
    /// All three, the usual one first.
    pub const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    /// The separator as it stands in the file: an ASCII byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    /// What it is called in a sentence: "separated by …".
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Comma => "commas",
            Self::Semicolon => "semicolons",
            Self::Tab => "tabs",
        }
    }
}

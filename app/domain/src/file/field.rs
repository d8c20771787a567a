//! The five fields of a row, and what may separate them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A field of a row, in the order of a file without a header.
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

    /// Those without which no file can be read.
    pub const REQUIRED: [Self; 2] = [Self::DeviceName, Self::ModelName];

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

/// A set of fields. It is sent as one byte, so its size is fixed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct FieldSet(u8);

/// A byte that is no [`FieldSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a set of fields has no other bits than those of the five fields")]
pub struct UnknownField;

impl FieldSet {
    /// All five fields.
    pub const ALL: Self = Self((1 << Field::ALL.len()) - 1);

    /// Whether the field is in the set.
    #[must_use]
    pub const fn contains(self, field: Field) -> bool {
        self.0 & Self::bit(field) != 0
    }

    /// Adds a field.
    pub const fn insert(&mut self, field: Field) {
        self.0 |= Self::bit(field);
    }

    /// The fields that are not in the set.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(Self::ALL.0 & !self.0)
    }

    const fn bit(field: Field) -> u8 {
        1 << field.index()
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        let mut set = Self::default();
        fields.into_iter().for_each(|field| set.insert(field));
        set
    }
}

impl TryFrom<u8> for FieldSet {
    type Error = UnknownField;
    fn try_from(bits: u8) -> Result<Self, UnknownField> {
        if bits & !Self::ALL.0 == 0 { Ok(Self(bits)) } else { Err(UnknownField) }
    }
}

impl From<FieldSet> for u8 {
    fn from(set: FieldSet) -> Self {
        set.0
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Field::ALL.into_iter().filter(|field| self.contains(*field))).finish()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// The character between two fields.
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

    /// The separator as an ASCII byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

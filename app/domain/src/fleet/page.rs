//! Pages of a sorted list of devices.

use super::{DeviceFilter, DeviceItem};
use crate::{DeviceName, names::DeviceNameProblem, rejection::Rejection};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The number of devices on a page if the query says nothing else.
pub const PAGE_DEVICES: u32 = 100;

/// What a list of devices is sorted by. Devices that are equal in it are sorted by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl Sort {
    /// All of them, in the order of the grid's columns.
    pub const ALL: [Self; 6] = [Self::Name, Self::Model, Self::FriendlyName, Self::Tier, Self::Status, Self::LastSeen];

    /// The column's name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "Device name",
            Self::Model => "Model",
            Self::FriendlyName => "Friendly name",
            Self::Tier => "Pricing tier",
            Self::Status => "Status",
            Self::LastSeen => "Last seen",
        }
    }
}

/// A device's position in a sorted list. The device may have been deleted. As text it is `NAME`, or `NAME~KEY`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    /// The name.
    pub name: DeviceName,
    /// The sort key, from [`DeviceItem::sort_key`]. Empty in a list by name.
    pub key: String,
}

impl Cursor {
    /// No sort key of a device has more characters. The rest of a longer one is ignored.
    const MAX_KEY_CHARS: usize = 512;

    /// Reads a cursor from text.
    ///
    /// # Errors
    /// [`DeviceNameProblem`] if it does not begin with a device name.
    pub fn parse(text: &str) -> Result<Self, DeviceNameProblem> {
        // No device name contains `~`.
        let (name, key) = text.split_once('~').unwrap_or((text, ""));
        Ok(Self { name: DeviceName::parse(name)?, key: key.chars().take(Self::MAX_KEY_CHARS).collect() })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, key } = self;
        if key.is_empty() { write!(f, "{name}") } else { write!(f, "{name}~{key}") }
    }
}

impl TryFrom<String> for Cursor {
    type Error = Rejection<DeviceNameProblem>;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).map_err(Rejection)
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Where the page begins or ends, unless that is an end of the list.
    #[must_use]
    pub const fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::After(cursor) | Self::Before(cursor) => Some(cursor),
            Self::First | Self::Last => None,
        }
    }

    /// Whether the page ends at its position instead of beginning there.
    #[must_use]
    pub const fn is_backwards(&self) -> bool {
        matches!(self, Self::Before(_) | Self::Last)
    }
}

/// A query for a page of devices. The default is the first page of all, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceQuery {
    /// Which devices.
    pub filter: DeviceFilter,
    /// What they are sorted by.
    pub sort: Sort,
    /// Whether the order is descending.
    pub is_descending: bool,
    /// Which page.
    pub position: PagePosition,
    /// The page size. The registry limits it.
    #[serde(default = "page_devices")]
    pub limit: u32,
}

const fn page_devices() -> u32 {
    PAGE_DEVICES
}

impl Default for DeviceQuery {
    fn default() -> Self {
        Self {
            filter: DeviceFilter::default(),
            sort: Sort::default(),
            is_descending: false,
            position: PagePosition::default(),
            limit: PAGE_DEVICES,
        }
    }
}

/// A page of devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    pub names_not_found: NamesNotFound,
}

/// The names of a searched list that the account does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamesNotFound {
    /// How many.
    pub count: u32,
    /// The first [`NamesNotFound::SHOWN`] of them. They need not be valid names.
    pub first: Vec<String>,
}

impl NamesNotFound {
    /// The number of names that are listed: as many as fit a line.
    pub const SHOWN: usize = 5;

    /// Counts these names, and keeps the first of them.
    #[must_use]
    pub fn of(mut names: Vec<String>) -> Self {
        let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
        names.truncate(Self::SHOWN);
        Self { count, first: names }
    }
}

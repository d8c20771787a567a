//! Orders of devices, and places in them.

use muster_domain::Sort;

/// An order of devices. Devices that are equal in the sort are in order of their names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) sort: Sort,
    pub(crate) is_descending: bool,
}

impl Order {
    pub(crate) fn reversed(self) -> Self {
        Self { is_descending: !self.is_descending, ..self }
    }
}

/// What a device is sorted by before its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A tier, a status, or milliseconds.
    Number(i64),
    /// A model, or a friendly name.
    Text(String),
}

impl Key {
    /// As a [`Cursor`](muster_domain::Cursor) has it.
    pub(crate) fn parse(sort: Sort, text: &str) -> Self {
        match sort {
            Sort::Name => Self::Number(0),
            Sort::Tier | Sort::Status | Sort::LastSeen => Self::Number(text.parse().unwrap_or_default()),
            Sort::Model | Sort::FriendlyName => Self::Text(text.to_owned()),
        }
    }

    pub(super) fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }
}

/// A place in an order. It need not be that of a device.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) key: Key,
    pub(crate) name: String,
    /// Whether a device at this very place is included.
    pub(crate) is_inclusive: bool,
}

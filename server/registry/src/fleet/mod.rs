//! The fleet: lists of devices, searches, groups, and actions on many devices. The use cases are in the files; the types
//! are those of `muster-domain`.

mod actions;
mod groups;
mod queries;
pub(crate) mod search;

/// The maximum number of devices on a page.
pub const MAX_PAGE_DEVICES: u32 = 500;

/// The maximum number of names that one call looks up with leading zeros: about 20,000 index look-ups.
pub const MAX_NUMERIC_NAMES: usize = 1_000;

/// The maximum number of device groups in an account.
pub const MAX_GROUPS: u32 = 10_000;

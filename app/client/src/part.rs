//! What travels between the client and the server.

use muster_domain::{FieldSet, GroupName, Layout};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What the server has to know to begin a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRegistration {
    /// The name of the file, without its path.
    pub file_name: String,
    /// How many devices the file has: at most [`muster_domain::MAX_DEVICES`].
    pub devices: u64,
    /// How many parts the file has: fewer than 400.
    pub parts: u32,
    /// The device group that the devices join. The server creates it with its first device.
    pub group: Option<GroupName>,
}

/// One part of a file, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The registration that the part belongs to.
    pub registration: Uuid,
    /// The position of the part in the file, from 0.
    pub number: u32,
    /// The number of the attempt, from 1. Each attempt at a part has a higher number than those before it; the server
    /// rejects an attempt that arrives after a later one.
    pub attempt: u32,
    /// Whether this is a second pass over the file: new tokens for the devices that were registered before it and have
    /// never connected.
    pub renew: bool,
    /// Its rows.
    pub slice: FileSlice,
}

/// Whole rows of a checked file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSlice {
    /// The separator and the columns of the file.
    pub layout: Layout,
    /// The fields in which no row of the file has a value: see [`muster_domain::CheckReport::missing_fields`].
    pub missing_fields: FieldSet,
    /// The line of the first row in the file, from 1.
    pub first_line: u64,
    /// The bytes of the file: at most [`muster_domain::PART_BYTES`].
    pub bytes: Vec<u8>,
}

/// The result of a part. It has tokens, so it cannot be printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartDone {
    /// Devices that were registered.
    pub registered: u32,
    /// Devices that were registered before.
    pub already: u32,
    /// Devices that were registered before and have never connected.
    pub already_never_connected: u32,
    /// Rows that failed.
    pub failed: u32,
    /// Rows of `tokens.csv`, without its header.
    pub tokens: Vec<u8>,
    /// How many tokens these rows have.
    pub token_count: u32,
    /// Rows of `errors.csv`, without its header.
    pub errors: Vec<u8>,
    /// Device names in `errors` that a spreadsheet would change.
    pub fragile_names: u32,
}

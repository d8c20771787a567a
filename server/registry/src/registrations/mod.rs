//! Registrations: runs of registering a file. The types are here, the rules for a row in `rules.rs`, and the use cases in
//! `registering.rs`.

mod registering;
pub(crate) mod rules;

use muster_domain::{DeviceName, FieldSet, GroupName, NewDevice, SecurityToken};
use uuid::Uuid;

/// The maximum number of rows in a part.
pub const MAX_PART_ROWS: usize = 10_000;

/// The maximum number of parts in a file: 100 by rows, and two for each 2 MiB of 256 MiB; see
/// `muster_domain::PartRange`.
pub(crate) const MAX_PARTS: u32 = 1_000;

/// The maximum length of a file's name, in characters.
pub(crate) const MAX_FILE_NAME_CHARS: usize = 255;

/// A registration to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRegistration {
    /// The file's name for display. Control characters, invisible characters, and what exceeds 255 characters, are
    /// dropped.
    pub file_name: String,
    /// The number of devices in the file.
    pub devices: u64,
    /// The number of parts of the file.
    pub parts: u32,
    /// The group that its devices join. If it does not exist, it is created with the first device that joins.
    pub group: Option<GroupName>,
    /// A random id of the upload. If the response was lost, another call with the same key returns the registration that
    /// the first one began.
    pub idempotency_key: Option<Uuid>,
}

/// The rows of one part of a file.
#[derive(Clone, Debug, Default)]
pub struct PartRows {
    /// Its place in the file, from 0.
    pub number: u32,
    /// 1 the first time it is sent, then higher. An attempt is refused unless it is higher than all earlier ones.
    pub attempt: u32,
    /// A later pass over the same file: devices that were registered before and have never connected get a new token.
    /// Nothing else changes, not even the registration's counts.
    pub renew: bool,
    /// The fields in which no row of the file has a value. They are not compared with registered devices.
    pub missing_fields: FieldSet,
    /// The valid rows, each with its line.
    pub devices: Vec<(u64, NewDevice)>,
    /// The rows with a problem. They fail.
    pub refused: Vec<RefusedRow>,
}

/// A row in which the check found a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Its line.
    pub line: u64,
    /// Its original fields.
    pub fields: [String; 5],
    /// The problem.
    pub error: String,
}

/// The outcome of a part.
#[derive(Default)]
pub struct PartOutcome {
    /// Newly registered devices; each has a token.
    pub registered: u32,
    /// Devices that were already registered with the same fields.
    pub already: u32,
    /// How many of the already registered devices have never connected: their tokens may have been lost.
    pub already_never_connected: u32,
    /// Rows that failed; each has a row in `errors_csv`.
    pub failed: u32,
    /// The new tokens, in the order of the file. They exist only here and in the response made from this.
    pub tokens: Vec<(DeviceName, SecurityToken)>,
    /// Rows of `errors.csv`, without its header.
    pub errors_csv: Vec<u8>,
    /// The number of device names in `errors_csv` that a spreadsheet would change.
    pub fragile_names: u32,
}

impl std::fmt::Debug for PartOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { registered, already, failed, .. } = self;
        write!(f, "PartOutcome({registered} registered, {already} already, {failed} failed)")
    }
}

/// The maximum size of a page of `errors.csv` with more than one part. A part is about as large.
pub(crate) const MAX_ERRORS_BYTES: i64 = 2 * 1024 * 1024;

/// A page of the `errors.csv` of a registration, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorsPage {
    /// Rows of `errors.csv`, without its header.
    pub rows: Vec<u8>,
    /// The number of the last part in it, to continue after; `None`: this is the last page.
    pub next: Option<u32>,
}

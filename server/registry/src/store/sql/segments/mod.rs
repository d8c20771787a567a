//! The segments of the fleet index, as the database keeps them: see `index/`.

pub(super) mod by_name;
pub(in super::super) mod compaction;
pub(in super::super) mod last_seen;
pub(super) mod loading;
pub(super) mod members;
mod status_changes;
pub(in super::super) mod stored;
pub(super) mod writing;

use super::{
    Connection, DEVICE_OF_NAME, Database, FOR_NO_KEY_UPDATE, FOR_NO_KEY_UPDATE_SKIP_LOCKED, NAMES, NEW_VERSION, Pool,
    begin, free_compacted, lock, statements,
};

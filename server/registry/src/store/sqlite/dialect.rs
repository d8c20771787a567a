//! The dialect of SQLite: what the shared SQL needs of it.

use super::super::{contract::Lock, schema};
use crate::errors::StoreError;
use sqlx::{SqlitePool, migrate::Migrator};
use uuid::Uuid;

pub(crate) type Database = sqlx::Sqlite;
pub(crate) type Connection = sqlx::SqliteConnection;
pub(crate) type Pool = SqlitePool;

/// Locks rows that are read until the transaction ends. Unnecessary here, since there is only one writer.
pub(crate) const FOR_NO_KEY_UPDATE: &str = "";

/// The same, but skips rows that another transaction has locked.
pub(crate) const FOR_NO_KEY_UPDATE_SKIP_LOCKED: &str = "";

/// The same, for a join with the device `d`.
pub(crate) const FOR_UPDATE_OF_D: &str = "";

/// The names in the JSON array `$2`, as `v.value`.
pub(crate) const NAMES: &str = "json_each($2) AS v";

/// After [`NAMES`]: the device `d` of account `$1` with each name, by one index look-up each.
pub(crate) const DEVICE_OF_NAME: &str = "CROSS JOIN devices AS d ON d.account = $1 AND d.name = v.value";

/// The same for a statement that is built: the SQL before the JSON array, before the account, and after it.
pub(crate) const DEVICE_NAMED: [&str; 3] =
    ["json_each(", ") AS v CROSS JOIN devices AS d ON d.account = ", " AND d.name = v.value"];

/// A random version of a cached row: no other content ever has the same, not even after a restore.
pub(crate) const NEW_VERSION: &str = "(random() & 9007199254740991)";

/// The same for a column of 31 bits.
pub(crate) const NEW_SHORT_VERSION: &str = "(random() & 2147483647)";

/// Only one transaction writes at a time, so there is nothing to lock.
pub(crate) async fn lock(_: &mut Connection, _: Uuid, _: Lock) -> Result<(), StoreError> {
    Ok(())
}

/// Begins a write transaction. It is `IMMEDIATE`: a deferred one that turns from reading to writing fails immediately
/// if another is writing.
pub(crate) async fn begin(writer: &Pool) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
    Ok(writer.begin_with("BEGIN IMMEDIATE").await?)
}

/// Frees the rows that compaction deleted from the delta. SQLite has reused their pages already.
pub(crate) async fn free_compacted(_: &Pool) -> Result<(), StoreError> {
    Ok(())
}

/// Whether there is a table of migrations: 0 or 1.
pub(crate) const HAS_MIGRATIONS: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";

/// The migrations of this database.
pub(crate) fn migrator() -> &'static Migrator {
    &schema::FOR_SQLITE
}

/// Whether an error code means that the database is read-only. 8 is SQLITE_READONLY; the higher bits are details.
pub(crate) fn is_read_only(code: &str) -> bool {
    // PostgreSQL's codes have five characters.
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| code & 0xff == 8)
}

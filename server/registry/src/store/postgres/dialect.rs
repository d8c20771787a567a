//! The dialect of PostgreSQL: what the shared SQL needs of it.

use super::super::{contract::Lock, schema};
use crate::errors::StoreError;
use sqlx::{PgPool, migrate::Migrator};
use uuid::Uuid;

pub(crate) type Database = sqlx::Postgres;
pub(crate) type Connection = sqlx::PgConnection;
pub(crate) type Pool = PgPool;

/// Locks rows that are read until the transaction ends. Transactions that only reference such a row do not wait: two
/// that did both would wait for each other.
pub(crate) const FOR_NO_KEY_UPDATE: &str = " FOR NO KEY UPDATE";

/// The same, but skips rows that another transaction has locked.
pub(crate) const FOR_NO_KEY_UPDATE_SKIP_LOCKED: &str = " FOR NO KEY UPDATE SKIP LOCKED";

/// The same, for a join with the device `d`.
pub(crate) const FOR_UPDATE_OF_D: &str = " FOR UPDATE OF d";

/// The names in the JSON array `$2`, as `v.value`.
pub(crate) const NAMES: &str = "json_array_elements_text(CAST($2 AS json)) AS v (value)";

/// After [`NAMES`]: the device `d` of account `$1` with each name, by one index look-up each.
///
/// `name IN (…)` does the same only after the table was analyzed. Before, such as during the whole first registration,
/// the planner estimates about 100 devices in the account, and compares each device with each name. `LIMIT 1` keeps it
/// from rewriting this join to that plan, and from expecting several devices of each name.
pub(crate) const DEVICE_OF_NAME: &str =
    "CROSS JOIN LATERAL (SELECT * FROM devices WHERE account = $1 AND name = v.value LIMIT 1) AS d";

/// The same for a statement that is built: the SQL before the JSON array, before the account, and after it.
pub(crate) const DEVICE_NAMED: [&str; 3] = [
    "json_array_elements_text(CAST(",
    " AS json)) AS v (value) CROSS JOIN LATERAL (SELECT * FROM devices WHERE account = ",
    " AND name = v.value LIMIT 1) AS d",
];

/// A random version of a cached row: no other content ever has the same, not even after a restore.
pub(crate) const NEW_VERSION: &str = "muster_new_version()";

/// The same for a column of 31 bits.
pub(crate) const NEW_SHORT_VERSION: &str = "CAST(muster_new_version() & 2147483647 AS INTEGER)";

/// Waits for this lock, which several transactions may share, or one may hold exclusively, and holds it to the end of
/// the transaction. Without it, two transactions that change many rows in different orders would wait for each other.
pub(crate) async fn lock(connection: &mut Connection, what: Uuid, lock: Lock) -> Result<(), StoreError> {
    // The second half of a UUIDv7 is random.
    let key = what.as_u64_pair().1.cast_signed();
    let statement = match lock {
        Lock::Shared => sqlx::query("SELECT pg_advisory_xact_lock_shared($1)"),
        Lock::Exclusive => sqlx::query("SELECT pg_advisory_xact_lock($1)"),
    };
    statement.bind(key).execute(connection).await?;
    Ok(())
}

/// Begins a write transaction.
pub(crate) async fn begin(pool: &Pool) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
    Ok(pool.begin().await?)
}

/// Frees the rows that compaction deleted from the delta, which is read in full before each query. PostgreSQL's own
/// vacuuming comes at most once a minute; until then, each query reads the pages of tens of thousands of deleted rows. If
/// another server is doing this, there is nothing to do.
pub(crate) async fn free_compacted(pool: &Pool) -> Result<(), StoreError> {
    sqlx::query("VACUUM (SKIP_LOCKED) status_changes, last_seen_batches").execute(pool).await?;
    Ok(())
}

/// Whether there is a table of migrations: 0 or 1.
pub(crate) const HAS_MIGRATIONS: &str = "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')";

/// The migrations of this database.
pub(crate) fn migrator() -> &'static Migrator {
    &schema::FOR_POSTGRES
}

/// Whether an error code means that the database is read-only: `read_only_sql_transaction`.
pub(crate) fn is_read_only(code: &str) -> bool {
    code == "25006"
}

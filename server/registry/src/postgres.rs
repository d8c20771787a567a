//! The registry on PostgreSQL: any number of servers on one database.

use crate::{
    background::Background,
    errors::{NotReady, OpenError, RegisterError, StateError, StoreError},
    index::{FleetIndex, Named},
    registering::PartOutcome,
    registry::OpenOptions,
    schema,
    store::{Lock, NewPart, Report},
    types::TokenUse,
};
use sqlx::{PgPool, migrate::Migrator};
use std::time::Duration;
use uuid::Uuid;

mod opening;

#[path = "sql/mod.rs"]
mod sql;

pub(crate) type Database = sqlx::Postgres;
pub(crate) type Connection = sqlx::PgConnection;
pub(crate) type Pool = PgPool;

/// How rows that are read are kept from others that change them, until the transaction ends. Who only refers to such a
/// row, as who puts a device into a group does, is not kept waiting: two that did both would wait for each other.
pub(crate) const FOR_NO_KEY_UPDATE: &str = " FOR NO KEY UPDATE";

/// The same, but for rows that another transaction keeps.
pub(crate) const FOR_UPDATE_SKIP_LOCKED: &str = " FOR UPDATE SKIP LOCKED";

/// The same, where rows of other tables are joined to the device `d`.
pub(crate) const FOR_UPDATE_OF_D: &str = " FOR UPDATE OF d";

/// The names in the JSON array `$2`, as `v.value`.
pub(crate) const NAMES: &str = "json_array_elements_text(CAST($2 AS json)) AS v (value)";

/// Behind [`NAMES`]: the device `d` of account `$1` that has the name, by one look into the index for each.
///
/// `name IN (…)` is that only once the table has been analyzed. Before, as in the whole of a first registration, all
/// devices of the account are taken for some 100, and each of them is compared with each of the names. `OFFSET 0`
/// keeps the planner from turning this into that.
pub(crate) const DEVICE_OF_NAME: &str =
    "CROSS JOIN LATERAL (SELECT * FROM devices WHERE account = $1 AND name = v.value OFFSET 0) AS d";

/// The same for the names in a JSON array, in a statement that is put together: before the array, before the account,
/// and behind it.
pub(crate) const DEVICE_NAMED: [&str; 3] = [
    "json_array_elements_text(CAST(",
    " AS json)) AS v (value) CROSS JOIN LATERAL (SELECT * FROM devices WHERE account = ",
    " AND name = v.value OFFSET 0) AS d",
];

/// A version of something that is cached: drawn, so that no other content ever has it, not even after a restore.
pub(crate) const NEW_VERSION: &str = "muster_new_version()";

/// The same, where the column has 31 bits.
pub(crate) const NEW_SHORT_VERSION: &str = "CAST(muster_new_version() & 2147483647 AS INTEGER)";

/// Waits until no other transaction holds this lock, alone or with those that share it, and holds it to the end of
/// its own. Two that change many rows in different orders would else wait for each other.
pub(crate) async fn lock(connection: &mut Connection, what: Uuid, lock: Lock) -> Result<(), StoreError> {
    // The second half of a UUIDv7 is random.
    let key = what.as_u64_pair().1.cast_signed();
    let statement = match lock {
        Lock::Shared => sqlx::query("SELECT pg_advisory_xact_lock_shared($1)"),
        Lock::Alone => sqlx::query("SELECT pg_advisory_xact_lock($1)"),
    };
    statement.bind(key).execute(connection).await?;
    Ok(())
}

/// Begins a transaction that writes.
pub(crate) async fn begin(pool: &Pool) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
    Ok(pool.begin().await?)
}

/// How long a request waits for a connection before the server says that it is overloaded.
const WAIT: Duration = Duration::from_secs(10);

/// Whether there is a table of migrations: 0 or 1.
pub(crate) const HAS_MIGRATIONS: &str = "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')";

/// The migrations of this database.
pub(crate) fn migrator() -> &'static Migrator {
    &schema::FOR_POSTGRES
}

/// Whether the database takes no changes: `read_only_sql_transaction`.
pub(crate) fn is_read_only(code: &str) -> bool {
    code == "25006"
}

/// The database, connected.
pub(crate) struct Db {
    pool: Pool,
    device_pool: Pool,
    device_readers: Pool,
    index: FleetIndex,
    compaction: Background,
    loading: Background,
    publishing: Background,
}

impl Db {
    /// Connects, and brings the tables up to date.
    pub(crate) async fn open(
        url: &str,
        OpenOptions { may_migrate, index: options }: OpenOptions,
    ) -> Result<Self, OpenError> {
        let opening::Pools { pool, devices: device_pool, device_readers } = opening::open(url, may_migrate).await?;
        let (index, Named { to_compact, to_load }) = FleetIndex::new(options);
        let compaction =
            sql::compaction::compact_regularly([pool.clone(), pool.clone()], index.cache.clone(), options, to_compact);
        let loading = sql::segments::load_on_request(pool.clone(), index.cache.clone(), to_load);
        let publishing = sql::last_seen::publish_regularly(device_pool.clone(), index.cache.clone());
        Ok(Self {
            pool,
            device_pool,
            device_readers,
            index,
            compaction: Background::spawn(compaction),
            loading: Background::spawn(loading),
            publishing: Background::spawn(publishing),
        })
    }

    /// Its connections, by what they are for.
    pub(crate) fn named_pools(&self) -> [(&'static str, &Pool); 3] {
        [("portal", &self.pool), ("devices", &self.device_pool), ("device readers", &self.device_readers)]
    }

    /// Ends the background tasks, and every connection.
    pub(crate) async fn close(&self) {
        tokio::join!(self.compaction.cancel(), self.loading.cancel(), self.publishing.cancel());
        if sql::last_seen::publish(&self.device_pool, &self.index.cache.unpublished).await.is_err() {
            tracing::warn!("the last-seen times of the last reports could not be published");
        }
        tokio::join!(self.pool.close(), self.device_pool.close(), self.device_readers.close());
    }

    /// That the database takes changes: it is neither a standby nor set to read-only.
    pub(crate) async fn check_writable(&self) -> Result<(), NotReady> {
        let is_read_only: String = sqlx::query_scalar("SELECT current_setting('transaction_read_only')")
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::from)?;
        if is_read_only == "on" { Err(NotReady::ReadOnly) } else { Ok(()) }
    }

    pub(crate) fn reader(&self) -> &Pool {
        &self.pool
    }

    /// The connections that the requests of devices read from.
    pub(crate) fn device_reader(&self) -> &Pool {
        &self.device_readers
    }

    pub(crate) fn index(&self) -> &FleetIndex {
        &self.index
    }

    /// Stores a report of a device, in a transaction of its own.
    pub(crate) async fn report(&self, report: Report) -> Result<(), StateError> {
        let (pool, cache) = (self.device_pool.clone(), self.index.cache.clone());
        // In a task of its own: if the caller goes while it commits, the index learns of it all the same.
        let store = async move {
            let mut tx = begin(&pool).await?;
            sql::devices::merge_state(&mut tx, &report).await?;
            tx.commit().await.map_err(StoreError::from)?;
            cache.record_last_seen(&report.seen());
            Ok(())
        };
        tokio::spawn(store).await.map_err(|_| StoreError::Unavailable)?
    }

    /// Notes that a device showed a token, in a transaction of its own.
    pub(crate) async fn note_use(&self, used: TokenUse) -> Result<(), StoreError> {
        let mut tx = begin(&self.device_pool).await?;
        sql::devices::note_use(&mut tx, &used).await?;
        Ok(tx.commit().await?)
    }

    /// Registers a part of a file, in a transaction of its own.
    pub(crate) async fn register(&self, part: NewPart) -> Result<PartOutcome, RegisterError> {
        let mut tx = self.write().await?;
        let outcome = sql::register_part::register(&mut tx, &part).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(outcome)
    }

    /// Begins a transaction that writes.
    pub(crate) async fn write(&self) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
        begin(&self.pool).await
    }
}

//! The registry on SQLite: one file, one writer at a time, readers beside it.

use crate::{
    background::Background,
    errors::{NotReady, OpenError, RegisterError, StateError, StoreError},
    index::{FleetIndex, Named, cache::Cache},
    registering::PartOutcome,
    registry::OpenOptions,
    schema,
    store::{Lock, NewPart, Report},
    together::{Together, Work},
    types::TokenUse,
    world::World,
};
use sqlx::{AssertSqlSafe, SqlitePool, migrate::Migrator};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, task::JoinHandle};
use uuid::Uuid;

mod opening;

#[path = "sql/mod.rs"]
mod sql;

pub(crate) type Database = sqlx::Sqlite;
pub(crate) type Connection = sqlx::SqliteConnection;
pub(crate) type Pool = SqlitePool;

/// How rows that are read are kept from others that change them, until the transaction ends: there is only one writer.
pub(crate) const FOR_NO_KEY_UPDATE: &str = "";

/// The same, but for rows that another transaction keeps.
pub(crate) const FOR_UPDATE_SKIP_LOCKED: &str = "";

/// The same, where rows of other tables are joined to the device `d`.
pub(crate) const FOR_UPDATE_OF_D: &str = "";

/// The names in the JSON array `$2`, as `v.value`.
pub(crate) const NAMES: &str = "json_each($2) AS v";

/// Behind [`NAMES`]: the device `d` of account `$1` that has the name, by one look into the index for each.
pub(crate) const DEVICE_OF_NAME: &str = "CROSS JOIN devices AS d ON d.account = $1 AND d.name = v.value";

/// The same for the names in a JSON array, in a statement that is put together: before the array, before the account,
/// and behind it.
pub(crate) const DEVICE_NAMED: [&str; 3] =
    ["json_each(", ") AS v CROSS JOIN devices AS d ON d.account = ", " AND d.name = v.value"];

/// A version of something that is cached: drawn, so that no other content ever has it, not even after a restore.
pub(crate) const NEW_VERSION: &str = "(random() & 9007199254740991)";

/// The same, where the column has 31 bits.
pub(crate) const NEW_SHORT_VERSION: &str = "(random() & 2147483647)";

/// Only one transaction writes at a time: there is nothing to lock.
pub(crate) async fn lock(_: &mut Connection, _: Uuid, _: Lock) -> Result<(), StoreError> {
    Ok(())
}

/// Begins a transaction that writes: `IMMEDIATE`, since a reading one that turns writer fails immediately.
pub(crate) async fn begin(writer: &Pool) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
    Ok(writer.begin_with("BEGIN IMMEDIATE").await?)
}

/// How long a write waits for its turn before the server says that it is overloaded.
const WAIT: Duration = Duration::from_secs(10);

/// How long the last checkpoint waits for other processes that read the file, such as a backup.
const LAST_CHECKPOINT_WAIT_MS: u32 = 1_000;

/// How long a readiness check waits for its probe. A busy writer is a working writer, so the probe
/// keeps its place in the queue, as long as any write does.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// How many tables there are with this name: one or none.
pub(crate) const HAS_MIGRATIONS: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";

/// The migrations of this database.
pub(crate) fn migrator() -> &'static Migrator {
    &schema::FOR_SQLITE
}

/// Whether the database takes no changes. 8 is SQLITE_READONLY; the rest of a code says more exactly why.
pub(crate) fn is_read_only(code: &str) -> bool {
    // PostgreSQL's codes have five letters or digits.
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| code & 0xff == 8)
}

/// The file, opened.
pub(crate) struct Db {
    writer: Pool,
    readers: Pool,
    device_readers: Pool,
    reports: Together<Reporting>,
    uses: Together<TokenUse>,
    parts: Together<NewPart>,
    index: FleetIndex,
    compaction: Background,
    loading: Background,
    publishing: Background,
    /// The write that a readiness check is waiting for.
    probe: Mutex<Option<JoinHandle<Result<(), sqlx::Error>>>>,
}

impl Db {
    /// Opens the file, created if missing, readable by its owner only.
    pub(crate) async fn open(
        file: &str,
        OpenOptions { may_migrate, index: options }: OpenOptions,
        world: &dyn World,
    ) -> Result<Self, OpenError> {
        let opening::Pools { writer, readers, device_readers } = opening::open(file, world, may_migrate).await?;
        let (reports, uses) = (Together::on(writer.clone()), Together::on(writer.clone()));
        let parts = Together::on(writer.clone());
        let (index, Named { to_compact, to_load }) = FleetIndex::new(options);
        let compaction = sql::compaction::compact_regularly(
            [readers.clone(), writer.clone()],
            index.cache.clone(),
            options,
            to_compact,
        );
        let loading = sql::segments::load_on_request(readers.clone(), index.cache.clone(), to_load);
        let publishing = sql::last_seen::publish_regularly(writer.clone(), index.cache.clone());
        Ok(Self {
            writer,
            readers,
            device_readers,
            reports,
            uses,
            parts,
            index,
            compaction: Background::spawn(compaction),
            loading: Background::spawn(loading),
            publishing: Background::spawn(publishing),
            probe: Mutex::default(),
        })
    }

    /// Its connections, by what they are for.
    pub(crate) fn named_pools(&self) -> [(&'static str, &Pool); 3] {
        [("writer", &self.writer), ("readers", &self.readers), ("device readers", &self.device_readers)]
    }

    /// Ends the background tasks, and leaves everything in the one file.
    pub(crate) async fn close(&self) {
        tokio::join!(self.compaction.cancel(), self.loading.cancel(), self.publishing.cancel());
        if let Some(probe) = self.probe.lock().await.take() {
            probe.abort();
        }
        tokio::join!(self.reports.close(), self.uses.close(), self.parts.close());
        if sql::last_seen::publish(&self.writer, &self.index.cache.unpublished).await.is_err() {
            tracing::warn!("the last-seen times of the last reports could not be published");
        }
        tokio::join!(self.readers.close(), self.device_readers.close());
        if self.writer.is_closed() {
            return;
        }
        match self.checkpoint().await.map_err(StoreError::from) {
            Ok(true) | Err(StoreError::ReadOnly) => {}
            Ok(false) => tracing::info!("another process still uses the database: the last one leaves one file"),
            Err(_) => tracing::warn!("the write-ahead log was not emptied: keep it with the database"),
        }
        self.writer.close().await;
    }

    /// Carries what is in the write-ahead log into the file; false, where another process keeps it from doing so.
    async fn checkpoint(&self) -> Result<bool, sqlx::Error> {
        let mut connection = self.writer.acquire().await?;
        let wait = format!("PRAGMA busy_timeout = {LAST_CHECKPOINT_WAIT_MS}");
        sqlx::raw_sql(AssertSqlSafe(wait)).execute(&mut *connection).await?;
        let (is_busy, ..): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await?;
        Ok(is_busy == 0)
    }

    /// Checks that the file takes changes: the disk is not full, and the file is not read-only.
    pub(crate) async fn check_writable(&self) -> Result<(), NotReady> {
        let mut probe = self.probe.lock().await;
        let running = probe.get_or_insert_with(|| tokio::spawn(write_probe(self.writer.clone())));
        let Ok(ended) = tokio::time::timeout(PROBE_WAIT, running).await else { return Ok(()) };
        *probe = None;
        match ended.map_err(|_| NotReady::Unavailable)? {
            Err(sqlx::Error::PoolTimedOut) => Err(NotReady::Slow),
            written => Ok(written.map_err(StoreError::from)?),
        }
    }

    pub(crate) fn reader(&self) -> &Pool {
        &self.readers
    }

    /// The connections that the requests of devices read from.
    pub(crate) fn device_reader(&self) -> &Pool {
        &self.device_readers
    }

    pub(crate) fn index(&self) -> &FleetIndex {
        &self.index
    }

    /// Stores a report of a device, in one transaction with others.
    pub(crate) async fn report(&self, report: Report) -> Result<(), StateError> {
        self.reports.store(Reporting { report, cache: self.index.cache.clone() }).await
    }

    /// Notes that a device showed a token, in one transaction with others.
    pub(crate) async fn note_use(&self, used: TokenUse) -> Result<(), StoreError> {
        self.uses.store(used).await
    }

    /// Registers a part of a file, in one transaction with others.
    pub(crate) async fn register(&self, part: NewPart) -> Result<PartOutcome, RegisterError> {
        self.parts.store(part).await
    }

    /// Begins a transaction that writes.
    pub(crate) async fn write(&self) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
        begin(&self.writer).await
    }
}

async fn write_probe(writer: Pool) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE write_probe SET writes = writes + 1").execute(&writer).await.map(drop)
}

/// A report, and the index that learns of it.
struct Reporting {
    report: Report,
    cache: Arc<Cache>,
}

impl Work for Reporting {
    type Done = ();
    type Error = StateError;
    const AT_ONCE: usize = 1_024;

    async fn store(&self, connection: &mut Connection) -> Result<(), StateError> {
        sql::devices::merge_state(connection, &self.report).await
    }

    fn stored(&self) {
        self.cache.record_last_seen(&self.report.seen());
    }

    fn failure(error: &StateError) -> Option<StoreError> {
        if let StateError::Store(failure) = error { Some(*failure) } else { None }
    }
}

impl Work for TokenUse {
    type Done = ();
    type Error = StoreError;
    const AT_ONCE: usize = 1_024;

    async fn store(&self, connection: &mut Connection) -> Result<(), StoreError> {
        sql::devices::note_use(connection, self).await
    }

    fn failure(error: &StoreError) -> Option<StoreError> {
        Some(*error)
    }
}

impl Work for NewPart {
    type Done = PartOutcome;
    type Error = RegisterError;
    const AT_ONCE: usize = 6;

    async fn store(&self, connection: &mut Connection) -> Result<PartOutcome, RegisterError> {
        sql::register_part::register(connection, self).await
    }

    fn failure(error: &RegisterError) -> Option<StoreError> {
        if let RegisterError::Store(failure) = error { Some(*failure) } else { None }
    }
}

//! The registry on SQLite: one file, one writer at a time, readers beside it.

use crate::{
    errors::{OpenError, RegisterError, StateError, StoreError},
    grid::Grid,
    registering::PartOutcome,
    store::{Lock, NewPart, Report, TokenUse},
    together::{Together, Work},
};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};
use uuid::Uuid;

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

/// Behind ids `v.device`: the device `d` that each is of.
pub(crate) const DEVICE_OF_ID: &str = "CROSS JOIN devices AS d ON d.id = v.device";

/// Behind kinds `k`: all devices `d` of each.
pub(crate) const DEVICES_OF_KIND: &str = "CROSS JOIN devices AS d ON d.model = k.model AND d.facet = k.facet";

/// Behind kinds `k`: the devices `d` of each. Between the two, there are more conditions that they meet, an order and a
/// limit.
pub(crate) const KIND_WALK: [&str; 2] = [
    "CROSS JOIN devices AS d ON d.row IN (SELECT d.row FROM devices AS d WHERE d.model = k.model AND d.facet = k.facet",
    ")",
];

/// Behind groups `k`: the members `v` of each, in the same way. The conditions may be of their devices `d`, too.
pub(crate) const MEMBER_WALK: [&str; 2] = [
    "CROSS JOIN group_members AS v ON v.device_group = k.device_group AND v.name IN (SELECT v.name
        FROM group_members AS v CROSS JOIN devices AS d ON d.id = v.device WHERE v.device_group = k.device_group",
    ")",
];

/// Behind kinds `k`: the states `v` of the devices of each that have sent data, in the same way.
pub(crate) const SEEN_WALK: [&str; 2] = [
    "CROSS JOIN device_states AS v ON v.rowid IN (SELECT v.rowid
        FROM device_states AS v CROSS JOIN devices AS d ON d.id = v.device WHERE v.model = k.model AND v.facet = k.facet",
    ")",
];

/// At the end of a condition: it is asked of each row.
pub(crate) const OFFSET_0: &str = "";

/// Only one transaction writes at a time: there is nothing to lock.
pub(crate) async fn lock(_: &mut Connection, _: Uuid, _: Lock) -> Result<(), StoreError> {
    Ok(())
}

/// Begins a transaction that writes: `IMMEDIATE`, since a reading one that turns writer fails at once.
pub(crate) async fn begin(writer: &Pool) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
    Ok(writer.begin_with("BEGIN IMMEDIATE").await?)
}

/// How long a write waits for its turn before the server says that it is overloaded.
const WAIT: Duration = Duration::from_secs(10);

/// Readers at once, for what people see.
const READERS: u32 = 4;

/// Readers for the requests of devices, which read a row or two each: a search that takes 50 ms does not keep them waiting.
const DEVICE_READERS: u32 = 2;

/// The file, opened.
pub(crate) struct Db {
    writer: Pool,
    readers: Pool,
    device_readers: Pool,
    reports: Together<Report>,
    uses: Together<TokenUse>,
    parts: Together<NewPart>,
    grid: Grid,
}

impl Db {
    /// Opens the file, made if missing, readable by its owner only. `few` as in
    /// [`Registry::open_with`](crate::Registry::open_with).
    pub(crate) async fn open(file: &str, few: u64) -> Result<Self, OpenError> {
        let broken =
            |what: &str, error: &dyn std::fmt::Display| OpenError(format!("the database {file} {what}: {error}"));
        make(Path::new(file)).map_err(|error| broken("cannot be made", &error))?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            // What an answer says is stored must survive the loss of power.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT)
            // 32 MiB each: what they read again and again is few pages, and the system has the rest.
            .pragma("cache_size", "-32768")
            // What a statement would take back if it failed.
            .pragma("temp_store", "MEMORY")
            // 256 MiB. A part of a registration writes to pages all over the indexes; the next writes to many of them
            // again, and only the last of these is carried into the file. At 64 MiB, a million devices took a tenth longer.
            .pragma("wal_autocheckpoint", "65536")
            .pragma("journal_size_limit", "67108864");
        // 128 MiB for the leaves of those indexes. All caches together are a quarter of the GiB that a server may take.
        let writer = options.clone().pragma("cache_size", "-131072");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WAIT)
            // SQLite ends a transaction by itself where the disk is full, and then sqlx cannot: it goes on to take it
            // for open. Such a connection is closed, and the next write opens another.
            .after_release(|connection, _| {
                let is_clean = !sqlx::Connection::is_in_transaction(&*connection);
                Box::pin(async move { Ok(is_clean) })
            })
            .connect_with(writer)
            .await;
        let writer = writer.map_err(|error| broken("cannot be opened", &error))?;
        sqlx::migrate!("migrations/sqlite")
            .run(&writer)
            .await
            .map_err(|error| broken("cannot be brought up to date", &error))?;
        let readers = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(WAIT);
        let readers = readers.connect_with(options.clone()).await;
        let readers = readers.map_err(|error| broken("cannot be opened", &error))?;
        let device_readers = SqlitePoolOptions::new().max_connections(DEVICE_READERS).acquire_timeout(WAIT);
        let device_readers = device_readers.connect_with(options.pragma("cache_size", "-16384")).await;
        let device_readers = device_readers.map_err(|error| broken("cannot be opened", &error))?;
        let (reports, uses) = (Together::on(writer.clone()), Together::on(writer.clone()));
        let parts = Together::on(writer.clone());
        let (grid, to_fold) = Grid::new(few);
        tokio::spawn(sql::marks::keep_folded(writer.clone(), grid.texts.clone(), grid.many_marks(), to_fold));
        Ok(Self { writer, readers, device_readers, reports, uses, parts, grid })
    }

    pub(crate) fn reader(&self) -> &Pool {
        &self.readers
    }

    /// What the requests of devices read from.
    pub(crate) fn device_reader(&self) -> &Pool {
        &self.device_readers
    }

    pub(crate) fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Stores a report of a device, in one transaction with others.
    pub(crate) async fn report(&self, report: Report) -> Result<(), StateError> {
        self.reports.store(report).await
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

impl Work for Report {
    type Done = ();
    type Error = StateError;
    const AT_ONCE: usize = 1_024;

    async fn store(&self, connection: &mut Connection) -> Result<(), StateError> {
        sql::devices::merge_state(connection, self).await
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

fn make(file: &Path) -> std::io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(|_| ())
}

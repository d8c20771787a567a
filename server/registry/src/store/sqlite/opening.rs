//! Opening or creating the file of a SQLite database.

use super::{
    dialect::{Connection, Pool, is_read_only},
    sql,
};
use crate::{
    errors::OpenError,
    store::{
        files::{self, Draft},
        schema::SchemaState,
    },
    world::{World, new_id},
};
use sqlx::{
    Connection as _,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fmt::Display,
    fs::OpenOptions,
    io::{self, ErrorKind},
    path::Path,
    time::Duration,
};

/// How long a write waits for the writer before the server reports an overload.
const WAIT: Duration = Duration::from_secs(10);

/// Readers for pages and API requests.
const READERS: u32 = 4;

/// Readers for the requests of devices, which read one or two rows each: so they do not wait for a search that takes 50
/// ms.
const DEVICE_READERS: u32 = 2;

/// The connection pools of a file.
pub(super) struct Pools {
    pub(super) writer: Pool,
    pub(super) readers: Pool,
    pub(super) device_readers: Pool,
}

/// Why a new database was not created.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum Error {
    Io(#[from] io::Error),
    Database(#[from] sqlx::Error),
    Migration(#[from] MigrateError),
}

/// Opens the file with its writer and readers. A missing file is created; an old schema is migrated if `may_migrate`.
pub(super) async fn open(file: &str, world: &dyn World, may_migrate: bool) -> Result<Pools, OpenError> {
    // SQLite puts its other files beside the target of a link.
    let existing = Path::new(file).canonicalize();
    let path = existing.as_deref().unwrap_or(Path::new(file));
    let wal = files::with_suffix(path, "-wal");
    if !path.exists() {
        if files::has_content(&wal) {
            return Err(OpenError(format!(
                "there is {}, but not the database {file} that it belongs to. Put the database back beside it; for a \
                 new installation, move that file away",
                wal.display()
            )));
        }
        let unique = new_id(world).simple().to_string();
        create(path, &unique).await.map_err(|error| broken(file, "cannot be created", &error))?;
    } else if !files::has_content(path) && !files::has_content(&wal) {
        return Err(empty(file));
    }
    files::tighten_database(path);

    let pools = match connect(options(path)).await {
        Ok(pools) => pools,
        // A process that can only read the file can still show pages.
        Err(error) if !is_writable(path) => {
            tracing::warn!(%error, "the database can only be read: pages are shown, and changes are refused");
            connect(read_only(path)).await.map_err(|error| broken(file, "cannot be opened", &error))?
        }
        Err(error) => return Err(broken(file, "cannot be opened", &error)),
    };
    match prepare(&pools.writer, file, may_migrate).await {
        Ok(()) => Ok(pools),
        Err(error) => {
            tokio::join!(pools.readers.close(), pools.device_readers.close());
            pools.writer.close().await;
            Err(error)
        }
    }
}

fn broken(file: &str, what: &str, error: &dyn Display) -> OpenError {
    OpenError(format!("the database {file} {what}: {error}"))
}

/// Migrates the tables.
async fn prepare(writer: &Pool, file: &str, may_migrate: bool) -> Result<(), OpenError> {
    let unreadable = |error: sqlx::Error| broken(file, "cannot be read", &error);
    let mut connection = writer.acquire().await.map_err(unreadable)?;
    let found = sql::migrations::schema_state(&mut connection).await.map_err(unreadable)?;
    if found == SchemaState::Empty {
        let tables = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema").fetch_one(&mut *connection);
        let tables: i64 = tables.await.map_err(unreadable)?;
        return Err(match tables {
            0 => empty(file),
            _ => OpenError(format!("the database {file} holds tables that Muster did not make")),
        });
    }
    if found.needs_migration(&format!("the database {file}"), may_migrate)? {
        sql::migrations::migrate(&mut connection).await.map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) if is_refused(&error) => {
                OpenError(format!(
                    "the database {file} belongs to an earlier version of Muster and must be brought up to date, but \
                     it can only be read. Let this user write to it and to its folder"
                ))
            }
            error => broken(file, "cannot be brought up to date", &error),
        })?;
    }
    Ok(())
}

/// Whether it failed because the database is read-only.
fn is_refused(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| is_read_only(&code))
}

/// The options for a writable file.
fn options(path: &Path) -> [SqliteConnectOptions; 2] {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // Acknowledged writes must survive a power loss.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(WAIT)
        // 32 MiB each: they read few pages repeatedly, and the system caches the rest.
        .pragma("cache_size", "-32768")
        // The rollback journal of single statements.
        .pragma("temp_store", "MEMORY")
        // 256 MiB. A part of a registration writes to pages all over the indexes, and the next part to many of the
        // same. Only the last version of each page is moved into the file. At 64 MiB, a million devices took a tenth
        // longer.
        .pragma("wal_autocheckpoint", "65536")
        .pragma("journal_size_limit", "67108864");
    // 128 MiB for the leaves of these indexes. All caches together are a quarter of the GiB that a server may use.
    [options.clone().pragma("cache_size", "-131072"), options]
}

/// The options for a file that this user may only read.
fn read_only(path: &Path) -> [SqliteConnectOptions; 2] {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        // This process does not write to it, and cannot create the files that SQLite needs to share it with a writer.
        .immutable(!files::has_content(&files::with_suffix(path, "-wal")))
        .busy_timeout(WAIT)
        .pragma("cache_size", "-32768")
        .pragma("temp_store", "MEMORY");
    [options.clone(), options]
}

async fn connect([writer, readers]: [SqliteConnectOptions; 2]) -> Result<Pools, sqlx::Error> {
    // A connection to a file does not break: there is nothing to test before it is used.
    let pool_of = |connections| {
        SqlitePoolOptions::new().max_connections(connections).acquire_timeout(WAIT).test_before_acquire(false)
    };
    let writer = pool_of(1)
        // On a full disk, SQLite ends a transaction by itself, and sqlx still treats it as open. Close such a
        // connection; the next write opens another.
        .after_release(|connection, _| {
            let is_clean = !sqlx::Connection::is_in_transaction(&*connection);
            Box::pin(async move { Ok(is_clean) })
        })
        .connect_with(writer)
        .await?;
    let device_readers = pool_of(DEVICE_READERS).connect_with(readers.clone().pragma("cache_size", "-16384")).await?;
    let readers = pool_of(READERS).connect_with(readers).await?;
    Ok(Pools { writer, readers, device_readers })
}

/// Creates a new database, which appears under its name with all its tables. So an interrupted start leaves no empty
/// file, and an empty file is never a new installation. If another process was faster, its file stays.
async fn create(file: &Path, unique: &str) -> Result<(), Error> {
    files::create_folder(files::folder_of(file))?;
    let draft = Draft::create(file, unique)?;
    let options =
        SqliteConnectOptions::new().filename(draft.path()).synchronous(SqliteSynchronous::Full).foreign_keys(true);
    let mut connection = Connection::connect_with(&options).await?;
    sql::migrations::migrate(&mut connection).await?;
    connection.close().await?;
    match draft.publish(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        published => Ok(published?),
    }
}

fn empty(file: &str) -> OpenError {
    OpenError(format!(
        "the database {file} holds nothing. The file of a running server, copied by itself, can look like that: use a \
         copy made by `muster backup`. For a new installation, delete the file"
    ))
}

/// Whether this user may write to a file, and to its folder or SQLite's files in it.
///
/// Must not be called while this process has the file open: closing a file releases all locks of the process on it.
fn is_writable(file: &Path) -> bool {
    let can_append = |path: &Path| OpenOptions::new().append(true).open(path).is_ok();
    let has_writable_wal = can_append(&files::with_suffix(file, "-wal"));
    can_append(file) && (has_writable_wal || !is_read_only_folder(files::folder_of(file)))
}

/// Whether nothing can be created in a folder.
fn is_read_only_folder(folder: &Path) -> bool {
    Draft::create(&folder.join("probe"), &std::process::id().to_string())
        .is_err_and(|error| error.kind() != ErrorKind::AlreadyExists)
}

//! Opening the file of a SQLite database: creating it, who may read it, and what is refused.

use super::{Connection, Pool, WAIT, is_read_only, sql};
use crate::{
    errors::OpenError,
    files::{self, Draft},
    schema::SchemaState,
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
};

/// Concurrent readers, for what people see.
const READERS: u32 = 4;

/// Readers for the requests of devices, which read a row or two each: a search that takes 50 ms does not keep them waiting.
const DEVICE_READERS: u32 = 2;

/// The connections to a file.
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

/// Opens the file with its writer and its readers, created if missing, and brings its tables up to date,
/// if it may.
pub(super) async fn open(file: &str, world: &dyn World, may_migrate: bool) -> Result<Pools, OpenError> {
    // SQLite puts its other files beside the file that a link leads to.
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
        // A user who can only read the file can still show it.
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

/// Brings the tables up to date.
async fn prepare(writer: &Pool, file: &str, may_migrate: bool) -> Result<(), OpenError> {
    let unreadable = |error: sqlx::Error| broken(file, "cannot be read", &error);
    let mut connection = writer.acquire().await.map_err(unreadable)?;
    let found = sql::upkeep::schema_state(&mut connection).await.map_err(unreadable)?;
    if found == SchemaState::Empty {
        let tables = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema").fetch_one(&mut *connection);
        let tables: i64 = tables.await.map_err(unreadable)?;
        return Err(match tables {
            0 => empty(file),
            _ => OpenError(format!("the database {file} holds tables that Muster did not make")),
        });
    }
    if found.needs_migration(&format!("the database {file}"), may_migrate)? {
        sql::upkeep::migrate(&mut connection).await.map_err(|error| match error {
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

/// Whether it failed because the database takes no changes.
fn is_refused(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| is_read_only(&code))
}

/// How the writer and the readers open a file that they may change.
fn options(path: &Path) -> [SqliteConnectOptions; 2] {
    let options = SqliteConnectOptions::new()
        .filename(path)
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
    [options.clone().pragma("cache_size", "-131072"), options]
}

/// How they open a file that this user may only read.
fn read_only(path: &Path) -> [SqliteConnectOptions; 2] {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        // Nobody here writes to it, and the files that SQLite needs for sharing it with a writer cannot be created.
        .immutable(!files::has_content(&files::with_suffix(path, "-wal")))
        .busy_timeout(WAIT)
        .pragma("cache_size", "-32768")
        .pragma("temp_store", "MEMORY");
    [options.clone(), options]
}

async fn connect([writer, readers]: [SqliteConnectOptions; 2]) -> Result<Pools, sqlx::Error> {
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(WAIT)
        // SQLite ends a transaction by itself where the disk is full, and then sqlx cannot: it continues to take it
        // for open. Such a connection is closed, and the next write opens another.
        .after_release(|connection, _| {
            let is_clean = !sqlx::Connection::is_in_transaction(&*connection);
            Box::pin(async move { Ok(is_clean) })
        })
        .connect_with(writer)
        .await?;
    let reading = |connections| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(WAIT);
    let device_readers = reading(DEVICE_READERS).connect_with(readers.clone().pragma("cache_size", "-16384")).await?;
    let readers = reading(READERS).connect_with(readers).await?;
    Ok(Pools { writer, readers, device_readers })
}

/// A new database, which appears under its name with all its tables: a start that is interrupted leaves no empty file,
/// so an empty file is never the beginning of an installation. Where another process was quicker, that one's stays.
async fn create(file: &Path, unique: &str) -> Result<(), Error> {
    files::create_folder(files::folder_of(file))?;
    let draft = Draft::create(file, unique)?;
    let options =
        SqliteConnectOptions::new().filename(draft.path()).synchronous(SqliteSynchronous::Full).foreign_keys(true);
    let mut connection = Connection::connect_with(&options).await?;
    sql::upkeep::migrate(&mut connection).await?;
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

/// Whether this user may write to a file, and to its folder or what SQLite has put there.
///
/// Not to be called while this process has the file open: closing a file ends all locks that its process has on it.
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

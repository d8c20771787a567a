//! A consistent copy of a SQLite database that a server may be using.

use crate::{
    errors::OpenError,
    store::{
        address::Address,
        files::{self, Draft},
    },
    world::{World, new_id},
};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    io::{self, ErrorKind},
    path::Path,
    time::Duration,
};

/// How long a copy waits for a writer that holds the lock of the write-ahead log.
const WAIT: Duration = Duration::from_secs(60);

/// Copies the database at `sqlite://FILE` to a new file that only its owner may read, and returns the size of the copy
/// in bytes. The copy is a consistent snapshot, and complete by itself. It appears under its name once it is durable.
///
/// # Errors
/// A sentence if the file exists, its folder is missing, the disk is full, or the database is not SQLite.
pub async fn backup(database_url: &str, to: &Path, world: &dyn World) -> Result<u64, OpenError> {
    let shown = to.display();
    let Address::Sqlite(from) = Address::parse(database_url)? else {
        return Err(OpenError(
            "a PostgreSQL database is copied by PostgreSQL's own program: pg_dump --format=custom --file=FILE \
             DATABASE"
                .to_owned(),
        ));
    };
    let from = Path::new(from);
    if !files::has_content(from) {
        return Err(OpenError(format!("there is no database {} to copy", from.display())));
    }
    if let Ok(existing) = to.canonicalize() {
        let is_itself = from.canonicalize().is_ok_and(|from| from == existing);
        return Err(if is_itself {
            OpenError(format!("{shown} is the database itself. Name another file for the copy"))
        } else {
            exists(to)
        });
    }
    if to.file_name().is_none() {
        return Err(OpenError(format!("{shown} is not the name of a file")));
    }
    let folder = files::folder_of(to);
    if !folder.is_dir() {
        return Err(OpenError(format!("there is no folder {}. Create it first", folder.display())));
    }

    let cannot_write = |error: io::Error| OpenError(format!("{shown} cannot be written: {error}"));
    let draft = Draft::create(to, &new_id(world).simple().to_string()).map_err(cannot_write)?;
    copy(from, draft.path()).await.map_err(|error| {
        // SQLITE_FULL
        let code = error.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            Some("13") => OpenError(format!("there is not enough space in {} for the copy", folder.display())),
            _ => OpenError(format!("the database {} cannot be copied to {shown}: {error}", from.display())),
        }
    })?;
    draft.publish(to).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(to),
        _ => cannot_write(error),
    })?;
    to.metadata().map(|metadata| metadata.len()).map_err(|error| OpenError(format!("{shown} cannot be read: {error}")))
}

fn exists(to: &Path) -> OpenError {
    OpenError(format!("{} already exists, and a backup never replaces a file. Name another one", to.display()))
}

/// Readers do not block the writer, so the server keeps running meanwhile. SQLite copies in its own thread.
async fn copy(from: &Path, to: &Path) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(from).busy_timeout(WAIT);
    match copy_with(&options, to).await {
        // If this user can only read, the files that SQLite needs beside a file with a writer may be missing.
        Err(_) if std::fs::OpenOptions::new().append(true).open(from).is_err() => {
            let has_log = files::has_content(&files::with_suffix(from, "-wal"));
            copy_with(&options.read_only(true).immutable(!has_log), to).await
        }
        copied => copied,
    }
}

async fn copy_with(options: &SqliteConnectOptions, to: &Path) -> Result<(), sqlx::Error> {
    let mut connection = SqliteConnection::connect_with(options).await?;
    let copied = sqlx::query("VACUUM INTO $1").bind(to.to_string_lossy().as_ref()).execute(&mut connection).await;
    connection.close().await?;
    copied.map(drop)
}

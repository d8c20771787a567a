//! `muster backup FILE`: a consistent copy of the database, also while a server uses it.

use crate::{
    command_line::Database,
    stopping::{STOPPED, Stop},
};
use muster_registry::SystemWorld;
use std::path::Path;

pub(crate) async fn backup(file: &Path, database: &Database, stop: &Stop) -> Result<(), String> {
    let url = database.url();
    let size_bytes = tokio::select! {
        size_bytes = muster_registry::backup(&url, file, &SystemWorld) => size_bytes.map_err(|error| error.to_string())?,
        // The unfinished copy is removed.
        () = stop.requested() => return Err(STOPPED.to_owned()),
    };
    println!("Copied the database to {} ({:.1} MB).", file.display(), size_bytes as f64 / 1e6);
    Ok(())
}

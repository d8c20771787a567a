//! Opens the database of the settings: for `muster serve`, `muster migrate`, and the commands that change data.

use crate::{
    command_line::Database,
    stopping::{self, STOPPED, Stop},
};
use muster_registry::{OpenOptions, Registry, SystemWorld};
use std::sync::Arc;

/// Opens the registry of the settings, unless it is asked to stop meanwhile.
pub(crate) async fn open(database: &Database, options: OpenOptions, stop: &Stop) -> Result<Registry, String> {
    database.create_folder()?;
    let url = database.url();
    tokio::select! {
        opened = Registry::open_with(&url, Arc::new(SystemWorld), options) => opened.map_err(|error| error.to_string()),
        () = stop.requested() => Err(STOPPED.to_owned()),
    }
}

/// `muster migrate`
pub(crate) async fn migrate(database: &Database, stop: &Stop) -> Result<(), String> {
    let registry = open(database, OpenOptions::default(), stop).await?;
    stopping::close(&registry).await;
    println!("The database is up to date.");
    Ok(())
}

/// Runs a command with the registry of the settings, prints its sentence, and closes the registry also if it failed.
pub(crate) async fn with_registry(
    database: &Database,
    stop: &Stop,
    command: impl AsyncFnOnce(&Registry) -> Result<String, String>,
) -> Result<(), String> {
    // A command does not migrate: servers of the earlier version may be running on the tables.
    let options = OpenOptions { may_migrate: false, ..OpenOptions::default() };
    let registry = open(database, options, stop).await?;
    let done = tokio::select! {
        done = command(&registry) => done,
        () = stop.requested() => Err(STOPPED.to_owned()),
    };
    stopping::close(&registry).await;
    println!("{}", done?);
    Ok(())
}

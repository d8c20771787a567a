//! The commands for accounts and people.

use crate::{
    command_line::Database,
    stopping::{self, STOPPED, Stop},
};
use muster_registry::{AccountName, OpenOptions, Password, Registry, SystemWorld, UserError};
use std::{io::BufRead, sync::Arc};

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

/// Does something with the registry of the settings, and closes it, whatever comes of it.
async fn with_registry(
    database: &Database,
    stop: &Stop,
    command: impl AsyncFnOnce(&Registry) -> Result<String, String>,
) -> Result<(), String> {
    // A command for people changes no tables: other servers may be running on them.
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

/// `muster account add NAME`
pub(crate) async fn add_account(name: &str, database: &Database, stop: &Stop) -> Result<(), String> {
    let name = AccountName::parse(name).map_err(|error| error.to_string())?;
    with_registry(database, stop, async |registry| {
        let actor = registry.add_account(&name).await.map_err(|error| error.to_string())?;
        tracing::info!(account = actor.account_name(), by = actor.name(), "account added");
        Ok(format!("Account {name} created. Add users with: muster user add EMAIL --account {name}"))
    })
    .await
}

/// `muster user add EMAIL --account NAME`
pub(crate) async fn add_user(email: &str, account: &str, database: &Database, stop: &Stop) -> Result<(), String> {
    let name = AccountName::parse(account).map_err(|error| error.to_string())?;
    with_registry(database, stop, async |registry| {
        let actor = registry.command_line(&name).await.map_err(|error| error.to_string())?;
        let actor =
            actor.ok_or_else(|| format!("There is no account {name}. Create it with: muster account add {name}"))?;
        registry.add_user(&actor, email, &ask_for_password().await?).await.map_err(|error| error.to_string())?;
        tracing::info!(account = actor.account_name(), user = email, by = actor.name(), "user added");
        Ok(format!("{email} can sign in now."))
    })
    .await
}

/// `muster user password EMAIL`
pub(crate) async fn change_password(email: &str, database: &Database, stop: &Stop) -> Result<(), String> {
    with_registry(database, stop, async |registry| {
        let actor = registry.command_line_for_user(email).await.map_err(|error| error.to_string())?;
        let actor = actor.ok_or_else(|| UserError::Unknown.to_string())?;
        registry.set_password(&actor, email, &ask_for_password().await?).await.map_err(|error| error.to_string())?;
        tracing::info!(user = email, by = actor.name(), "password changed, sessions ended");
        Ok(format!("Password of {email} changed; their sessions were ended."))
    })
    .await
}

/// One line from standard input: never from the command line, where every process of the machine could read it. Nobody
/// may be there to type it: then a signal still ends the command.
async fn ask_for_password() -> Result<Password, String> {
    eprintln!("Password ({} characters or more), then Enter:", Password::MIN_CHARS);
    let read = || {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    };
    let line = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?;
    let line = line.map_err(|error| format!("the password could not be read: {error}"))?;
    Password::new(line.trim_end_matches(['\r', '\n']).to_owned()).map_err(|error| error.to_string())
}

//! The commands for accounts and people.

use crate::command_line::Database;
use muster_registry::{AccountName, Password, Registry, SystemWorld};
use std::{io::BufRead, sync::Arc};

/// Opens the registry of the settings.
pub(crate) async fn open(database: &Database) -> Result<Registry, String> {
    Registry::open(&database.url(), Arc::new(SystemWorld)).await.map_err(|error| error.to_string())
}

/// `muster account add NAME`
pub(crate) async fn add_account(name: &str, database: &Database) -> Result<(), String> {
    let name = AccountName::parse(name).map_err(|error| error.to_string())?;
    open(database).await?.add_account(&name).await.map_err(|error| error.to_string())?;
    println!("Account {name} is made. Add its people with: muster user add EMAIL --account {name}");
    Ok(())
}

/// `muster user add EMAIL --account NAME`
pub(crate) async fn add_user(email: &str, account: &str, database: &Database) -> Result<(), String> {
    let registry = open(database).await?;
    let name = AccountName::parse(account).map_err(|error| error.to_string())?;
    let account = registry.account_named(&name).await.map_err(|error| error.to_string())?;
    let account =
        account.ok_or_else(|| format!("There is no account {name}. Make it with: muster account add {name}"))?;
    registry.add_person(email, account, &ask_for_password()?).await.map_err(|error| error.to_string())?;
    println!("{email} can sign in now.");
    Ok(())
}

/// `muster user password EMAIL`
pub(crate) async fn change_password(email: &str, database: &Database) -> Result<(), String> {
    let registry = open(database).await?;
    registry.set_password(email, &ask_for_password()?).await.map_err(|error| error.to_string())?;
    println!("The password of {email} is changed, and their sessions are ended.");
    Ok(())
}

/// One line from standard input: never from the command line, where every process of the machine could read it.
fn ask_for_password() -> Result<Password, String> {
    eprintln!("Password ({} characters or more), then Enter:", Password::MIN_CHARS);
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| format!("the password could not be read: {error}"))?;
    Password::new(line.trim_end_matches(['\r', '\n']).to_owned()).map_err(|error| error.to_string())
}

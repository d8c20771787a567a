//! `muster account add`, `muster user add` and `muster user password`.

use crate::{command_line::Database, database::with_registry, stopping::Stop};
use muster_registry::{AccountName, Password, UserError};
use std::io::BufRead;

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
        tracing::info!(
            account = actor.account_name(),
            user = email,
            by = actor.name(),
            "password changed, sessions ended"
        );
        Ok(format!("Password of {email} changed; their sessions were ended."))
    })
    .await
}

/// Reads one line from standard input. A password on the command line could be read by every process of the machine.
/// While nobody types, a signal still ends the command.
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

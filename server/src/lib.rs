//! The process: reads the command line and does what it says. All but the page's files, which `main.rs` embeds: so this can be
//! compiled while the page is.

mod assets;
mod backup;
mod body;
mod body_limit;
mod check;
mod client;
mod command_line;
mod connections;
mod database;
mod device_endpoint;
mod fair_limit;
#[cfg(test)]
mod hostile_clients;
mod in_flight;
mod metrics_endpoint;
mod overload;
mod pages;
mod problem;
mod public_url;
mod rate_limit;
mod refusals;
mod request_id;
mod security_headers;
mod serve;
mod session_layer;
mod sign_in_form;
mod stopping;
mod user_commands;

pub use assets::Site;

use clap::Parser;
use command_line::{AccountCommand, Command, CommandLine, LogFormat, UserCommand};
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};
use stopping::Stop;
use tracing_subscriber::EnvFilter;

/// Runs the program, with these files of the page.
pub fn main(site: Site) -> ExitCode {
    assets::embed(site);
    let command_line = CommandLine::parse();
    start_log(command_line.log_format);
    if let Command::Check { file, ignore_unknown_columns } = &command_line.command {
        return check::check(file, *ignore_unknown_columns);
    }
    let started = Stop::on_signals()
        .and_then(|stop| Ok((stop, tokio::runtime::Builder::new_multi_thread().enable_all().build()?)))
        .map_err(|error| format!("this process cannot start its threads: {error}"));
    let done = started.and_then(|(stop, runtime)| {
        let done = runtime.block_on(run(command_line.command, &stop));
        // What still runs in a thread, such as a check of a device's data, ends with the process. The database is closed.
        runtime.shutdown_background();
        done
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("muster: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("MUSTER_LOG").unwrap_or_else(|_| "info,sqlx=warn".into());
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter);
    match format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
    }
}

async fn run(command: Command, stop: &Stop) -> Result<(), String> {
    match command {
        Command::Serve(settings) => serve::serve(settings, stop).await,
        Command::Check { .. } => Ok(()),
        Command::Migrate { database } => database::migrate(&database, stop).await,
        Command::Backup { file, database } => backup::backup(&file, &database, stop).await,
        Command::Account { command: AccountCommand::Add { name, database } } => {
            user_commands::add_account(&name, &database, stop).await
        }
        Command::User { command: UserCommand::Add { email, account, database } } => {
            user_commands::add_user(&email, &account, &database, stop).await
        }
        Command::User { command: UserCommand::Password { email, database } } => {
            user_commands::change_password(&email, &database, stop).await
        }
    }
}

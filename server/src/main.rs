//! The process: reads the command line and does what it says.

mod armour;
mod assets;
mod backup;
mod check;
mod command_line;
mod connections;
mod device_endpoint;
mod overload;
mod people;
mod problem;
mod serve;
mod session_layer;
mod stopping;

use clap::Parser;
use command_line::{AccountCommand, Command, CommandLine, UserCommand};
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};
use stopping::Stop;

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("MUSTER_LOG").unwrap_or_else(|_| "info,sqlx=warn".into()),
        )
        .init();
    if let Command::Check { file } = &command_line.command {
        return check::check(file);
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

async fn run(command: Command, stop: &Stop) -> Result<(), String> {
    match command {
        Command::Serve(settings) => serve::serve(settings, stop).await,
        Command::Check { .. } => Ok(()),
        Command::Backup { file, database } => backup::backup(&file, &database, stop).await,
        Command::Account { command: AccountCommand::Add { name, database } } => {
            people::add_account(&name, &database, stop).await
        }
        Command::User { command: UserCommand::Add { email, account, database } } => {
            people::add_user(&email, &account, &database, stop).await
        }
        Command::User { command: UserCommand::Password { email, database } } => {
            people::change_password(&email, &database, stop).await
        }
    }
}

//! The process: reads the command line and does what it says.

mod armour;
mod assets;
mod body_limit;
mod check;
mod command_line;
mod connections;
mod device_endpoint;
mod overload;
mod people;
mod problem;
mod serve;
mod session_layer;

use clap::Parser;
use command_line::{AccountCommand, Command, CommandLine, UserCommand};
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

#[tokio::main]
async fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("MUSTER_LOG").unwrap_or_else(|_| "info,sqlx=warn".into()),
        )
        .init();
    let done = match command_line.command {
        Command::Serve(settings) => serve::serve(settings).await,
        Command::Check { file, ignore_unknown_columns } => return check::check(&file, ignore_unknown_columns),
        Command::Account { command: AccountCommand::Add { name, database } } => {
            people::add_account(&name, &database).await
        }
        Command::User { command: UserCommand::Add { email, account, database } } => {
            people::add_user(&email, &account, &database).await
        }
        Command::User { command: UserCommand::Password { email, database } } => {
            people::change_password(&email, &database).await
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("muster: {sentence}");
            ExitCode::FAILURE
        }
    }
}

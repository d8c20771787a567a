//! What can be said on the command line, and through the environment.

use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// A self-hosted portal that registers whole fleets of devices from one text file.
#[derive(Debug, Parser)]
#[command(name = "muster", version)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the portal and the device endpoint
    Serve(ServeSettings),
    /// Check a registration file; exits with 1 where it has problems
    Check {
        /// The registration file
        file: PathBuf,
    },
    /// Copy a SQLite database, also while a server uses it
    Backup {
        /// The file to write; it must not exist yet
        file: PathBuf,
        #[command(flatten)]
        database: Database,
    },
    /// Accounts
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// People
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account
    Add {
        /// 3 to 24 lower-case letters and digits
        name: String,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a person to an account; asks for the password on standard input
    Add {
        /// The e-mail address they sign in with
        email: String,
        /// The account's name
        #[arg(long)]
        account: String,
        #[command(flatten)]
        database: Database,
    },
    /// Change a person's password, which ends their sessions; asks for it on standard input
    Password {
        /// The e-mail address they sign in with
        email: String,
        #[command(flatten)]
        database: Database,
    },
}

/// Where the registry is kept.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// `postgres://…`, or `sqlite://FILE`; by default a SQLite file in the data folder
    #[arg(long, env = "MUSTER_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The folder of the SQLite file; created if missing, for its owner only
    #[arg(long, env = "MUSTER_DATA_DIR", default_value = "data")]
    data_dir: PathBuf,
}

impl Database {
    /// The URL to open.
    pub(crate) fn url(&self) -> String {
        self.database_url.clone().unwrap_or_else(|| format!("sqlite://{}", self.data_dir.join("muster.db").display()))
    }

    /// Creates the data folder, where the database is in it, and keeps other users of the machine out of it. A folder
    /// that only an address names is not Muster's own: there, the files alone are kept from others.
    ///
    /// # Errors
    /// A sentence, where it cannot be created.
    pub(crate) fn create_folder(&self) -> Result<(), String> {
        if self.database_url.is_some() {
            return Ok(());
        }
        muster_registry::create_private_folder(&self.data_dir)
            .map_err(|error| format!("the data folder {} cannot be created: {error}", self.data_dir.display()))
    }
}

#[derive(Debug, Args)]
pub(crate) struct ServeSettings {
    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, env = "MUSTER_LISTEN", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) database: Database,
    /// The address that people reach the portal by, such as https://muster.example.com
    #[arg(long, env = "MUSTER_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// The first person, made at the first start
    #[arg(long, env = "MUSTER_ADMIN_EMAIL", default_value = "admin@localhost")]
    pub(crate) admin_email: String,
    /// The first person's password; if unset, one is made and printed once
    #[arg(long, env = "MUSTER_ADMIN_PASSWORD", hide_env_values = true)]
    pub(crate) admin_password: Option<String>,
}

//! The command line, and the settings from the environment.

use crate::client::TrustedProxies;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
};

/// A self-hosted portal that registers whole fleets of devices from one text file.
// None of these is `Debug`: they hold passwords.
#[derive(Parser)]
#[command(name = "muster", version)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How the log is written: lines for people, or one JSON object per line
    #[arg(long, env = "MUSTER_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    pub(crate) log_format: LogFormat,
}

/// How the log is written.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the portal and the device endpoint
    Serve(ServeSettings),
    /// Check a registration file; exits with 1 if it has problems. Warnings do not count
    Check {
        /// The registration file
        file: PathBuf,
        /// Ignore columns in the header that Muster does not know
        #[arg(long)]
        ignore_unknown_columns: bool,
    },
    /// Bring the database of an earlier version up to date, or create a new one. Back it up before
    Migrate {
        #[command(flatten)]
        database: Database,
    },
    /// Copy a SQLite database, even while a server uses it
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
    /// Users
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
}

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Create an account
    Add {
        /// 3 to 24 lower-case letters and digits
        name: String,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user to an account; asks for the password on standard input
    Add {
        /// The email address they sign in with
        email: String,
        /// The account's name
        #[arg(long)]
        account: String,
        #[command(flatten)]
        database: Database,
    },
    /// Change a user's password and end their sessions; asks for the password on standard input
    Password {
        /// The email address they sign in with
        email: String,
        #[command(flatten)]
        database: Database,
    },
}

/// The database of the registry.
#[derive(Args)]
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

    /// Creates the data folder, with access for its owner only, if the database is in it. A folder in a database URL is not
    /// Muster's own: only the files in it are protected.
    ///
    /// # Errors
    /// A sentence, if it cannot be created.
    pub(crate) fn create_folder(&self) -> Result<(), String> {
        if self.database_url.is_some() {
            return Ok(());
        }
        muster_registry::create_private_folder(&self.data_dir)
            .map_err(|error| format!("the data folder {} cannot be created: {error}", self.data_dir.display()))
    }
}

#[derive(Args)]
pub(crate) struct ServeSettings {
    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, env = "MUSTER_LISTEN", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    /// A separate address and port for GET /metrics. If unset, the portal answers it, but only to clients on the same machine
    /// or in a private network
    #[arg(long, env = "MUSTER_METRICS_LISTEN")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) database: Database,
    /// The address at which people reach the portal, such as https://muster.example.com
    #[arg(long, env = "MUSTER_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// Refuse to start on the database of an earlier version, instead of bringing it up to date
    #[arg(long, env = "MUSTER_NO_MIGRATE")]
    pub(crate) no_migrate: bool,
    /// Memory for the lists of devices, in MiB. A million devices take about 120. By default a quarter of the memory of the machine or the container,
    /// at most 2048
    #[arg(long, env = "MUSTER_INDEX_MEMORY")]
    pub(crate) index_memory: Option<u32>,
    #[command(flatten)]
    pub(crate) limits: LimitSettings,
    /// Email address of the first user, created at the first start
    #[arg(long, env = "MUSTER_ADMIN_EMAIL", default_value = "admin@localhost")]
    pub(crate) admin_email: String,
    /// The first user's password; if unset, one is generated and printed once
    #[arg(long, env = "MUSTER_ADMIN_PASSWORD", hide_env_values = true)]
    pub(crate) admin_password: Option<String>,
}

/// Limits on clients.
#[derive(Args, Clone, Debug)]
pub(crate) struct LimitSettings {
    /// Proxies whose X-Forwarded-For, -Proto and -Host, or Forwarded, are believed: addresses and networks, with commas
    #[arg(long, env = "MUSTER_TRUSTED_PROXIES", default_value = "", hide_default_value = true)]
    pub(crate) trusted_proxies: TrustedProxies,
    /// Concurrent connections; the system's limit on open files may allow fewer
    // An idle one takes about 20 KiB, and none more than 64 KiB beside the bodies of requests: 640 MiB at the most.
    #[arg(long, env = "MUSTER_MAX_CONNECTIONS", default_value = "10000")]
    pub(crate) max_connections: NonZeroUsize,
    /// Concurrent connections of one address, or its requests through a trusted proxy; an IPv6 /64 network counts as one
    // A factory is one address with thousands of devices; one address alone must not take all connections.
    #[arg(long, env = "MUSTER_MAX_CONNECTIONS_PER_ADDRESS", default_value = "5000")]
    pub(crate) max_connections_per_address: NonZeroUsize,
    /// Requests of one device per second; bursts of ten seconds' worth are allowed
    #[arg(long, env = "MUSTER_DEVICE_RATE", default_value = "10")]
    pub(crate) device_rate: NonZeroU32,
    /// Requests of one account's users per second; bursts of ten seconds' worth are allowed
    // A page that is open asks for about 2 things a second, and an upload sends up to 10 parts: room for 200 users.
    #[arg(long, env = "MUSTER_ACCOUNT_RATE", default_value = "500")]
    pub(crate) account_rate: NonZeroU32,
}

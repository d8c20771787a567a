//! Connecting to PostgreSQL, with or without encryption.

use super::{
    dialect::{Connection, Pool},
    sql,
};
use crate::errors::OpenError;
use sqlx::{
    ConnectOptions, Connection as _, Executor,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};
use std::{fs::File, net::IpAddr, time::Duration};

/// How long a request waits for a connection before the server reports an overload.
const WAIT: Duration = Duration::from_secs(10);

/// Connections for pages and API requests. Together with the others they are 19 for each server. By default, PostgreSQL
/// allows 97 to ordinary users, so five servers fit.
const CONNECTIONS: u32 = 12;

/// Connections that store reports: so they do not wait for a search that takes 50 ms.
pub(super) const DEVICE_CONNECTIONS: u32 = 4;

/// Connections that look up devices: so they do not wait for writes.
const DEVICE_READERS: u32 = 3;

/// The connection pools of a database.
pub(super) struct Pools {
    pub(super) pool: Pool,
    pub(super) devices: Pool,
    pub(super) device_readers: Pool,
}

/// A connection is tested when it returns to its pool. After this time it is tested again before it is used: a test is a
/// message there and back, as much as a small query. PostgreSQL takes longer to restart, so that no request meets a
/// connection from before.
const TEST_AFTER: Duration = Duration::from_millis(100);

/// The settings of every connection. A statement ends with its request, which has 60 seconds, even if the request is
/// gone.
const SETTINGS: &str = "SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'";

/// A migration may take any time, and waits for a migration by another server.
const NO_TIMEOUT: &str = "SET statement_timeout = 0";

/// Connects, and migrates the tables if it may.
pub(super) async fn open(url: &str, may_migrate: bool) -> Result<Pools, OpenError> {
    let options = options(url)?;
    let is_local = is_local(&options);
    let pool_of = |connections| {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(WAIT)
            .after_connect(|connection, _| Box::pin(async move { connection.execute(SETTINGS).await.map(drop) }))
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                let is_tested = meta.idle_for < TEST_AFTER;
                Box::pin(async move { if is_tested { Ok(true) } else { connection.ping().await.map(|()| true) } })
            })
    };
    let pool = pool_of(CONNECTIONS).connect_with(options.clone()).await;
    let pool = pool.map_err(|error| unreachable(&error))?;
    match prepare(&pool, is_local, may_migrate).await {
        Ok(()) => Ok(Pools {
            pool,
            devices: pool_of(DEVICE_CONNECTIONS).connect_lazy_with(options.clone()),
            device_readers: pool_of(DEVICE_READERS).connect_lazy_with(options),
        }),
        Err(error) => {
            pool.close().await;
            Err(error)
        }
    }
}

/// Parses an address. With `sslrootcert`, `sslmode=require` verifies the certificate, as in `psql`: a named authority
/// is the only trusted one.
fn options(url: &str) -> Result<PgConnectOptions, OpenError> {
    // The address may contain a password: repeat neither it nor the parser's message.
    let options: PgConnectOptions = url.parse().map_err(|_| {
        OpenError(
            "the PostgreSQL address cannot be read. It looks like this: \
            postgres://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full"
                .to_owned(),
        )
    })?;
    let url = options.to_url_lossy();
    let Some((_, authority)) = url.query_pairs().find(|(name, _)| name == "sslrootcert") else { return Ok(options) };
    // In sqlx's notation.
    let file = authority.trim_start_matches("file: ");
    File::open(file)
        .map_err(|error| OpenError(format!("the certificates of sslrootcert, {file}, cannot be read: {error}")))?;
    let is_unchecked = matches!(options.get_ssl_mode(), PgSslMode::Require);
    Ok(if is_unchecked { options.ssl_mode(PgSslMode::VerifyCa) } else { options })
}

/// Whether the connection stays on this machine.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

fn unreachable(error: &sqlx::Error) -> OpenError {
    let words = error.to_string();
    // This is the message of rustls. sqlx reports it as an error of the connection or of TLS.
    if words.contains("invalid peer certificate") {
        return OpenError(format!(
            "the certificate of the PostgreSQL server is not trusted ({words}). Name the file of the authority that \
             issued it with sslrootcert=FILE in the database's address, and use the host name that the certificate is for"
        ));
    }
    OpenError(format!("the PostgreSQL database cannot be reached: {words}"))
}

/// Migrates the tables.
async fn prepare(pool: &Pool, is_local: bool, may_migrate: bool) -> Result<(), OpenError> {
    let unreadable = |error: sqlx::Error| OpenError(format!("the PostgreSQL database cannot be read: {error}"));
    let mut connection = pool.acquire().await.map_err(unreadable)?;
    if !is_local && !is_encrypted(&mut connection).await {
        tracing::warn!(
            "the connection to PostgreSQL is not encrypted: the network can read it. Add sslmode=verify-full to \
             MUSTER_DATABASE_URL"
        );
    }
    let found = sql::migrations::schema_state(&mut connection).await.map_err(unreadable)?;
    if found.needs_migration("the PostgreSQL database", may_migrate)? {
        connection.execute(NO_TIMEOUT).await.map_err(unreadable)?;
        let migrated = sql::migrations::migrate(&mut connection).await;
        let reset = connection.execute(SETTINGS).await.map_err(unreadable);
        migrated
            .map_err(|error| OpenError(format!("the PostgreSQL database cannot be brought up to date: {error}")))?;
        reset?;
    }
    Ok(())
}

/// Whether the server reports encryption. Without a response, assume it.
async fn is_encrypted(connection: &mut Connection) -> bool {
    let said = sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    said.fetch_optional(connection).await.ok().flatten().unwrap_or(true)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    #[test]
    fn local_hosts_are_recognized() {
        let check = |host: &str, expected: bool| {
            let options = options(&format!("postgres://muster:s3cret@{host}/muster")).unwrap();
            assert_eq!(is_local(&options), expected, "{host}");
        };
        check("localhost", true);
        check("127.0.0.1:5433", true);
        check("127.8.9.10", true);
        check("[::1]", true);
        check("10.0.0.7", false);
        check("[2001:db8::1]:5432", false);
        check("db.example.com", false);
        check("localhost.example.com", false);
        check("%2Fvar%2Frun%2Fpostgresql", true);
    }

    #[test]
    fn named_authority_is_verified() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let check = |query: &str, expected: &str| {
            let query = query.replace("FILE", &file.path().display().to_string());
            let options = options(&format!("postgres://muster@db.example.com/muster{query}")).unwrap();
            assert_eq!(format!("{:?}", options.get_ssl_mode()), expected, "{query}");
        };
        check("?sslmode=require", "Require");
        check("?sslmode=require&sslrootcert=FILE", "VerifyCa");
        check("?sslrootcert=FILE&sslmode=require", "VerifyCa");
        check("?sslmode=verify-full&sslrootcert=FILE", "VerifyFull");
        check("?sslmode=disable&sslrootcert=FILE", "Disable");
        check("?sslmode=prefer", "Prefer");
    }
}

//! The registry on PostgreSQL: any number of servers on one database.

use crate::errors::{OpenError, StoreError};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::time::Duration;

#[path = "sql/mod.rs"]
mod sql;

pub(crate) type Database = sqlx::Postgres;
pub(crate) type Connection = sqlx::PgConnection;
pub(crate) type Pool = PgPool;

/// How rows that are read are kept from others until the transaction ends.
pub(crate) const FOR_UPDATE: &str = " FOR UPDATE";

/// How long a request waits for a connection before the server says that it is overloaded.
const WAIT: Duration = Duration::from_secs(10);

/// Connections of one server: PostgreSQL allows 100 in all by default, and five servers should fit.
const CONNECTIONS: u32 = 16;

/// The database, connected.
pub(crate) struct Db {
    pool: Pool,
}

impl Db {
    /// Connects, and brings the tables up to date.
    pub(crate) async fn open(url: &str) -> Result<Self, OpenError> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(WAIT).connect(url).await;
        let pool = pool.map_err(|error| OpenError(format!("the PostgreSQL database cannot be reached: {error}")))?;
        let migrated = sqlx::migrate!("migrations/postgres").run(&pool).await;
        migrated
            .map_err(|error| OpenError(format!("the PostgreSQL database cannot be brought up to date: {error}")))?;
        Ok(Self { pool })
    }

    pub(crate) fn reader(&self) -> &Pool {
        &self.pool
    }

    /// Begins a transaction that writes.
    pub(crate) async fn write(&self) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
        Ok(self.pool.begin().await?)
    }
}

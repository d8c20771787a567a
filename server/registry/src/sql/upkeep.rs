//! The database itself: its schema, whether it can be used, and its end.

use super::{Connection, Db, HAS_MIGRATIONS, Pool, members, migrator};
use crate::{
    errors::{NotReady, StoreError},
    index::IndexUse,
    registry::PoolUse,
    schema::{MEMBERS_IN_SEGMENTS, SchemaState, before, compare},
    store::Upkeep,
};
use async_trait::async_trait;
use sqlx::{
    migrate::{Migrate, MigrateError},
    query_as, query_scalar,
};

#[async_trait]
impl Upkeep for Db {
    async fn ready(&self) -> Result<(), NotReady> {
        let mut connection = self.reader().acquire().await.map_err(StoreError::from)?;
        match schema_state(&mut connection).await.map_err(StoreError::from)? {
            SchemaState::Current => {}
            SchemaState::Empty | SchemaState::Older => return Err(NotReady::SchemaIsOlder),
            SchemaState::Newer(_) | SchemaState::Altered(_) => return Err(NotReady::SchemaIsNewer),
        }
        drop(connection);
        self.check_writable().await
    }

    async fn close(&self) {
        Self::close(self).await;
    }

    fn pools(&self) -> Vec<PoolUse> {
        let used = |(name, pool): (&'static str, &Pool)| PoolUse {
            name,
            open: usize::try_from(pool.size()).unwrap_or(usize::MAX),
            idle: pool.num_idle(),
        };
        self.named_pools().map(used).into()
    }

    fn index_use(&self) -> IndexUse {
        self.index().in_use()
    }
}

/// How the schema of the database compares with this program's.
pub(crate) async fn schema_state(connection: &mut Connection) -> Result<SchemaState, sqlx::Error> {
    let tables: i64 = query_scalar(HAS_MIGRATIONS).fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Ok(SchemaState::Empty);
    }
    let applied: Vec<(i64, Vec<u8>)> =
        query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success").fetch_all(connection).await?;
    Ok(compare(migrator(), &applied))
}

/// Brings the tables up to date.
pub(crate) async fn migrate(connection: &mut Connection) -> Result<(), MigrateError> {
    // Servers that start at the same time take turns, on PostgreSQL. sqlx holds the same lock, but not between two runs.
    connection.lock().await?;
    let migrated = migrate_locked(connection).await;
    connection.unlock().await?;
    migrated
}

async fn migrate_locked(connection: &mut Connection) -> Result<(), MigrateError> {
    before(migrator(), MEMBERS_IN_SEGMENTS).run(&mut *connection).await?;
    let moved: i64 = query_scalar("SELECT COUNT(*) FROM _sqlx_migrations WHERE version = $1")
        .bind(MEMBERS_IN_SEGMENTS)
        .fetch_one(&mut *connection)
        .await?;
    if moved == 0 {
        // SQL cannot write bitmaps. If this is interrupted, it is done again: the old table goes with the next migration.
        members::move_to_segments(connection).await?;
    }
    migrator().run(connection).await
}

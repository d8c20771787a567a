//! The database itself: its schema, whether it can be used, and its end.

use super::{Connection, Db, HAS_MIGRATIONS, Pool, migrator};
use crate::{
    errors::{NotReady, StoreError},
    index::IndexUse,
    registry::PoolUse,
    schema::{SchemaState, compare},
    store::Upkeep,
};
use async_trait::async_trait;
use sqlx::{query_as, query_scalar};

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

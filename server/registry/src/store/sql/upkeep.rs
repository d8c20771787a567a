//! The database itself: whether it is ready, what it uses, and closing it.

use super::{Db, Pool, migrations::schema_state};
use crate::{
    errors::{NotReady, StoreError},
    index::IndexUse,
    store::{
        contract::{PoolUse, Store, Upkeep},
        schema::SchemaState,
    },
};
use async_trait::async_trait;

impl Store for Db {}

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

//! Opens the database at an address.

use super::{
    address::{Address, OpenOptions},
    contract::Store,
    postgres, sqlite,
};
use crate::{errors::OpenError, world::World};
use std::sync::Arc;

pub(crate) async fn open(
    database_url: &str,
    world: &dyn World,
    options: OpenOptions,
) -> Result<Arc<dyn Store>, OpenError> {
    Ok(match Address::parse(database_url)? {
        Address::Postgres(url) => Arc::new(postgres::Db::open(url, options).await?),
        Address::Sqlite(file) => Arc::new(sqlite::Db::open(file, options, world).await?),
    })
}

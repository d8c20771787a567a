//! [`Registry`]: opening it, its clock, and what it is made of. The use cases stand in the files of their nouns.

use crate::{
    errors::{OpenError, StoreError},
    heavy::HeavyWork,
    model_cache::ModelCache,
    postgres, sqlite,
    store::Store,
    types::Timestamp,
    world::World,
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Passwords hashed at once: each takes a core and 19 MiB.
const HASHES_AT_ONCE: usize = 2;

/// So many devices are fetched and sorted in some 30 ms; and where more match of a million, every hundredth device that a
/// walk looks at is one.
const FEW_DEVICES: u64 = 10_000;

/// Everything Muster knows. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Registry {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) world: Arc<dyn World>,
    pub(crate) hashing: Arc<Semaphore>,
    pub(crate) heavy: Arc<HeavyWork>,
    pub(crate) models: Arc<ModelCache>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry")
    }
}

impl Registry {
    /// Opens the registry at `postgres://…` or `sqlite://FILE`, makes what is missing and brings its tables up to date.
    ///
    /// # Errors
    /// A sentence: the address is of another kind, the database does not answer, or it was written by a later Muster.
    pub async fn open(database_url: &str, world: Arc<dyn World>) -> Result<Self, OpenError> {
        Self::open_with(database_url, world, FEW_DEVICES).await
    }

    /// As [`Registry::open`], with another idea of how many devices are few: so many that match are fetched and sorted
    /// for a page; of more, an index is walked. It changes nothing but the time that a page takes.
    ///
    /// # Errors
    /// As [`Registry::open`].
    pub async fn open_with(database_url: &str, world: Arc<dyn World>, few: u64) -> Result<Self, OpenError> {
        let store: Arc<dyn Store> = match database_url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Arc::new(postgres::Db::open(database_url, few).await?),
            Some(("sqlite", file)) => {
                let file = file.trim_start_matches("//");
                if file.is_empty() || file == ":memory:" {
                    return Err(OpenError(
                        "the database's address must name a file, such as sqlite://data/muster.db".to_owned(),
                    ));
                }
                Arc::new(sqlite::Db::open(file, few).await?)
            }
            // The address may hold a password: it is not repeated.
            _ => return Err(OpenError("the database's address must begin with postgres:// or sqlite://".to_owned())),
        };
        let hashing = Arc::new(Semaphore::new(HASHES_AT_ONCE));
        Ok(Self { store, world, hashing, heavy: Arc::default(), models: Arc::default() })
    }

    /// The time now, by the registry's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// Whether it can serve.
    ///
    /// # Errors
    /// [`StoreError`], where the database does not answer.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.world.fill_random(&mut bytes);
        bytes
    }
}

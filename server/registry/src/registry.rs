//! [`Registry`]: opening it, its clock, and its parts. Its use cases are in the folders of their nouns.

use crate::{
    errors::{NotReady, OpenError},
    heavy::HeavyWork,
    index::IndexUse,
    models::cache::ModelCache,
    store::{OpenOptions, PoolUse, contract::Store, opening},
    world::World,
};
use muster_domain::Timestamp;
use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};
use tokio::{
    sync::{Mutex, Semaphore},
    time::{Instant, timeout},
};

/// Passwords hashed concurrently: each takes a core and 19 MiB.
const MAX_CONCURRENT_HASHES: usize = 2;

/// How long a result of the readiness check is cached: the database is asked at most once a second.
const READINESS_CACHE_TIME: Duration = Duration::from_secs(1);

/// A database that takes longer than this to respond counts as not ready. A write waits up to ten seconds for the
/// writer.
const READINESS_TIMEOUT: Duration = Duration::from_secs(5);

/// The time and the result of the last readiness check.
type Readiness = Option<(Instant, Result<(), NotReady>)>;

/// The registry. Cheap to clone: all clones share the same state.
#[derive(Clone)]
pub struct Registry {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) world: Arc<dyn World>,
    pub(crate) hashing: Arc<Semaphore>,
    pub(crate) heavy: Arc<HeavyWork>,
    pub(crate) models: Arc<ModelCache>,
    readiness: Arc<Mutex<Readiness>>,
    /// When the use of a session could not be stored in time, by the registry's clock.
    pub(crate) touch_failed_ms: Arc<AtomicI64>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry")
    }
}

impl Registry {
    /// Opens the registry at `postgres://…` or `sqlite://FILE`. Creates what is missing, and migrates the tables.
    ///
    /// # Errors
    /// A sentence if the address is not supported, the database does not respond, or a later version of Muster wrote
    /// it.
    pub async fn open(database_url: &str, world: Arc<dyn World>) -> Result<Self, OpenError> {
        Self::open_with(database_url, world, OpenOptions::default()).await
    }

    /// As [`Registry::open`], with other options.
    ///
    /// # Errors
    /// As [`Registry::open`]; and if the database is of an earlier version and may not be migrated.
    pub async fn open_with(database_url: &str, world: Arc<dyn World>, options: OpenOptions) -> Result<Self, OpenError> {
        let store = opening::open(database_url, &*world, options).await?;
        let hashing = Arc::new(Semaphore::new(MAX_CONCURRENT_HASHES));
        let (heavy, models) = (Arc::default(), Arc::default());
        let touch_failed_ms = Arc::new(AtomicI64::new(i64::MIN / 2));
        Ok(Self { store, world, hashing, heavy, models, readiness: Arc::default(), touch_failed_ms })
    }

    /// The time now, by the registry's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// The current connections to the database.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolUse> {
        self.store.pools()
    }

    /// The current contents of the fleet index.
    #[must_use]
    pub fn index_use(&self) -> IndexUse {
        self.store.index_use()
    }

    /// Whether it can serve: the database responds, has a schema that supports this version, and is writable.
    ///
    /// # Errors
    /// [`NotReady`] if it cannot.
    pub async fn ready(&self) -> Result<(), NotReady> {
        // Concurrent callers share one check.
        let mut last = self.readiness.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < READINESS_CACHE_TIME
        {
            return *answer;
        }
        let answer = timeout(READINESS_TIMEOUT, self.store.ready()).await.unwrap_or(Err(NotReady::Slow));
        let was = last.replace((Instant::now(), answer)).map(|(_, answer)| answer);
        match answer {
            Err(reason) if was != Some(answer) => tracing::warn!(%reason, "the database is not ready"),
            Ok(()) if was.is_some_and(|was| was.is_err()) => tracing::info!("the database is ready again"),
            _ => {}
        }
        answer
    }

    /// Ends the background tasks, stores waiting writes, and closes the database: afterwards a SQLite file is complete
    /// by itself. Later calls fail.
    pub async fn close(&self) {
        self.store.close().await;
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.world.fill_random(&mut bytes);
        bytes
    }
}

//! [`Registry`]: opening it, its clock, and what it is made of. The use cases stand in the files of their nouns.

use crate::{
    errors::{NotReady, OpenError},
    heavy::HeavyWork,
    index::{IndexOptions, IndexUse},
    model_cache::ModelCache,
    postgres, sqlite,
    store::Store,
    types::Timestamp,
    world::World,
};
use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};
use tokio::{
    sync::{Mutex, Semaphore},
    time::{Instant, timeout},
};

/// Passwords hashed concurrently: each takes a core and 19 MiB.
const HASHES_AT_ONCE: usize = 2;

/// Where a database is.
pub(crate) enum Address<'u> {
    /// At this `postgres://` address.
    Postgres(&'u str),
    /// In this file.
    Sqlite(&'u str),
}

impl<'u> Address<'u> {
    pub(crate) fn parse(url: &'u str) -> Result<Self, OpenError> {
        match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url)),
            Some(("sqlite", file)) => match file.strip_prefix("//").unwrap_or(file) {
                "" | ":memory:" => Err(OpenError(
                    "the database's address must name a file, such as sqlite://data/muster.db".to_owned(),
                )),
                file => Ok(Self::Sqlite(file)),
            },
            // The address may hold a password: it is not repeated.
            _ => Err(OpenError("the database's address must begin with postgres:// or sqlite://".to_owned())),
        }
    }
}

/// How long an answer about readiness is used again: however often it is asked for, the database is asked once a second.
const READY_FOR: Duration = Duration::from_secs(1);

/// A database that takes longer than this to say that it works does not work. A write waits ten seconds for its turn.
const READY_DEADLINE: Duration = Duration::from_secs(5);

/// When the database was last asked whether it can serve, and what it said.
type Readiness = Option<(Instant, Result<(), NotReady>)>;

/// How a registry is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Whether a database of an earlier Muster may be brought up to date. A new one is created in any case.
    pub may_migrate: bool,
    /// For the fleet index.
    pub index: IndexOptions,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { may_migrate: true, index: IndexOptions::default() }
    }
}

/// The connections to the database that are for one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// What they are for.
    pub name: &'static str,
    /// How many there are.
    pub open: usize,
    /// How many of those nobody uses.
    pub idle: usize,
}

/// Everything Muster knows. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Registry {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) world: Arc<dyn World>,
    pub(crate) hashing: Arc<Semaphore>,
    pub(crate) heavy: Arc<HeavyWork>,
    pub(crate) models: Arc<ModelCache>,
    readiness: Arc<Mutex<Readiness>>,
    /// When a session could not be noted as used in time, by the registry's clock.
    pub(crate) seeing_failed_ms: Arc<AtomicI64>,
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
        Self::open_with(database_url, world, OpenOptions::default()).await
    }

    /// As [`Registry::open`], with other options.
    ///
    /// # Errors
    /// As [`Registry::open`]; and the database is of an earlier Muster, where it may not be brought up to date.
    pub async fn open_with(database_url: &str, world: Arc<dyn World>, options: OpenOptions) -> Result<Self, OpenError> {
        let store: Arc<dyn Store> = match Address::parse(database_url)? {
            Address::Postgres(url) => Arc::new(postgres::Db::open(url, options).await?),
            Address::Sqlite(file) => Arc::new(sqlite::Db::open(file, options, &*world).await?),
        };
        let hashing = Arc::new(Semaphore::new(HASHES_AT_ONCE));
        let (heavy, models) = (Arc::default(), Arc::default());
        let seeing_failed_ms = Arc::new(AtomicI64::new(i64::MIN / 2));
        Ok(Self { store, world, hashing, heavy, models, readiness: Arc::default(), seeing_failed_ms })
    }

    /// The time now, by the registry's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// The connections to the database, now.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolUse> {
        self.store.pools()
    }

    /// What the fleet index holds, now.
    #[must_use]
    pub fn index_use(&self) -> IndexUse {
        self.store.index_use()
    }

    /// Whether it can serve: the database answers, has the tables of this version, and takes changes.
    ///
    /// # Errors
    /// [`NotReady`] says why not.
    pub async fn ready(&self) -> Result<(), NotReady> {
        // One asks for all who ask at the same time.
        let mut last = self.readiness.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < READY_FOR
        {
            return *answer;
        }
        let answer = timeout(READY_DEADLINE, self.store.ready()).await.unwrap_or(Err(NotReady::Slow));
        let was = last.replace((Instant::now(), answer)).map(|(_, answer)| answer);
        match answer {
            Err(reason) if was != Some(answer) => tracing::warn!(%reason, "the database is not ready"),
            Ok(()) if was.is_some_and(|was| was.is_err()) => tracing::info!("the database is ready again"),
            _ => {}
        }
        answer
    }

    /// Ends the background tasks, stores what waits, and closes the database: a SQLite file is complete by
    /// itself afterwards. What is asked for later fails.
    pub async fn close(&self) {
        self.store.close().await;
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.world.fill_random(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_of_a_sqlite_file() {
        let check = |url: &str, expected: Option<&str>| match Address::parse(url) {
            Ok(Address::Sqlite(file)) => assert_eq!(Some(file), expected, "{url}"),
            _ => assert_eq!(None, expected, "{url}"),
        };
        check("sqlite://muster.db", Some("muster.db"));
        check("sqlite:muster.db", Some("muster.db"));
        check("sqlite:///var/lib/muster.db", Some("/var/lib/muster.db"));
        // As other programs write an absolute path.
        check("sqlite:////var/lib/muster.db", Some("//var/lib/muster.db"));
        check("sqlite://", None);
    }
}

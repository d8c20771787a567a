//! The fleet index: the devices of an account in memory, in columns. It answers every list, count, selection and search.
//!
//! The database keeps the same columns, in *segments* of up to some 10,000 devices (`segment.rs`), each with a version that
//! every change of it draws anew. A server caches the segments that it has read (`cache.rs`), and asks for the versions
//! before each query: so what another server registered a moment ago is found, too. A change of a device's status_byte is a row
//! of its own, and the times of reports come in batches (`last_seen.rs`): they are read whole before each query, and compacted
//! into the segments in the background (`sql/compaction.rs`).

pub(crate) mod cache;
pub(crate) mod criteria;
pub(crate) mod last_seen;
pub(crate) mod lines;
pub(crate) mod matches;
pub(crate) mod members;
pub(crate) mod memory;
pub(crate) mod natural;
pub(crate) mod order;
pub(crate) mod segment;
pub(crate) mod sharing;
pub(crate) mod text;

use crate::{errors::StoreError, heavy::run_blocking, types::AccountId};
use cache::Cache;
use metrics::histogram;
use sharing::UnderWay;
use std::{sync::Arc, time::Instant};
use tokio::sync::{Semaphore, mpsc};

/// The index of all accounts on this server.
pub(crate) struct FleetIndex {
    pub(crate) cache: Arc<Cache>,
    pub(crate) options: IndexOptions,
    compactions: mpsc::Sender<AccountId>,
    loads: mpsc::Sender<AccountId>,
    pub(crate) pages: UnderWay<Page>,
    scans: Arc<Semaphore>,
}

/// The names of a page and one more, if there is one; whether there are devices on the other side of it; and how many
/// devices match.
pub(crate) type Page = (Vec<String>, bool, u64);

/// Accounts that wait for a compaction, or to be read. One more is asked for by its next query.
const MAX_WAITING: usize = 64;

/// The accounts that background tasks work on, until the index is dropped.
pub(crate) struct Named {
    pub(crate) to_compact: mpsc::Receiver<AccountId>,
    pub(crate) to_load: mpsc::Receiver<AccountId>,
}

/// What the fleet index may take, and when it tidies up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexOptions {
    /// Memory for the devices of all accounts, in bytes. What does not fit is read again for each query.
    pub memory_bytes: usize,
    /// More changes of an account's devices than this are compacted into its segments.
    pub max_changes: usize,
}

/// What the fleet index holds in memory, of all accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexUse {
    /// Accounts that have devices in it.
    pub accounts: usize,
    /// Devices in it.
    pub devices: usize,
    /// The memory that they take.
    pub bytes: usize,
    /// The most that they may take.
    pub max_bytes: usize,
}

impl Default for IndexOptions {
    /// A quarter of the memory that this process may have, and at most 2 GiB. A query reads 1,000 changes in some two
    /// milliseconds.
    fn default() -> Self {
        Self { memory_bytes: memory::default_bytes(), max_changes: 1_000 }
    }
}

impl IndexOptions {
    /// More batches of last-seen times than this are compacted.
    pub(crate) fn max_batches(self) -> usize {
        self.max_changes / 64
    }
}

impl FleetIndex {
    pub(crate) fn new(options: IndexOptions) -> (Self, Named) {
        let (compactions, to_compact) = mpsc::channel(MAX_WAITING);
        let (loads, to_load) = mpsc::channel(MAX_WAITING);
        let index = Self {
            cache: Arc::new(Cache::new(options.memory_bytes)),
            options,
            compactions,
            loads,
            pages: UnderWay::default(),
            scans: Arc::new(Semaphore::new(scans_at_once())),
        };
        (index, Named { to_compact, to_load })
    }

    /// Scans segments, off the async threads and a few at a time. The caller has a connection of the database meanwhile, so
    /// those that wait are no more than there are connections.
    pub(crate) async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.scans.clone().acquire_owned().await.map_err(|_| StoreError::Unavailable)?;
        let begun = Instant::now();
        let done = run_blocking(permit, work).await;
        histogram!("muster_index_scan_seconds").record(begun.elapsed());
        done
    }

    pub(crate) fn in_use(&self) -> IndexUse {
        let (accounts, devices, bytes) = self.cache.in_use();
        IndexUse { accounts, devices, bytes, max_bytes: self.options.memory_bytes }
    }

    /// The changes of this account are many: has them compacted, a little later.
    pub(crate) fn compact(&self, account: AccountId) {
        // Where too many wait, a later query asks again.
        let _ = self.compactions.try_send(account);
    }

    /// This account was asked for, and its segments are not in memory: has them read.
    pub(crate) fn load(&self, account: AccountId) {
        let _ = self.loads.try_send(account);
    }
}

/// Concurrent scans: one processor, if there are two or more, is left to everything else, such as the reports of devices.
fn scans_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().saturating_sub(1).max(1))
}

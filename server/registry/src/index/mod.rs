//! The fleet index: the devices of an account in memory, in columns. It answers every list, count, selection and search.
//!
//! The database stores the same columns, in *segments* of up to about 10,000 devices (`segment.rs`). Each has a version
//! that every change draws anew. A server caches the segments that it has read (`cache.rs`), and compares the versions
//! before each query: so it finds what another server registered a moment ago. Changes of status bytes are separate
//! rows, and the times of reports come in batches (`last_seen.rs`). Both are read in full before each query, and
//! compacted into the segments in the background (`store/sql/segments/compaction.rs`).

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
mod segment_matches;
pub(crate) mod sharing;
mod sort_numbers;
pub(crate) mod text;

use crate::{errors::StoreError, heavy::run_blocking, types::AccountId};
use cache::Cache;
use metrics::histogram;
use sharing::SharedScans;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, mpsc};

/// The index of all accounts on this server.
pub(crate) struct FleetIndex {
    pub(crate) cache: Arc<Cache>,
    pub(crate) options: IndexOptions,
    compactions: mpsc::Sender<AccountId>,
    loads: mpsc::Sender<AccountId>,
    pub(crate) pages: SharedScans<Page>,
    scans: Arc<Semaphore>,
}

/// The names of a page and one more, if there is one; whether there are devices on the other side of it; and the number
/// of matches.
pub(crate) type Page = (Vec<String>, bool, u64);

/// The maximum number of accounts that wait for compaction, or for loading. The next query of another account requests
/// it again.
const MAX_WAITING: usize = 64;

/// The requests to background tasks, until the index is dropped.
pub(crate) struct IndexRequests {
    pub(crate) to_compact: mpsc::Receiver<AccountId>,
    pub(crate) to_load: mpsc::Receiver<AccountId>,
}

/// The memory of the fleet index, and the thresholds of compaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexOptions {
    /// Memory for the devices of all accounts, in bytes. Devices that do not fit are read again for each query.
    pub memory_bytes: usize,
    /// The threshold of an account's status changes for compaction.
    pub max_changes: usize,
}

/// The contents of the fleet index in memory, of all accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexUse {
    /// The number of accounts.
    pub accounts: usize,
    /// The number of devices.
    pub devices: usize,
    /// Their memory in bytes.
    pub bytes: usize,
    /// The memory limit in bytes.
    pub max_bytes: usize,
    /// How long last-seen times have waited to be published to the other servers. Zero if none wait.
    pub unpublished_age: Duration,
}

impl Default for IndexOptions {
    /// A quarter of the memory that this process may use, and at most 2 GiB. A query reads 1,000 changes in about two
    /// milliseconds.
    fn default() -> Self {
        Self { memory_bytes: memory::default_bytes(), max_changes: 1_000 }
    }
}

impl IndexOptions {
    /// The threshold of last-seen batches for compaction.
    pub(crate) fn max_batches(self) -> usize {
        self.max_changes / 64
    }
}

impl FleetIndex {
    pub(crate) fn new(options: IndexOptions) -> (Self, IndexRequests) {
        let (compactions, to_compact) = mpsc::channel(MAX_WAITING);
        let (loads, to_load) = mpsc::channel(MAX_WAITING);
        let index = Self {
            cache: Arc::new(Cache::new(options.memory_bytes)),
            options,
            compactions,
            loads,
            pages: SharedScans::default(),
            scans: Arc::new(Semaphore::new(concurrent_scans())),
        };
        (index, IndexRequests { to_compact, to_load })
    }

    /// Scans segments off the async workers, few at a time. The caller holds a database connection meanwhile, so no
    /// more scans wait than there are connections.
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
        let unpublished_age = self.cache.unpublished.since().map(|since| since.elapsed()).unwrap_or_default();
        IndexUse { accounts, devices, bytes, max_bytes: self.options.memory_bytes, unpublished_age }
    }

    /// Requests the compaction of an account with many changes.
    pub(crate) fn compact(&self, account: AccountId) {
        // If too many are waiting, a later query requests it again.
        let _ = self.compactions.try_send(account);
    }

    /// Requests the loading of an account's segments.
    pub(crate) fn load(&self, account: AccountId) {
        let _ = self.loads.try_send(account);
    }
}

/// Concurrent scans: if there are two or more processors, one is left to other work, such as reports.
fn concurrent_scans() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().saturating_sub(1).max(1))
}

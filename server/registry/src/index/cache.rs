//! The segments that this server caches, within a memory limit.

use super::{
    last_seen::{Batch, Seen, Unpublished},
    segment::Segment,
};
use crate::types::AccountId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use uuid::Uuid;

/// Segments by account. Accounts that were queried least recently are dropped first.
pub(crate) struct Cache {
    /// Last-seen times that this server has not published. The cached segments include them.
    pub(crate) unpublished: Unpublished,
    max_bytes: usize,
    accounts: Mutex<Accounts>,
    read_locks: Mutex<HashMap<Uuid, Weak<tokio::sync::Mutex<()>>>>,
}

#[derive(Default)]
struct Accounts {
    by_id: HashMap<Uuid, Account>,
    bytes: usize,
    /// Counts the queries, to find the account that was queried least recently.
    queries: u64,
}

/// The version of a segment's text, and that of its other columns (0 if none are stored).
pub(crate) type Version = (i64, i64);

#[derive(Default)]
struct Account {
    segments: HashMap<i64, (Version, Segment)>,
    batches: HashMap<i64, Arc<Batch>>,
    bytes: usize,
    last_query: u64,
}

impl Cache {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            unpublished: Unpublished::default(),
            max_bytes,
            accounts: Mutex::default(),
            read_locks: Mutex::default(),
        }
    }

    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Whether an account has cached segments.
    pub(crate) fn has(&self, account: Uuid) -> bool {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).by_id.contains_key(&account)
    }

    /// A lock to hold while segments of an account are read. So after a start, one query reads for all others.
    pub(crate) fn read_lock(&self, account: Uuid) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.read_locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(&account).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        locks.insert(account, Arc::downgrade(&lock));
        lock
    }

    /// The cached segments of an account whose texts have these versions, with the versions of their other columns.
    /// Drops the other segments of the account.
    pub(crate) fn segments(
        &self,
        account: Uuid,
        versions: impl Iterator<Item = (i64, i64)>,
    ) -> HashMap<i64, (Version, Segment)> {
        let mut all = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        all.queries += 1;
        let queries = all.queries;
        let Some(there) = all.by_id.get_mut(&account) else { return HashMap::new() };
        there.last_query = queries;
        let versions: HashMap<i64, i64> = versions.collect();
        there.segments.retain(|id, ((text, _), _)| versions.get(id) == Some(text));
        let before = there.bytes;
        there.bytes = there.segments.values().map(|(_, segment)| segment.bytes()).sum();
        let found = there.segments.clone();
        let freed = before - there.bytes;
        all.bytes -= freed;
        found
    }

    /// A cached segment with its version.
    pub(crate) fn segment(&self, account: Uuid, id: i64) -> Option<(Version, Segment)> {
        let all = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        all.by_id.get(&account)?.segments.get(&id).cloned()
    }

    /// Caches a segment if it fits beside the other segments of its account. Segments of other accounts are dropped for
    /// it.
    pub(crate) fn insert(&self, account: Uuid, id: i64, version: Version, segment: &Segment) {
        let mut all = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        while all.bytes + segment.bytes() > self.max_bytes {
            let others = all.by_id.iter().filter(|(other, _)| **other != account);
            let Some(oldest) = others.min_by_key(|(_, there)| there.last_query).map(|(other, _)| *other) else {
                return;
            };
            all.bytes -= all.by_id.remove(&oldest).map_or(0, |there| there.bytes);
        }
        let queries = all.queries;
        let there = all.by_id.entry(account).or_default();
        there.last_query = queries;
        let before = there.segments.insert(id, (version, segment.clone())).map_or(0, |(_, segment)| segment.bytes());
        there.bytes = there.bytes + segment.bytes() - before;
        all.bytes = all.bytes + segment.bytes() - before;
        drop(all);
        let seen = self.unpublished.of(AccountId(account), id);
        segment.record_last_seen(seen.iter().map(|(name, at_ms)| (name.as_str(), *at_ms)));
    }

    /// Records a stored report, for queries and for the next batch.
    pub(crate) fn record_last_seen(&self, seen: &Seen) {
        // First unpublished, then the segments: a segment that is being read takes the time from there.
        self.unpublished.insert(seen);
        let segment = {
            let all = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            all.by_id.get(&seen.account.0).and_then(|there| Some(there.segments.get(&seen.segment)?.1.clone()))
        };
        if let Some(segment) = segment {
            segment.record_last_seen([(seen.name.as_str(), seen.at_ms)].into_iter());
        }
    }

    /// The number of cached accounts and devices, and their memory in bytes.
    pub(crate) fn in_use(&self) -> (usize, usize, usize) {
        let all = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let segments = all.by_id.values().flat_map(|account| account.segments.values());
        (all.by_id.len(), segments.map(|(_, segment)| segment.devices()).sum(), all.bytes)
    }

    /// The cached batches of an account with these ids. Drops its other batches.
    pub(crate) fn batches(&self, account: Uuid, ids: &[i64]) -> HashMap<i64, Arc<Batch>> {
        let mut all = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(there) = all.by_id.get_mut(&account) else { return HashMap::new() };
        there.batches.retain(|id, _| ids.contains(id));
        there.batches.clone()
    }

    /// Caches a batch, if segments of its account are cached.
    pub(crate) fn insert_batch(&self, account: Uuid, id: i64, batch: &Arc<Batch>) {
        let mut all = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = all.by_id.get_mut(&account) {
            there.batches.insert(id, batch.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::segment::Columns;

    /// A segment of one device with a text of this size.
    fn segment(bytes: usize) -> Segment {
        let text = format!("{}\n", "x".repeat(bytes));
        Segment::new(Columns { text, ..Columns::default() })
    }

    #[test]
    fn segments_are_cached_in_their_version_and_make_room_for_another_account() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let cache = Cache::new(4 * segment(100).bytes());
        let cached = |account, versions: &[(i64, i64)]| {
            let mut ids: Vec<i64> = cache.segments(account, versions.iter().copied()).into_keys().collect();
            ids.sort_unstable();
            ids
        };
        for id in 1..=3 {
            cache.insert(one, id, (7, 0), &segment(100));
        }
        assert_eq!(cached(one, &[(1, 7), (2, 8), (4, 7)]), [1], "one changed, one is gone, one is new");
        assert_eq!(cached(other, &[(1, 7)]), [0; 0], "each account has its own");
        for id in 9..=12 {
            cache.insert(other, id, (1, 0), &segment(100));
        }
        let all = [(9, 1), (10, 1), (11, 1), (12, 1)];
        assert_eq!((cached(one, &[(1, 7)]), cached(other, &all)), (vec![], vec![9, 10, 11, 12]));
        cache.insert(other, 13, (1, 0), &segment(1));
        assert_eq!(cached(other, &[(9, 1), (13, 1)]), [9], "a segment without room is not cached");
    }
}

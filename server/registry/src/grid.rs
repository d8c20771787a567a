//! What a server finds pages of devices with: the blocks of texts that it has read.
//!
//! A block changes when devices come or go, and its version with it; its marks have a version of their own. So a search
//! asks for the versions first, and then reads what is new to it: what another server registered a moment ago is found,
//! too.

use crate::{
    errors::StoreError,
    heavy::run_blocking,
    texts::{self, Block, Lines},
    types::AccountId,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

/// Blocks that a server keeps: those of some two million devices. More are read each time.
const MAX_KEPT_BYTES: usize = 256 * 1024 * 1024;

/// What a server finds pages of devices with.
pub(crate) struct Grid {
    pub(crate) texts: Arc<Texts>,
    /// As in [`Registry::open_with`](crate::Registry::open_with).
    pub(crate) few: u64,
    folding: mpsc::Sender<AccountId>,
    scans: Arc<Semaphore>,
    members: Mutex<HashMap<Uuid, (i64, Arc<KeptMembers>)>>,
}

/// The members of a group: lines of blocks as they were read.
pub(crate) type KeptMembers = HashMap<i64, (Weak<texts::Texts>, Arc<Lines>)>;

/// Groups whose members are kept. Each is a bit for each device of the account, but for blocks that have none of it.
const MAX_KEPT_GROUPS: usize = 256;

/// Accounts that wait for their new marks to be folded. One more is asked for by its next search.
const MAX_FOLDING: usize = 64;

impl Grid {
    /// And the accounts whose new marks are to be folded, until this is dropped.
    pub(crate) fn new(few: u64) -> (Self, mpsc::Receiver<AccountId>) {
        let (folding, to_fold) = mpsc::channel(MAX_FOLDING);
        (
            Self {
                texts: Arc::default(),
                few,
                folding,
                scans: Arc::new(Semaphore::new(scans_at_once())),
                members: Mutex::default(),
            },
            to_fold,
        )
    }

    /// Scans texts, off the async threads and a few at a time. The caller has a connection of the database meanwhile, so
    /// those that wait are no more than there are connections.
    pub(crate) async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.scans.clone().acquire_owned().await.map_err(|_| StoreError::Unavailable)?;
        run_blocking(permit, work).await
    }

    /// The members of a group in this version, if they are kept as lines of these blocks.
    pub(crate) fn kept_members(
        &self,
        group: Uuid,
        version: i64,
        blocks: &HashMap<i64, Block>,
    ) -> Option<Arc<KeptMembers>> {
        let kept = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, members) = kept.get(&group).filter(|(there, _)| *there == version)?;
        // In blocks that are not asked for, there may be whoever is.
        let is_same = |(id, (texts, _)): (&i64, &(_, _))| blocks.get(id).is_none_or(|block| block.has(texts));
        members.iter().all(is_same).then(|| members.clone())
    }

    pub(crate) fn keep_members(&self, group: Uuid, version: i64, members: &Arc<KeptMembers>) {
        let mut kept = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT_GROUPS && !kept.contains_key(&group) {
            kept.clear();
        }
        kept.insert(group, (version, members.clone()));
    }

    /// Of more new marks, some are folded: so a search reads them in some two milliseconds.
    pub(crate) fn many_marks(&self) -> u64 {
        self.few / 10
    }

    /// The new marks of this account are many: has them folded, a little later.
    pub(crate) fn fold(&self, account: AccountId) {
        // Where too many wait, a later search asks again.
        let _ = self.folding.try_send(account);
    }
}

/// Concurrent scans: one processor, if there are two or more, is left to everything else, such as the reports of devices.
fn scans_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().saturating_sub(1).max(1))
}

/// The blocks that this server has read.
#[derive(Default)]
pub(crate) struct Texts {
    kept: Mutex<Kept>,
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    accounts: HashMap<Uuid, Account>,
    bytes: usize,
    /// Counts the searches, to know which account has not been searched for longest.
    searches: u64,
}

/// Which state of a block it is: the version of its texts, and that of its marks, 0 where it has none.
pub(crate) type Version = (i64, i64);

#[derive(Default)]
struct Account {
    blocks: HashMap<i64, (Version, Block)>,
    bytes: usize,
    last_search: u64,
}

impl Texts {
    /// Waits until nobody else reads blocks, and keeps others waiting. When many search at once after a start, one reads
    /// for all.
    pub(crate) async fn turn_to_read(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.reading.lock().await
    }

    /// Those of an account's blocks that are kept with these texts, with the version of their marks. Forgets the others
    /// of the account.
    pub(crate) fn kept(
        &self,
        account: Uuid,
        versions: impl Iterator<Item = (i64, i64)>,
    ) -> HashMap<i64, (Version, Block)> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.searches += 1;
        let searches = kept.searches;
        let Some(there) = kept.accounts.get_mut(&account) else { return HashMap::new() };
        there.last_search = searches;
        let versions: HashMap<i64, i64> = versions.collect();
        there.blocks.retain(|id, ((texts, _), _)| versions.get(id) == Some(texts));
        let before = there.bytes;
        there.bytes = there.blocks.values().map(|(_, block)| block.bytes()).sum();
        let found = there.blocks.clone();
        let freed = before - there.bytes;
        kept.bytes -= freed;
        found
    }

    /// Keeps a block, if there is room for it besides the account's own. Blocks of other accounts make room.
    pub(crate) fn keep(&self, account: Uuid, id: i64, version: Version, block: &Block) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.bytes + block.bytes() > MAX_KEPT_BYTES {
            let others = kept.accounts.iter().filter(|(other, _)| **other != account);
            let Some(oldest) = others.min_by_key(|(_, there)| there.last_search).map(|(other, _)| *other) else {
                return;
            };
            kept.bytes -= kept.accounts.remove(&oldest).map_or(0, |there| there.bytes);
        }
        let searches = kept.searches;
        let there = kept.accounts.entry(account).or_default();
        there.last_search = searches;
        let before = there.blocks.insert(id, (version, block.clone())).map_or(0, |(_, block)| block.bytes());
        there.bytes = there.bytes + block.bytes() - before;
        kept.bytes = kept.bytes + block.bytes() - before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_kept_in_their_version_and_make_room_for_another_account() {
        let (texts, one, other) = (Texts::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        let kept = |account, versions: &[(i64, i64)]| {
            let mut ids: Vec<i64> = texts.kept(account, versions.iter().copied()).into_keys().collect();
            ids.sort_unstable();
            ids
        };
        let block = |bytes| Block::new("x".repeat(bytes), &[]);
        for id in 1..=3 {
            texts.keep(one, id, (7, 0), &block(100));
        }
        assert_eq!(kept(one, &[(1, 7), (2, 8), (4, 7)]), [1], "one changed, one is gone, one is new");
        assert_eq!(kept(other, &[(1, 7)]), [0; 0], "each account has its own");
        texts.keep(other, 9, (1, 0), &block(MAX_KEPT_BYTES - 50));
        assert_eq!((kept(one, &[(1, 7)]), kept(other, &[(9, 1)])), (vec![], vec![9]));
        texts.keep(other, 10, (1, 0), &block(51));
        assert_eq!(kept(other, &[(9, 1), (10, 1)]), [9], "what has no room is read each time");
    }
}

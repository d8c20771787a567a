//! The compiled models of devices that report. The version of a definition is part of the key, so an entry is never
//! stale.

use crate::{models::data_schema::Schemas, types::AccountId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The maximum memory for compiled models, by [`Schemas::bytes`]. A typical model takes 2 kB, the largest 8 MB.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Bytes counted for a model beside its schemas, and before their size is known: its entry, its cell, and a reserve.
const ENTRY_BYTES: usize = 512;

/// A compiled model, or why this version of Muster rejects its definition.
pub(crate) type CompiledModel = Result<Schemas, String>;

/// Compiled once, when it is first needed, however many reports wait for it.
pub(crate) type Cell = Arc<OnceCell<Arc<CompiledModel>>>;

pub(crate) struct ModelCache {
    most_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: HashMap<AccountId, Share>,
    bytes: usize,
    uses: u64,
}

/// The models of one account.
#[derive(Default)]
struct Share {
    models: HashMap<Uuid, Entry>,
    bytes: usize,
}

struct Entry {
    version: i32,
    cell: Cell,
    bytes: usize,
    last_use: u64,
}

impl Default for ModelCache {
    fn default() -> Self {
        Self::with(MAX_BYTES)
    }
}

impl ModelCache {
    fn with(most_bytes: usize) -> Self {
        Self { most_bytes, state: Mutex::default() }
    }

    /// The cell of a version of a model.
    pub(crate) fn cell(&self, account: AccountId, model: Uuid, version: i32) -> Cell {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.uses += 1;
        let last_use = state.uses;
        let share = state.accounts.entry(account).or_default();
        if let Some(entry) = share.models.get_mut(&model).filter(|entry| entry.version == version) {
            entry.last_use = last_use;
            return entry.cell.clone();
        }
        let cell = Cell::default();
        state.put(account, model, Entry { version, cell: cell.clone(), bytes: ENTRY_BYTES, last_use });
        state.evict(self.most_bytes);
        cell
    }

    /// Charges a compiled model for its memory, and makes room for it.
    pub(crate) fn charge(&self, account: AccountId, model: Uuid, cell: &Cell, compiled: &CompiledModel) {
        let bytes = ENTRY_BYTES + compiled.as_ref().map_or_else(String::len, Schemas::bytes);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = state.accounts.get(&account).and_then(|share| share.models.get(&model));
        // Another version may have replaced it meanwhile.
        if let Some(&Entry { version, last_use, .. }) = entry.filter(|entry| Arc::ptr_eq(&entry.cell, cell)) {
            state.put(account, model, Entry { version, cell: cell.clone(), bytes, last_use });
            state.evict(self.most_bytes);
        }
    }
}

impl State {
    fn put(&mut self, account: AccountId, model: Uuid, entry: Entry) {
        let share = self.accounts.entry(account).or_default();
        let added = entry.bytes;
        let removed = share.models.insert(model, entry).map_or(0, |before| before.bytes);
        share.bytes = share.bytes + added - removed;
        self.bytes = self.bytes + added - removed;
    }

    /// Removes models until the rest fits, each from the account that has the most, least recently used first. So an
    /// account with many or large models loses its own.
    fn evict(&mut self, most_bytes: usize) {
        while self.bytes > most_bytes {
            let Some((&account, share)) = self.accounts.iter_mut().max_by_key(|(_, share)| share.bytes) else { return };
            let oldest = share.models.iter().min_by_key(|(_, entry)| entry.last_use).map(|(&model, _)| model);
            let Some(entry) = oldest.and_then(|model| share.models.remove(&model)) else { return };
            share.bytes -= entry.bytes;
            self.bytes -= entry.bytes;
            if share.models.is_empty() {
                self.accounts.remove(&account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    const KB: usize = 1024;

    struct Cache(ModelCache);

    impl Cache {
        /// Uses a model; returns whether it was cached.
        fn use_model(&self, account: u128, model: u128, version: i32, bytes: usize) -> bool {
            let (account, model) = (AccountId(Uuid::from_u128(account)), Uuid::from_u128(model));
            let cell = self.0.cell(account, model, version);
            if cell.initialized() {
                return true;
            }
            let compiled = Err("x".repeat(bytes - ENTRY_BYTES));
            self.0.charge(account, model, &cell, &compiled);
            cell.set(Arc::new(compiled)).ok().unwrap();
            let state = self.0.state.lock().unwrap();
            let share_bytes = |share: &Share| share.models.values().map(|entry| entry.bytes).sum::<usize>();
            assert!(state.accounts.values().all(|share| share.bytes == share_bytes(share)));
            assert_eq!(state.bytes, state.accounts.values().map(|share| share.bytes).sum::<usize>());
            assert!(state.bytes <= self.0.most_bytes);
            false
        }
    }

    #[test]
    fn each_version_is_compiled_once() {
        let cache = Cache(ModelCache::with(64 * KB));
        assert!(!cache.use_model(1, 1, 1, KB));
        assert!(cache.use_model(1, 1, 1, KB));
        assert!(!cache.use_model(1, 1, 2, KB), "a new version");
        assert!(!cache.use_model(1, 1, 1, KB), "an older one, as after a restored backup");
        assert_eq!(cache.0.state.lock().unwrap().bytes, KB, "in place of the other");
    }

    #[test]
    fn least_recently_used_model_makes_room() {
        let cache = Cache(ModelCache::with(3 * KB));
        for model in [1, 2, 3] {
            assert!(!cache.use_model(1, model, 1, KB));
        }
        assert!(cache.use_model(1, 1, 1, KB));
        assert!(!cache.use_model(1, 4, 1, KB));
        assert!([1, 3, 4].into_iter().all(|model| cache.use_model(1, model, 1, KB)));
        assert!(!cache.use_model(1, 2, 1, KB));
    }

    #[test]
    fn account_with_many_models_loses_its_own() {
        let cache = Cache(ModelCache::with(64 * KB));
        let others = || (100..110).map(|account| cache.use_model(account, account, 1, KB));
        assert_eq!(others().filter(|was_cached| *was_cached).count(), 0);
        for model in 0..1_000 {
            assert!(!cache.use_model(1, model, 1, 10 * KB));
        }
        assert_eq!(others().filter(|was_cached| *was_cached).count(), 10);
    }

    #[test]
    fn uncompiled_models_are_evicted_too() {
        let cache = ModelCache::with(64 * KB);
        for model in 0..10_000 {
            cache.cell(AccountId(Uuid::from_u128(1)), Uuid::from_u128(model), 1);
        }
        assert_eq!(cache.state.lock().unwrap().bytes, 64 * KB);
    }

    #[test]
    fn too_large_model_is_not_cached() {
        let cache = Cache(ModelCache::with(64 * KB));
        assert!(!cache.use_model(1, 1, 1, 65 * KB));
        assert!(!cache.use_model(1, 1, 1, KB));
    }
}

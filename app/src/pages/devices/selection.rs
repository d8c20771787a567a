//! The ticked devices. They stay ticked over paging, searching and rows that change.

use leptos::prelude::*;
use std::collections::BTreeSet;

/// The names that are ticked, and where a range begins.
#[derive(Clone, Copy)]
pub(super) struct Selection {
    names: RwSignal<BTreeSet<String>>,
    last: StoredValue<Option<String>>,
}

impl Selection {
    pub(super) fn new() -> Self {
        Self { names: RwSignal::new(BTreeSet::new()), last: StoredValue::new(None) }
    }

    pub(super) fn names(self) -> Vec<String> {
        self.names.with(|names| names.iter().cloned().collect())
    }

    pub(super) fn len(self) -> usize {
        self.names.with(BTreeSet::len)
    }

    pub(super) fn is_empty(self) -> bool {
        self.names.with(BTreeSet::is_empty)
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.names.with(|names| names.contains(name))
    }

    pub(super) fn clear(self) {
        self.names.update(BTreeSet::clear);
        self.last.set_value(None);
    }

    /// Ticks or unticks one device; with Shift, all between it and the one before, in the order shown.
    pub(super) fn tick(self, name: &str, is_on: bool, is_range: bool, shown: &[String]) {
        let at = |name: &str| shown.iter().position(|other| other == name);
        let range = self.last.get_value().filter(|_| is_range).and_then(|last| Some((at(&last)?, at(name)?)));
        let (from, to) = match range {
            Some((last, this)) => (last.min(this), last.max(this)),
            None => match at(name) {
                Some(this) => (this, this),
                None => return,
            },
        };
        self.set(&shown[from..=to], is_on);
        self.last.set_value(Some(name.to_owned()));
    }

    /// Ticks or unticks all of these.
    pub(super) fn set(self, some: &[String], is_on: bool) {
        self.names.update(|names| {
            for name in some {
                if is_on {
                    names.insert(name.clone());
                } else {
                    names.remove(name);
                }
            }
        });
    }
}

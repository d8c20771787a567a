//! What is ticked on a page. It stays ticked over paging, sorting, searching and rows that change.

use crate::{browser::calls::Targets, fns::devices::DeviceFilter};
use leptos::prelude::*;
use std::collections::BTreeSet;

/// What is ticked, and where a range begins.
#[derive(Clone, Copy)]
pub(super) struct Selection {
    ticked: RwSignal<Ticked>,
    last: StoredValue<Option<String>>,
}

#[derive(Clone, PartialEq)]
enum Ticked {
    /// Those with these names.
    Some(BTreeSet<String>),
    /// All that match, on whatever page, but for those that were unticked since.
    Matching(Matching, BTreeSet<String>),
}

/// All that match a filter.
#[derive(Clone, PartialEq)]
pub(super) struct Matching {
    pub(super) filter: DeviceFilter,
    /// How many they are: as many as when they were ticked, or fewer.
    pub(super) total: u64,
    /// When they were ticked, by the server's clock. Those registered later are not among them.
    pub(super) at_ms: i64,
}

impl Selection {
    pub(super) fn new() -> Self {
        Self { ticked: RwSignal::new(Ticked::Some(BTreeSet::new())), last: StoredValue::new(None) }
    }

    /// The devices that are ticked.
    pub(super) fn targets(self) -> Targets {
        self.ticked.with(|ticked| match ticked {
            Ticked::Some(names) => Targets::Named(names.iter().cloned().collect()),
            Ticked::Matching(all, except) => Targets::Matching {
                filter: all.filter.clone(),
                registered_by_ms: all.at_ms,
                except: except.iter().cloned().collect(),
            },
        })
    }

    /// The names that are ticked one by one.
    pub(super) fn names(self) -> Vec<String> {
        self.ticked.with(|ticked| match ticked {
            Ticked::Some(names) => names.iter().cloned().collect(),
            Ticked::Matching(..) => Vec::new(),
        })
    }

    pub(super) fn len(self) -> u64 {
        self.ticked.with(|ticked| match ticked {
            Ticked::Some(names) => names.len() as u64,
            Ticked::Matching(all, except) => all.total.saturating_sub(except.len() as u64),
        })
    }

    /// Whether all that match are ticked.
    pub(super) fn is_all(self) -> bool {
        self.ticked.with(|ticked| matches!(ticked, Ticked::Matching(..)))
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.ticked.with(|ticked| match ticked {
            Ticked::Some(names) => names.contains(name),
            Ticked::Matching(_, except) => !except.contains(name),
        })
    }

    pub(super) fn clear(self) {
        self.ticked.set(Ticked::Some(BTreeSet::new()));
        self.last.set_value(None);
    }

    /// Ticks all that match.
    pub(super) fn tick_all(self, all: Matching) {
        self.ticked.set(Ticked::Matching(all, BTreeSet::new()));
        self.last.set_value(None);
    }

    /// Another filter is shown: what is on the page then need not match that of "all that match".
    pub(super) fn shows(self, filter: &DeviceFilter) {
        let is_other =
            self.ticked.with_untracked(|ticked| matches!(ticked, Ticked::Matching(all, _) if all.filter != *filter));
        if is_other {
            self.clear();
        }
    }

    /// So many match now. Those that do not any more, such as for what was done to them, are not ticked any more;
    /// those that are new are not either.
    pub(super) fn match_now(self, now: u64) {
        match self.ticked.with_untracked(|ticked| matches!(ticked, Ticked::Matching(all, _) if now < all.total)) {
            true if now == 0 => self.clear(),
            true => self.ticked.update(|ticked| {
                if let Ticked::Matching(all, _) = ticked {
                    all.total = now;
                }
            }),
            false => {}
        }
    }

    /// Ticks or unticks one; with Shift, all between it and the one before, in the order shown.
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
        self.ticked.update(|ticked| {
            let (names, puts_in) = match ticked {
                Ticked::Some(names) => (names, is_on),
                Ticked::Matching(_, except) => (except, !is_on),
            };
            for name in some {
                if puts_in {
                    names.insert(name.clone());
                } else {
                    names.remove(name);
                }
            }
        });
    }
}

//! What is ticked on a page. It stays ticked over paging, sorting, searching and rows that change.

use crate::query::is_search_too_long;
use leptos::prelude::*;
use muster_domain::{DeviceFilter, DeviceItem, DeviceName, MAX_SEARCHED_NAMES, Matching, Targets, Timestamp};
use std::collections::BTreeSet;

/// What is ticked, and where a range begins: devices or groups, by their names.
pub(super) struct Selection<N: Name> {
    ticked: RwSignal<Ticked<N>>,
    last: StoredValue<Option<N>>,
}

/// The name of something that can be ticked.
pub(super) trait Name: Ord + Clone + Send + Sync + 'static {}

impl<N: Ord + Clone + Send + Sync + 'static> Name for N {}

impl<N: Name> Clone for Selection<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N: Name> Copy for Selection<N> {}

#[derive(Clone, PartialEq)]
enum Ticked<N: Name> {
    /// Those with these names.
    Some(BTreeSet<N>),
    /// All that match, on whatever page, but for those that were unticked since.
    Matching(AllMatching, BTreeSet<N>),
}

/// All that match a filter.
#[derive(Clone, PartialEq)]
pub(super) struct AllMatching {
    pub(super) filter: DeviceFilter,
    /// How many they are: as many as when they were ticked, or fewer since.
    pub(super) total: u64,
    /// When they were ticked, by the server's clock. Those registered later are not among them.
    pub(super) at: Timestamp,
}

impl Selection<DeviceName> {
    /// The devices that are ticked.
    pub(super) fn targets(self) -> Targets {
        self.ticked.with(|ticked| match ticked {
            Ticked::Some(names) => Targets::Named(names.iter().cloned().collect()),
            Ticked::Matching(all, except) => Targets::Matching(Matching {
                filter: all.filter.clone(),
                registered_by: all.at,
                except: except.iter().cloned().collect(),
                after: None,
            }),
        })
    }
}

/// The number of selected devices that a dialog names.
const FIRST_NAMES: usize = 5;

impl Selection<DeviceName> {
    /// How many of the ticked devices are not among these, which the page shows.
    pub(super) fn hidden(self, shown: &[DeviceItem]) -> u64 {
        let ticked = shown.iter().filter(|item| self.has(&item.name)).count() as u64;
        self.len().saturating_sub(ticked)
    }

    /// The first names of those that are ticked, as far as they are known; of all that match, those that the page shows.
    pub(super) fn first_names(self, shown: &[DeviceItem]) -> Vec<DeviceName> {
        self.ticked.with(|ticked| match ticked {
            Ticked::Some(names) => names.iter().take(FIRST_NAMES).cloned().collect(),
            Ticked::Matching(_, except) => {
                let names = shown.iter().map(|item| &item.name).filter(|name| !except.contains(*name));
                names.take(FIRST_NAMES).cloned().collect()
            }
        })
    }

    /// A search that finds exactly the devices that are ticked one by one, if it fits into an address.
    pub(super) fn search(self) -> Option<String> {
        let names = self.names();
        // Without the comma behind it, one name would be a search for a text.
        let list: String = names.iter().flat_map(|name| [name.as_str(), ","]).collect();
        (!names.is_empty() && names.len() <= MAX_SEARCHED_NAMES && !is_search_too_long(&list)).then_some(list)
    }
}

impl<N: Name> Selection<N> {
    pub(super) fn new() -> Self {
        Self { ticked: RwSignal::new(Ticked::Some(BTreeSet::new())), last: StoredValue::new(None) }
    }

    /// The names that are ticked one by one.
    pub(super) fn names(self) -> Vec<N> {
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

    /// Whether all of this many matching devices are ticked.
    pub(super) fn is_all(self, matching: u64) -> bool {
        self.ticked.with(
            |ticked| matches!(ticked, Ticked::Matching(all, except) if except.is_empty() && matching <= all.total),
        )
    }

    pub(super) fn has(self, name: &N) -> bool {
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
    pub(super) fn tick_all(self, all: AllMatching) {
        self.ticked.set(Ticked::Matching(all, BTreeSet::new()));
        self.last.set_value(None);
    }

    /// Clears "all that match" if the page shows another filter, since its rows need not match the old one.
    pub(super) fn shows(self, filter: &DeviceFilter) {
        let is_other =
            self.ticked.with_untracked(|ticked| matches!(ticked, Ticked::Matching(all, _) if all.filter != *filter));
        if is_other {
            self.clear();
        }
    }

    /// Records how many devices match this filter now. Devices that no longer match are no longer selected; devices that are
    /// new are not selected, either.
    pub(super) fn match_now(self, filter: &DeviceFilter, now: u64) {
        let is_less =
            |ticked: &Ticked<N>| matches!(ticked, Ticked::Matching(all, _) if all.filter == *filter && now < all.total);
        match self.ticked.with_untracked(is_less) {
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
    pub(super) fn tick(self, name: &N, is_on: bool, is_range: bool, shown: &[N]) {
        let at = |name: &N| shown.iter().position(|other| other == name);
        let range = self.last.get_value().filter(|_| is_range).and_then(|last| Some((at(&last)?, at(name)?)));
        let (from, to) = match range {
            Some((last, this)) => (last.min(this), last.max(this)),
            None => match at(name) {
                Some(this) => (this, this),
                None => return,
            },
        };
        self.set(&shown[from..=to], is_on);
        self.last.set_value(Some(name.clone()));
    }

    /// Ticks or unticks all of these.
    pub(super) fn set(self, some: &[N], is_on: bool) {
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    fn numbered(model: &str, total: u64) -> AllMatching {
        let filter = DeviceFilter { model: model.parse().ok(), ..DeviceFilter::default() };
        AllMatching { filter, total, at: Timestamp::from_ms(1) }
    }

    #[test]
    fn a_number_counts_only_for_the_filter_it_was_counted_for() {
        Owner::new().with(|| {
            let selection = Selection::<DeviceName>::new();
            selection.tick_all(numbered("A", 100));
            selection.match_now(&numbered("B", 0).filter, 0);
            assert_eq!(selection.len(), 100);
            selection.match_now(&numbered("A", 0).filter, 120);
            assert_eq!(selection.len(), 100);
            selection.match_now(&numbered("A", 0).filter, 70);
            assert_eq!(selection.len(), 70);
            selection.match_now(&numbered("A", 0).filter, 0);
            assert_eq!(selection.len(), 0);
        });
    }

    #[test]
    fn all_are_ticked_where_none_was_unticked_and_none_is_new() {
        Owner::new().with(|| {
            let selection = Selection::new();
            let name: DeviceName = "d1".parse().unwrap();
            selection.set(std::slice::from_ref(&name), true);
            assert!(!selection.is_all(1), "it need not be the one that matches");
            selection.tick_all(numbered("A", 3));
            assert!(selection.is_all(3));
            assert!(!selection.is_all(4));
            selection.set(&[name], false);
            assert!(!selection.is_all(3));
        });
    }
}

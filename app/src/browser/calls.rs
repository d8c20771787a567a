//! The calls of an action on many devices, one after another.

use crate::fns::devices::{Chosen, DEVICES_PER_CALL, DeviceFilter, Step};
use std::rc::Rc;

/// The devices of an action.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Targets {
    /// The devices with these names.
    Named(Vec<String>),
    /// The devices that match; see [`Chosen::Matching`].
    Matching { filter: DeviceFilter, registered_by_ms: i64, except: Vec<String> },
}

/// The calls of one action. The action can be stopped between two of them, and continued.
#[derive(Clone)]
pub(crate) struct Calls {
    targets: Rc<Targets>,
    /// For a list of names: how many were sent.
    taken: usize,
    /// For a filter: the last name that was processed.
    after: Option<String>,
    is_done: bool,
}

impl Calls {
    pub(crate) fn new(targets: Targets) -> Self {
        Self { targets: Rc::new(targets), taken: 0, after: None, is_done: false }
    }

    /// The devices of the next call; `None` if all are done.
    pub(crate) fn next(&self) -> Option<Chosen> {
        if self.is_done {
            return None;
        }
        Some(match &*self.targets {
            Targets::Named(names) => {
                Chosen::Named(names.iter().skip(self.taken).take(DEVICES_PER_CALL).cloned().collect())
            }
            Targets::Matching { filter, registered_by_ms, except } => Chosen::Matching {
                filter: filter.clone(),
                registered_by_ms: *registered_by_ms,
                except: except.clone(),
                after: self.after.clone(),
            },
        })
    }

    /// Records the result of that call.
    pub(crate) fn done(&mut self, step: &Step) {
        match &*self.targets {
            Targets::Named(names) => {
                self.taken += DEVICES_PER_CALL;
                self.is_done = self.taken >= names.len();
            }
            Targets::Matching { .. } => {
                self.after.clone_from(&step.next);
                self.is_done = step.next.is_none();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sent_in_slices() {
        let check = |names: usize, expected: &[usize]| {
            let mut calls = Calls::new(Targets::Named((0..names).map(|at| format!("d{at}")).collect()));
            let mut sent = Vec::new();
            while let Some(Chosen::Named(some)) = calls.next() {
                sent.push(some.len());
                calls.done(&Step::default());
            }
            assert_eq!(sent, expected);
        };
        check(1, &[1]);
        check(10_000, &[10_000]);
        check(20_001, &[10_000, 10_000, 1]);
    }

    #[test]
    fn filter_continues_after_the_last_name() {
        let targets = Targets::Matching { filter: DeviceFilter::default(), registered_by_ms: 7, except: Vec::new() };
        let mut calls = Calls::new(targets);
        let after = |calls: &Calls| match calls.next() {
            Some(Chosen::Matching { after, .. }) => Some(after),
            _ => None,
        };
        assert_eq!(after(&calls), Some(None));
        calls.done(&Step { devices: 10_000, next: Some("d1".to_owned()) });
        assert_eq!(after(&calls), Some(Some("d1".to_owned())));
        calls.done(&Step { devices: 3, next: None });
        assert_eq!(after(&calls), None);
    }
}

//! One thing done to many devices: by as many calls of the server as it takes, one after the other.

use crate::fns::devices::{Chosen, DEVICES_PER_CALL, DeviceFilter, Step};
use std::rc::Rc;

/// The devices that something is to be done to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Targets {
    /// Those with these names.
    Named(Vec<String>),
    /// Those that match; see [`Chosen::Matching`].
    Matching { filter: DeviceFilter, registered_by_ms: i64, except: Vec<String> },
}

/// The calls it takes. It can be stopped between two of them, and go on from there.
#[derive(Clone)]
pub(crate) struct Calls {
    targets: Rc<Targets>,
    /// Of a list of names: how many were taken.
    taken: usize,
    /// Of those that match: how far it came.
    after: Option<String>,
    is_done: bool,
}

impl Calls {
    pub(crate) fn new(targets: Targets) -> Self {
        Self { targets: Rc::new(targets), taken: 0, after: None, is_done: false }
    }

    /// What the next call is for; `None`: all is done.
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

    /// That call is done, and came as far as this.
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
    fn names_go_in_slices() {
        let check = |names: usize, expected: &[usize]| {
            let mut calls = Calls::new(Targets::Named((0..names).map(|at| format!("d{at}")).collect()));
            let mut there = Vec::new();
            while let Some(Chosen::Named(some)) = calls.next() {
                there.push(some.len());
                calls.done(&Step::default());
            }
            assert_eq!(there, expected);
        };
        check(1, &[1]);
        check(10_000, &[10_000]);
        check(20_001, &[10_000, 10_000, 1]);
    }

    #[test]
    fn what_matches_goes_on_behind_the_last_name() {
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

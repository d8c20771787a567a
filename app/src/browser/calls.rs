//! The calls of an action on many devices, one after another.

use muster_domain::{CallOutcome, DeviceName, MAX_DEVICES_PER_CALL, Matching, Targets};
use std::rc::Rc;

/// The calls it takes. It can be stopped between two of them, and go on from there.
#[derive(Clone)]
pub(crate) struct Calls {
    targets: Rc<Targets>,
    /// For a list of names: how many were sent.
    taken: usize,
    /// Of those that match: how far it came.
    after: Option<DeviceName>,
    is_done: bool,
}

impl Calls {
    /// For all of these devices, however many.
    pub(crate) fn new(targets: Targets) -> Self {
        Self { targets: Rc::new(targets), taken: 0, after: None, is_done: false }
    }

    /// What the next call is for; `None`: all is done.
    pub(crate) fn next(&self) -> Option<Targets> {
        if self.is_done {
            return None;
        }
        Some(match &*self.targets {
            Targets::Named(names) => {
                Targets::Named(names.iter().skip(self.taken).take(MAX_DEVICES_PER_CALL).cloned().collect())
            }
            Targets::Matching(matching) => {
                Targets::Matching(Matching { after: self.after.clone(), ..matching.clone() })
            }
        })
    }

    /// That call is done, and came as far as this.
    pub(crate) fn done(&mut self, outcome: &CallOutcome) {
        match &*self.targets {
            Targets::Named(names) => {
                self.taken += MAX_DEVICES_PER_CALL;
                self.is_done = self.taken >= names.len();
            }
            Targets::Matching(_) => {
                self.after.clone_from(&outcome.next);
                self.is_done = outcome.next.is_none();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use muster_domain::{DeviceFilter, Timestamp};

    fn name(text: &str) -> DeviceName {
        DeviceName::parse(text).unwrap()
    }

    #[test]
    fn names_are_sent_in_slices() {
        let check = |names: usize, expected: &[usize]| {
            let mut calls = Calls::new(Targets::Named((0..names).map(|at| name(&format!("d{at}"))).collect()));
            let mut sent = Vec::new();
            while let Some(Targets::Named(some)) = calls.next() {
                sent.push(some.len());
                calls.done(&CallOutcome::default());
            }
            assert_eq!(sent, expected);
        };
        check(1, &[1]);
        check(10_000, &[10_000]);
        check(20_001, &[10_000, 10_000, 1]);
    }

    #[test]
    fn what_matches_goes_on_behind_the_last_name() {
        let targets = Targets::Matching(Matching {
            filter: DeviceFilter::default(),
            registered_by: Timestamp::from_ms(7),
            except: Vec::new(),
            after: None,
        });
        let mut calls = Calls::new(targets);
        let after = |calls: &Calls| match calls.next() {
            Some(Targets::Matching(matching)) => Some(matching.after),
            _ => None,
        };
        assert_eq!(after(&calls), Some(None));
        calls.done(&CallOutcome { devices: 10_000, next: Some(name("d1")) });
        assert_eq!(after(&calls), Some(Some(name("d1"))));
        calls.done(&CallOutcome { devices: 3, next: None });
        assert_eq!(after(&calls), None);
    }
}

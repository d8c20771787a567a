//! Groups problems, or warnings, by their cause, so that 412 rows with one misspelt tier read as one problem.

use std::collections::BTreeMap;

use super::field::Field;
use super::problem::{Cause, Problem};
use super::report::{CheckReport, ProblemGroup};
use crate::names::{DeviceNameProblem, ModelNameProblem};
use crate::text::TextProblem;

/// The groups so far, and the first problems of each.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_key: BTreeMap<Key, usize>,
    groups: Vec<ProblemGroup>,
}

/// What the problems of a group have in common.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// The cause without what is particular to one problem, the field, and the value if it is grouped by that.
    Same(Cause, Option<Field>, String),
    /// All other problems of this kind, beyond the groups that are counted separately.
    Others(&'static str),
}

impl Groups {
    /// Adds a problem. They come in the order of the file, except for repeated names, which come last.
    pub(super) fn add(&mut self, problem: &Problem) {
        let key = key(problem);
        let found = self.by_key.get(&key).copied();
        let index = found.unwrap_or_else(|| self.begin(key, problem));
        let group = &mut self.groups[index];
        group.count += 1;
        if group.examples.len() < CheckReport::GROUP_EXAMPLES {
            group.examples.push(problem.clone());
        }
    }

    fn begin(&mut self, key: Key, problem: &Problem) -> usize {
        let (key, heading) = if self.groups.len() < CheckReport::MAX_GROUPS {
            (key, problem.cause.heading(problem.field, &problem.value))
        } else {
            let others = Key::Others(problem.cause.kind());
            if let Some(&index) = self.by_key.get(&others) {
                return index;
            }
            (others, problem.cause.folded_heading())
        };
        let index = self.groups.len();
        let kind = problem.cause.kind().to_owned();
        self.groups.push(ProblemGroup { kind, heading, count: 0, examples: Vec::new() });
        self.by_key.insert(key, index);
        index
    }

    /// What ended the reading first, then the most frequent, and equals in the order of the file.
    pub(super) fn into_groups(mut self) -> Vec<ProblemGroup> {
        let ends = |it: &ProblemGroup| it.examples.iter().any(|problem| problem.cause.ends_reading());
        self.groups.sort_by_key(|it| (!ends(it), std::cmp::Reverse(it.count)));
        self.groups
    }
}

fn key(problem: &Problem) -> Key {
    let value = match problem.cause {
        Cause::PricingTier { .. } | Cause::GroupColumn | Cause::UnknownSeparator => problem.value.clone(),
        _ => String::new(),
    };
    let cause = match problem.cause.clone() {
        Cause::DeviceName(DeviceNameProblem::TooLong { .. }) => {
            Cause::DeviceName(DeviceNameProblem::TooLong { chars: 0 })
        }
        Cause::ModelName(ModelNameProblem::TooLong { .. }) => Cause::ModelName(ModelNameProblem::TooLong { chars: 0 }),
        Cause::FriendlyName(TextProblem::TooLong { max, .. }) => {
            Cause::FriendlyName(TextProblem::TooLong { chars: 0, max })
        }
        Cause::Description(TextProblem::TooLong { max, .. }) => {
            Cause::Description(TextProblem::TooLong { chars: 0, max })
        }
        Cause::Duplicate { .. } => Cause::Duplicate { first_line: 0 },
        Cause::CaseOnly { .. } => Cause::CaseOnly { first_line: 0 },
        cause => cause,
    };
    Key::Same(cause, problem.field, value)
}

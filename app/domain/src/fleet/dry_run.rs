//! The expected outcome of registering a file, found without changing anything.

use crate::{DeviceName, Field};
use serde::{Deserialize, Serialize};

/// Why a valid row is not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowFailure {
    /// The account does not have its model.
    UnknownModel,
    /// A device with its name is registered, and differs in this field.
    Differs(Field),
}

impl RowFailure {
    /// The sentence in `errors.csv`.
    #[must_use]
    pub fn sentence(self) -> String {
        match self {
            Self::UnknownModel => {
                "A request to add a device failed because the specified model was not found".to_owned()
            }
            Self::Differs(field) => {
                format!("A device with this name is already registered with a different {}", lower(field))
            }
        }
    }

    /// The cause in a few words, after a number of rows.
    #[must_use]
    pub fn cause(self) -> String {
        match self {
            Self::UnknownModel => "unknown model".to_owned(),
            Self::Differs(field) => format!("different {}", lower(field)),
        }
    }
}

fn lower(field: Field) -> String {
    field.label().to_lowercase()
}

/// The outcome of the rows of a file, or of a part of it, if they were registered now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRun {
    /// Devices that would be registered.
    pub new: u64,
    /// Devices that are already registered, and do not differ.
    pub already: u64,
    /// The rows that would fail, by cause.
    pub failures: Vec<ExpectedFailures>,
}

/// The rows that would fail for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedFailures {
    /// The reason.
    pub failure: RowFailure,
    /// The number of rows.
    pub rows: u64,
    /// The first [`DryRun::FIRST_ROWS`] of them: line and device name.
    pub first: Vec<(u64, DeviceName)>,
}

impl DryRun {
    /// The maximum number of rows that are listed for each cause.
    pub const FIRST_ROWS: usize = 10;

    /// Counts a row that would fail.
    pub fn fail(&mut self, failure: RowFailure, line: u64, name: &DeviceName) {
        let failures = self.failures_of(failure);
        failures.rows += 1;
        if failures.first.len() < Self::FIRST_ROWS {
            failures.first.push((line, name.clone()));
        }
    }

    /// Adds the part that follows in the file.
    pub fn add(&mut self, next: Self) {
        self.new += next.new;
        self.already += next.already;
        for ExpectedFailures { failure, rows, first } in next.failures {
            let failures = self.failures_of(failure);
            failures.rows += rows;
            let missing = Self::FIRST_ROWS.saturating_sub(failures.first.len());
            failures.first.extend(first.into_iter().take(missing));
        }
    }

    /// The number of rows that would fail.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failures.iter().map(|failures| failures.rows).sum()
    }

    fn failures_of(&mut self, failure: RowFailure) -> &mut ExpectedFailures {
        let at = self.failures.iter().position(|failures| failures.failure == failure).unwrap_or_else(|| {
            self.failures.push(ExpectedFailures { failure, rows: 0, first: Vec::new() });
            self.failures.len() - 1
        });
        &mut self.failures[at]
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    #[test]
    fn parts_add_up_to_the_file() {
        let differs = RowFailure::Differs(Field::PricingTier);
        let part = |lines: std::ops::Range<u64>| {
            let mut part = DryRun { new: 3, already: 1, ..DryRun::default() };
            for line in lines {
                let name = format!("d{line}").parse().unwrap();
                part.fail(if line % 2 == 0 { differs } else { RowFailure::UnknownModel }, line, &name);
            }
            part
        };
        let mut file = part(1..8);
        file.add(part(8..40));
        assert_eq!((file.new, file.already, file.failed()), (6, 2, 39));
        let lines = |failure| {
            let failures = file.failures.iter().find(|failures| failures.failure == failure).unwrap();
            (failures.rows, failures.first.iter().map(|(line, _)| *line).collect::<Vec<_>>())
        };
        assert_eq!(lines(differs), (19, (1..11).map(|at| 2 * at).collect()));
        assert_eq!(lines(RowFailure::UnknownModel), (20, (0..10).map(|at| 2 * at + 1).collect()));
    }
}

//! All problems of a file, one by one: the report has only the first of each cause.

use super::field::Field;
use super::problem::Problem;
use super::row::Row;
use crate::csv_out::problems_csv;

/// The size above which no more problems are listed. A million rows with a problem each have about half of that.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// The rows of `problems.csv`: those of each row in order, then the repeated names, which are known at the end.
#[derive(Debug, Default)]
pub(super) struct Listing {
    csv: Vec<u8>,
    /// Problems whose row has not come yet.
    pending: Vec<Problem>,
}

impl Listing {
    pub(super) fn problem(&mut self, problem: Problem) {
        self.pending.push(problem);
    }

    /// The row of the problems before it, except of those of text that is no row.
    pub(super) fn row(&mut self, row: &Row<'_>) {
        for problem in std::mem::take(&mut self.pending) {
            let name = if problem.line < row.line() { "" } else { row.field(Field::DeviceName) };
            self.push(&problem, name);
        }
    }

    pub(super) fn repeat(&mut self, problem: &Problem, name: &str) {
        self.push(problem, name);
    }

    /// `problems.csv`, as a whole.
    pub(super) fn into_csv(mut self) -> Vec<u8> {
        for problem in std::mem::take(&mut self.pending) {
            self.push(&problem, "");
        }
        self.csv
    }

    fn push(&mut self, problem: &Problem, name: &str) {
        if self.csv.is_empty() {
            self.csv.extend_from_slice(problems_csv::HEADER.as_bytes());
        }
        if self.csv.len() < MAX_BYTES {
            problems_csv::push_row(&mut self.csv, problem, name);
        }
    }
}

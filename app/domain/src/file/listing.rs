//! All problems of a file, one by one: the report has only the first of each cause.

use super::field::Field;
use super::problem::Problem;
use super::row::Row;
use crate::csv_out::problems_csv;

/// The size above which no more problems are listed. A million rows with a problem each have about half of that.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// The last line of a list that is cut off there.
const CUT_OFF: &str = "The list ends here: the file has more problems than this. Fix these, then check the file again.";

/// The rows of `problems.csv`: those of each row in order, then the repeated names, which are known at the end.
#[derive(Debug)]
pub(super) struct Listing {
    csv: Vec<u8>,
    max_bytes: usize,
    is_cut_off: bool,
    /// Problems whose row has not come yet.
    pending: Vec<Problem>,
}

impl Default for Listing {
    fn default() -> Self {
        Self { csv: Vec::new(), max_bytes: MAX_BYTES, is_cut_off: false, pending: Vec::new() }
    }
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
        if self.csv.len() < self.max_bytes {
            problems_csv::push_row(&mut self.csv, problem, name);
        } else if !self.is_cut_off {
            self.is_cut_off = true;
            problems_csv::push_note(&mut self.csv, CUT_OFF);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cause;

    #[test]
    fn long_list_says_that_it_is_cut_off() {
        let list = |problems: usize| {
            let mut listing = Listing { max_bytes: 200, ..Listing::default() };
            (0..problems).for_each(|_| listing.problem(Problem::of_file(Cause::Nul)));
            String::from_utf8_lossy(&listing.into_csv()).into_owned()
        };
        assert!(!list(1).contains(CUT_OFF));
        let long = list(100);
        assert_eq!(long.matches(CUT_OFF).count(), 1);
        assert!(
            long.len() < 600
                && long.ends_with(&format!(",,,,{CUT_OFF}\r\n").replace(CUT_OFF, &format!("\"{CUT_OFF}\""))),
            "{long}"
        );
    }
}

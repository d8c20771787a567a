//! What a reader has found so far: counted, and handed on to its sink.

use super::Sink;
use crate::file::MAX_DEVICES;
use crate::file::problem::{Cause, Problem};
use crate::file::row::place_at;

/// What the reader found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) rows: u64,
    pub(super) problems: u64,
    pub(super) ended: bool,
}

impl Found {
    pub(super) fn problem<S: Sink>(&mut self, problem: Problem, sink: &mut S) {
        self.problems += 1;
        sink.problem(problem);
    }

    pub(super) fn end_with<S: Sink>(&mut self, problem: Problem, sink: &mut S) {
        if !self.ended {
            self.ended = true;
            self.problem(problem, sink);
        }
    }

    /// Counts a row, unless it is one too many.
    pub(super) fn counts_row<S: Sink>(&mut self, line: u64, sink: &mut S) -> bool {
        if self.rows == MAX_DEVICES {
            self.end_with(Problem::at((line, 1), None, "", Cause::TooManyDevices), sink);
            return false;
        }
        self.rows += 1;
        true
    }

    /// Whether there is a NUL in a row that is wrong anyway: then that is what to say of it.
    pub(super) fn is_nul<S: Sink>(&mut self, row: &[u8], line: u64, sink: &mut S) -> bool {
        let Some(at) = memchr::memchr(0, row) else {
            return false;
        };
        self.end_with(Problem::at(place_at(row, at, line), None, "", Cause::Nul), sink);
        true
    }
}

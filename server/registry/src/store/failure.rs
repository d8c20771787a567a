//! Translates the database's errors, and logs its own messages, at most one a second.

use super::{postgres, sqlite};
use crate::errors::StoreError;
use std::{
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Limits the log to one line a second, and counts the others: when the database is gone, thousands of requests fail.
struct Lines(Mutex<(Option<Instant>, u64)>);

impl Lines {
    const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// How many lines were omitted before this one; `None`: omit this one, too.
    fn next(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, left_out) = &mut *state;
        if last.is_some_and(|last| now.duration_since(last) < Duration::from_secs(1)) {
            *left_out += 1;
            return None;
        }
        *last = Some(now);
        Some(mem::take(left_out))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        if code.is_some_and(|code| sqlite::dialect::is_read_only(&code) || postgres::dialect::is_read_only(&code)) {
            // Every write ends here as long as it lasts. The readiness check logs one warning.
            tracing::debug!(%error, "the database is read-only");
            return Self::ReadOnly;
        }
        let (failure, what) = match &error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
                (Self::Corrupt, "a value in the database cannot be read")
            }
            _ => (Self::Unavailable, "the database cannot be used"),
        };
        static LINES: Lines = Lines::new();
        if let Some(left_out) = LINES.next(Instant::now()) {
            tracing::error!(%error, left_out, "{what}");
        }
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_is_logged() {
        let (lines, start) = (Lines::new(), Instant::now());
        let next = |ms| lines.next(start + Duration::from_millis(ms));
        assert_eq!(
            [next(0), next(1), next(999), next(1_000), next(1_500), next(9_000)],
            [Some(0), None, None, Some(2), None, Some(1)]
        );
    }
}

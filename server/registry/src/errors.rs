//! What can go wrong, by use case. Each says a sentence; the database's own words go to the log.

use crate::{postgres, sqlite};
use muster_domain::ModelProblem;
use std::{
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The registry cannot answer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database is gone, overloaded or full. Trying again may help.
    #[error("The database cannot be used now. Check the server's log, then try again.")]
    Unavailable,
    /// The database takes no changes: its file or disk is read-only, or it is a standby.
    #[error(
        "The database is read-only now: nothing can be changed, and users cannot sign in. Ask your administrator, then \
         try again."
    )]
    ReadOnly,
    /// The database holds what Muster never wrote.
    #[error("The database holds something that Muster did not write. Check the server's log.")]
    Corrupt,
    /// The account has more devices than the memory of the fleet index holds.
    #[error(
        "This fleet is larger than the memory of this server's index: its devices can be listed by name, but not searched, \
         filtered, sorted otherwise or selected together. Ask your administrator to raise MUSTER_INDEX_MEMORY."
    )]
    FleetTooLarge,
}

/// Lets one line a second into the log, and counts the others: when the database is gone, thousands of requests fail.
struct Lines(Mutex<(Option<Instant>, u64)>);

impl Lines {
    const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// How many lines were left out before this one; `None`: this one is left out, too.
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
        if code.is_some_and(|code| sqlite::is_read_only(&code) || postgres::is_read_only(&code)) {
            // Every attempt at a change ends here, for as long as it lasts: the check of readiness warns of it once.
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

/// Why the registry cannot serve now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// The database is gone, overloaded or full.
    #[error("The database cannot be used.")]
    Unavailable,
    /// It did not answer in time.
    #[error("The database does not answer in time.")]
    Slow,
    /// It takes no changes.
    #[error("The database is read-only.")]
    ReadOnly,
    /// Its tables are those of an earlier version.
    #[error("The database belongs to an earlier version of Muster. Restart this server to bring it up to date.")]
    SchemaIsOlder,
    /// Its tables are those of a later version, or of another build.
    #[error("The database belongs to another version of Muster. Start that version.")]
    SchemaIsNewer,
}

impl From<StoreError> for NotReady {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable | StoreError::Corrupt | StoreError::FleetTooLarge => Self::Unavailable,
            StoreError::ReadOnly => Self::ReadOnly,
        }
    }
}

/// The registry could not be opened; a sentence for the person who starts the server.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub(crate) String);

/// An account could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// There is one of that name.
    #[error("An account with this name already exists.")]
    Taken,
    /// The registry cannot answer now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person could not be added or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonError {
    /// It is not an email address.
    #[error("That is not an email address. It needs a name, an @, and a host, at most 254 characters.")]
    NotAnAddress,
    /// Somebody signs in with it.
    #[error("A user with this email address already exists.")]
    Taken,
    /// Nobody signs in with it.
    #[error("There is no user with this email address.")]
    Unknown,
    /// The registry cannot answer now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody was not signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// Nobody signs in with that address and password. Which of the two is wrong is not said.
    #[error("Incorrect email or password.")]
    Wrong,
    /// Too many wrong passwords came from the same source.
    #[error("Too many wrong passwords. Try again in {retry_after_s} seconds.")]
    TooMany {
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// The registry cannot answer now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A model definition was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It is not a Thing Model, for these reasons.
    #[error("This is not a model definition: it has {} problems.", .0.len())]
    Invalid(Vec<ModelProblem>),
    /// The account has as many models as it may.
    #[error("An account can have 10,000 models. Delete some that no device uses.")]
    TooMany,
    /// The registry cannot answer now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A model was not deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteModelError {
    /// There is none of that name.
    #[error("There is no model with this name.")]
    NotFound,
    /// Devices are of it.
    #[error("{devices} devices use this model. Delete those devices first.")]
    InUse {
        /// How many.
        devices: u64,
    },
    /// The registry cannot answer now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Something about a device group was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// There is one of that name.
    #[error("A group with this name already exists.")]
    Taken,
    /// There is none of that name.
    #[error("This device group no longer exists.")]
    NotFound,
    /// The account has as many groups as it may.
    #[error("An account can have 10,000 device groups. Delete some first.")]
    TooMany,
    /// The registry cannot answer now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A part of a file was not registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The account has no such registration.
    #[error("This registration no longer exists. Upload the file again.")]
    UnknownRegistration,
    /// A later attempt at the same part was taken already: this one came too late.
    #[error("A later attempt at this part of the file was already registered.")]
    Superseded,
    /// A part, a file or its name is over a limit; a sentence.
    #[error("{0}")]
    OverLimit(&'static str),
    /// The registration's group could not be made.
    #[error(transparent)]
    Group(GroupError),
    /// The registry cannot answer now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<GroupError> for RegisterError {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Store(error) => Self::Store(error),
            error => Self::Group(error),
        }
    }
}

/// A device may not in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The token is none, or not any more.
    #[error("This security token is not valid or was revoked.")]
    Unknown,
    /// The device is disabled.
    #[error("This device is disabled.")]
    Disabled,
    /// The registry cannot answer now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A device's data was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is not a JSON object; where it stops being one.
    #[error("The body is not a JSON object: {detail}.")]
    NotJson {
        /// Why, with the line and column.
        detail: String,
    },
    /// It contradicts the model definition, or takes too long to be checked against it.
    #[error("{sentence}")]
    Contradicts {
        /// The property, or a place in it.
        field: String,
        /// What is wrong and what the model asks for.
        sentence: String,
    },
    /// The definition of its model was accepted by an earlier version of Muster, and is not by this one.
    #[error("{sentence}")]
    UnusableModel {
        /// What is wrong with it and what to do.
        sentence: String,
    },
    /// It is over [`crate::MAX_STATE_BYTES`], alone or with what is kept of the device.
    #[error("The properties of a device may have at most 256 KiB.")]
    TooLarge,
    /// The device was deleted or disabled since it was let in.
    #[error("This device is no longer registered.")]
    Gone,
    /// The registry cannot answer now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_is_written() {
        let (lines, start) = (Lines::new(), Instant::now());
        let next = |ms| lines.next(start + Duration::from_millis(ms));
        assert_eq!(
            [next(0), next(1), next(999), next(1_000), next(1_500), next(9_000)],
            [Some(0), None, None, Some(2), None, Some(1)]
        );
    }
}

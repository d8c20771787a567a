//! Errors by use case. Each is a sentence for users; the database's own messages go to the log.

use muster_domain::{GroupNameProblem, ModelProblem};

/// The database cannot be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database is gone, overloaded or full. Trying again may help.
    #[error("The database cannot be used now. Check the server's log, then try again.")]
    Unavailable,
    /// The database is read-only: its file or disk is, or it is a standby.
    #[error(
        "The database is read-only now: nothing can be changed, and users cannot sign in. Ask your administrator, then \
         try again."
    )]
    ReadOnly,
    /// The database contains something that Muster did not write.
    #[error("The database holds something that Muster did not write. Check the server's log.")]
    Corrupt,
    /// The account has more devices than the memory of the fleet index holds.
    #[error(
        "This fleet is larger than the memory of this server's index: its devices can be listed by name, but not searched, \
         filtered, sorted otherwise or selected together. Ask your administrator to raise MUSTER_INDEX_MEMORY."
    )]
    FleetTooLarge,
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
    /// It is read-only.
    #[error("The database is read-only.")]
    ReadOnly,
    /// Its schema is of an earlier version.
    #[error("The database belongs to an earlier version of Muster. Restart this server to bring it up to date.")]
    SchemaIsOlder,
    /// Its schema is of a later version or of another build.
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

/// The registry could not be opened; a sentence for the operator who starts the server.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub(crate) String);

/// An account was not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The name is taken.
    #[error("An account with this name already exists.")]
    Taken,
    /// The database cannot be used now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A user was not added or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// It is not an email address.
    #[error("That is not an email address. It needs a name, an @, and a host, at most 254 characters.")]
    NotAnAddress,
    /// Another user has this address.
    #[error("A user with this email address already exists.")]
    Taken,
    /// No user has this address.
    #[error("There is no user with this email address.")]
    Unknown,
    /// The database cannot be used now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A user was not signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The address or the password is wrong. Which of the two is not disclosed.
    #[error("Incorrect email or password.")]
    Wrong,
    /// There were too many wrong passwords from the same source.
    #[error("Too many wrong passwords. Try again in {retry_after_s} seconds.")]
    TooMany {
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// The database cannot be used now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A model definition was rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It is not a Thing Model, for these reasons.
    #[error("This is not a model definition: it has {} problems.", .0.len())]
    Invalid(Vec<ModelProblem>),
    /// The account has the maximum number of models.
    #[error("An account can have 10,000 models. Delete some that no device uses.")]
    TooMany,
    /// The database cannot be used now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A model was not deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteModelError {
    /// The name does not exist.
    #[error("There is no model with this name.")]
    NotFound,
    /// Devices use it.
    #[error("{devices} devices use this model. Delete those devices first.")]
    InUse {
        /// How many.
        devices: u64,
    },
    /// The database cannot be used now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A device group was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// A new group cannot have this name.
    #[error(transparent)]
    Name(#[from] GroupNameProblem),
    /// The name is taken.
    #[error("A group with this name already exists.")]
    Taken,
    /// The name does not exist.
    #[error("This device group no longer exists.")]
    NotFound,
    /// The account has the maximum number of groups.
    #[error("An account can have 10,000 device groups. Delete some first.")]
    TooMany,
    /// The database cannot be used now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A part of a file was not registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The account has no such registration.
    #[error("This registration no longer exists. Upload the file again.")]
    UnknownRegistration,
    /// A later attempt at the same part was processed before.
    #[error("A later attempt at this part of the file was already registered.")]
    Superseded,
    /// A part, a file or its name exceeds a limit; a sentence.
    #[error("{0}")]
    OverLimit(&'static str),
    /// The registration's group could not be created.
    #[error(transparent)]
    Group(GroupError),
    /// The database cannot be used now.
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

/// A device was not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The token is not valid, or was revoked.
    #[error("This security token is not valid or was revoked.")]
    Unknown,
    /// The device is disabled.
    #[error("This device is disabled.")]
    Disabled,
    /// The database cannot be used now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A report was rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is not a JSON object.
    #[error("The body is not a JSON object: {detail}.")]
    NotJson {
        /// Why, with the line and column.
        detail: String,
    },
    /// It contradicts the model definition, or takes too long to check.
    #[error("{sentence}")]
    Contradicts {
        /// The property, or a path in it.
        field: String,
        /// The problem, and what the model requires.
        sentence: String,
    },
    /// An earlier version of Muster accepted the definition of its model, and this version rejects it.
    #[error("{sentence}")]
    UnusableModel {
        /// The problem, and how to solve it.
        sentence: String,
    },
    /// It exceeds [`crate::MAX_STATE_BYTES`], alone or together with the stored state.
    #[error("The properties of a device may have at most 256 KiB.")]
    TooLarge,
    /// The device was deleted or disabled after it was authenticated.
    #[error("This device is no longer registered.")]
    Gone,
    /// The database cannot be used now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

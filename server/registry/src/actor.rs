//! The actor: the first argument of every use case that reads or changes the data of an account.
//!
//! The account of a use case is always its actor's, and only the registry creates actors. So no caller can pair a user
//! with another's account. There is a type for each side:
//!
//! - [`Actor`]: a user in a browser session ([`Registry::session`]), or the operator of the server at its command line
//!   ([`Registry::command_line`]).
//! - [`AuthenticatedDevice`](crate::AuthenticatedDevice): a device at the device endpoint
//!   ([`Registry::authenticate`]). It contains no [`Actor`] and no use case takes both, so a device cannot do what a
//!   user does, or the other way round.
//!
//! Every [`Actor`] may do everything within its account. A role belongs here: read together with the user, it becomes a
//! field of [`Actor`], and a use case that not every role may do asks the actor before it asks the store.

use crate::{
    accounts::{AccountName, User},
    errors::StoreError,
    registry::Registry,
    types::{AccountId, UserId},
};

/// A user or the operator, in an account. See the use cases of [`Registry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    account: AccountId,
    account_name: String,
    who: Who,
}

/// Each kind of actor has one way to reach the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    /// A user, in a browser session.
    User { id: UserId, email: String },
    /// The operator, who has no user, at the server's command line.
    Operator,
}

impl Actor {
    /// A user whose password, or session key, was verified.
    pub(crate) fn in_session(User { id, account, account_name, email }: User) -> Self {
        Self { account, account_name, who: Who::User { id, email } }
    }

    /// The operator, in this account.
    pub(crate) fn at_command_line(account: AccountId, account_name: String) -> Self {
        Self { account, account_name, who: Who::Operator }
    }

    /// The account: all that the actor sees and changes is in it.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The account's name.
    #[must_use]
    pub fn account_name(&self) -> &str {
        &self.account_name
    }

    /// The user. `None`: it is the operator.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self.who {
            Who::User { id, .. } => Some(id),
            Who::Operator => None,
        }
    }

    /// The name to show and to log: a user's email address, or `the command line`.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.who {
            Who::User { email, .. } => email,
            Who::Operator => "the command line",
        }
    }
}

impl Registry {
    /// The operator of the server, in the account of that name. For the commands of the server only: whoever runs them
    /// can read the database. `None`: there is no such account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn command_line(&self, account: &AccountName) -> Result<Option<Actor>, StoreError> {
        let id = self.store.account_named(account).await?;
        Ok(id.map(|id| Actor::at_command_line(id, account.to_string())))
    }

    /// As [`Registry::command_line`], in the account of the user with this email address. `None`: there is no such
    /// user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn command_line_for_user(&self, email: &str) -> Result<Option<Actor>, StoreError> {
        let user = self.user_with_email(email).await?;
        Ok(user.map(|user| Actor::at_command_line(user.account, user.account_name)))
    }
}

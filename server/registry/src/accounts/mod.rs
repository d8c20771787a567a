//! Accounts, their users, and how users sign in. The types are here; the use cases are in the files.

pub(crate) mod password;
pub(crate) mod sessions;
mod settings;
pub(crate) mod sign_in_limits;
mod users;

pub use password::{Password, PasswordProblem};

use crate::types::{AccountId, UserId};
use std::fmt;

/// The name of an account: 3–24 lower-case letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountName(String);

/// Why a text is not an [`AccountName`], as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("An account's name is 3 to 24 lower-case letters and digits.")]
pub struct AccountNameProblem;

impl AccountName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`AccountNameProblem`] if it does not follow the rule.
    pub fn parse(text: &str) -> Result<Self, AccountNameProblem> {
        let is_right = (3..=24).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if is_right { Ok(Self(text.to_owned())) } else { Err(AccountNameProblem) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user: signs in, and belongs to one account. The table is called `people`, because migrations never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The user's account.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    /// The email address that the user signs in with, in lower case.
    pub email: String,
}

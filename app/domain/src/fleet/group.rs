//! Device groups.

use crate::{names::checked_text, text::looks_empty, text::normalized};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of a device group: 1–128 characters without control characters, not counting white space around it.
///
/// A new group gets a name from [`GroupName::parse`], so that names that look the same are the same. Earlier versions of
/// Muster stored names as they were typed. So names in requests and in the database are read with [`GroupName::existing`];
/// the registry looks for a group of exactly this name first, and then for one of the cleaned name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(Box<str>);

/// Why a text is not a [`GroupName`]. Its `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A device group's name is 1 to 128 characters, without line breaks.")]
pub struct GroupNameProblem;

impl GroupName {
    /// The maximum number of characters (not bytes).
    pub const MAX_CHARS: usize = 128;

    /// The name of a new group: in Unicode's Normalization Form C, without invisible characters, and with something to
    /// be seen.
    ///
    /// # Errors
    /// [`GroupNameProblem`] if it does not follow the rule.
    pub fn parse(text: &str) -> Result<Self, GroupNameProblem> {
        let name = Self::existing(&normalized(text))?;
        if looks_empty(&name.0) { Err(GroupNameProblem) } else { Ok(name) }
    }

    /// The name of a group that may exist: as it is, except for white space around it.
    ///
    /// # Errors
    /// [`GroupNameProblem`] if no version of Muster gave a group such a name.
    pub fn existing(text: &str) -> Result<Self, GroupNameProblem> {
        let text = text.trim();
        let is_right = (1..=Self::MAX_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if is_right { Ok(Self(text.into())) } else { Err(GroupNameProblem) }
    }

    /// What a new group of this name is called.
    ///
    /// # Errors
    /// As [`GroupName::parse`].
    pub fn cleaned(&self) -> Result<Self, GroupNameProblem> {
        Self::parse(&self.0)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

checked_text!(GroupName, GroupNameProblem, existing);

impl PartialEq<&str> for GroupName {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

/// One row of the list of groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// The name.
    pub name: GroupName,
    /// How many devices are in it.
    pub devices: u64,
}

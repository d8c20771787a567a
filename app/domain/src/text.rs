//! The two texts a device may have for people: its friendly name and its description.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::checked_text;
use crate::shown::shown_char;

/// What people call a device. 1 to 256 characters, no control characters, no white space at its ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FriendlyName(Box<str>);

/// A note about a device. 1 to 1,024 characters, no control characters, no white space at its ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Description(Box<str>);

/// Why a text is not a [`FriendlyName`] or a [`Description`]. Its `Display` is a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum TextProblem {
    /// Nothing but white space. Such a text is left out instead.
    #[error("The text is empty. Leave it out instead")]
    Empty,
    /// It is too long.
    #[error("The text has {chars} characters, and at most {max} are allowed")]
    TooLong {
        /// How many characters it has.
        chars: u32,
        /// How many it may have.
        max: u32,
    },
    /// It holds a control character: those of Unicode's category Cc, among them tabs and line breaks.
    #[error("The text cannot contain {}", shown_char(*character))]
    Control {
        /// The first such character.
        character: char,
    },
}

impl FriendlyName {
    /// The most characters (not bytes) a friendly name has.
    pub const MAX_CHARS: u32 = 256;

    /// Takes the text, without the white space around it, as a friendly name.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, TextProblem> {
        checked(text, Self::MAX_CHARS).map(|text| Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Description {
    /// The most characters (not bytes) a description has.
    pub const MAX_CHARS: u32 = 1_024;

    /// Takes the text, without the white space around it, as a description.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, TextProblem> {
        checked(text, Self::MAX_CHARS).map(|text| Self(text.into()))
    }

    /// The description as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

checked_text!(FriendlyName, TextProblem);
checked_text!(Description, TextProblem);

fn checked(text: &str, max: u32) -> Result<&str, TextProblem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextProblem::Empty);
    }
    match text_problem(text, max) {
        None => Ok(text),
        Some(problem) => Err(problem),
    }
}

/// What is wrong with a trimmed text that may be empty, if anything.
pub(crate) fn text_problem(text: &str, max: u32) -> Option<TextProblem> {
    // A text has at most as many characters as bytes, and nearly every text is short and plain.
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if plain && text.len() <= max as usize {
        return None;
    }
    if let Some(character) = text.chars().find(|character| character.is_control()) {
        return Some(TextProblem::Control { character });
    }
    let chars = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    (chars > max).then_some(TextProblem::TooLong { chars, max })
}

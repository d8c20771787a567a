//! The two texts that a device may have: its friendly name and its description.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::checked_text;
use crate::nfc::{is_inert, nfc};
use crate::shown::shown_char;

/// What people call a device. 1 to 256 characters in Normalization Form C, none of them a control character or
/// invisible, no white space at its ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FriendlyName(Box<str>);

/// A note about a device. 1 to 1,024 characters, otherwise as a [`FriendlyName`].
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

    /// Takes the text, normalized, as a friendly name.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, TextProblem> {
        checked(text, Self::MAX_CHARS).map(Self)
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

    /// Takes the text, normalized, as a description.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, TextProblem> {
        checked(text, Self::MAX_CHARS).map(Self)
    }

    /// The description as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

checked_text!(FriendlyName, TextProblem);
checked_text!(Description, TextProblem);

fn checked(text: &str, max: u32) -> Result<Box<str>, TextProblem> {
    let text = normalized(text);
    if text.is_empty() {
        return Err(TextProblem::Empty);
    }
    match text_problem(&text, max) {
        None => Ok(text.into()),
        Some(problem) => Err(problem),
    }
}

/// A text as it is stored: in Unicode's Normalization Form C, without characters that cannot be seen, and without white
/// space around it. So texts that look the same are the same.
#[must_use]
pub fn normalized(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let stripped: Cow<'_, str> = if text.contains(is_invisible) {
        Cow::Owned(text.replace(is_invisible, "").trim().to_owned())
    } else {
        Cow::Borrowed(text)
    };
    if stripped.chars().all(is_inert) {
        return stripped;
    }
    // A composed character is no white space, and a singleton that becomes one was one before.
    Cow::Owned(nfc(&stripped))
}

/// Characters of no width, soft hyphens and marks of text direction: they come along when text is copied from web
/// pages and office documents, and make texts different that look the same.
#[must_use]
pub const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// Whether nothing of a text can be seen, not even after [`normalized`]: it keeps characters that are blank, or only
/// change others, because they matter inside a text.
#[must_use]
pub fn looks_empty(text: &str) -> bool {
    text.chars().all(is_blank)
}

const fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || is_invisible(character)
        || matches!(
            character,
            '\u{34f}'
                | '\u{115f}' | '\u{1160}'
                | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{2065}'
                | '\u{206a}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// What is wrong with a normalized text that may be empty, if anything.
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

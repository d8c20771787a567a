//! The two names every device has: its own, and that of its model.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::shown::shown_char;

/// The name of a device, unique in its account and case-sensitive.
///
/// 1 to 128 of `A-Z a-z 0-9 . _ : -`, the first a letter or a digit (design.md, *The registration file*).
/// All of it is ASCII, so its length in bytes is its length in characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceName(Box<str>);

/// Why a text is not a [`DeviceName`]. Its `Display` is a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum DeviceNameProblem {
    /// Nothing is there.
    #[error("The device name is missing. Every device needs one")]
    Empty,
    /// It has more than [`DeviceName::MAX_CHARS`] characters.
    #[error("A device name has at most {max} characters, and this one has {chars}", max = DeviceName::MAX_CHARS)]
    TooLong {
        /// How many it has.
        chars: u32,
    },
    /// It begins with `.`, `_`, `:` or `-`.
    #[error("A device name begins with a letter or a digit, not with {}", shown_char(*first))]
    Start {
        /// The first character.
        first: char,
    },
    /// It holds a character that no device name has.
    #[error(
        "A device name cannot contain {}. The letters A-Z and a-z, digits, and . _ : - are allowed",
        shown_char(*character)
    )]
    Character {
        /// The first such character.
        character: char,
    },
}

impl DeviceName {
    /// The most characters a device name has.
    pub const MAX_CHARS: usize = 128;

    /// Takes the text as a device name, exactly as it is: nothing is trimmed or folded.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, DeviceNameProblem> {
        if is_device_name(text.as_bytes()) {
            return Ok(Self(text.into()));
        }
        Err(device_name_problem(text))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the bytes are a device name. This is the whole rule; [`device_name_problem`] only explains it.
pub(crate) fn is_device_name(bytes: &[u8]) -> bool {
    let Some(&first) = bytes.first() else {
        return false;
    };
    first.is_ascii_alphanumeric()
        && bytes.len() <= DeviceName::MAX_CHARS
        && bytes.iter().all(|&byte| DEVICE_NAME_BYTES[usize::from(byte)])
}

/// Which bytes a device name may hold.
const DEVICE_NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let it = byte as u8;
        table[byte] = it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b':' | b'-');
        byte += 1;
    }
    table
};

/// Why a text is not a device name. A wrong character comes before a wrong length: it is what to mend first.
pub(crate) fn device_name_problem(text: &str) -> DeviceNameProblem {
    let allowed = |character: &char| character.is_ascii() && DEVICE_NAME_BYTES[*character as usize];
    if let Some(character) = text.chars().find(|character| !allowed(character)) {
        return DeviceNameProblem::Character { character };
    }
    match text.chars().next() {
        None => DeviceNameProblem::Empty,
        Some(first) if !first.is_ascii_alphanumeric() => DeviceNameProblem::Start { first },
        Some(_) => DeviceNameProblem::TooLong { chars: count(text) },
    }
}

/// The name of a model definition, such as `Contoso.Aircraft.AircraftModel`; case-sensitive.
///
/// 1 to 256 characters: identifiers with a dot between each two. An identifier is an ASCII letter or `_`, then
/// any number of ASCII letters, digits and `_`. A `-` is refused: it is in no language's identifiers, and model
/// names end up as type names in device code. `_` does the same work.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName(Box<str>);

/// Why a text is not a [`ModelName`]. Its `Display` is a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum ModelNameProblem {
    /// Nothing is there.
    #[error("The model name is missing. Every device needs one")]
    Empty,
    /// It has more than [`ModelName::MAX_CHARS`] characters.
    #[error("A model name has at most {max} characters, and this one has {chars}", max = ModelName::MAX_CHARS)]
    TooLong {
        /// How many it has.
        chars: u32,
    },
    /// One of the parts between the dots begins with a digit.
    #[error("Each part of a model name begins with a letter or _, not with {}", shown_char(*first))]
    Start {
        /// The first character of that part.
        first: char,
    },
    /// Two dots are adjacent, or one is at an end.
    #[error("A model name has exactly one dot between its parts, and none at its ends")]
    EmptyPart,
    /// It holds a character that no model name has.
    #[error(
        "A model name cannot contain {}. The letters A-Z and a-z, digits and _ are allowed, in parts joined by dots",
        shown_char(*character)
    )]
    Character {
        /// The first such character.
        character: char,
    },
}

impl ModelName {
    /// The most characters a model name has.
    pub const MAX_CHARS: usize = 256;

    /// Takes the text as a model name, exactly as it is: nothing is trimmed or folded.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, ModelNameProblem> {
        if is_model_name(text.as_bytes()) {
            return Ok(Self(text.into()));
        }
        Err(model_name_problem(text))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the bytes are a model name. This is the whole rule; [`model_name_problem`] only explains it.
pub(crate) fn is_model_name(bytes: &[u8]) -> bool {
    // At the start, and after a dot, an identifier must begin.
    let mut begins = true;
    for &byte in bytes {
        let fits = match byte {
            b'.' => !begins,
            b'0'..=b'9' => !begins,
            _ => byte.is_ascii_alphabetic() || byte == b'_',
        };
        if !fits {
            return false;
        }
        begins = byte == b'.';
    }
    !begins && bytes.len() <= ModelName::MAX_CHARS
}

/// Why a text is not a model name.
pub(crate) fn model_name_problem(text: &str) -> ModelNameProblem {
    if text.is_empty() {
        return ModelNameProblem::Empty;
    }
    let allowed = |it: &char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_');
    if let Some(character) = text.chars().find(|character| !allowed(character)) {
        return ModelNameProblem::Character { character };
    }
    for part in text.split('.') {
        match part.chars().next() {
            None => return ModelNameProblem::EmptyPart,
            Some(first) if first.is_ascii_digit() => return ModelNameProblem::Start { first },
            Some(_) => {}
        }
    }
    ModelNameProblem::TooLong { chars: count(text) }
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// What the names share: they are texts that were checked once. `$read` is the rule for those that arrive.
macro_rules! checked_text {
    ($name:ident, $problem:ident) => {
        $crate::names::checked_text!($name, $problem, parse);
    };
    ($name:ident, $problem:ident, $read:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl std::str::FromStr for $name {
            type Err = $problem;
            fn from_str(text: &str) -> Result<Self, $problem> {
                Self::parse(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = $crate::rejection::Rejection<$problem>;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::$read(&text).map_err($crate::rejection::Rejection)
            }
        }
        impl From<$name> for String {
            fn from(checked: $name) -> Self {
                checked.0.into()
            }
        }
    };
}
pub(crate) use checked_text;

checked_text!(DeviceName, DeviceNameProblem);
checked_text!(ModelName, ModelNameProblem);

//! The text of a search: part of a text, a MAC address, or a list of device names.

use crate::index::text::lowercase;
use muster_domain::{DeviceName, MAX_SEARCHED_NAMES};
use std::collections::HashSet;

/// Names and friendly names are not longer (256 characters of 4 bytes), and have no control characters.
const MAX_TEXT_BYTES: usize = 1_024;

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// Devices with one of these lower-case texts in a searched field. Without any text: all devices.
    Texts(Vec<String>),
    /// Devices with these names.
    Names(HashSet<String>),
}

impl Default for Query {
    /// Finds all devices.
    fn default() -> Self {
        Self::Texts(Vec::new())
    }
}

impl Query {
    /// A search for a text. `None`: it is longer than any searched field, or has a control character.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let lowercased = lowercase(text);
        if lowercased.len() > MAX_TEXT_BYTES || lowercased.chars().any(char::is_control) {
            return None;
        }
        let notations = mac_notations(lowercased.trim());
        Some(Self::Texts(if notations.is_empty() { vec![lowercased] } else { notations }))
    }
}

/// The separator of a list, from the least to the most certain sign of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separators {
    /// Only spaces, as in a text.
    Spaces,
    /// Commas or semicolons, which are rarer in texts.
    Marks,
    /// Line ends or tabs, which no text of a device contains.
    LineEnds,
}

/// Words that may be a list of device names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    /// The distinct words, in order.
    pub(crate) words: Vec<String>,
    /// The separator.
    pub(crate) separators: Separators,
}

impl List {
    /// The words of a text with separators: line ends, tabs, commas, semicolons and spaces. Quotes around words are not
    /// part of them. `None`: it is a single word, or a MAC address with spaces in it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if mac_digits(text.trim()).is_some() {
            return None;
        }
        let is_separator = |letter: char| letter.is_whitespace() || matches!(letter, ',' | ';');
        let is_quote = |letter: char| matches!(letter, '"' | '\'' | '“' | '”' | '„' | '‘' | '’' | '`');
        let mut seen = HashSet::new();
        let words = text.split(is_separator).map(|word| word.trim_matches(is_quote)).filter(|word| !word.is_empty());
        let words: Vec<String> = words.filter(|word| seen.insert(*word)).map(str::to_owned).collect();
        let separators = if text.trim().contains(char::is_control) {
            Separators::LineEnds
        } else if text.contains([',', ';']) {
            Separators::Marks
        } else {
            Separators::Spaces
        };
        let is_list = words.len() > 1 || words.first().is_some_and(|word| word != text.trim());
        is_list.then_some(Self { words, separators })
    }

    /// The words that can be device names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str).filter(|word| DeviceName::parse(word).is_ok())
    }
}

/// Whether a search has more names than [`MAX_SEARCHED_NAMES`].
#[must_use]
pub fn has_too_many_names(search: &str) -> bool {
    List::parse(search).is_some_and(|list| list.words.len() > MAX_SEARCHED_NAMES)
}

/// The digits of a MAC address of 6 or 8 bytes (EUI-64) in any notation: groups of two or four hexadecimal digits with
/// one kind of separator between them, two halves, or no separator at all. In lower case.
fn mac_digits(text: &str) -> Option<String> {
    let separator = text.chars().find(|letter| matches!(letter, ':' | '-' | '.' | '_' | ' '));
    let groups: Vec<&str> = separator.map_or_else(|| vec![text], |separator| text.split(separator).collect());
    let digits = groups.concat();
    let is_mac = matches!(digits.len(), 12 | 16)
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        && groups.iter().all(|group| group.len() == groups[0].len())
        && (groups.len() <= 2 || matches!(groups[0].len(), 2 | 4));
    is_mac.then(|| digits.to_ascii_lowercase())
}

/// All notations of a MAC address, in lower case. Empty if the text is not a MAC address.
pub(crate) fn mac_notations(text: &str) -> Vec<String> {
    let Some(digits) = mac_digits(text) else { return Vec::new() };
    let grouped = |size: usize, separator: &str| {
        let groups: Vec<&str> = (0..digits.len()).step_by(size).map(|at| &digits[at..at + size]).collect();
        groups.join(separator)
    };
    let mut notations = vec![digits.clone(), grouped(digits.len() / 2, "-")];
    for separator in [":", "-", ".", "_", " "] {
        notations.push(grouped(2, separator));
        notations.push(grouped(4, separator));
    }
    notations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_separators_are_a_list() {
        use Separators::{LineEnds, Marks, Spaces};
        let check = |text: &str, expected: Option<(&[&str], Separators)>| {
            let list = List::parse(text);
            let found = list.as_ref().map(|list| (list.words.iter().map(String::as_str).collect(), list.separators));
            assert_eq!(found, expected.map(|(words, separators)| (words.to_vec(), separators)), "{text:?}");
        };
        check("Pump-1", None);
        check(" Pump-1 ", None);
        check(" Pump-1,\n", Some((&["Pump-1"], Marks)));
        check("\"Pump-1\"", Some((&["Pump-1"], Spaces)));
        check("Pump-1 Pump-2", Some((&["Pump-1", "Pump-2"], Spaces)));
        check("Pump-1\r\nPump-2\r\n\r\nPump-1\r\n", Some((&["Pump-1", "Pump-2"], LineEnds)));
        check("Pump-1\nPump-2", Some((&["Pump-1", "Pump-2"], LineEnds)));
        check("Pump-1;Pump-2;", Some((&["Pump-1", "Pump-2"], Marks)));
        check("a, b,c\td", Some((&["a", "b", "c", "d"], LineEnds)));
        check("\"a\",\"b\", 'c' “d”", Some((&["a", "b", "c", "d"], Marks)));
        check("1st Jet", Some((&["1st", "Jet"], Spaces)));
        check("70 B3 D5 49 95 88", None);
        check("70:B3:D5:49:95:85 70:B3:D5:49:95:86", Some((&["70:B3:D5:49:95:85", "70:B3:D5:49:95:86"], Spaces)));
        check("", None);
        check(" , ; ", None);
    }

    #[test]
    fn mac_address_is_recognized_in_any_notation() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(mac_digits(text).as_deref(), expected, "{text}");
        for text in [
            "00:1A:2B:3C:4D:5E",
            "00-1A-2B-3C-4D-5E",
            "001A.2B3C.4D5E",
            "001a2b3c4d5e",
            "001A2B-3C4D5E",
            "00 1a 2b 3c 4d 5e",
            "001a-2b3c-4d5e",
            "00_1a_2b_3c_4d_5e",
        ] {
            check(text, Some("001a2b3c4d5e"));
            assert!(mac_notations(text).contains(&text.to_ascii_lowercase()), "{text}");
        }
        check("00:1A:2B:FF:FE:3C:4D:5E", Some("001a2bfffe3c4d5e"));
        check("00:1A:2B:3C:4D", None);
        check("00:1A:2B:3C:4D:5G", None);
        check("00:1A-2B:3C:4D:5E", None);
        check("001:A2B:3C4:D5E", None);
        check("0:01A:2B:3C:4D:5E", None);
        check("Pump-1", None);
        check("", None);
    }
}

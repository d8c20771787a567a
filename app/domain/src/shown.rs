//! How a piece of somebody's file is shown to a person: short, on one line, and unable to do anything.
//!
//! Problems are printed on terminals and put on pages. A value from a file may hold escape sequences, line
//! breaks or marks that turn the direction of the text around; here they become visible instead.

use crate::lookalike::named;

/// The most characters of a value that a problem repeats: enough to find it in the file, and short enough to
/// leave the sentence readable.
pub(crate) const SHOWN_CHARS: usize = 60;

/// The value cut to [`SHOWN_CHARS`], with an ellipsis if any was cut, and harmless.
pub(crate) fn shown(value: &str) -> String {
    shown_up_to(value, SHOWN_CHARS)
}

/// A value as a sentence may repeat it: harmless, and cut to `most` characters with an ellipsis.
#[must_use]
pub fn shown_up_to(value: &str, most: usize) -> String {
    let mut chars = value.chars();
    let mut out: String = chars.by_ref().take(most).map(visible).collect();
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// A number with commas between its thousands.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A character in a sentence: by its name and code point where it could not be seen, or taken for another.
pub(crate) fn shown_char(character: char) -> String {
    let code = u32::from(character);
    match character {
        ' ' => return "a space".to_owned(),
        '\t' => return "a tab".to_owned(),
        '\n' | '\r' => return "a line break".to_owned(),
        '"' => return "a double quote".to_owned(),
        '\'' => return "an apostrophe".to_owned(),
        ',' => return "a comma".to_owned(),
        ';' => return "a semicolon".to_owned(),
        '\u{fffd}' => return "`\u{fffd}` (U+FFFD), which replaces a character that was lost".to_owned(),
        _ => {}
    }
    match named(character) {
        Some((name, None)) => format!("the invisible character {name} (U+{code:04X})"),
        Some((name, Some(' '))) => format!("the character {name} (U+{code:04X}), which looks like a space"),
        Some((name, Some(like))) => {
            format!("`{character}`, the character {name} (U+{code:04X}), which looks like `{like}`")
        }
        None if visible(character) != character || character.is_whitespace() => {
            format!("the invisible character U+{code:04X}")
        }
        None if character.is_ascii() => format!("`{character}`"),
        None => format!("`{character}` (U+{code:04X})"),
    }
}

/// The character itself if it can be shown as it is, otherwise a picture of it.
fn visible(character: char) -> char {
    match character {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        // The other controls, and what is invisible or reorders the text around it.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_short_and_harmless() {
        assert_eq!(shown("plain é 日"), "plain é 日");
        assert_eq!(shown("a\u{1b}[31m\r\n\tb\u{202e}c\u{7f}\0"), "a␛[31m␍␊␉b\u{fffd}c␡␀");
        assert_eq!(shown(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
        assert_eq!(shown(&"é".repeat(60)), "é".repeat(60));
    }
}

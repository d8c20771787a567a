//! Unicode's Normalization Form C: `ü` is one character, however it was typed.
//!
//! The tables are those of `unicode-normalization`. Its own iterator also brings the tables of the compatibility
//! forms into the browser's WASM (53 kB of Brotli instead of 30), so the algorithm is here.

use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical};

/// The text in Normalization Form C.
pub(crate) fn nfc(text: &str) -> String {
    // Decompose; each character with its combining class.
    let mut chars = Vec::with_capacity(text.len());
    for character in text.chars() {
        decompose_canonical(character, |it| chars.push((canonical_combining_class(it), it)));
    }
    // Marks between two starters (class 0) are sorted by class.
    for marks in chars.chunk_by_mut(|a, b| (a.0 == 0) == (b.0 == 0)) {
        marks.sort_by_key(|&(class, _)| class);
    }
    // Compose each character with the last starter, unless one of the same or a higher class is in between.
    let mut composed: Vec<char> = Vec::with_capacity(chars.len());
    let mut starter = None;
    let mut last_class = 0;
    for (class, character) in chars {
        if let Some(at) = starter
            && (last_class == 0 || last_class < class)
            && let Some(both) = compose(composed[at], character)
        {
            composed[at] = both;
            continue;
        }
        if class == 0 {
            starter = Some(composed.len());
        }
        last_class = class;
        composed.push(character);
    }
    composed.into_iter().collect()
}

/// Whether the character stays as it is whatever is around it, as those of most texts do. False says nothing.
pub(crate) const fn is_inert(character: char) -> bool {
    matches!(character,
        '\0'..='\u{2ff}' // Latin
        | '\u{400}'..='\u{482}' // Cyrillic
        | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' // Kana
        | '\u{4e00}'..='\u{9fff}' // Chinese
        | '\u{1f300}'..='\u{1faff}' // Emoji
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    #[test]
    fn every_character_is_normalized_as_unicode_says() {
        for character in '\0'..=char::MAX {
            let text = format!("{character}a{character}\u{301}\u{323}");
            assert_eq!(nfc(&text), text.nfc().collect::<String>(), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn inert_characters_stay_as_they_are() {
        for character in ('\0'..=char::MAX).filter(|it| is_inert(*it)) {
            assert_eq!(nfc(&character.to_string()), character.to_string());
            assert_eq!(canonical_combining_class(character), 0);
            for before in ('\u{41}'..='\u{17f}').chain('\u{400}'..='\u{4ff}').chain('\u{3041}'..='\u{30ff}') {
                assert_eq!(compose(before, character), None, "{before}{character}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_normalized_as_unicode_says(text in "[a-zA-Zü가각\u{300}-\u{330}\u{59a}\u{5b0}\u{1100}-\u{11ff}\u{9be}\u{9c7}\u{3099}かア\u{212b}]{0,12}|\\PC{0,12}") {
            prop_assert_eq!(nfc(&text), text.nfc().collect::<String>());
        }
    }
}

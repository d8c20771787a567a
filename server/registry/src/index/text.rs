//! Texts as a search compares them.

use muster_domain::is_invisible;
use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A text in Unicode's composed form (NFC), without invisible characters. New texts are stored like this; those of
/// earlier versions of Muster are not.
pub(crate) fn normal(text: &str) -> Cow<'_, str> {
    let is_normal =
        text.is_ascii() || (is_nfc_quick(text.chars()) == IsNormalized::Yes && !text.contains(is_invisible));
    if is_normal { Cow::Borrowed(text) } else { text.chars().filter(|letter| !is_invisible(*letter)).nfc().collect() }
}

/// A text as a search compares it: in normal form and lower case.
pub(crate) fn lowercase(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Both `σ` and `ς` are the lower case of one letter.
    let text = normal(text);
    let lower = text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter });
    lower.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lowercasing_keeps_lines_and_fields(lines in prop::collection::vec("\\PC{0,20}\t\\PC{0,20}\n", 0..4)) {
            let text = lines.concat();
            let lowercased = lowercase(&text);
            let each: String = lines.iter().map(|line| lowercase(line)).collect();
            prop_assert_eq!(&lowercased, &each);
            prop_assert_eq!(lowercased.matches('\n').count(), lines.len());
            prop_assert_eq!(lowercased.matches('\t').count(), text.matches('\t').count());
            prop_assert_eq!(lowercase(&lowercased), lowercased);
        }
    }

    #[test]
    fn normal_form_ignores_composition() {
        let check = |one: &str, other: &str| assert_eq!(lowercase(one), lowercase(other), "{one:?} {other:?}");
        check("Z\u{fc}rich", "ZU\u{308}RICH");
        check("Gen\u{e8}ve", "gene\u{300}ve");
        check("\u{ac00}", "\u{1100}\u{1161}");
        check("\u{212b}", "\u{c5}");
        check("Jet\u{200b} 1", "jet\u{200e} 1");
        check("\u{feff}Hangar", "han\u{ad}gar");
        check("ΟΔΟΣ", "οδος");
        check("İ", "i\u{307}");
        assert_ne!(lowercase("Zürich"), lowercase("Zurich"));
    }
}

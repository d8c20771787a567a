//! What spreadsheets and wrong encodings do to values, as far as it can be seen.

use crate::text::is_invisible;

/// Whether a text is a number as a spreadsheet shows it when it is too long for a cell: `8.96529E+19`.
pub(super) fn is_scientific(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.strip_prefix(['+', '-']).unwrap_or(number);
    let number = number.split_once(['.', ',']).map_or(digits(number), |(whole, part)| digits(whole) && digits(part));
    number && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

/// Whether a text lost characters on its way here: something put U+FFFD in their places.
pub(super) fn has_lost_characters(text: &str) -> bool {
    text.contains('\u{fffd}')
}

/// Whether a text is UTF-8 that was taken for Windows-1252 and encoded once more, such as `ZÃ¼rich`.
///
/// That is so if all its characters are ones of Windows-1252, and their bytes are UTF-8 again: text that was meant so
/// has a letter such as `ü` among ASCII, which is none. A single character of the result must be one that western
/// texts have, since `à »` would also be one, a rare one. Where a text was damaged only in part, the pairs that begin
/// with `Ã` tell: no language has that letter before a sign such as `¼`.
pub(super) fn is_encoded_twice(text: &str) -> bool {
    let pairs = || text.chars().zip(text.chars().skip(1));
    let is_sign = |it: char| matches!(it, '\u{a1}'..='\u{bf}') && !matches!(it, 'ª' | 'º' | '«' | '»' | '·');
    if pairs().any(|(first, second)| first == 'Ã' && is_sign(second)) {
        return true;
    }
    let Some(bytes) = text.chars().map(windows_1252_byte).collect::<Option<Vec<u8>>>() else {
        return false;
    };
    let Ok(once) = std::str::from_utf8(&bytes) else {
        return false;
    };
    let mut foreign = once.chars().filter(|it| !it.is_ascii());
    match (foreign.next(), foreign.next()) {
        (Some(_), Some(_)) => true,
        (Some(only), None) => {
            matches!(only, '\u{a0}'..='\u{17f}' | '\u{2010}'..='\u{20cf}' | '\u{2122}') || is_invisible(only)
        }
        (None, _) => false,
    }
}

/// The byte that a character is in Windows-1252, also for the five bytes to which it gives none.
fn windows_1252_byte(character: char) -> Option<u8> {
    match u8::try_from(character) {
        Ok(byte @ (0..=0x7f | 0xa0..)) => Some(byte),
        Ok(byte @ (0x81 | 0x8d | 0x8f | 0x90 | 0x9d)) => Some(byte),
        _ => {
            let at = WINDOWS_1252.iter().position(|&it| it == character && it != '?')?;
            u8::try_from(at).ok().map(|at| 0x80 + at)
        }
    }
}

/// The bytes 80 to 9F of Windows-1252; `?` where it has no character.
pub(super) const WINDOWS_1252: [char; 32] = [
    '€', '?', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '?', 'Ž', '?', //
    '?', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '?', 'ž', 'Ÿ',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_a_spreadsheet_rounded() {
        for text in ["8.96529E+19", "8,96529E+19", "1E+5", "3.59881e+14", "-1.5E-7", "1E5"] {
            assert!(is_scientific(text), "{text}");
        }
        for text in ["", "E", "E5", "1E", "1E+", "1.E5", "1.2.3E5", "AE5", "1E5F", "12345", "1E+5 V"] {
            assert!(!is_scientific(text), "{text}");
        }
    }

    #[test]
    fn texts_that_were_encoded_twice() {
        for text in [
            "Zürich",
            "Genève",
            "Straße 5",
            "5 €",
            "the pilot’s jet",
            "„Halle“",
            "Łódź",
            "Привет",
            "東京",
            "20 °C",
            "« là »",
        ] {
            let twice: String = text
                .bytes()
                .map(|byte| match byte {
                    0x80..=0x9f if WINDOWS_1252[usize::from(byte - 0x80)] != '?' => {
                        WINDOWS_1252[usize::from(byte - 0x80)]
                    }
                    _ => char::from(byte),
                })
                .collect();
            assert!(is_encoded_twice(&twice), "{text} as {twice}");
            assert!(!is_encoded_twice(text), "{text}");
        }
        assert!(is_encoded_twice("Jet ZÃ¼rich – Halle"));
        for text in ["", "plain", "là\u{a0}»", "“IRMÃ”", "SÃO JOSÉ", "Ångström", "Â", "ÜBER “Å”", "ª º", "NÃO"]
        {
            assert!(!is_encoded_twice(text), "{text}");
        }
    }
}

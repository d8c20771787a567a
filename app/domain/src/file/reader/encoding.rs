//! What a text seems to be that is not UTF-8.

use crate::file::damage::WINDOWS_1252;
use crate::file::problem::EncodingGuess;

/// What a text seems to be whose byte at `at` is not UTF-8.
///
/// In the western encodings a character that is not ASCII is one byte and stands among ASCII ones; in nearly all
/// others such bytes come in pairs or whole words. Windows-1252 is by far the most frequent one, but a wrong character
/// in a sentence would only confuse. So a character is named only where other encodings are unlikely: letters from C0
/// on, capitals not before small letters; and signs that do not stand between letters, where DOS and old Macs have
/// letters. `is_mac`: lines end in lone CR, as only these Macs did, with an encoding of their own.
pub(super) fn guess_encoding(row: &[u8], at: usize, cut_off: bool, is_mac: bool) -> EncodingGuess {
    if cut_off {
        return EncodingGuess::CutOff;
    }
    let byte = row[at];
    let other = EncodingGuess::Other { byte };
    let foreign = row[at..].chunk_by(|a, b| a.is_ascii() == b.is_ascii()).filter(|run| !run[0].is_ascii());
    if is_mac || foreign.map(<[u8]>::len).max().unwrap_or(0) > 2 {
        return other;
    }
    let before = at.checked_sub(1).map_or(b' ', |before| row[before]);
    let after = row.get(at + 1).copied().unwrap_or(b' ');
    let character = match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    };
    let is_english_s = byte == 0x92 && after == b's' && !row.get(at + 2).is_some_and(u8::is_ascii_alphabetic);
    let is_likely = match byte {
        0xd7 | 0xf7 => false,
        0xc0..=0xde => !after.is_ascii_lowercase() || !before.is_ascii_alphabetic(),
        0xdf..=0xff => !before.is_ascii_uppercase() || !after.is_ascii_uppercase(),
        0x91..=0x97 | 0x80 | 0x85 | 0xa0..=0xbf => {
            is_english_s || !(before.is_ascii_alphabetic() || after.is_ascii_alphabetic())
        }
        _ => false,
    };
    if is_likely { EncodingGuess::Western { character } } else { other }
}

//! What a text seems to be that is not UTF-8.

use crate::file::problem::EncodingGuess;

/// The bytes 80 to 9F of Windows-1252; `?` where it has no character.
const WINDOWS_1252: [char; 32] = [
    '€', '?', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '?', 'Ž', '?', //
    '?', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '?', 'ž', 'Ÿ',
];

/// What a text seems to be that is not UTF-8 from its first byte on.
///
/// In the western encodings a character that is not ASCII is one byte and stands among ASCII ones; in nearly all
/// others such bytes come in pairs or whole words.
pub(super) fn guess_encoding(bytes: &[u8], cut_off: bool) -> EncodingGuess {
    if cut_off {
        return EncodingGuess::CutOff;
    }
    let byte = bytes[0];
    let foreign = bytes.chunk_by(|a, b| a.is_ascii() == b.is_ascii()).filter(|run| !run[0].is_ascii());
    let longest = foreign.map(<[u8]>::len).max().unwrap_or(0);
    let character = match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    };
    if longest > 2 || character == '?' {
        return EncodingGuess::Other { byte };
    }
    EncodingGuess::Western { character }
}

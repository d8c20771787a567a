//! The quick lane: a row that is valid, plain ASCII and without quotes, as nearly all are, read in one pass.
//!
//! It never says what is wrong. Whatever it does not take at once goes the long way, through `scan`, `cells` and
//! `row`, which are the rules; this only finds the same sooner, and a test holds it to that.

use std::ops::Range;

use super::field::Separator;
use crate::names::{DeviceName, ModelName};
use crate::text::{Description, FriendlyName};
use crate::tier::PricingTier;

/// The five fields of a plain row, and where it ends.
#[derive(Debug)]
pub(super) struct PlainRow {
    pub(super) fields: [Range<usize>; 5],
    pub(super) cells: usize,
    /// The index of the line end's byte.
    pub(super) end: usize,
}

/// What a byte may be part of.
const NAME: u8 = 1;
const WORD: u8 = 2;
const WORD_START: u8 = 4;
const TEXT: u8 = 8;

/// For each separator, and for each byte, what it may be part of.
static CLASSES: [[u8; 256]; 3] = [classes(Separator::ALL[0]), classes(Separator::ALL[1]), classes(Separator::ALL[2])];

const fn classes(separator: Separator) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let it = byte as u8;
        if it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b':' | b'-') {
            table[byte] |= NAME;
        }
        if it.is_ascii_alphanumeric() || it == b'_' {
            table[byte] |= WORD;
        }
        if it.is_ascii_alphabetic() || it == b'_' {
            table[byte] |= WORD_START;
        }
        if (it.is_ascii_graphic() || it == b' ') && it != b'"' && it != separator.byte() {
            table[byte] |= TEXT;
        }
        byte += 1;
    }
    table
}

/// Reads the row at the start of these bytes, of the usual five columns.
///
/// `None` if it has anything unusual about it, or does not end in these bytes.
pub(super) fn plain_row(bytes: &[u8], separator: Separator) -> Option<PlainRow> {
    let classes = &CLASSES[separator as usize];
    let is = |byte: u8, class: u8| classes[usize::from(byte)] & class != 0;
    // The first byte from `at` on that is not of the class.
    let past = |at: usize, class: u8| bytes[at..].iter().position(|&byte| !is(byte, class)).map(|len| at + len);

    let name = past(0, NAME)?;
    if !bytes[0].is_ascii_alphanumeric() || name > DeviceName::MAX_CHARS || bytes[name] != separator.byte() {
        return None;
    }
    let model_start = name + 1;
    let mut at = model_start;
    let model = loop {
        if !is(*bytes.get(at)?, WORD_START) {
            return None;
        }
        let end = past(at, WORD)?;
        if bytes[end] != b'.' {
            break end;
        }
        at = end + 1;
    };
    if model - model_start > ModelName::MAX_CHARS {
        return None;
    }

    let mut row = PlainRow { fields: [0..name, model_start..model, 0..0, 0..0, 0..0], cells: 2, end: model };
    while bytes[row.end] == separator.byte() {
        let field = row.fields.get_mut(row.cells)?;
        let start = row.end + 1;
        let end = past(start, TEXT)?;
        let text = &bytes[start..end];
        let tidy = !matches!(text, [b' ' | b'\'', ..] | [.., b' ']);
        let fits = match row.cells {
            2 => text.len() <= FriendlyName::MAX_CHARS as usize,
            3 => text.len() <= Description::MAX_CHARS as usize,
            _ => text.is_empty() || PricingTier::ALL.iter().any(|tier| tier.as_str().as_bytes() == text),
        };
        if !tidy || !fits {
            return None;
        }
        *field = start..end;
        row.cells += 1;
        row.end = end;
    }
    matches!(bytes[row.end], b'\n' | b'\r').then_some(row)
}

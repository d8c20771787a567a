//! The fast path: rows that are valid, plain ASCII and without quotes, as nearly all are, read in one pass.
//!
//! It reports no problems. Every row that it does not accept takes the slow path, through `scan`, `cells` and `row`,
//! which define the rules. A property test checks that both paths agree.

use std::ops::Range;

use super::field::Separator;
use super::header::is_model_column;
use super::simd::{ByteSet, LANES, same};
use crate::names::{DeviceName, is_model_name};
use crate::text::{Description, FriendlyName};
use crate::tier::PricingTier;

/// The five fields of a plain row, and where it ends.
#[derive(Debug)]
pub(super) struct PlainRow<'a> {
    /// The row and all that follows it.
    pub(super) bytes: &'a [u8],
    pub(super) fields: [Range<usize>; 5],
    /// The index of the line end's first byte.
    pub(super) end: usize,
    /// Behind the line end, as far as it is there.
    pub(super) next: usize,
}

/// Reads plain rows of the usual five columns, one after another, up to the first that is not.
#[derive(Debug)]
pub(super) struct PlainRows<'a> {
    bytes: &'a [u8],
    /// Where the next row begins.
    at: usize,
    separator: u8,
    stops: Stops,
    /// The last row's model, which nearly always is the next one's, too.
    model: Option<&'a [u8]>,
}

/// What a device name is made of.
static NAME: ByteSet = ByteSet::of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-", b' ');

/// What a cell is made of here, for each separator. A semicolon is not in it: behind one, an apostrophe may be a guard.
static TEXTS: [ByteSet; 3] = [text(Separator::ALL[0]), text(Separator::ALL[1]), text(Separator::ALL[2])];

const fn text(separator: Separator) -> ByteSet {
    ByteSet::of(
        b" !#$%&'()*+,-./0123456789:<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~",
        separator.byte(),
    )
}

impl<'a> PlainRows<'a> {
    /// The rows from the start of these bytes on.
    pub(super) fn new(bytes: &'a [u8], separator: Separator) -> Self {
        let stops = Stops { text: &TEXTS[separator as usize], ahead: 0, mask: 0 };
        Self { bytes, at: 0, separator: separator.byte(), stops, model: None }
    }

    /// What is left: the first row that has anything unusual about it, or does not end in these bytes, and all
    /// that follows.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// The row that begins where the last one ended.
    #[inline]
    pub(super) fn next(&mut self) -> Option<PlainRow<'a>> {
        let bytes = &self.bytes[self.at..];
        let name = self.stops.next(self.bytes)? - self.at;
        let model = self.stops.next(self.bytes)? - self.at;
        let fields = [0..name, name + 1..model, 0..0, 0..0, 0..0];
        if bytes[name] != self.separator || !is_name(&bytes[..name]) || !self.is_model(&bytes[name + 1..model]) {
            return None;
        }
        let mut row = PlainRow { bytes, fields, end: model, next: 0 };
        let mut column = 2;
        while bytes[row.end] == self.separator {
            let start = row.end + 1;
            row.end = self.stops.next(self.bytes)? - self.at;
            if !fits(&bytes[start..row.end], column) {
                return None;
            }
            // What is padded to more columns has nothing in them.
            if let Some(field) = row.fields.get_mut(column) {
                *field = start..row.end;
            }
            column += 1;
        }
        row.next = match bytes[row.end..] {
            [b'\r', b'\n', ..] => {
                self.stops.next(self.bytes)?;
                row.end + 2
            }
            [b'\r' | b'\n', ..] => row.end + 1,
            _ => return None,
        };
        self.at += row.next;
        Some(row)
    }

    /// Whether a cell is a model name, as nearly always because the last one was the same. The name of the models' column
    /// is none here: its row may be a header among the devices.
    #[inline]
    fn is_model(&mut self, cell: &'a [u8]) -> bool {
        if !self.model.is_some_and(|model| same(cell, model)) {
            let is_model = is_model_name(cell) && !std::str::from_utf8(cell).is_ok_and(is_model_column);
            self.model = is_model.then_some(cell);
        }
        self.model.is_some()
    }
}

#[inline]
fn is_name(cell: &[u8]) -> bool {
    cell.first().is_some_and(u8::is_ascii_alphanumeric) && cell.len() <= DeviceName::MAX_CHARS && NAME.has_all(cell)
}

/// Whether a cell is valid in one of the columns that may be blank.
#[inline]
fn fits(cell: &[u8], column: usize) -> bool {
    match column {
        2 => cell.len() <= FriendlyName::MAX_CHARS as usize && is_tidy(cell),
        3 => cell.len() <= Description::MAX_CHARS as usize && is_tidy(cell),
        4 => cell.is_empty() || PricingTier::ALL.iter().any(|tier| same(cell, tier.as_str().as_bytes())),
        _ => cell.is_empty(),
    }
}

/// Whether a text is as it will be kept: no white space around it, and no apostrophe that might be a guard.
fn is_tidy(text: &[u8]) -> bool {
    !matches!(text, [b' ' | b'\'', ..] | [.., b' '])
}

/// Finds the bytes that end a cell, or are unusual.
///
/// It looks ahead of the row, at a whole block whatever is in it: so the processor need not wait for where one cell
/// ends before it looks for the end of the next.
#[derive(Debug)]
struct Stops {
    text: &'static ByteSet,
    /// Where the next block begins.
    ahead: usize,
    /// The stops of the block before that which were not given yet, the lowest bit for its first byte.
    mask: u64,
}

impl Stops {
    const BLOCK: usize = 4 * LANES;

    /// The next stop; `None` where there is no whole block left.
    #[inline(always)]
    fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        while self.mask == 0 {
            let block: &[u8; Self::BLOCK] = bytes[self.ahead..].first_chunk()?;
            let lanes = block.as_chunks().0.iter().rev();
            self.mask = lanes.fold(0, |mask, lanes| mask << LANES | u64::from(self.text.outside(lanes)));
            self.ahead += Self::BLOCK;
        }
        let stop = self.ahead - Self::BLOCK + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(stop)
    }
}

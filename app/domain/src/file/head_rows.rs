//! The first rows of a file, as they are looked at before it is known how to read it: whether one is a device, names the
//! columns, or is a row in quotes.

use std::borrow::Cow;

use memchr::memchr;

use super::cells::{Cells, is_comment, text_after_quotes, value};
use super::field::Separator;
use super::header::{is_header, is_header_in_other_words};
use super::scan::{Scan, line_ends};
use crate::names::{is_device_name, is_model_name};

/// In UTF-8. Spreadsheets begin a file with it; where files were put together, it also comes in the middle.
pub(super) const BYTE_ORDER_MARK: [u8; 3] = *b"\xef\xbb\xbf";

/// A row at the beginning of a file that is neither blank nor commented out.
pub(super) struct HeadRow<'a> {
    /// The line at which it begins, from 1 for the first that is looked at.
    pub(super) line: u64,
    pub(super) bytes: &'a [u8],
    /// What its cells say, without blank ones at its end.
    pub(super) cells: Vec<Cow<'a, str>>,
}

impl HeadRow<'_> {
    /// Whether it is text. What is not is complained about when it is read.
    pub(super) fn is_text(&self) -> bool {
        std::str::from_utf8(self.bytes).is_ok() && memchr(0, self.bytes).is_none()
    }

    pub(super) fn is_device(&self) -> bool {
        matches!(self.cells.as_slice(), [device, model, ..]
            if is_device_name(device.as_bytes()) && is_model_name(model.as_bytes()))
    }
}

/// The rows of the head that are neither blank nor commented out. One that is cut off at its end is among them.
pub(super) fn head_rows(text: &[u8], separator: Separator) -> impl Iterator<Item = HeadRow<'_>> {
    let mut rest = text;
    let mut next_line = 1;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let line = next_line;
            rest = without_marks(rest);
            let end = Scan::default().end(rest, separator.byte()).unwrap_or(rest.len());
            let bytes = &rest[..end];
            let line_end = if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
            next_line += 1 + line_ends(bytes);
            rest = rest.get(end + line_end..).unwrap_or_default();
            let mut cells: Vec<Cow<'_, str>> = Cells::new(bytes, separator.byte())
                .map(|range| std::str::from_utf8(&bytes[range]).map_or(Cow::Borrowed("\u{fffd}"), value))
                .collect();
            trim_padding(&mut cells);
            if cells.first().is_some_and(|cell| !is_comment(cell, cells.len() == 1)) {
                return Some(HeadRow { line, bytes, cells });
            }
        }
        None
    })
}

/// Without the byte order marks at the start of a row.
pub(super) fn without_marks(mut row: &[u8]) -> &[u8] {
    while let Some(rest) = row.strip_prefix(&BYTE_ORDER_MARK) {
        row = rest;
    }
    row
}

/// Takes off the blank cells behind the last that is not.
pub(super) fn trim_padding(cells: &mut Vec<Cow<'_, str>>) {
    let filled = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    cells.truncate(filled);
}

/// Whether a row is a device or names the columns, by itself and by those that follow.
pub(super) fn makes_sense(rows: &[HeadRow<'_>], index: usize) -> bool {
    let row = &rows[index];
    row.is_device() || is_header(&row.cells) || names_columns(rows, index)
}

/// Whether a row is a header in other words, by itself and by those that follow.
pub(super) fn names_columns(rows: &[HeadRow<'_>], index: usize) -> bool {
    let below: Vec<&[Cow<'_, str>]> = rows[index + 1..].iter().map(|row| row.cells.as_slice()).collect();
    is_header_in_other_words(&rows[index].cells, &below)
}

/// Whether a row is one quoted cell, blank ones aside, that makes sense as a row of its own.
pub(super) fn is_row_in_quotes(row: &[u8]) -> bool {
    let Some(inside) = std::str::from_utf8(row).ok().map(|row| row.trim_end_matches([',', ';', '\t', ' '])) else {
        return false;
    };
    let mut cells = Cells::new(inside.as_bytes(), b',');
    if !inside.starts_with('"') || cells.next() != Some(0..inside.len()) || text_after_quotes(inside).is_some() {
        return false;
    }
    let inside = value(inside);
    Separator::ALL.into_iter().any(|separator| {
        let rows: Vec<HeadRow<'_>> = head_rows(inside.as_bytes(), separator).take(1).collect();
        !rows.is_empty() && rows[0].cells.len() > 1 && makes_sense(&rows, 0)
    })
}

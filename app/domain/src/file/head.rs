//! What the beginning of a file tells: whether it is text at all, where it starts, and what separates its fields.

use std::borrow::Cow;

use memchr::memchr2;

use super::cells::{Cells, value};
use super::field::Separator;
use super::header::is_header;
use super::problem::Cause;
use super::scan::Scan;
use crate::names::{is_device_name, is_model_name};
use crate::tier::PricingTier;

/// How much of a file is looked at here: as much as one row may have. Until so much is there, or the file has
/// ended, nothing is read; so the same bytes are always decided upon, however they come in.
pub(super) const HEAD_BYTES: usize = super::MAX_ROW_BYTES;

/// How many rows are tried to find the separator, should the first ones have mistakes in them.
const TRIED_ROWS: usize = 10;

/// How many bytes are looked at to tell UTF-16 from a stray NUL.
const UTF16_BYTES: usize = 1024;

/// Where and how the rows of a file start.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// How many bytes precede the first row.
    pub(super) skip: usize,
    /// How many lines these are.
    pub(super) lines: u64,
    /// What separates the fields.
    pub(super) separator: Separator,
}

/// Looks at the first [`HEAD_BYTES`] of a file, or at all of a shorter one.
///
/// # Errors
/// Why the file cannot be read at all, and the value to show with it.
pub(super) fn look(head: &[u8]) -> Result<Head, (Cause, String)> {
    if is_workbook(head) {
        return Err((Cause::ExcelWorkbook, String::new()));
    }
    if is_utf16(head) {
        return Err((Cause::Utf16, String::new()));
    }
    let bom = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let text = &head[bom..];
    if let Some((named, line_bytes)) = sep_line(text) {
        let separator = Separator::ALL.into_iter().find(|it| char::from(it.byte()) == named);
        let separator = separator.ok_or_else(|| (Cause::UnknownSeparator, named.to_string()))?;
        return Ok(Head { skip: bom + line_bytes, lines: 1, separator });
    }
    Ok(Head { skip: bom, lines: 0, separator: separator(text) })
}

/// `.xlsx` and `.ods` are ZIP files; `.xls` is an OLE one.
fn is_workbook(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
}

/// By its byte order mark; or because of the first pairs of bytes most have a NUL on the same side, as ASCII text
/// has in UTF-16. A few NULs are only NULs.
fn is_utf16(head: &[u8]) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return true;
    }
    let pairs = head[..head.len().min(UTF16_BYTES)].as_chunks::<2>().0;
    let little = pairs.iter().filter(|[low, high]| *low != 0 && *high == 0).count();
    let big = pairs.iter().filter(|[high, low]| *low != 0 && *high == 0).count();
    !pairs.is_empty() && little.max(big) * 4 >= pairs.len() * 3
}

/// Excel's own first line, such as `sep=;`: the character it names, and how many bytes the line has.
fn sep_line(text: &[u8]) -> Option<(char, usize)> {
    let end = memchr2(b'\n', b'\r', text).unwrap_or(text.len());
    let line = std::str::from_utf8(&text[..end]).ok()?.trim_end_matches(' ');
    let line = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap_or(line);
    let (key, named) = line.split_at_checked(4)?;
    let mut named = named.chars();
    let (true, Some(named), None) = (key.eq_ignore_ascii_case("sep="), named.next(), named.next()) else {
        return None;
    };
    let line_end = if text[end..].starts_with(b"\r\n") { 2 } else { usize::from(end < text.len()) };
    Some((named, end + line_end))
}

/// The separator: the one under which the earliest row makes sense, as a header or as a device.
///
/// A device name and a model name contain no separator, so no row makes sense under two of them, and a comma in
/// the texts of a `;` file does not count. If no row makes sense under any, the one that does best for the first.
fn separator(text: &[u8]) -> Separator {
    let sensible = |it: &Separator| rows(text, *it).take(TRIED_ROWS).position(|row| makes_sense(&row));
    let earliest = Separator::ALL.into_iter().filter_map(|it| Some((sensible(&it)?, it))).min_by_key(|(row, _)| *row);
    if let Some((_, separator)) = earliest {
        return separator;
    }
    let mut best = ((0, 0), Separator::default());
    for separator in Separator::ALL {
        let promise = rows(text, separator).next().map_or((0, 0), |row| promise(&row));
        if promise > best.0 {
            best = (promise, separator);
        }
    }
    best.1
}

type Cell<'a> = Cow<'a, str>;

/// The rows of the head that are not blank, as cells. One that is cut off at its end is among them.
fn rows(text: &[u8], separator: Separator) -> impl Iterator<Item = Vec<Cell<'_>>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = Scan::default().end(rest, separator.byte()).unwrap_or(rest.len());
            let row = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            // What is not UTF-8 makes no sense, and is complained about when it is read.
            let cells: Vec<Cell<'_>> = Cells::new(row, separator.byte())
                .map(|range| std::str::from_utf8(&row[range]).map_or(Cow::Borrowed("\u{fffd}"), value))
                .collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                return Some(cells);
            }
        }
        None
    })
}

fn makes_sense(row: &[Cell<'_>]) -> bool {
    let device = matches!(row, [device, model, ..]
        if is_device_name(device.as_bytes()) && is_model_name(model.as_bytes()));
    device || is_header(row)
}

/// How well a row that makes no sense still does under a separator: what fits, then how many cells there are.
fn promise(row: &[Cell<'_>]) -> (u32, usize) {
    let mut fits = 0;
    if row.len() >= 2 {
        fits += u32::from(is_device_name(row[0].as_bytes())) * 2;
        fits += u32::from(is_model_name(row[1].as_bytes())) * 2;
        fits += u32::from(row.get(4).is_some_and(|tier| PricingTier::nearest(tier).is_some()));
    }
    (fits, row.len())
}

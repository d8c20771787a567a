//! What the beginning of a file tells: whether it is text at all, where it starts, what separates its fields, and
//! whether something is wrong with all of it.

use std::borrow::Cow;

use memchr::memchr2;

use super::cells::{is_comment, value};
use super::field::Separator;
use super::head_rows::{
    BYTE_ORDER_MARK, HeadRow, head_rows, is_row_in_quotes, makes_sense, names_columns, without_marks,
};
use super::header::{is_dotted_model, is_header};
use super::offer::{MappingOffer, offer};
use super::options::ReadOptions;
use super::problem::{Cause, ColumnNames, Problem};
use crate::names::{is_device_name, is_model_name};
use crate::tier::PricingTier;

/// How much of a file is looked at here: as much as one row may have. Until so much is there, or the file has
/// ended, nothing is read; so the same bytes are always decided upon, however they come in.
pub(super) const HEAD_BYTES: usize = super::MAX_ROW_BYTES;

/// How many rows are tried to find the separator and the header, should others come first or have mistakes in them.
const TRIED_ROWS: usize = 20;

/// How many bytes are looked at to tell UTF-16 from a stray NUL.
const UTF16_BYTES: usize = 1024;

/// Where and how the rows of a file start.
#[derive(Debug)]
pub(super) struct Head {
    /// How many bytes precede the first row.
    pub(super) skip: usize,
    /// How many lines these are.
    pub(super) lines: u64,
    /// What separates the fields.
    pub(super) separator: Separator,
    /// What is wrong with the file as a whole.
    pub(super) fault: Option<Problem>,
    /// The columns, should a person be asked what they are.
    pub(super) offer: Option<MappingOffer>,
}

/// Looks at the first [`HEAD_BYTES`] of a file, or at all of a shorter one.
///
/// # Errors
/// Why the file cannot be read at all, and the value to show with it.
pub(super) fn look(head: &[u8], options: &ReadOptions) -> Result<Head, (Cause, String)> {
    if is_workbook(head) {
        return Err((Cause::ExcelWorkbook, String::new()));
    }
    if is_utf16(head) {
        return Err((Cause::Utf16, String::new()));
    }
    let mark = if head.starts_with(&BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let text = &head[mark..];
    let (skip, lines, named) = match sep_line(text) {
        Some((named, line_bytes)) => {
            let separator = Separator::ALL.into_iter().find(|it| char::from(it.byte()) == named);
            let separator = separator.ok_or_else(|| (Cause::UnknownSeparator, named.to_string()))?;
            (line_bytes, 1, Some(separator))
        }
        None => (0, 0, None),
    };
    let text = &text[skip..];
    let (separator, is_sensible) = named.map_or_else(|| separator(text), |separator| (separator, true));
    let rows: Vec<HeadRow<'_>> = head_rows(text, separator).take(TRIED_ROWS).collect();
    // Whoever maps the columns has seen the rows.
    let fault = options.mapping.is_none().then(|| fault(text, &rows, is_sensible)).flatten();
    let fault = fault.map(|(line, cause, value)| Problem::at((line + lines, 1), None, &value, cause));
    Ok(Head { skip: mark + skip, lines, separator, fault, offer: offer(&rows, options) })
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
fn separator(text: &[u8]) -> (Separator, bool) {
    let sensible = |it: &Separator| {
        let rows: Vec<HeadRow<'_>> = head_rows(text, *it).take(TRIED_ROWS).collect();
        (0..rows.len()).find(|&index| makes_sense(&rows, index))
    };
    let earliest = Separator::ALL.into_iter().filter_map(|it| Some((sensible(&it)?, it))).min_by_key(|(row, _)| *row);
    if let Some((_, separator)) = earliest {
        return (separator, true);
    }
    let mut best = ((0, 0), Separator::default());
    for separator in Separator::ALL {
        let promise = head_rows(text, separator).next().map_or((0, 0), |row| promise(&row.cells));
        if promise > best.0 {
            best = (promise, separator);
        }
    }
    (best.1, false)
}

/// How well a row that makes no sense still does under a separator: what fits, then how many cells there are.
fn promise(row: &[Cow<'_, str>]) -> (u32, usize) {
    let mut fits = 0;
    if row.len() >= 2 {
        fits += u32::from(is_device_name(row[0].as_bytes())) * 2;
        fits += u32::from(is_model_name(row[1].as_bytes())) * 2 + u32::from(is_dotted_model(&row[1]));
        fits += u32::from(row.get(4).is_some_and(|tier| PricingTier::nearest(tier).is_some()));
    }
    (fits, row.len())
}

/// What is wrong with the file as a whole, by its first rows: the line, the cause and a value for showing.
fn fault(text: &[u8], rows: &[HeadRow<'_>], is_sensible: bool) -> Option<(u64, Cause, String)> {
    let first = rows.first().filter(|first| first.is_text())?;
    if is_row_in_quotes(first.bytes) {
        return Some((first.line, Cause::RowsInQuotes, String::new()));
    }
    if !is_sensible {
        return other_separator(text).map(|separator| (first.line, Cause::OtherSeparator { separator }, String::new()));
    }
    if is_header(&first.cells) {
        return None;
    }
    if names_columns(rows, 0) {
        let columns = ColumnNames::new(first.cells.iter().map(|cell| cell.as_ref()));
        let value = first.cells.join(", ");
        return Some((first.line, Cause::HeaderInOtherWords { columns }, value));
    }
    // Rows above a header; but a header below devices, however wrong the first is, is one too many.
    let is_below = |index: &usize| is_header(&rows[*index].cells) || !first.is_device() && names_columns(rows, *index);
    let below = (1..rows.len()).find(is_below)?;
    let (above, devices) = (&rows[..below], &rows[below + 1..]);
    let is_title = |row: &HeadRow<'_>| row.is_text() && (!row.is_device() || is_title_like_device(row, devices));
    above.iter().all(is_title).then(|| (first.line, Cause::HeaderBelow { line: rows[below].line }, String::new()))
}

/// Whether a row could be a device, such as `Fleet,Berlin`, and yet is no device beside those below the header: its model
/// has one part only, and none of them has it.
fn is_title_like_device(row: &HeadRow<'_>, devices: &[HeadRow<'_>]) -> bool {
    let model = &row.cells[1];
    !is_dotted_model(model) && !devices.is_empty() && !devices.iter().any(|device| device.cells.contains(model))
}

/// Separators that are not read, but known when they are seen. The last two may also stand in names, or between words.
const OTHER_SEPARATORS: [char; 11] =
    ['|', '^', '~', '\u{a6}', '\u{1f}', '\u{1}', '\u{ff0c}', '\u{ff1b}', '/', ':', ' '];

/// The separator with which at least half of the first rows make sense, though they make none with any that is read.
///
/// Between names, many characters could be taken for separators, so the model names must have dots, or the first row
/// must be a header.
fn other_separator(text: &[u8]) -> Option<char> {
    let lines: Vec<&str> = text
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter_map(|line| std::str::from_utf8(without_marks(line)).ok())
        .filter(|line| !line.trim().is_empty() && !is_comment(line.trim(), true))
        .take(TRIED_ROWS)
        .collect();
    OTHER_SEPARATORS.into_iter().find(|&separator| {
        let rows: Vec<Vec<Cow<'_, str>>> = lines
            .iter()
            .map(|line| {
                // Tables for people have lines around them, too.
                let cells = line.trim_matches(separator).split(separator).map(|cell| value(cell.trim()));
                // Columns that were made with spaces have more than one between them.
                cells.filter(|cell| separator != ' ' || !cell.is_empty()).collect()
            })
            .collect();
        let makes_sense = |row: &Vec<Cow<'_, str>>| {
            matches!(row.as_slice(), [name, model, ..]
                if is_device_name(name.as_bytes()) && (is_dotted_model(model)
                    || matches!(separator, '|' | '^' | '~' | '\u{1f}' | '\u{1}') && is_model_name(model.as_bytes())))
        };
        let sensible = rows.iter().filter(|row| makes_sense(row)).count();
        let is_header = rows.first().is_some_and(|first| first.len() > 1 && separator != ' ' && is_header(first));
        !rows.is_empty() && (sensible * 2 >= rows.len() || is_header)
    })
}

//! The cells of one row: where they are, and what they say.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use crate::guard::unguarded;

/// The cells of a row, as ranges of its bytes.
#[derive(Clone)]
pub(super) struct Cells<'a> {
    row: &'a [u8],
    separator: u8,
    /// Where the next cell starts; `None` after the last.
    next: Option<usize>,
}

impl<'a> Cells<'a> {
    /// The cells of a row, which is without its line end. Even an empty row has one.
    pub(super) const fn new(row: &'a [u8], separator: u8) -> Self {
        Self { row, separator, next: Some(0) }
    }
}

impl Iterator for Cells<'_> {
    type Item = Range<usize>;

    #[inline]
    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.next?;
        let from = if self.row.get(start) == Some(&b'"') { after_quotes(self.row, start) } else { start };
        let end = memchr(self.separator, &self.row[from..]).map(|at| from + at);
        // A separator is one byte of ASCII, so behind it starts a character.
        self.next = end.map(|end| end + 1);
        Some(start..end.unwrap_or(self.row.len()))
    }
}

/// Where the quotes that open at `start` have closed: behind the closing one.
fn after_quotes(row: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(quote) = memchr(b'"', &row[at..]) {
        at += quote + 1;
        if row.get(at) != Some(&b'"') {
            return at;
        }
        at += 1;
    }
    row.len()
}

/// What a cell says: without its quotes, the white space around it, the `=""` with which a spreadsheet is made to
/// keep a text as it is, and the apostrophes of [`guard`](crate::guard).
#[inline]
pub(super) fn value(cell: &str) -> Cow<'_, str> {
    match if cell.starts_with('"') { unquoted(cell) } else { Cow::Borrowed(cell) } {
        Cow::Borrowed(text) => meant(text),
        Cow::Owned(text) => Cow::Owned(meant(&text).into_owned()),
    }
}

/// What the text of a cell says.
#[inline]
fn meant(text: &str) -> Cow<'_, str> {
    let text = tidy(text);
    // Nearly every text begins so, and most of these hold no apostrophe.
    let first = text.as_bytes().first();
    if first.is_none_or(u8::is_ascii_alphanumeric) && memchr(b'\'', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    if let Some(text) = equals_text(text) {
        return Cow::Owned(tidy(&text).to_owned());
    }
    match unguarded(text) {
        Cow::Borrowed(text) => Cow::Borrowed(text),
        // A guarded tab or CR is white space once its guard is off.
        Cow::Owned(text) => Cow::Owned(tidy(&text).to_owned()),
    }
}

/// `="0012345"` is how a text is written that a spreadsheet would take for a number: the text in it.
fn equals_text(text: &str) -> Option<String> {
    let inside = text.strip_prefix("=\"")?.strip_suffix('"')?;
    let parts: Vec<&str> = inside.split("\"\"").collect();
    (!parts.iter().any(|part| part.contains('"'))).then(|| parts.join("\""))
}

/// Whether a cell opens with `="` and does not close: a separator inside the quotes has split it.
pub(super) fn is_split_equals_text(cell: &str) -> bool {
    let cell = cell.trim();
    cell.starts_with("=\"") && equals_text(cell).is_none()
}

/// The text after the closing quote of a quoted cell, and its position in the cell; `None` if it is only white space.
pub(super) fn text_after_quotes(cell: &str) -> Option<(usize, &str)> {
    if !cell.starts_with('"') {
        return None;
    }
    let end = after_quotes(cell.as_bytes(), 0);
    let text = &cell[end..];
    let blank = text.len() - text.trim_start().len();
    (blank < text.len()).then(|| (end + blank, text.trim()))
}

/// A cell that begins with a quote, read as the `csv` crate reads it.
fn unquoted(cell: &str) -> Cow<'_, str> {
    let inside = &cell[1..];
    // The usual case needs no copy: the next quote is the last character.
    if memchr(b'"', inside.as_bytes()).is_some_and(|at| at + 1 == inside.len()) {
        return Cow::Borrowed(&inside[..inside.len() - 1]);
    }
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((before, after)) = rest.split_once('"') {
        text.push_str(before);
        let Some(after_pair) = after.strip_prefix('"') else {
            // Closed. What follows still belongs to the cell, and quotes in it are only characters.
            text.push_str(after);
            return Cow::Owned(text);
        };
        text.push('"');
        rest = after_pair;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Without the white space around it.
#[inline]
fn tidy(text: &str) -> &str {
    let bytes = text.as_bytes();
    let solid = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    if solid(bytes.first()) && solid(bytes.last()) { text } else { text.trim() }
}

/// Whether a cell begins with white space and then a quote, which therefore quotes nothing.
pub(super) fn space_before_quote(cell: &str) -> bool {
    let trimmed = cell.trim_start();
    trimmed.len() < cell.len() && trimmed.starts_with('"')
}

/// Whether a row with this first cell was commented out. A first column that is called `#` numbers the rows.
pub(super) fn is_comment(first: &str, is_only_cell: bool) -> bool {
    first.starts_with("//") || first.starts_with('#') && (first.len() > 1 || is_only_cell)
}

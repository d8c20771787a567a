//! The cells of one row: where they are, and what they say.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

/// Goes through a whole row, cell by cell, giving the bytes of each as they stand in the file.
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

/// What a cell says: without its quotes, the white space around it, and the apostrophe of [`unguarded`].
#[inline]
pub(super) fn value(cell: &str) -> Cow<'_, str> {
    if !cell.starts_with('"') {
        return Cow::Borrowed(tidy(cell));
    }
    match unquoted(cell) {
        Cow::Borrowed(text) => Cow::Borrowed(tidy(text)),
        Cow::Owned(text) => Cow::Owned(tidy(&text).to_owned()),
    }
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

#[inline]
fn tidy(text: &str) -> &str {
    let bytes = text.as_bytes();
    let solid = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let trimmed = if solid(bytes.first()) && solid(bytes.last()) { text } else { text.trim() };
    if trimmed.starts_with('\'') { unguarded(trimmed) } else { trimmed }
}

/// Takes off the apostrophe that [`guard`] put before a value.
fn unguarded(text: &str) -> &str {
    if guard(text).is_empty() { text } else { &text[1..] }
}

/// What has to stand before a value so that no spreadsheet runs it as a formula: `'` or nothing.
///
/// A spreadsheet may run what begins with `= + - @`, tab or CR. A value that begins so behind apostrophes of its
/// own gets another, so that taking one off always gives back what was written.
pub(crate) fn guard(value: &str) -> &'static str {
    match value.trim_start_matches('\'').bytes().next() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => "'",
        _ => "",
    }
}

/// Whether a cell begins with white space and then a quote, which therefore quotes nothing.
pub(super) fn space_before_quote(cell: &str) -> bool {
    let trimmed = cell.trim_start();
    trimmed.len() < cell.len() && trimmed.starts_with('"')
}

//! Reads a registration file in pieces, and hands on its rows and its problems.

mod broken;
mod encoding;
mod found;

use memchr::{memchr, memchr2};

use self::encoding::guess_encoding;
use self::found::Found;
use super::cells::{Cells, value};
use super::head::{HEAD_BYTES, look};
use super::head_rows::{BYTE_ORDER_MARK, trim_padding};
use super::header;
use super::layout::Layout;
use super::offer::MappingOffer;
use super::options::ReadOptions;
use super::plain::PlainRows;
use super::problem::{Cause, Problem};
use super::row::{END_OF_FILE, Row, place_at};
use super::scan::{Scan, line_ends};
use super::{MAX_FILE_BYTES, MAX_ROW_BYTES};
use crate::shown::shown;

/// Takes what a [`Reader`] finds.
pub trait Sink {
    /// A row, whether valid or not: if not, its problems were handed on just before.
    fn row(&mut self, row: &Row<'_>);
    /// Something is wrong. Problems come in the order of their rows.
    fn problem(&mut self, problem: Problem);
    /// Something looks wrong, but may be meant: it does not make the row invalid. Like problems, a row's warnings
    /// come before the row.
    fn warning(&mut self, _warning: Problem) {}
}

/// Reads a registration file in pieces of any size.
///
/// It buffers at most one row, of at most [`MAX_ROW_BYTES`]; the [`Sink`] receives each row as soon as it is complete.
/// It never fails: any bytes result in rows and problems, and how they are cut into pieces makes no difference.
///
/// A row over [`MAX_ROW_BYTES`] is one problem, and reading continues after its end. A quote that is not closed by
/// then, or by the end of the file, is a problem at the place where it opens, and reading continues in the next line:
/// the rest of the file is usually valid, and its own problems belong in the same report.
///
/// Where a [cause](Cause::ends_reading) ends the reading, everything behind it is ignored.
#[derive(Debug)]
pub struct Reader {
    /// The beginning of the file, until there is enough of it to look at.
    head: Option<Vec<u8>>,
    options: ReadOptions,
    offer: Option<MappingOffer>,
    unknown_columns: Vec<String>,
    layout: Layout,
    /// Whether the next row may be the header.
    first_row: bool,
    /// Whether rows may take the fast path: the first one was read, and the columns are the usual ones.
    quick: bool,
    /// The row that is being read, as far as its end was not in the piece in which it began.
    carry: Vec<u8>,
    /// How many bytes of a byte order mark the row began with, as far as these were in the pieces so far.
    mark: usize,
    scan: Scan,
    /// Where that row begins.
    line: u64,
    start: u64,
    /// A CR ended the last row: an LF would belong to it.
    after_cr: bool,
    /// The rest of a row that is too long is being skipped.
    skipping: bool,
    /// Lines end in lone CR, as on old Macs.
    is_mac: bool,
    /// It is not a part, which ends before the Ctrl-Z at the end of its file.
    is_whole_file: bool,
    /// The row has no line end, but the file's.
    last_row: bool,
    received: u64,
    found: Found,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// A reader for a whole file. It finds the layout by itself.
    #[must_use]
    pub fn new() -> Self {
        Self::with_options(ReadOptions::default())
    }

    /// The same, read as a person chose.
    #[must_use]
    pub fn with_options(options: ReadOptions) -> Self {
        let part = Self::resume(Layout::default(), 1);
        Self { head: Some(Vec::new()), options, first_row: true, quick: false, is_whole_file: true, ..part }
    }

    /// A reader for a part of a file whose layout is known: see [`super::PartRange`]. There is no header; lines are numbered from `first_line`, and byte offsets from the part's start.
    #[must_use]
    pub fn resume(layout: Layout, first_line: u64) -> Self {
        Self {
            head: None,
            options: ReadOptions::default(),
            offer: None,
            unknown_columns: Vec::new(),
            quick: layout.is_positional(),
            layout,
            first_row: false,
            carry: Vec::new(),
            mark: 0,
            scan: Scan::default(),
            line: first_line,
            start: 0,
            after_cr: false,
            skipping: false,
            is_mac: false,
            is_whole_file: false,
            last_row: false,
            received: 0,
            found: Found::default(),
        }
    }

    /// Reads a part of a file whose layout is known, as [`Reader::resume`] does, from its first byte to its last.
    pub fn read_part<S: Sink>(layout: Layout, first_line: u64, bytes: &[u8], sink: &mut S) {
        let mut reader = Self::resume(layout, first_line);
        reader.push(bytes, sink);
        reader.finish(sink);
    }

    /// Reads the next piece of the file.
    pub fn push<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) {
        let left = usize::try_from(MAX_FILE_BYTES - self.received).unwrap_or(usize::MAX);
        let (within, beyond) = bytes.split_at(bytes.len().min(left));
        self.received += within.len() as u64;
        if self.found.ended {
            return;
        }
        let mut rest = within;
        if let Some(head) = &mut self.head {
            let (looked_at, behind) = rest.split_at(rest.len().min(HEAD_BYTES - head.len()));
            head.extend_from_slice(looked_at);
            if head.len() < HEAD_BYTES {
                return;
            }
            rest = behind;
            self.begin(sink);
        }
        self.read(rest, sink);
        if !beyond.is_empty() {
            self.found.end_with(Problem::of_file(Cause::FileTooLarge), sink);
        }
    }

    /// Ends the file: its last row needs no line end. Nothing is read after this.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) {
        self.begin(sink);
        self.no_mark();
        while !self.found.ended && !self.carry.is_empty() {
            if self.scan.open_quote().is_some() {
                self.unclosed_quote(sink);
            } else {
                self.last_row = true;
                while self.is_whole_file && self.carry.last() == Some(&(END_OF_FILE as u8)) {
                    self.carry.pop();
                }
                self.carried_row(sink);
                self.carry.clear();
            }
        }
        if !self.found.ended && self.found.rows == 0 && self.found.problems == 0 {
            let cause = if self.layout.header() { Cause::NoDevices } else { Cause::Empty };
            self.found.end_with(Problem::of_file(cause), sink);
        }
        self.found.ended = true;
    }

    /// The layout, as far as it is known: before the first row, and in a file without one, it is the usual one.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How many rows there were so far that are neither blank nor the header.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.found.rows
    }

    /// How many bytes came in so far, up to [`MAX_FILE_BYTES`].
    #[must_use]
    pub const fn bytes_read(&self) -> u64 {
        self.received
    }

    /// Whether reading has ended, by [`Reader::finish`] or by a problem. More bytes would be ignored.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.found.ended
    }

    /// Looks at the beginning, and reads it.
    fn begin<S: Sink>(&mut self, sink: &mut S) {
        let Some(bytes) = self.head.take() else {
            return;
        };
        match look(&bytes, &self.options) {
            Ok(head) => {
                self.layout = Layout::positional(head.separator);
                self.line += head.lines;
                self.start = head.skip as u64;
                self.offer = head.offer;
                self.is_mac = memchr(b'\n', &bytes).is_none() && memchr(b'\r', &bytes).is_some();
                match head.fault {
                    Some(problem) => self.found.end_with(problem, sink),
                    None => self.read(&bytes[head.skip..], sink),
                }
            }
            Err((cause, value)) => self.found.end_with(Problem { value, ..Problem::of_file(cause) }, sink),
        }
    }

    /// What can be asked about the columns.
    pub(super) const fn offer(&self) -> Option<&MappingOffer> {
        self.offer.as_ref()
    }

    /// The columns of the header that are not known, for showing.
    pub(super) fn unknown_columns(&self) -> &[String] {
        &self.unknown_columns
    }

    /// Skips a byte order mark at the start of a row, also where it comes in several pieces. What is left.
    fn skip_mark<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let rest = &BYTE_ORDER_MARK[self.mark..];
        let same = bytes.iter().zip(rest).take_while(|(a, b)| a == b).count();
        self.mark += same;
        if self.mark == BYTE_ORDER_MARK.len() {
            self.start += BYTE_ORDER_MARK.len() as u64;
            self.mark = 0;
        } else if same < bytes.len() {
            self.no_mark();
        }
        &bytes[same..]
    }

    /// What began like a byte order mark is the beginning of a row.
    fn no_mark(&mut self) {
        let begun = &BYTE_ORDER_MARK[..std::mem::take(&mut self.mark)];
        // Marks have no line end, so the row continues.
        self.scan.end(begun, self.layout.separator().byte());
        self.carry.extend_from_slice(begun);
    }

    fn read<S: Sink>(&mut self, mut bytes: &[u8], sink: &mut S) {
        let separator = self.layout.separator().byte();
        while !self.found.ended && !bytes.is_empty() {
            if self.after_cr {
                self.after_cr = false;
                if bytes[0] == b'\n' {
                    self.start += 1;
                    bytes = &bytes[1..];
                    continue;
                }
            }
            if self.skipping {
                let Some(end) = memchr2(b'\n', b'\r', bytes) else {
                    self.start += bytes.len() as u64;
                    return;
                };
                self.skipping = false;
                self.next_row(end, bytes[end], 1);
                bytes = &bytes[end + 1..];
                continue;
            }
            if self.quick && self.carry.is_empty() && self.mark == 0 {
                bytes = self.plain_rows(bytes, sink);
                if self.found.ended || self.after_cr || bytes.is_empty() {
                    continue;
                }
            }
            if self.carry.is_empty() && (self.mark > 0 || bytes[0] == BYTE_ORDER_MARK[0]) {
                bytes = self.skip_mark(bytes);
                continue;
            }
            // Up to the first byte too many, which may be the line end of a row that just fits.
            let room = MAX_ROW_BYTES + 1 - self.carry.len();
            let piece = &bytes[..bytes.len().min(room)];
            if let Some(end) = self.scan.end(piece, separator) {
                let row = &piece[..end];
                if self.carry.is_empty() {
                    let lines = self.lines_of(row);
                    self.row(row, sink);
                    self.next_row(row.len(), piece[end], lines);
                } else {
                    self.carry.extend_from_slice(row);
                    let lines = self.lines_of(&self.carry);
                    self.carried_row(sink);
                    self.next_row(self.carry.len(), piece[end], lines);
                }
                bytes = &bytes[end + 1..];
            } else {
                self.carry.extend_from_slice(piece);
                bytes = &bytes[piece.len()..];
                if self.carry.len() > MAX_ROW_BYTES {
                    self.row_too_long(sink);
                }
            }
        }
    }

    /// Reads rows as long as they take the fast path, and gives back what follows them.
    fn plain_rows<'a, S: Sink>(&mut self, bytes: &'a [u8], sink: &mut S) -> &'a [u8] {
        let mut rows = PlainRows::new(bytes, self.layout.separator());
        while let Some(plain) = rows.next() {
            if !self.found.counts_row(self.line, sink) {
                break;
            }
            if let Some(row) = Row::plain(&plain, &self.layout, self.line, self.start) {
                sink.row(&row);
            }
            self.start += plain.next as u64;
            self.line += 1;
            self.after_cr = plain.bytes[plain.next - 1] == b'\r';
        }
        rows.rest()
    }

    /// How many lines a whole row takes. Only quotes can hold line ends.
    fn lines_of(&self, row: &[u8]) -> u64 {
        1 + if self.scan.quoted() { line_ends(row) } else { 0 }
    }

    /// Goes behind a row of `len` bytes and its line end.
    fn next_row(&mut self, len: usize, line_end: u8, lines: u64) {
        self.start += len as u64 + 1;
        self.line += lines;
        self.after_cr = line_end == b'\r';
        self.carry.clear();
        self.scan = Scan::default();
    }

    /// The row in `carry` is whole.
    fn carried_row<S: Sink>(&mut self, sink: &mut S) {
        let row = std::mem::take(&mut self.carry);
        self.row(&row, sink);
        self.carry = row;
    }

    /// A row that is not blank is whole.
    fn row<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) {
        if bytes.is_empty() {
            return;
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => return self.not_utf8(bytes, error, sink),
        };
        if self.first_row {
            return self.first_row(text, sink);
        }
        self.device_row(text, sink);
    }

    fn device_row<S: Sink>(&mut self, text: &str, sink: &mut S) {
        let row = Row::new(text, &self.layout, self.line, self.start);
        let found = &mut self.found;
        if !row.is_valid() && (row.is_blank() || found.is_nul(text.as_bytes(), self.line, sink)) {
            return;
        }
        if found.counts_row(self.line, sink) {
            if !row.is_valid() {
                row.problems(|problem| found.problem(problem, sink));
            }
            row.warnings(|warning| sink.warning(warning));
            sink.row(&row);
        }
    }

    fn first_row<S: Sink>(&mut self, text: &str, sink: &mut S) {
        let separator = self.layout.separator();
        let positional = Layout::positional(separator);
        let row = Row::new(text, &positional, self.line, self.start);
        if !row.is_valid() && row.is_blank() {
            return;
        }
        if row.is_commented_out() {
            return self.device_row(text, sink);
        }
        self.first_row = false;
        let mut cells: Vec<_> =
            Cells::new(text.as_bytes(), separator.byte()).map(|range| value(&text[range])).collect();
        trim_padding(&mut cells);
        let mapping = self.options.mapping.take();
        let is_header = mapping.as_ref().map_or_else(|| header::is_header(&cells), |it| it.first_row_is_header());
        let too_many = cells.len() > Layout::MAX_COLUMNS;
        if too_many && (is_header || mapping.is_some()) {
            let cause = Cause::TooManyColumns { found: u32::try_from(cells.len()).unwrap_or(u32::MAX) };
            return self.found.end_with(Problem::at(row.place_of_cell(Layout::MAX_COLUMNS), None, "", cause), sink);
        }
        let mut readable = true;
        let columns = match mapping {
            Some(mapping) => {
                let mut columns = mapping.columns().to_vec();
                if is_header && columns.len() < cells.len() {
                    columns.resize(cells.len(), None);
                }
                columns
            }
            None if is_header => {
                let header = header::read(&cells, self.options.ignore_unknown_columns);
                for (cell, field, cause) in header.problems {
                    readable &= !cause.ends_reading();
                    let value = cells.get(cell).map_or("", |cell| cell);
                    self.found.problem(Problem::at(row.place_of_cell(cell), field, value, cause), sink);
                }
                self.unknown_columns = header.unknown.iter().map(|&index| shown(&cells[index])).collect();
                header.columns
            }
            None => positional.columns().to_vec(),
        };
        match Layout::new(separator, columns, is_header) {
            Ok(layout) if readable => {
                self.quick = layout.is_positional();
                self.layout = layout;
            }
            _ => self.found.ended = true,
        }
        if !is_header && !self.found.ended {
            self.device_row(text, sink);
        }
    }

    fn not_utf8<S: Sink>(&mut self, row: &[u8], error: std::str::Utf8Error, sink: &mut S) {
        if self.found.is_nul(row, self.line, sink) {
            return;
        }
        let at = error.valid_up_to();
        // A row that ends too early in the middle of a file is not cut off, but in another encoding.
        let cut_off = self.last_row && error.error_len().is_none();
        let guess = guess_encoding(row, at, cut_off, self.is_mac);
        let problem = Problem::at(place_at(row, at, self.line), None, "", Cause::NotUtf8(guess));
        self.found.end_with(problem, sink);
    }
}

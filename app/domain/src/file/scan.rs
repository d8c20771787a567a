//! Where a row ends.

use memchr::{memchr, memchr3};

#[cfg(test)]
thread_local! {
    /// The bytes that all scans of this thread went through, so that a test sees how often each was read.
    pub(super) static SCANNED_BYTES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Looks for the end of one row, through as many pieces as it comes in.
///
/// A row ends at the first LF or CR outside quotes. As in the `csv` crate, a quote opens a quoted cell only as
/// the first character of the cell; two quotes in it are one; what follows its closing quote, up to the next
/// separator, still belongs to it. So where a row ends depends on the separator.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    state: State,
    /// How many bytes of the row have been looked at.
    seen: usize,
    /// Where in the row the last quoted cell opened.
    opened: usize,
    saw_quote: bool,
    quoted: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// No quote so far, and the row is at its start or behind a separator. While there is no quote, this is
    /// kept up to date only where a piece ends.
    #[default]
    CellStart,
    /// Inside a cell that is not quoted, or behind the closing quote of one that is.
    Plain,
    /// Inside quotes.
    Quoted,
    /// Behind a quote inside quotes: it closes them, unless another follows.
    QuoteInQuoted,
}

impl Scan {
    /// The row's end in its next piece, as an index of the line end's byte; `None` if the row continues.
    ///
    /// After `Some`, the row is over and the scan must be begun anew.
    #[inline]
    pub(super) fn end(&mut self, piece: &[u8], separator: u8) -> Option<usize> {
        let end = self.find_end(piece, separator);
        #[cfg(test)]
        SCANNED_BYTES.set(SCANNED_BYTES.get() + end.map_or(piece.len(), |end| end + 1));
        end
    }

    fn find_end(&mut self, piece: &[u8], separator: u8) -> Option<usize> {
        let mut at = 0;
        if !self.saw_quote {
            // Nearly every row is decided here, by one search.
            let hit = memchr3(b'\n', b'\r', b'"', piece);
            let before = hit.unwrap_or(piece.len());
            if let Some(&last) = before.checked_sub(1).and_then(|last| piece.get(last)) {
                self.state = if last == separator { State::CellStart } else { State::Plain };
            }
            at = before;
            match hit {
                Some(end) if piece[end] != b'"' => return Some(end),
                Some(_) => self.saw_quote = true,
                None => {}
            }
        }
        let end = self.find_end_by_quotes(piece, at, separator);
        self.seen += piece.len();
        end
    }

    /// The same, quote by quote.
    fn find_end_by_quotes(&mut self, piece: &[u8], mut at: usize, separator: u8) -> Option<usize> {
        while let Some(&byte) = piece.get(at) {
            match self.state {
                State::Quoted => {
                    at += memchr(b'"', &piece[at..])? + 1;
                    self.state = State::QuoteInQuoted;
                }
                State::QuoteInQuoted if byte == b'"' => {
                    self.state = State::Quoted;
                    at += 1;
                }
                State::CellStart if byte == b'"' => {
                    self.state = State::Quoted;
                    self.quoted = true;
                    self.opened = self.seen + at;
                    at += 1;
                }
                State::Plain | State::CellStart | State::QuoteInQuoted => {
                    self.state = State::Plain;
                    at += memchr3(separator, b'\n', b'\r', &piece[at..])?;
                    if piece[at] != separator {
                        return Some(at);
                    }
                    self.state = State::CellStart;
                    at += 1;
                }
            }
        }
        None
    }

    /// Whether a cell of the row is quoted, so that line ends may be inside it.
    pub(super) const fn quoted(&self) -> bool {
        self.quoted
    }

    /// The position in the row of the quote that is open now.
    pub(super) fn open_quote(&self) -> Option<usize> {
        (self.state == State::Quoted).then_some(self.opened)
    }
}

/// How many lines end in these bytes: at each LF, CR LF, or CR alone.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    let lf = memchr::memchr_iter(b'\n', bytes).count();
    let lone_cr = memchr::memchr_iter(b'\r', bytes).filter(|&at| bytes.get(at + 1) != Some(&b'\n')).count();
    (lf + lone_cr) as u64
}

//! Rows that do not end: too long ones, and those with a quote that does not close.

use memchr::memchr2;

use super::{Reader, Sink};
use crate::file::cells::Cells;
use crate::file::problem::{Cause, Problem};
use crate::file::row::place_at;
use crate::file::scan::{Scan, line_ends};

impl Reader {
    /// `carry` is full, and the row continues.
    pub(super) fn row_too_long<S: Sink>(&mut self, sink: &mut S) {
        if let Some(quote) = self.scan.open_quote()
            && memchr2(b'\n', b'\r', &self.carry[quote..]).is_some()
        {
            return self.unclosed_quote(sink);
        }
        // Only the beginning of the row is known, so all that can be reported is that it is no text.
        let row = std::mem::take(&mut self.carry);
        if self.found.counts_row(self.line, sink) && !self.found.is_nul(&row, self.line, sink) {
            let value = String::from_utf8_lossy(&row[..256]);
            self.found.problem(Problem::at((self.line, 1), None, &value, Cause::RowTooLong), sink);
        }
        // The last byte may be the CR of a line end inside quotes, but then a quote is open.
        self.start += row.len() as u64;
        self.line += line_ends(&row);
        self.scan = Scan::default();
        self.skipping = true;
    }

    /// A quote is open in `carry`, which is full or the last row: reads on in the line below the quote.
    ///
    /// So some bytes are read twice, but none three times: behind the open quote all quotes came in pairs, or one
    /// would have closed it, and a pair leaves no quote open. The next open quote is therefore after `carry`.
    pub(super) fn unclosed_quote<S: Sink>(&mut self, sink: &mut S) {
        let row = std::mem::take(&mut self.carry);
        let quote = self.scan.open_quote().unwrap_or(0);
        self.scan = Scan::default();
        let place = place_at(&row, quote, self.line);
        if !self.found.counts_row(self.line, sink) || self.found.is_nul(&row, self.line, sink) {
            return;
        }
        let cell = Cells::new(&row, self.layout.separator().byte()).position(|cell| cell.start == quote);
        let field = cell.and_then(|cell| self.layout.columns().get(cell).copied().flatten());
        let line_end = memchr2(b'\n', b'\r', &row[quote..]).map(|end| quote + end);
        let value = String::from_utf8_lossy(&row[quote..line_end.unwrap_or(row.len())]);
        self.found.problem(Problem::at(place, field, &value, Cause::UnclosedQuote), sink);
        if let Some(end) = line_end {
            self.next_row(end, row[end], place.0 + 1 - self.line);
            // This is less than a whole row may have, so it comes here again only at the end of the file.
            self.read(&row[end + 1..], sink);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::file::{Check, scan::SCANNED_BYTES};

    #[test]
    fn no_byte_is_scanned_more_than_twice() {
        let check = |file: &str| {
            SCANNED_BYTES.set(0);
            let mut check = Check::new();
            check.push(file.as_bytes());
            let report = check.finish();
            assert!(report.rows > 0 && report.ended_by.is_none(), "{:?}", &file[..20]);
            let scanned = SCANNED_BYTES.get();
            assert!(scanned <= 2 * file.len(), "{scanned} of {} bytes: {:?}", file.len(), &file[..20]);
        };
        for line in [
            "x,\n",
            "\"x\n",
            "\"\",M\n",
            "\"\"\"x\n",
            "a,M,\"\n",
            "x\",\"\n",
            "xxxxxxxxxx\",\"\n",
            "\"x,\"y\n",
            "\",\n",
            ",x\"\"\"\n",
            "a,M,\"x\"\"\n",
        ] {
            check(&line.repeat(50_000));
        }
        let devices: String = (0..20_000).map(|number| format!("device{number},Contoso.Pump\n")).collect();
        check(&format!("a,M\nb,M,\"Jet\n{devices}!,M\n"));
        check(&format!("{devices}b,M,\"Jet\n"));
    }
}

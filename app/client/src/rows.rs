//! The rows of a part: whether they are those that were checked, and what `errors.csv` says of them if they fail.

use muster_domain::{Layout, PartRange, Problem, Reader, Row, Sink, errors_csv, spreadsheet_would_change};

/// Whether these bytes have the length and the number of rows that the part had when it was checked, and no problem.
pub(crate) fn is_part(layout: &Layout, range: PartRange, bytes: &[u8]) -> bool {
    #[derive(Default)]
    struct Counts {
        rows: u32,
        has_problems: bool,
    }
    impl Sink for Counts {
        fn row(&mut self, _: &Row<'_>) {
            self.rows += 1;
        }
        fn problem(&mut self, _: Problem) {
            self.has_problems = true;
        }
    }
    if bytes.len() as u64 != range.end - range.start {
        return false;
    }
    let mut counts = Counts::default();
    Reader::read_part(layout.clone(), range.first_line, bytes, &mut counts);
    counts.rows == range.rows && !counts.has_problems
}

/// Rows of `errors.csv` for a part that was not registered, with this sentence: as many as the part has, even if its bytes
/// are no longer known. Also returns how many of their device names a spreadsheet would change.
pub(crate) fn failed_rows(layout: &Layout, range: PartRange, bytes: Option<Vec<u8>>, sentence: &str) -> (Vec<u8>, u64) {
    match bytes.filter(|bytes| is_part(layout, range, bytes)) {
        Some(bytes) => rows_with_fields(layout, range.first_line, &bytes, sentence),
        None => (rows_without_fields(range, sentence), 0),
    }
}

fn rows_with_fields(layout: &Layout, first_line: u64, bytes: &[u8], sentence: &str) -> (Vec<u8>, u64) {
    struct Failed<'a> {
        rows: Vec<u8>,
        fragile_names: u64,
        sentence: &'a str,
    }
    impl Sink for Failed<'_> {
        fn row(&mut self, row: &Row<'_>) {
            let fields = row.fields();
            self.fragile_names += u64::from(spreadsheet_would_change(fields[0]));
            errors_csv::push_row(&mut self.rows, fields, row.line(), self.sentence);
        }
        fn problem(&mut self, _: Problem) {}
    }
    let mut failed = Failed { rows: Vec::new(), fragile_names: 0, sentence };
    Reader::read_part(layout.clone(), first_line, bytes, &mut failed);
    (failed.rows, failed.fragile_names)
}

/// The rows of a part whose content is lost. Their line numbers are right unless a row had several lines.
fn rows_without_fields(range: PartRange, sentence: &str) -> Vec<u8> {
    let mut rows = Vec::new();
    for line in (range.first_line..).take(range.rows as usize) {
        errors_csv::push_row(&mut rows, [""; 5], line, sentence);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "a,M\nb,M,\"two, parts\"\n";

    fn range(bytes: u64, rows: u32) -> PartRange {
        PartRange { start: 100, end: 100 + bytes, first_line: 7, rows }
    }

    #[test]
    fn rows_that_changed_are_noticed() {
        let check = |bytes: &str, expected: bool| {
            assert_eq!(
                is_part(&Layout::default(), range(ROWS.len() as u64, 2), bytes.as_bytes()),
                expected,
                "{bytes:?}"
            );
        };
        check(ROWS, true);
        check("a,M\nb,M,\"two, parts\"", false);
        check("a,M\nb,M,,,,,,,,,,\n\n\n", false);
        check("a,M\nb,M\nc,M\nd,Mmmm\n\n", false);
        check("ister,M,\"two, parts\n\n", false);
    }

    #[test]
    fn every_row_that_failed_has_a_row() {
        let check = |range: PartRange, bytes: Option<&str>, expected: &str| {
            let bytes = bytes.map(|bytes| bytes.as_bytes().to_vec());
            let (rows, _) = failed_rows(&Layout::default(), range, bytes, "No.");
            assert_eq!(String::from_utf8_lossy(&rows).replace("\r\n", "|"), expected);
        };
        let whole = range(ROWS.len() as u64, 2);
        check(whole, Some(ROWS), "a,M,,,,7,No.|b,M,\"two, parts\",,,8,No.|");
        check(whole, Some("a,M\n"), ",,,,,7,No.|,,,,,8,No.|");
        check(range(5, 3), None, ",,,,,7,No.|,,,,,8,No.|,,,,,9,No.|");
    }
}

//! The file that was checked, while it is uploaded: what its bytes were, and whether they still are.

use super::file;
use js_sys::Uint8Array;
use leptos::task::spawn_local;
use muster_domain::{Layout, PartRange, Problem, Reader, Row, Sink, errors_csv, spreadsheet_would_change};
use std::{cell::RefCell, rc::Rc};
use web_sys::File;

/// The largest file that is copied: some 350,000 rows. Of a larger one, `errors.csv` has the lines only if it changes.
const MAX_COPY_BYTES: f64 = 32.0 * 1024.0 * 1024.0;

const CHANGED: &str = "The file changed after it was checked. Choose it again.";
const UNREADABLE: &str = "The file was changed, moved or removed after it was checked. Choose it again.";

/// A copy of a file in memory, made while the file is checked: browsers notice a change on the disk late or not at all
/// (Chromium compares seconds, Firefox nothing), and then cannot say what was there before.
#[derive(Clone, Default)]
pub(crate) struct FileCopy(Rc<RefCell<Option<Uint8Array>>>);

impl FileCopy {
    /// Begins to copy a file, unless it is large.
    pub(crate) fn begin(file: &File) -> Self {
        let copy = Self::default();
        if file.size() <= MAX_COPY_BYTES {
            let (file, bytes) = (file.clone(), copy.0.clone());
            spawn_local(async move {
                // A file that cannot be read fails its check, too.
                *bytes.borrow_mut() = file::buffer(&file).await.ok();
            });
        }
        copy
    }

    /// Its bytes from `start` to `end`, if it is there and has as many.
    fn bytes(&self, start: u64, end: u64) -> Option<Vec<u8>> {
        let copy = self.0.borrow();
        let copy = copy.as_ref().filter(|copy| end <= u64::from(copy.length()))?;
        Some(copy.subarray(start as u32, end as u32).to_vec())
    }
}

/// A file that the check found clean, and how its rows are read.
#[derive(Clone)]
pub(crate) struct CheckedFile {
    pub(crate) file: File,
    pub(crate) copy: FileCopy,
    pub(crate) layout: Layout,
}

impl CheckedFile {
    /// The bytes of a part.
    ///
    /// # Errors
    /// A sentence, if they are not what was checked any more, or cannot be read.
    pub(crate) async fn part(&self, range: PartRange) -> Result<Vec<u8>, String> {
        let bytes = file::bytes(&self.file, range.start as f64, range.end as f64).await;
        let bytes = bytes.map_err(|_| UNREADABLE.to_owned())?;
        let is_same = self.copy.bytes(range.start, range.end).is_none_or(|copy| copy == bytes);
        if is_same && is_part(&self.layout, range, &bytes) { Ok(bytes) } else { Err(CHANGED.to_owned()) }
    }

    /// Rows of `errors.csv` for a part that was not registered, for this reason: as many as the part has, whatever became
    /// of the file; and how many of their device names a spreadsheet would change.
    pub(crate) async fn failed_rows(&self, range: PartRange, sentence: &str) -> (Vec<u8>, u64) {
        let bytes = match self.copy.bytes(range.start, range.end) {
            Some(copy) => Some(copy),
            None => file::bytes(&self.file, range.start as f64, range.end as f64).await.ok(),
        };
        match bytes.filter(|bytes| is_part(&self.layout, range, bytes)) {
            Some(bytes) => failed_rows(&self.layout, range.first_line, &bytes, sentence),
            None => (failed_lines(range, sentence), 0),
        }
    }
}

/// Whether these bytes are as many right rows as a part had when it was checked.
fn is_part(layout: &Layout, range: PartRange, bytes: &[u8]) -> bool {
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

fn failed_rows(layout: &Layout, first_line: u64, bytes: &[u8], sentence: &str) -> (Vec<u8>, u64) {
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

/// The rows of a part whose content is lost: their lines, as far as no row had several.
fn failed_lines(range: PartRange, sentence: &str) -> Vec<u8> {
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
        let text = |rows: Vec<u8>| String::from_utf8_lossy(&rows).replace("\r\n", "|");
        let (rows, _) = failed_rows(&Layout::default(), 7, ROWS.as_bytes(), "No.");
        assert_eq!(text(rows), "a,M,,,,7,No.|b,M,\"two, parts\",,,8,No.|");
        assert_eq!(text(failed_lines(range(5, 3), "No.")), ",,,,,7,No.|,,,,,8,No.|,,,,,9,No.|");
    }
}

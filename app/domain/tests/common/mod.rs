//! What the tests of the registration file share.
#![allow(dead_code, reason = "each test program uses a part of it")]

use muster_domain::{Check, CheckReport, Problem, Reader, Row, Separator, Sink};

/// The report on these bytes, which come in at once.
pub(crate) fn report(bytes: impl AsRef<[u8]>) -> CheckReport {
    let mut check = Check::new();
    check.push(bytes.as_ref());
    check.finish()
}

/// What a person is told about a file: each problem as `line:column kind: sentence`, or the devices.
pub(crate) fn told(bytes: impl AsRef<[u8]>) -> String {
    let report = report(bytes);
    let mut out = format!("{} of {} rows", report.devices, report.rows);
    for Problem { line, column, cause, .. } in &report.problems {
        out += &format!("\n{line}:{column} {}", cause.kind());
    }
    for problem in &report.problems {
        out += &format!("\n{}", problem.sentence());
    }
    for warning in &report.warnings {
        let Problem { line, column, cause, .. } = warning;
        out += &format!("\n{line}:{column} warning {}: {}", cause.kind(), warning.sentence());
    }
    out
}

/// The same in one line without sentences: `2 devices; 3:1 device-name; warning 4:1 case-only`.
pub(crate) fn summary(report: &CheckReport) -> String {
    let mut out = format!("{} of {}", report.devices, report.rows);
    for Problem { line, column, cause, .. } in &report.problems {
        out += &format!("; {line}:{column} {}", cause.kind());
    }
    for Problem { line, column, cause, .. } in &report.warnings {
        out += &format!("; warning {line}:{column} {}", cause.kind());
    }
    out
}

/// The fields of every row, as they are understood, with `|` between them, after what is notable of the layout.
pub(crate) fn rows(bytes: impl AsRef<[u8]>) -> String {
    let found = read(bytes.as_ref());
    let layout = report(bytes).layout;
    let mut out = match layout.separator() {
        Separator::Comma => "commas",
        Separator::Semicolon => "semicolons",
        Separator::Tab => "tabs",
    }
    .to_owned();
    if layout.header() {
        out += ", header";
    }
    for (line, fields) in found.rows {
        out += &format!("\n{line}: {}", fields.join("|"));
    }
    out
}

/// All that a reader hands on.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// Line and fields of each row.
    pub(crate) rows: Vec<(u64, [String; 5])>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

impl Sink for Found {
    fn row(&mut self, row: &Row<'_>) {
        self.rows.push((row.line(), row.fields().map(str::to_owned)));
    }
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
    fn warning(&mut self, warning: Problem) {
        self.warnings.push(warning);
    }
}

/// Reads a whole file.
pub(crate) fn read(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut reader = Reader::new();
    reader.push(bytes, &mut found);
    reader.finish(&mut found);
    found
}

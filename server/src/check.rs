//! `muster check FILE`: the check that the page runs, from a terminal.

use muster_domain::{Check, MAX_FILE_BYTES, Report};
use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read, Write as _},
    path::Path,
    process::ExitCode,
};

/// How much is read at a time.
const PIECE_BYTES: usize = 1024 * 1024;

/// Checks the file: what is in it goes to stdout, its problems to stderr. The exit code is 1 where it has any, and 2
/// where it could not be read.
pub(crate) fn check(file: &Path) -> ExitCode {
    let report = match read(file) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("muster: {} cannot be read: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    // A reader that has gone away, such as `head`, is no reason to complain.
    let _ = io::stderr().write_all(problems(&file.display().to_string(), &report).as_bytes());
    let _ = io::stdout().write_all(summary(&report).as_bytes());
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(file: &Path) -> io::Result<Report> {
    // One byte over the limit is enough for the check to say so.
    let mut file = File::open(file)?.take(MAX_FILE_BYTES + 1);
    let mut piece = vec![0; PIECE_BYTES];
    let mut check = Check::new();
    while !check.has_ended() {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(bytes) => check.push(&piece[..bytes]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(check.finish())
}

/// `FILE:LINE:COLUMN: …` for each problem that the report lists, then how many more there are of each cause.
fn problems(file: &str, report: &Report) -> String {
    let mut out = String::new();
    for problem in &report.problems {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{file}:{}:{}: {}", problem.line, problem.column, problem.sentence());
    }
    let listed = report.problems.len() as u64;
    if report.problem_count > listed {
        let _ = writeln!(out, "{file}: {} more problems. By cause:", report.problem_count - listed);
        for group in &report.problem_groups {
            let _ = writeln!(out, "{file}: {} × {}", group.count, group.heading);
        }
    }
    out
}

fn summary(report: &Report) -> String {
    let plural = if report.devices == 1 { "" } else { "s" };
    let mut out = format!("{} device{plural}\n", report.devices);
    for model in &report.models {
        let _ = writeln!(out, "  {}: {}", model.name, model.devices);
    }
    if report.other_model_devices > 0 {
        let _ = writeln!(out, "  other models: {}", report.other_model_devices);
    }
    for tier in &report.tiers {
        let _ = writeln!(out, "  {}: {}", tier.tier.map_or("default tier", |tier| tier.as_str()), tier.devices);
    }
    out
}

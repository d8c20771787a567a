//! `muster check FILE`: the check that the page runs, from a terminal.

use muster_domain::{Cause, Check, CheckReport, MAX_FILE_BYTES, Problem, ProblemGroup, ReadOptions};
use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read, Write as _},
    path::Path,
    process::ExitCode,
};

/// How many bytes are read at a time.
const PIECE_BYTES: usize = 1024 * 1024;

/// Checks the file: counts go to stdout, problems and warnings to stderr. The exit code is 1 if there are problems, and 2
/// if the file could not be read. Warnings do not change it.
pub(crate) fn check(file: &Path, ignore_unknown_columns: bool) -> ExitCode {
    let report = match read(file, ReadOptions { mapping: None, ignore_unknown_columns }) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("muster: {} cannot be read: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    // The reader of the output may be gone, such as `head`; ignore the write error.
    let name = file.display().to_string();
    let found = listed(&name, "", "problem", &report.problems, report.problem_count, &report.problem_groups)
        + &listed(&name, "warning: ", "warning", &report.warnings, report.warning_count, &report.warning_groups);
    let _ = io::stderr().write_all(found.as_bytes());
    let _ = io::stdout().write_all(summary(&report).as_bytes());
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(file: &Path, options: ReadOptions) -> io::Result<CheckReport> {
    // One byte over the limit is enough for the check to say so.
    let mut file = File::open(file)?.take(MAX_FILE_BYTES + 1);
    let mut piece = vec![0; PIECE_BYTES];
    let mut check = Check::with_options(options);
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

/// `FILE:LINE:COLUMN: …` for each problem or warning that the report lists, then how many more there are of each cause.
fn listed(file: &str, prefix: &str, noun: &str, listed: &[Problem], count: u64, groups: &[ProblemGroup]) -> String {
    let mut out = String::new();
    for problem in listed {
        let flag = match problem.cause {
            Cause::UnknownColumns { .. } | Cause::GroupColumn => " (--ignore-unknown-columns)",
            _ => "",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{file}:{}:{}: {prefix}{}{flag}", problem.line, problem.column, problem.sentence());
    }
    if let Some(more) = count.checked_sub(listed.len() as u64).filter(|more| *more > 0) {
        let plural = if more == 1 { "" } else { "s" };
        let _ = writeln!(out, "{file}: {more} more {noun}{plural}. By cause:");
        for group in groups {
            let _ = writeln!(out, "{file}: {prefix}{} × {}", group.count, group.heading);
        }
    }
    out
}

fn summary(report: &CheckReport) -> String {
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

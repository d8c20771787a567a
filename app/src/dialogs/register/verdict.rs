//! What the check found, in a line.

use super::lookup::{Comparison, Lookup, devices_of};
use crate::format::{count, thousands};
use muster_domain::{CheckReport, DryRun};

/// The line, and how it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// How good the news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// All devices can be registered, or are already.
    Good,
    /// The file has no problems; the outcome of its rows is not known yet.
    Neutral,
    /// There are warnings, or devices will fail.
    Warning,
    /// The file has problems.
    Bad,
}

impl Tone {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "verdict good",
            Self::Neutral => "verdict",
            Self::Warning => "verdict warned",
            Self::Bad => "verdict bad",
        }
    }
}

impl Verdict {
    pub(super) fn new(name: &str, report: &CheckReport, lookup: &Lookup, comparison: &Comparison) -> Self {
        let warnings = report.warning_count + lookup.leading_zeros().len() as u64;
        let mut parts = Vec::new();
        let unknown: u64 = lookup.unknown_models().iter().map(|model| devices_of(report, model.name.as_str())).sum();
        let (mut will_fail, mut between) = (unknown, ", ");
        match comparison {
            _ if !report.is_clean() => {
                parts.push(format!("{} found", count(report.problem_count, "problem", "problems")));
            }
            Comparison::Done(dry_run) if dry_run.failed() + dry_run.already > 0 => {
                will_fail = dry_run.failed();
                between = " · ";
                parts.extend(outcome(dry_run));
            }
            _ if unknown > 0 => {
                parts.push(count(report.devices, "device", "devices"));
                // Models that are not listed were not looked up.
                let at_least = if report.other_model_devices > 0 { "at least " } else { "" };
                parts.push(format!("{at_least}{} will fail: unknown model", thousands(unknown)));
            }
            _ => {
                parts.push(count(report.devices, "device", "devices"));
                parts.push("no problems".to_owned());
            }
        }
        if warnings > 0 {
            parts.push(count(warnings, "warning", "warnings"));
        }
        let tone = match (lookup, comparison) {
            _ if !report.is_clean() => Tone::Bad,
            _ if warnings > 0 || will_fail > 0 => Tone::Warning,
            (Lookup::Done { .. }, Comparison::Done(_)) => Tone::Good,
            _ => Tone::Neutral,
        };
        Self { text: format!("{name}: {}", parts.join(between)), tone }
    }
}

/// The expected outcome, in a few words each.
fn outcome(dry_run: &DryRun) -> Vec<String> {
    let mut parts = vec![format!("{} new", thousands(dry_run.new))];
    if dry_run.already > 0 {
        parts.push(format!("{} already registered", thousands(dry_run.already)));
    }
    match &*dry_run.failures {
        [] => {}
        [only] => parts.push(format!("{} will fail: {}", thousands(only.rows), only.failure.cause())),
        several => {
            let causes: Vec<_> =
                several.iter().map(|some| format!("{} {}", thousands(some.rows), some.failure.cause())).collect();
            parts.push(format!("{} will fail: {}", thousands(dry_run.failed()), causes.join(", ")));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use muster_domain::{Check, Field, LeadingZeros, RowFailure, UnknownModel};

    fn report(file: &str) -> CheckReport {
        let mut check = Check::new();
        check.push(file.as_bytes());
        check.finish()
    }

    fn answer(unknown: &[&str], zeros: &[&str]) -> Lookup {
        let model = |name: &&str| UnknownModel { name: name.parse().unwrap(), nearest: None };
        let pair = |name: &&str| LeadingZeros {
            name: name.parse().unwrap(),
            registered: format!("00{name}").parse().unwrap(),
        };
        Lookup::Done {
            unknown_models: unknown.iter().map(model).collect(),
            leading_zeros: zeros.iter().map(pair).collect(),
        }
    }

    /// The dry run of a file with this many new devices, registered ones, and failing rows by cause.
    fn compared(new: u64, already: u64, failing: &[(RowFailure, u64)]) -> Comparison {
        let mut dry_run = DryRun { new, already, ..DryRun::default() };
        for (failure, rows) in failing {
            (0..*rows).for_each(|line| dry_run.fail(*failure, line, &"d".parse().unwrap()));
        }
        Comparison::Done(dry_run)
    }

    #[test]
    fn verdict_is_green_only_where_all_is_well() {
        let check = |file: &str, warnings: u64, lookup: &Lookup, text: &str, tone: Tone| {
            let mut report = report(file);
            report.warning_count = warnings;
            let verdict = Verdict::new("f", &report, lookup, &compared(report.devices, 0, &[]));
            assert_eq!(verdict, Verdict { text: text.to_owned(), tone }, "{file}");
        };
        let clean = "A1,M\nA2,N\nA3,N\n";
        check(clean, 0, &answer(&[], &[]), "f: 3 devices, no problems", Tone::Good);
        check(clean, 0, &Lookup::Pending, "f: 3 devices, no problems", Tone::Neutral);
        check(clean, 0, &Lookup::Failed("x".to_owned()), "f: 3 devices, no problems", Tone::Neutral);
        check(clean, 2, &answer(&[], &[]), "f: 3 devices, no problems, 2 warnings", Tone::Warning);
        check(clean, 1, &Lookup::Pending, "f: 3 devices, no problems, 1 warning", Tone::Warning);
        check(clean, 0, &answer(&["N"], &[]), "f: 3 devices, 2 will fail: unknown model", Tone::Warning);
        check(clean, 1, &answer(&["M"], &[]), "f: 3 devices, 1 will fail: unknown model, 1 warning", Tone::Warning);
        check("12,M\n13,M\n", 0, &answer(&[], &["12"]), "f: 2 devices, no problems, 1 warning", Tone::Warning);
        check("A1,M\n", 0, &answer(&[], &[]), "f: 1 device, no problems", Tone::Good);
        check("A1,M\nA 2,M\n", 0, &Lookup::Pending, "f: 1 problem found", Tone::Bad);
        check("A1,M\nA 2,M\n-,M\n", 3, &Lookup::Pending, "f: 2 problems found, 3 warnings", Tone::Bad);
    }

    #[test]
    fn verdict_says_what_will_happen() {
        let (unknown, different) = (RowFailure::UnknownModel, RowFailure::Differs(Field::PricingTier));
        let check = |comparison: &Comparison, warnings: u64, text: &str, tone: Tone| {
            let mut report = report("A1,M\nA2,M\n");
            report.warning_count = warnings;
            let verdict = Verdict::new("f", &report, &answer(&[], &[]), comparison);
            assert_eq!(verdict, Verdict { text: text.to_owned(), tone });
        };
        check(&compared(2, 0, &[]), 0, "f: 2 devices, no problems", Tone::Good);
        check(&Comparison::START, 0, "f: 2 devices, no problems", Tone::Neutral);
        check(&Comparison::Failed("x".to_owned()), 0, "f: 2 devices, no problems", Tone::Neutral);
        check(&compared(1, 1_000, &[]), 0, "f: 1 new · 1,000 already registered", Tone::Good);
        check(&compared(1_188, 0, &[(unknown, 12)]), 0, "f: 1,188 new · 12 will fail: unknown model", Tone::Warning);
        check(
            &compared(0, 1, &[(unknown, 1), (different, 2)]),
            1,
            "f: 0 new · 1 already registered · 3 will fail: 1 unknown model, 2 different pricing tier · 1 warning",
            Tone::Warning,
        );
    }

    #[test]
    fn verdict_says_at_least_where_not_all_models_were_looked_up() {
        let mut report = report("A1,M\nA2,N\n");
        report.other_model_devices = 7;
        let verdict = Verdict::new("f", &report, &answer(&["N"], &[]), &Comparison::START);
        assert_eq!(verdict.text, "f: 2 devices, at least 1 will fail: unknown model");
    }
}

//! What the check found, in a line.

use super::lookup::{Lookup, devices_of};
use crate::format::{count, thousands};
use muster_domain::CheckReport;

/// The line, and how it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// How good the news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// All devices can be registered, as far as the server knows.
    Good,
    /// The file has no problems; the server has not answered.
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
    pub(super) fn new(name: &str, report: &CheckReport, lookup: &Lookup) -> Self {
        let warnings = report.warning_count + lookup.leading_zeros().len() as u64;
        let mut parts = Vec::new();
        let will_fail: u64 = lookup.unknown_models().iter().map(|model| devices_of(report, model.name.as_str())).sum();
        if report.is_clean() {
            parts.push(count(report.devices, "device", "devices"));
            if will_fail > 0 {
                // Models that are not listed were not looked up.
                let at_least = if report.other_model_devices > 0 { "at least " } else { "" };
                parts.push(format!("{at_least}{} will fail: unknown model", thousands(will_fail)));
            } else {
                parts.push("no problems".to_owned());
            }
        } else {
            parts.push(format!("{} found", count(report.problem_count, "problem", "problems")));
        }
        if warnings > 0 {
            parts.push(count(warnings, "warning", "warnings"));
        }
        let tone = match lookup {
            _ if !report.is_clean() => Tone::Bad,
            _ if warnings > 0 || will_fail > 0 => Tone::Warning,
            Lookup::Pending | Lookup::Failed(_) => Tone::Neutral,
            Lookup::Done { .. } => Tone::Good,
        };
        Self { text: format!("{name}: {}", parts.join(", ")), tone }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use muster_domain::{Check, LeadingZeros, UnknownModel};

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

    #[test]
    fn verdict_is_green_only_where_all_is_well() {
        let check = |file: &str, warnings: u64, lookup: &Lookup, text: &str, tone: Tone| {
            let mut report = report(file);
            report.warning_count = warnings;
            assert_eq!(Verdict::new("f", &report, lookup), Verdict { text: text.to_owned(), tone }, "{file}");
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
    fn verdict_says_at_least_where_not_all_models_were_looked_up() {
        let mut report = report("A1,M\nA2,N\n");
        report.other_model_devices = 7;
        let verdict = Verdict::new("f", &report, &answer(&["N"], &[]));
        assert_eq!(verdict.text, "f: 2 devices, at least 1 will fail: unknown model");
    }
}

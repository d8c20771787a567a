//! Checks a whole registration file.

use super::field::{Field, FieldSet};
use super::groups::Groups;
use super::listing::Listing;
use super::models::Models;
use super::names::{Counted, Entry, Names};
use super::options::ReadOptions;
use super::problem::{Cause, Problem};
use super::reader::{Reader, Sink};
use super::report::{CheckReport, PartRange, PreviewRow, TierCount};
use super::row::Row;
use super::{PART_BYTES, PART_ROWS};
use crate::names::is_device_name;
use crate::shown::shown_up_to;
use crate::tier::PricingTier;

/// Checks a registration file, piece by piece, and reports on all of it.
///
/// Besides the row that is being read it retains the device names, to find duplicates: some 38 MiB for a million of
/// 20 bytes, and 150 MiB for a million of 128 bytes, which is the maximum.
#[derive(Debug)]
pub struct Check {
    reader: Reader,
    tally: Tally,
}

impl Default for Check {
    fn default() -> Self {
        Self::new()
    }
}

impl Check {
    /// A check of a file from its first byte.
    #[must_use]
    pub fn new() -> Self {
        Self::with_options(ReadOptions::default())
    }

    /// The same, read as a person chose.
    #[must_use]
    pub fn with_options(options: ReadOptions) -> Self {
        Self { reader: Reader::with_options(options), tally: Tally::new() }
    }

    /// A check that lists all problems: see [`Check::finish_with_problems`].
    #[must_use]
    pub fn listing_problems(options: ReadOptions) -> Self {
        let mut check = Self::with_options(options);
        check.tally.listing = Some(Listing::default());
        check
    }

    /// Checks the next piece of the file, of any size.
    pub fn push(&mut self, bytes: &[u8]) {
        self.reader.push(bytes, &mut self.tally);
    }

    /// How many bytes came in so far, up to [`super::MAX_FILE_BYTES`].
    #[must_use]
    pub const fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }

    /// Whether a problem has ended the check, so that the rest of the file need not be read.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.reader.has_ended()
    }

    /// Ends the file, and returns the report.
    #[must_use]
    pub fn finish(self) -> CheckReport {
        self.finish_with_problems().0
    }

    /// Ends the file, and returns the report and `problems.csv`: up to 256 MiB of it, in the order of the file, with the
    /// repeated names at the end. It is empty if the check lists none.
    #[must_use]
    pub fn finish_with_problems(mut self) -> (CheckReport, Vec<u8>) {
        self.reader.finish(&mut self.tally);
        self.tally.report_repeats();
        let csv = self.tally.listing.take().map(Listing::into_csv).unwrap_or_default();
        (self.tally.into_report(&self.reader), csv)
    }
}

/// The problems of a file, or its warnings.
#[derive(Debug, Default)]
struct Findings {
    count: u64,
    groups: Groups,
    /// The first [`CheckReport::MAX_PROBLEMS`] that were found row by row, then as many that were found at the end.
    listed: Vec<Problem>,
    late: usize,
}

impl Findings {
    /// Adds what was found in a row. Rows come in order.
    fn add(&mut self, finding: Problem) {
        self.count += 1;
        self.groups.add(&finding);
        if self.listed.len() < CheckReport::MAX_PROBLEMS {
            self.listed.push(finding);
        }
    }

    /// Adds what was found at the end, in the order of the rows.
    fn add_late(&mut self, finding: Problem) {
        self.count += 1;
        self.groups.add(&finding);
        if self.late < CheckReport::MAX_PROBLEMS {
            self.late += 1;
            self.listed.push(finding);
        }
    }

    /// Puts them in the order of the file, and keeps the first [`CheckReport::MAX_PROBLEMS`].
    fn sort(&mut self) {
        self.listed.sort_by_key(|finding| (finding.line, finding.column));
        self.listed.truncate(CheckReport::MAX_PROBLEMS);
    }
}

/// What is counted and remembered of the rows.
#[derive(Debug)]
struct Tally {
    devices: u64,
    models: Models,
    /// By [`tier_index`].
    tiers: [u64; 5],
    names: Names,
    preview: Vec<PreviewRow>,
    problems: Findings,
    warnings: Findings,
    numeric_names: Vec<String>,
    numeric_name_count: u64,
    ended_by: Option<Problem>,
    /// The fields in which a row has a value.
    filled_fields: FieldSet,
    parts: Vec<PartRange>,
    /// All problems, if they are to be listed.
    listing: Option<Listing>,
}

impl Sink for Tally {
    fn row(&mut self, row: &Row<'_>) {
        // In most files the first row has all five, and no other row is examined.
        if self.filled_fields != FieldSet::ALL {
            let filled = Field::ALL.into_iter().filter(|field| !row.field(*field).is_empty());
            filled.for_each(|field| self.filled_fields.insert(field));
        }
        if self.preview.len() < CheckReport::PREVIEW_ROWS {
            let fields = row.fields().map(|field| shown_up_to(field, CheckReport::PREVIEW_CHARS));
            self.preview.push(PreviewRow { line: row.line(), fields });
        }
        if let Some(listing) = &mut self.listing {
            listing.row(row);
        }
        self.put_in_part(row);
        let counted = row.is_valid().then(|| {
            self.devices += 1;
            let model = self.models.count(row.field(Field::ModelName));
            let tier = tier_index(row.field(Field::PricingTier));
            self.tiers[usize::from(tier)] += 1;
            Counted { model, tier }
        });
        // A name also counts as taken by a row in which something else is wrong.
        let name = row.field(Field::DeviceName);
        if counted.is_some() && name.starts_with(|first: char| matches!(first, '1'..='9')) {
            self.note_numeric(name);
        }
        if counted.is_some() || is_device_name(name.as_bytes()) && !row.is_header_again() {
            let (line, column) = row.place(Field::DeviceName);
            // A file of 256 MiB has fewer than 2^32 lines.
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            let column = u16::try_from(column).unwrap_or(u16::MAX);
            self.names.add(name, Entry { line, column, counted });
        }
    }

    fn problem(&mut self, problem: Problem) {
        if problem.cause.ends_reading() && self.ended_by.is_none() {
            self.ended_by = Some(problem.clone());
        }
        if let Some(listing) = &mut self.listing {
            listing.problem(problem.clone());
        }
        self.problems.add(problem);
    }

    fn warning(&mut self, warning: Problem) {
        self.warnings.add(warning);
    }
}

impl Tally {
    fn new() -> Self {
        Self {
            devices: 0,
            models: Models::default(),
            tiers: [0; 5],
            names: Names::new(),
            preview: Vec::new(),
            problems: Findings::default(),
            warnings: Findings::default(),
            numeric_names: Vec::new(),
            numeric_name_count: 0,
            ended_by: None,
            filled_fields: FieldSet::default(),
            parts: Vec::new(),
            listing: None,
        }
    }

    /// Parts begin and end with a row, so that each can be read by itself.
    fn put_in_part(&mut self, row: &Row<'_>) {
        match self.parts.last_mut() {
            Some(part) if part.rows < PART_ROWS && row.end() - part.start <= PART_BYTES => {
                part.rows += 1;
                part.end = row.end();
            }
            _ => {
                let (start, end, first_line) = (row.start(), row.end(), row.line());
                self.parts.push(PartRange { start, end, first_line, rows: 1 });
            }
        }
    }

    /// A name of digits may have lost the zeros before it.
    fn note_numeric(&mut self, name: &str) {
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            return;
        }
        self.numeric_name_count += 1;
        if self.numeric_names.len() < CheckReport::MAX_NUMERIC_NAMES {
            self.numeric_names.push(name.to_owned());
        }
    }

    /// Reports the repeated names, which are known only now, and takes their rows out of the counts.
    fn report_repeats(&mut self) {
        let mut names = std::mem::replace(&mut self.names, Names::new());
        for repeat in names.repeats() {
            let (name, later, first) = names.resolve(repeat);
            let place = (u64::from(later.line), u64::from(later.column));
            let first_line = u64::from(first.line);
            let at = |cause| Problem::at(place, Some(Field::DeviceName), &name, cause);
            if !repeat.is_exact {
                self.warnings.add_late(at(Cause::CaseOnly { first_line }));
                continue;
            }
            if let Some(counted) = later.counted {
                self.devices -= 1;
                self.models.take_back(counted.model);
                self.tiers[usize::from(counted.tier)] -= 1;
            }
            let repeat = at(Cause::Duplicate { first_line });
            if let Some(listing) = &mut self.listing {
                listing.repeat(&repeat, &name);
            }
            self.problems.add_late(repeat);
        }
        self.problems.sort();
        self.warnings.sort();
    }

    fn into_report(self, reader: &Reader) -> CheckReport {
        let (models, other_model_devices) = self.models.into_counts();
        let tiers = [None].into_iter().chain(PricingTier::ALL.map(Some)).zip(self.tiers);
        CheckReport {
            devices: self.devices,
            rows: reader.rows(),
            bytes: reader.bytes_read(),
            layout: reader.layout().clone(),
            models,
            other_model_devices,
            tiers: tiers
                .filter(|(_, devices)| *devices > 0)
                .map(|(tier, devices)| TierCount { tier, devices })
                .collect(),
            preview: self.preview,
            problem_count: self.problems.count,
            problem_groups: self.problems.groups.into_groups(),
            problems: self.problems.listed,
            warning_count: self.warnings.count,
            warning_groups: self.warnings.groups.into_groups(),
            warnings: self.warnings.listed,
            mapping: reader.offer().cloned(),
            unknown_columns: reader.unknown_columns().to_vec(),
            numeric_names: self.numeric_names,
            numeric_name_count: self.numeric_name_count,
            ended_by: self.ended_by,
            missing_fields: self.filled_fields.complement(),
            parts: self.parts,
        }
    }
}

/// 0 for the default tier, then the tiers in their order. The text is known to be one, or blank.
fn tier_index(text: &str) -> u8 {
    match PricingTier::parse(text) {
        Err(_) => 0,
        Ok(PricingTier::ExtraSmall) => 1,
        Ok(PricingTier::Small) => 2,
        Ok(PricingTier::Medium) => 3,
        Ok(PricingTier::Large) => 4,
    }
}

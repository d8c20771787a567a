//! The check report.

use serde::{Deserialize, Serialize};

use super::field::{Field, FieldSet};
use super::layout::Layout;
use super::offer::MappingOffer;
use super::problem::Problem;
use crate::tier::PricingTier;

/// The result of a check. Bounded for any file: at most some 250 kB for each list, so one message carries it from the
/// worker to the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// How many devices the file asks for: the rows with no problem of their own, a repeated name counted once.
    pub devices: u64,
    /// How many rows there are that are neither blank nor the header. The same as `devices` if all is well.
    pub rows: u64,
    /// How many bytes came in, up to [`super::MAX_FILE_BYTES`].
    pub bytes: u64,
    /// How the file is laid out.
    pub layout: Layout,
    /// The devices of each model, the most frequent first: at most [`CheckReport::MAX_MODELS`], those that came
    /// first in the file.
    pub models: Vec<Count>,
    /// The devices of all models that are not among `models`.
    pub other_model_devices: u64,
    /// The devices of each tier that the file has: the default tier first, then the smallest.
    pub tiers: Vec<TierCount>,
    /// The first [`CheckReport::PREVIEW_ROWS`] rows.
    pub preview: Vec<PreviewRow>,
    /// How many problems there are.
    pub problem_count: u64,
    /// The problems by cause: what ended the reading first, then the most frequent.
    pub problem_groups: Vec<ProblemGroup>,
    /// The first [`CheckReport::MAX_PROBLEMS`], in the order of the file.
    pub problems: Vec<Problem>,
    /// How many warnings there are. They do not prevent the upload.
    pub warning_count: u64,
    /// The warnings by cause, the most frequent first. They have the same shape as problems.
    pub warning_groups: Vec<ProblemGroup>,
    /// The first [`CheckReport::MAX_PROBLEMS`] warnings, in the order of the file.
    pub warnings: Vec<Problem>,
    /// The columns, if it would help that a person maps them, or if a person did.
    pub mapping: Option<MappingOffer>,
    /// The columns of the header that are not known, in the order of the file, for showing: at most
    /// [`Layout::MAX_COLUMNS`]. They are a problem unless [`super::ReadOptions::ignore_unknown_columns`] is set, and
    /// the list is the same either way.
    pub unknown_columns: Vec<String>,
    /// Device names of digits only, not beginning with 0, of valid rows: at most [`CheckReport::MAX_NUMERIC_NAMES`], the
    /// first ones. Such a name may have lost its leading zeros in a spreadsheet; the server knows whether a
    /// registered device differs by these only.
    pub numeric_names: Vec<String>,
    /// How many such names there are.
    pub numeric_name_count: u64,
    /// The problem that ended the reading, if one did: what follows it in the file is unchecked.
    pub ended_by: Option<Problem>,
    /// The fields in which no row has a value, so that the file says nothing about them, whether it has a column for
    /// them or not: `errors.csv` has a column for each field, and spreadsheets pad rows with empty cells.
    pub missing_fields: FieldSet,
    /// How the file is cut for uploading. Together the parts have every row of the file once, in order.
    pub parts: Vec<PartRange>,
}

impl CheckReport {
    /// How many models are counted separately. A fleet has a handful; a thousand names of 256 bytes are 256 kB of report.
    /// A file made up to have a million models must not fill the browser's memory with them.
    pub const MAX_MODELS: usize = 1_000;
    /// How many rows are shown for a first look.
    pub const PREVIEW_ROWS: usize = 10;
    /// How many characters of a field are shown in it.
    pub const PREVIEW_CHARS: usize = 200;
    /// How many problems are listed one by one. Each has some 250 bytes as JSON; nobody mends more than a
    /// thousand by hand, and the groups count all.
    pub const MAX_PROBLEMS: usize = 1_000;
    /// How many numeric names are listed. A spreadsheet takes the zeros from all of a column, so the first thousand
    /// show whether it did; at most 128 kB.
    pub const MAX_NUMERIC_NAMES: usize = 1_000;
    /// How many groups are counted separately. Others of the same kind share one more group: enough to read, and with
    /// 40 kinds and [`CheckReport::GROUP_EXAMPLES`] at most some 250 kB of report.
    pub const MAX_GROUPS: usize = 100;
    /// How many problems of a group are shown with it.
    pub const GROUP_EXAMPLES: usize = 10;

    /// Whether there are no problems, so that the file can be registered. There may be warnings.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.problem_count == 0
    }
}

/// How many devices a model has in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The model's name.
    pub name: String,
    /// How many.
    pub devices: u64,
}

/// How many devices a tier has in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierCount {
    /// The tier; `None` is the account's default tier.
    pub tier: Option<PricingTier>,
    /// How many.
    pub devices: u64,
}

/// A row for a first look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewRow {
    /// Its line, from 1.
    pub line: u64,
    /// Its five fields in order, right or wrong, each cut to [`CheckReport::PREVIEW_CHARS`] characters.
    pub fields: [String; 5],
}

impl PreviewRow {
    /// What a field says.
    #[must_use]
    pub fn field(&self, field: Field) -> &str {
        &self.fields[field.index()]
    }
}

/// Problems that one change to the file, or many of the same kind, would mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemGroup {
    /// The kind of their cause: see [`super::Cause::kind`].
    pub kind: String,
    /// What is wrong, and what to do, as a sentence or two.
    pub heading: String,
    /// How many there are.
    pub count: u64,
    /// The first [`CheckReport::GROUP_EXAMPLES`] of them.
    pub examples: Vec<Problem>,
}

/// A part of a file, to be uploaded by itself and read by [`super::Reader::read_part`].
///
/// It has at most [`super::PART_ROWS`] rows and [`super::PART_BYTES`] bytes. A file has fewer than 400 parts:
/// 100 by rows, and two for each 2 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRange {
    /// Its first byte: the start of a row.
    pub start: u64,
    /// Behind its last byte: the end of a row. There may be blank lines between two parts.
    pub end: u64,
    /// The line of its first row, from 1.
    pub first_line: u64,
    /// How many rows it has.
    pub rows: u32,
}

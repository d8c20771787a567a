//! One row: its five fields, what is wrong with them, and the device it asks for.

use std::borrow::Cow;

use super::cells::{Cells, is_comment, value};
use super::damage::{has_lost_characters, is_encoded_twice, is_scientific};
use super::field::Field;
use super::head_rows::is_row_in_quotes;
use super::header::{self, is_header};
use super::layout::Layout;
use super::plain::PlainRow;
use super::problem::{Cause, Problem};
use super::quotes::{BadQuote, bad_quote, is_in_typographic_quotes, split_typographic_quotes, stray_quote};
use super::scan::line_ends;
use crate::device::NewDevice;
use crate::names::{DeviceName, ModelName, device_name_problem, is_device_name, is_model_name, model_name_problem};
use crate::text::{Description, FriendlyName, normalized, text_problem};
use crate::tier::PricingTier;

/// A row of a registration file that is neither blank nor its header.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    text: &'a str,
    layout: &'a Layout,
    line: u64,
    start: u64,
    fields: [Cow<'a, str>; 5],
    /// How many cells there are, up to the last that is not blank, but at least as many as there are columns.
    cells: usize,
    valid: bool,
}

impl<'a> Row<'a> {
    /// Takes a row apart. Without its line end; `line` and `start` are where it begins.
    pub(super) fn new(text: &'a str, layout: &'a Layout, line: u64, start: u64) -> Self {
        let mut fields = [const { Cow::Borrowed("") }; 5];
        let columns = layout.columns();
        let mut cells = columns.len();
        for (index, range) in Cells::new(text.as_bytes(), layout.separator().byte()).enumerate() {
            match columns.get(index) {
                Some(Some(field)) => fields[field.index()] = value_of(*field, &text[range]),
                Some(None) => {}
                // Spreadsheets pad rows with blank cells.
                None if value(&text[range]).is_empty() => {}
                None => cells = index + 1,
            }
        }
        let mut row = Self { text, layout, line, start, fields, cells, valid: false };
        row.valid = row.follows_every_rule();
        row
    }

    /// A row of the fast path, which is valid.
    #[inline]
    pub(super) fn plain(row: &PlainRow<'a>, layout: &'a Layout, line: u64, start: u64) -> Option<Self> {
        let text = std::str::from_utf8(&row.bytes[..row.end]).ok()?;
        let fields = row.fields.each_ref().map(|range| Cow::Borrowed(&text[range.clone()]));
        Some(Self { text, layout, line, start, fields, cells: layout.columns().len(), valid: true })
    }

    /// The line at which the row begins, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Where the row begins, in bytes from the start of what the reader reads.
    #[must_use]
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// Where the row ends: behind its last byte, before its line end.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.start + self.text.len() as u64
    }

    /// What a field says, whether that is right or not; empty if it is blank or missing.
    ///
    /// That is the text without the quotes and the white space around it, and without the apostrophes that
    /// [`crate::errors_csv`] puts before what a spreadsheet would run. Friendly name and description are normalized:
    /// see [`FriendlyName`].
    #[must_use]
    pub fn field(&self, field: Field) -> &str {
        &self.fields[field.index()]
    }

    /// The five fields in their order, as [`Row::field`] gives them.
    #[must_use]
    pub fn fields(&self) -> [&str; 5] {
        self.fields.each_ref().map(|field| &**field)
    }

    /// Whether the row itself has no problem. Its name may still be in an earlier row.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.valid
    }

    /// The device that the row asks for; `None` unless the row is valid.
    #[must_use]
    pub fn to_device(&self) -> Option<NewDevice> {
        if !self.valid {
            return None;
        }
        Some(NewDevice {
            name: DeviceName::parse(self.field(Field::DeviceName)).ok()?,
            model: ModelName::parse(self.field(Field::ModelName)).ok()?,
            friendly_name: FriendlyName::parse(self.field(Field::FriendlyName)).ok(),
            description: Description::parse(self.field(Field::Description)).ok(),
            tier: PricingTier::parse(self.field(Field::PricingTier)).ok(),
        })
    }

    /// Whether there is nothing in the row but separators, white space and Ctrl-Z, with which DOS ends files. Such a row
    /// is skipped like an empty line: a spreadsheet leaves `,,,,` behind where rows were cleared.
    pub(super) fn is_blank(&self) -> bool {
        let is_blank = |cell: &str| value(cell).trim_matches(END_OF_FILE).is_empty();
        self.field(Field::DeviceName).trim_matches(END_OF_FILE).is_empty() && self.texts().all(is_blank)
    }

    /// Whether the row was commented out.
    pub(super) fn is_commented_out(&self) -> bool {
        let mut values = self.texts().map(value);
        let first = values.next().unwrap_or_default();
        is_comment(&first, values.all(|value| value.is_empty()))
    }

    /// The line and column of a field: of its first character that is not white space.
    #[inline]
    pub(super) fn place(&self, field: Field) -> (u64, u64) {
        let column = self.layout.column_of(field).unwrap_or(usize::MAX);
        if column == 0 && self.text.starts_with(|first: char| first.is_ascii_graphic()) {
            return (self.line, 1);
        }
        self.place_of_cell(column)
    }

    /// The line and column of a cell; of the row's end if it has no such cell.
    pub(super) fn place_of_cell(&self, index: usize) -> (u64, u64) {
        let end = self.text.len();
        let cell = self.cells().nth(index).unwrap_or(end..end);
        let blank = self.text[cell.clone()].trim_start();
        // A cell of nothing but white space is missing where it starts.
        let at = if blank.is_empty() { cell.start } else { cell.end - blank.len() };
        place_at(self.text.as_bytes(), at, self.line)
    }

    /// Whether all five fields are valid. It does not find out what is wrong, because in nearly every row nothing is.
    fn follows_every_rule(&self) -> bool {
        let [name, model, friendly_name, description, tier] = &self.fields;
        is_device_name(name.as_bytes())
            && is_model_name(model.as_bytes())
            && text_problem(friendly_name, FriendlyName::MAX_CHARS).is_none()
            && text_problem(description, Description::MAX_CHARS).is_none()
            && (tier.is_empty() || PricingTier::parse(tier).is_ok())
            && self.cells <= self.layout.columns().len()
            && self.bad_quote().is_none()
            && !self.is_header_again()
    }

    /// Whether the row is the header once more.
    pub(super) fn is_header_again(&self) -> bool {
        header::is_header_again(self.field(Field::DeviceName), self.field(Field::ModelName))
    }

    fn bad_quote(&self) -> Option<BadQuote> {
        let has_quotes = memchr::memchr(b'"', self.text.as_bytes()).is_some();
        let bad = if has_quotes { bad_quote(self.texts()) } else { None };
        bad.or_else(|| if self.text.is_ascii() { None } else { split_typographic_quotes(self.texts()) })
    }

    /// What looks wrong with the row, but may be intended.
    pub(super) fn warnings(&self, mut report: impl FnMut(Problem)) {
        if self.text.is_ascii() {
            return;
        }
        for (cell, column) in self.texts().zip(self.layout.columns()) {
            let Some(field @ (Field::FriendlyName | Field::Description)) = *column else {
                continue;
            };
            // Unchanged: normalizing a text may remove half of a character that was encoded twice.
            let text = value(cell);
            for (is_damaged, cause) in
                [(is_encoded_twice(&text), Cause::EncodedTwice), (has_lost_characters(&text), Cause::LostCharacters)]
            {
                if is_damaged {
                    report(Problem::at(self.place(field), Some(field), &text, cause));
                }
            }
        }
    }

    /// What is wrong with the row as a whole: then its cells say nothing.
    fn fault(&self) -> Option<Problem> {
        let of_row = |cause| Some(Problem::at((self.line, 1), None, self.text, cause));
        if self.is_header_again() {
            return of_row(Cause::HeaderAgain);
        }
        let [name, model, ..] = &self.fields;
        if !is_device_name(name.as_bytes()) || !is_model_name(model.as_bytes()) {
            if self.is_commented_out() {
                return of_row(Cause::CommentedRow);
            }
            if is_row_in_quotes(self.text.as_bytes()) {
                return of_row(Cause::RowInQuotes);
            }
            let values: Vec<Cow<'_, str>> = self.texts().take(Layout::MAX_COLUMNS).map(value).collect();
            if is_header(&values) {
                return of_row(Cause::HeaderAgain);
            }
            // `8,96529E+19`: the decimal comma of the spreadsheet is the separator of the file.
            if let [whole, rest, ..] = values.as_slice()
                && self.separator() == b','
                && is_scientific(&format!("{whole},{rest}"))
            {
                let value = format!("{whole},{rest}");
                return Some(Problem::at((self.line, 1), Some(Field::DeviceName), &value, Cause::ScientificNotation));
            }
        }
        self.bad_quote().and_then(|quote| self.quote_problem(quote))
    }

    fn quote_problem(&self, BadQuote { cell, at, cause }: BadQuote) -> Option<Problem> {
        let range = self.cells().nth(cell)?;
        let place = place_at(self.text.as_bytes(), range.start + at, self.line);
        let field = self.layout.columns().get(cell).copied().flatten();
        Some(Problem::at(place, field, self.text[range].trim(), cause))
    }

    /// Everything that is wrong with the row, from left to right.
    pub(super) fn problems(&self, mut report: impl FnMut(Problem)) {
        if let Some(problem) = self.fault() {
            return report(problem);
        }
        let columns = self.layout.columns();
        let tier = self.field(Field::PricingTier);
        let is_shifted = self.cells > columns.len() || !tier.is_empty() && PricingTier::parse(tier).is_err();
        if is_shifted && let Some(problem) = stray_quote(self.texts()).and_then(|quote| self.quote_problem(quote)) {
            return report(problem);
        }
        let most = columns.len();
        let shifted = self.cells > most;
        let extra = shifted.then(|| {
            let (cell, value) = self
                .texts()
                .map(value)
                .enumerate()
                .skip(most)
                .find(|(_, value)| !value.is_empty())
                .unwrap_or((most, Cow::Borrowed("")));
            let (found, most) = (clamp(self.cells), clamp(most));
            let cause = if self.layout.header() {
                Cause::MoreThanHeader { found, named: most }
            } else {
                Cause::TooManyFields { found, most }
            };
            Problem::at(self.place_of_cell(cell), None, &value, cause)
        });
        for field in columns.iter().copied().flatten() {
            // A field too many is usually an unquoted separator in a text, and all behind it is shifted.
            if shifted && !Field::REQUIRED.contains(&field) {
                continue;
            }
            if let Some(cause) = self.field_cause(field) {
                report(Problem::at(self.place(field), Some(field), self.field(field), cause));
            }
        }
        extra.into_iter().for_each(report);
    }

    fn field_cause(&self, field: Field) -> Option<Cause> {
        let value = self.field(field);
        match field {
            Field::DeviceName | Field::ModelName if is_in_typographic_quotes(value) => Some(Cause::TypographicQuotes),
            Field::DeviceName if is_scientific(value) && !is_device_name(value.as_bytes()) => {
                Some(Cause::ScientificNotation)
            }
            Field::DeviceName => {
                (!is_device_name(value.as_bytes())).then(|| Cause::DeviceName(device_name_problem(value)))
            }
            Field::ModelName => (!is_model_name(value.as_bytes())).then(|| Cause::ModelName(model_name_problem(value))),
            Field::FriendlyName => text_problem(value, FriendlyName::MAX_CHARS).map(Cause::FriendlyName),
            Field::Description => text_problem(value, Description::MAX_CHARS).map(Cause::Description),
            Field::PricingTier if value.is_empty() || PricingTier::parse(value).is_ok() => None,
            Field::PricingTier => Some(Cause::PricingTier { suggestion: PricingTier::nearest(value) }),
        }
    }

    /// The text of each cell, unchanged.
    fn texts(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let text = self.text;
        self.cells().map(move |range| &text[range])
    }

    fn cells(&self) -> Cells<'a> {
        Cells::new(self.text.as_bytes(), self.separator())
    }

    fn separator(&self) -> u8 {
        self.layout.separator().byte()
    }
}

/// Ctrl-Z, with which DOS programs end a file.
pub(super) const END_OF_FILE: char = '\u{1a}';

/// What a cell says as a field.
#[inline]
fn value_of(field: Field, cell: &str) -> Cow<'_, str> {
    let value = value(cell);
    match field {
        Field::FriendlyName | Field::Description if !value.is_ascii() => match normalized(&value) {
            Cow::Borrowed(text) if text.len() == value.len() => value,
            text => Cow::Owned(text.into_owned()),
        },
        _ => value,
    }
}

/// The line and column of a byte of a row that begins at `line`. The row need not be UTF-8.
pub(super) fn place_at(row: &[u8], at: usize, line: u64) -> (u64, u64) {
    let before = &row[..at];
    let line_start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |end| end + 1);
    // Every character has exactly one byte that does not continue another.
    let chars = before[line_start..].iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    (line + line_ends(before), chars as u64 + 1)
}

fn clamp(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

//! One row: its five fields, what is wrong with them, and the device it asks for.

use std::borrow::Cow;

use super::cells::{Cells, space_before_quote, value};
use super::field::Field;
use super::layout::Layout;
use super::plain::PlainRow;
use super::problem::{Cause, Problem};
use super::scan::line_ends;
use crate::device::NewDevice;
use crate::names::{DeviceName, ModelName, device_name_problem, is_device_name, is_model_name, model_name_problem};
use crate::text::{Description, FriendlyName, text_problem};
use crate::tier::PricingTier;

/// A row of a registration file that is neither blank nor its header.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    text: &'a str,
    layout: &'a Layout,
    line: u64,
    start: u64,
    fields: [Cow<'a, str>; 5],
    cells: usize,
    valid: bool,
}

impl<'a> Row<'a> {
    /// Takes a row apart. Without its line end; `line` and `start` are where it begins.
    pub(super) fn new(text: &'a str, layout: &'a Layout, line: u64, start: u64) -> Self {
        let mut fields = [const { Cow::Borrowed("") }; 5];
        let columns = layout.columns();
        let mut cells = 0;
        for range in Cells::new(text.as_bytes(), layout.separator().byte()) {
            if let Some(&Some(field)) = columns.get(cells) {
                fields[field.index()] = value(&text[range]);
            }
            cells += 1;
        }
        let mut row = Self { text, layout, line, start, fields, cells, valid: false };
        row.valid = row.follows_every_rule();
        row
    }

    /// A row of the quick lane, which is valid.
    #[inline]
    pub(super) fn plain(row: &PlainRow<'a>, layout: &'a Layout, line: u64, start: u64) -> Option<Self> {
        let text = std::str::from_utf8(&row.bytes[..row.end]).ok()?;
        let fields = row.fields.each_ref().map(|range| Cow::Borrowed(&text[range.clone()]));
        Some(Self { text, layout, line, start, fields, cells: row.cells, valid: true })
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
    /// That is the text without the quotes and the white space around it, and without the apostrophe that
    /// [`crate::errors_csv`] puts before what a spreadsheet would run.
    #[must_use]
    pub fn field(&self, field: Field) -> &str {
        &self.fields[field.index()]
    }

    /// The five fields in their order, as [`Row::field`] gives them.
    #[must_use]
    pub fn fields(&self) -> [&str; 5] {
        self.fields.each_ref().map(|field| &**field)
    }

    /// Whether nothing is wrong with the row itself. Its name may still stand in an earlier row.
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

    /// Whether there is nothing in the row but separators and white space. Such a row is passed over, like an
    /// empty line: a spreadsheet leaves `,,,,` behind where rows were cleared.
    pub(super) fn is_blank(&self) -> bool {
        self.field(Field::DeviceName).is_empty()
            && Cells::new(self.text.as_bytes(), self.separator()).all(|range| value(&self.text[range]).is_empty())
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

    /// The five-field check, without a word about what is wrong: for nearly every row, nothing is.
    fn follows_every_rule(&self) -> bool {
        let [name, model, friendly_name, description, tier] = &self.fields;
        is_device_name(name.as_bytes())
            && is_model_name(model.as_bytes())
            && text_problem(friendly_name, FriendlyName::MAX_CHARS).is_none()
            && text_problem(description, Description::MAX_CHARS).is_none()
            && (tier.is_empty() || PricingTier::parse(tier).is_ok())
            && self.cells <= self.layout.columns().len()
            && !self.has_space_before_quote()
    }

    fn has_space_before_quote(&self) -> bool {
        // A field that begins with a quote is rare enough to be looked at twice.
        self.fields.iter().any(|field| field.starts_with('"'))
            && self.cells().any(|range| space_before_quote(&self.text[range]))
    }

    /// Everything that is wrong with the row, from left to right.
    pub(super) fn problems(&self, mut report: impl FnMut(Problem)) {
        let columns = self.layout.columns();
        if self.has_space_before_quote() {
            for (index, range) in self.cells().enumerate() {
                if space_before_quote(&self.text[range.clone()]) {
                    let field = columns.get(index).copied().flatten();
                    let value = self.text[range].trim_start();
                    report(Problem::at(self.place_of_cell(index), field, value, Cause::SpaceBeforeQuote));
                }
            }
            // The quotes did not count, so cells may have been split, and nothing is where it should be.
            return;
        }
        let most = columns.len();
        let shifted = self.cells > most;
        let extra = shifted.then(|| {
            let value = self.cells().nth(most).map_or(Cow::Borrowed(""), |range| value(&self.text[range]));
            let cause = Cause::TooManyFields { found: clamp(self.cells), most: clamp(most) };
            Problem::at(self.place_of_cell(most), None, &value, cause)
        });
        for field in columns.iter().copied().flatten() {
            // A field too many is usually an unquoted separator in a text, and all behind it is shifted.
            if shifted && !matches!(field, Field::DeviceName | Field::ModelName) {
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

    fn cells(&self) -> Cells<'a> {
        Cells::new(self.text.as_bytes(), self.separator())
    }

    fn separator(&self) -> u8 {
        self.layout.separator().byte()
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

//! What can be wrong with a registration file, and where.

use serde::{Deserialize, Serialize};

use super::field::Field;
use crate::names::{DeviceNameProblem, ModelNameProblem};
use crate::shown::shown;
use crate::text::TextProblem;
use crate::tier::PricingTier;

/// One problem of a file, or one warning. [`Problem::sentence`] says it to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The line, from 1. Lines end at LF, CR LF, or CR alone, also inside quotes.
    pub line: u64,
    /// The character of that line at which the field starts, from 1. Behind the end of the row if the field is
    /// missing, and 1 if the problem is the row's or the file's.
    pub column: u64,
    /// The field, if the problem is one field's.
    pub field: Option<Field>,
    /// The value that is wrong, for showing: cut to 60 characters, control characters replaced by pictures.
    /// Empty if the problem is not one value's.
    pub value: String,
    /// What is wrong.
    pub cause: Cause,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cause {
    /// The file has no bytes, or nothing but white space.
    Empty,
    /// The file has a header, and no rows.
    NoDevices,
    /// The file is an Excel workbook, or another kind of spreadsheet that is not text.
    ExcelWorkbook,
    /// The file is UTF-16.
    Utf16,
    /// There is a NUL byte: the file is not text.
    Nul,
    /// The file is text, but not in UTF-8.
    NotUtf8(EncodingGuess),
    /// Excel's first line `sep=` names a separator that is not read.
    UnknownSeparator,
    /// The rows make sense with another separator.
    OtherSeparator {
        /// Which it is.
        separator: char,
    },
    /// Each row is one quoted cell, as when a spreadsheet that separates by semicolons opened and saved the file.
    RowsInQuotes,
    /// Rows are above the header.
    HeaderBelow {
        /// The header's line.
        line: u64,
    },
    /// The first row names the columns in words that are not Muster's.
    HeaderInOtherWords {
        /// The words.
        columns: ColumnNames,
    },
    /// The file is over [`super::MAX_FILE_BYTES`].
    FileTooLarge,
    /// The file has more rows than [`super::MAX_DEVICES`].
    TooManyDevices,
    /// The header has more columns than [`super::Layout::MAX_COLUMNS`].
    TooManyColumns {
        /// How many it has.
        found: u32,
    },
    /// The header lacks a required column.
    MissingColumn,
    /// The header has columns of other names.
    UnknownColumns {
        /// Their names.
        columns: ColumnNames,
        /// One of these, and the field that was perhaps meant.
        suggestion: Option<(String, Field)>,
    },
    /// The header has a column for the device group.
    GroupColumn,
    /// The header has the same column twice.
    RepeatedColumn,
    /// A quote opens here and does not close.
    UnclosedQuote,
    /// White space before a quote, which therefore quotes nothing.
    SpaceBeforeQuote,
    /// `="` opens a text that was split at a separator: only spreadsheets take these for quotes.
    EqualsBeforeQuote,
    /// Text after a closing quote.
    TextAfterQuote {
        /// Whether a backslash precedes the quote. It escapes nothing.
        backslash: bool,
    },
    /// Typographic quotes enclose a value, and quote nothing.
    TypographicQuotes,
    /// The row is commented out.
    CommentedRow,
    /// This row is one quoted cell, unlike the first ones.
    RowInQuotes,
    /// A header among the devices.
    HeaderAgain,
    /// The row is over [`super::MAX_ROW_BYTES`].
    RowTooLong,
    /// The row has more fields than there are columns.
    TooManyFields {
        /// How many it has.
        found: u32,
        /// How many it may have.
        most: u32,
    },
    /// The row has more fields than the header has columns.
    MoreThanHeader {
        /// How many it has.
        found: u32,
        /// How many the header has.
        named: u32,
    },
    /// The device name is a number that a spreadsheet has rounded: `8.96529E+19`.
    ScientificNotation,
    /// The device name is missing or wrong.
    DeviceName(DeviceNameProblem),
    /// The model name is missing or wrong.
    ModelName(ModelNameProblem),
    /// The friendly name is wrong.
    FriendlyName(TextProblem),
    /// The description is wrong.
    Description(TextProblem),
    /// The pricing tier is none of the four.
    PricingTier {
        /// The tier that was perhaps meant.
        suggestion: Option<PricingTier>,
    },
    /// The device name is also in an earlier row.
    Duplicate {
        /// The line of the first row that has it.
        first_line: u64,
    },
    /// A warning: the device name differs from an earlier one in letter case only.
    CaseOnly {
        /// The line of the first row that has another spelling.
        first_line: u64,
    },
    /// A warning: the text was encoded in UTF-8 twice: `ZÃ¼rich`.
    EncodedTwice,
    /// A warning: the text has a character that replaces one that was lost: `Z�rich`.
    LostCharacters,
}

/// The names of some columns, for showing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ColumnNames {
    /// The first [`ColumnNames::LISTED`], short and harmless; empty for a column without a name.
    pub listed: Vec<String>,
    /// How many columns there are.
    pub count: u32,
}

impl ColumnNames {
    /// How many names a sentence lists: more are not read.
    pub const LISTED: usize = 10;

    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut columns = Self::default();
        for name in names {
            columns.count += 1;
            if columns.listed.len() < Self::LISTED {
                columns.listed.push(shown(name));
            }
        }
        columns
    }
}

/// What a file that is not UTF-8 seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EncodingGuess {
    /// Windows-1252 or Latin-1, in which the byte is this character.
    Western {
        /// The character that was likely meant.
        character: char,
    },
    /// UTF-8 after all, cut off in the middle of its last character.
    CutOff,
    /// Something else.
    Other {
        /// The first byte that does not fit.
        byte: u8,
    },
}

impl Problem {
    /// A problem of the file as a whole, at its first character.
    #[must_use]
    pub const fn of_file(cause: Cause) -> Self {
        Self { line: 1, column: 1, field: None, value: String::new(), cause }
    }

    pub(super) fn at((line, column): (u64, u64), field: Option<Field>, value: &str, cause: Cause) -> Self {
        Self { line, column, field, value: shown(value), cause }
    }
}

impl Cause {
    /// Whether reading ends at this problem, because what follows could not be made sense of, or must not be
    /// read. The rest of the file is then unchecked.
    #[must_use]
    pub const fn ends_reading(&self) -> bool {
        match self {
            Self::Empty
            | Self::NoDevices
            | Self::ExcelWorkbook
            | Self::Utf16
            | Self::Nul
            | Self::NotUtf8(_)
            | Self::UnknownSeparator
            | Self::OtherSeparator { .. }
            | Self::RowsInQuotes
            | Self::HeaderBelow { .. }
            | Self::HeaderInOtherWords { .. }
            | Self::FileTooLarge
            | Self::TooManyDevices
            | Self::TooManyColumns { .. }
            | Self::MissingColumn => true,
            Self::UnknownColumns { .. }
            | Self::GroupColumn
            | Self::RepeatedColumn
            | Self::UnclosedQuote
            | Self::SpaceBeforeQuote
            | Self::EqualsBeforeQuote
            | Self::TextAfterQuote { .. }
            | Self::TypographicQuotes
            | Self::CommentedRow
            | Self::RowInQuotes
            | Self::HeaderAgain
            | Self::RowTooLong
            | Self::TooManyFields { .. }
            | Self::MoreThanHeader { .. }
            | Self::ScientificNotation
            | Self::DeviceName(_)
            | Self::ModelName(_)
            | Self::FriendlyName(_)
            | Self::Description(_)
            | Self::PricingTier { .. }
            | Self::Duplicate { .. }
            | Self::CaseOnly { .. }
            | Self::EncodedTwice
            | Self::LostCharacters => false,
        }
    }

    /// A short name of the cause for programs, which stays the same when sentences are reworded.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoDevices => "no-devices",
            Self::ExcelWorkbook => "excel-workbook",
            Self::Utf16 => "utf-16",
            Self::Nul => "nul",
            Self::NotUtf8(_) => "not-utf-8",
            Self::UnknownSeparator => "unknown-separator",
            Self::OtherSeparator { .. } => "other-separator",
            Self::RowsInQuotes => "rows-in-quotes",
            Self::HeaderBelow { .. } => "header-below",
            Self::HeaderInOtherWords { .. } => "header-words",
            Self::FileTooLarge => "file-too-large",
            Self::TooManyDevices => "too-many-devices",
            Self::TooManyColumns { .. } => "too-many-columns",
            Self::MissingColumn => "missing-column",
            Self::UnknownColumns { .. } => "unknown-columns",
            Self::GroupColumn => "group-column",
            Self::RepeatedColumn => "repeated-column",
            Self::UnclosedQuote => "unclosed-quote",
            Self::SpaceBeforeQuote => "space-before-quote",
            Self::EqualsBeforeQuote => "equals-before-quote",
            Self::TextAfterQuote { .. } => "text-after-quote",
            Self::TypographicQuotes => "typographic-quotes",
            Self::CommentedRow => "commented-row",
            Self::RowInQuotes => "row-in-quotes",
            Self::HeaderAgain => "header-again",
            Self::RowTooLong => "row-too-long",
            Self::TooManyFields { .. } => "too-many-fields",
            Self::MoreThanHeader { .. } => "more-than-header",
            Self::ScientificNotation => "scientific-notation",
            Self::DeviceName(_) => "device-name",
            Self::ModelName(_) => "model-name",
            Self::FriendlyName(_) => "friendly-name",
            Self::Description(_) => "description",
            Self::PricingTier { .. } => "pricing-tier",
            Self::Duplicate { .. } => "duplicate",
            Self::CaseOnly { .. } => "case-only",
            Self::EncodedTwice => "encoded-twice",
            Self::LostCharacters => "lost-characters",
        }
    }
}

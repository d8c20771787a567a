//! What a problem or a warning says to a person: what is wrong, and what to do about it.

use super::field::Field;
use super::problem::{Cause, ColumnNames, EncodingGuess, Problem};
use super::{MAX_DEVICES, MAX_FILE_BYTES, MAX_ROW_BYTES};
use crate::names::{DeviceName, DeviceNameProblem, ModelName, ModelNameProblem};
use crate::shown::{shown_char, thousands};
use crate::text::TextProblem;

const TIERS: &str = "Use exactly ExtraSmall, Small, Medium or Large, or leave it blank for the default tier.";

const RESTORE_NUMBERS: &str = "Its last digits are lost. Go back to the original data, import this column as text, and \
     export the file again.";

const CHECK_ENCODING: &str = "Export the file again as UTF-8 from the original system, or upload it as it is.";

const SAVE_AS_CSV: &str = "In Excel, choose File, Save As, and the type “CSV UTF-8 (Comma delimited)”, \
     then use the saved file.";

const SAVE_AS_UTF8: &str = "Save it again as UTF-8: in Excel as the type “CSV UTF-8 (Comma delimited)”, in \
     an editor with the encoding UTF-8.";

impl Problem {
    /// The problem as one or two sentences for a person, without its line and column.
    #[must_use]
    pub fn sentence(&self) -> String {
        let value = &self.value;
        match &self.cause {
            Cause::DeviceName(it) if *it != DeviceNameProblem::Empty => {
                format!("`{value}` isn't a valid device name. {it}.")
            }
            Cause::ModelName(it) if *it != ModelNameProblem::Empty => {
                format!("`{value}` isn't a valid model name. {it}.")
            }
            Cause::Duplicate { first_line } => format!(
                "`{value}` is already used in line {first_line}. Rename this device or remove one of the two rows."
            ),
            Cause::CaseOnly { first_line } => format!(
                "`{value}` differs from the device name in line {first_line} only in letter case. \
                 If both are one device, remove one of the rows."
            ),
            Cause::ScientificNotation => format!("`{value}` is a number that a spreadsheet rounded. {RESTORE_NUMBERS}"),
            Cause::EncodedTwice => {
                format!("`{value}` looks like text that was encoded twice, as `ZÃ¼rich` for `Zürich`. {CHECK_ENCODING}")
            }
            Cause::LostCharacters => {
                format!("`{value}` has lost characters: each `\u{fffd}` replaces one. {CHECK_ENCODING}")
            }
            Cause::FriendlyName(it) => text_sentence("friendly name", it),
            Cause::Description(it) => text_sentence("description", it),
            cause => cause.heading(self.field, value),
        }
    }
}

impl Cause {
    /// The same for many problems of one cause: nothing in it is particular to one of them, unless they are
    /// grouped by that. `value` is used where they are grouped by value, or all have the same.
    pub(super) fn heading(&self, field: Option<Field>, value: &str) -> String {
        let name = field.map_or("", Field::label);
        match self {
            Self::Empty => {
                "The file is empty. It should have a row for each device: its name, a comma, its model.".to_owned()
            }
            Self::NoDevices => {
                "The file has a header, but no devices. Add a row for each device below the header.".to_owned()
            }
            Self::ExcelWorkbook => format!("This is a spreadsheet workbook, not a text file. {SAVE_AS_CSV}"),
            Self::Utf16 => format!("The file is text in UTF-16 (which Excel calls “Unicode Text”). {SAVE_AS_UTF8}"),
            Self::Nul => "There is a NUL byte here, so this is not a text file, or it was damaged. \
                 Export it again from the original system."
                .to_owned(),
            Self::NotUtf8(guess) => not_utf8(*guess),
            Self::UnknownSeparator => format!(
                "The first line sets `{value}` as the separator. Use commas, semicolons or tabs instead."
            ),
            Self::OtherSeparator { separator } => format!(
                "The fields are separated by {}. Use commas, semicolons or tabs instead.",
                if *separator == ' ' { "spaces".to_owned() } else { shown_char(*separator) }
            ),
            Self::RowsInQuotes => "Each row is quoted as a whole, so it is a single field. Probably a spreadsheet that uses \
                 another separator opened the file and saved it. Use the original file, or remove the quotes around the \
                 rows."
                .to_owned(),
            Self::HeaderBelow { line } => format!("The header is in line {line}. Remove the rows above it."),
            Self::HeaderInOtherWords { columns } => format!(
                "The first row looks like a header with other column names: {}. Use the column names {}; or map the \
                 columns in the portal's Register devices dialog.",
                listed(columns),
                field_names()
            ),
            Self::FileTooLarge => format!(
                "The file is larger than {} MiB. Split it into several files and register them one after another.",
                MAX_FILE_BYTES / (1024 * 1024)
            ),
            Self::TooManyDevices => format!(
                "The file has more than {} rows. Split it into several files and register them one after another.",
                thousands(MAX_DEVICES)
            ),
            Self::TooManyColumns { found } => {
                format!("The header has {found} columns. Keep only these: {}.", known_columns())
            }
            Self::MissingColumn => {
                format!("The header has no column `{name}`, which is required. Add it, or remove the header row.")
            }
            Self::UnknownColumns { columns, suggestion } => format!(
                "{} {}.{} The columns are {}. Rename or remove these columns, or ignore them.",
                listed(columns),
                if columns.count == 1 { "is not a known column" } else { "are not known columns" },
                suggestion.as_ref().map_or(String::new(), |(name, field)| format!(" Did you mean `{field}` instead of `{name}`?")),
                known_columns()
            ),
            Self::GroupColumn => format!(
                "`{value}` looks like a device group, which is not a column of a registration file. Remove it, and \
                 choose the group in the Device group field of the Register devices dialog."
            ),
            Self::RepeatedColumn => {
                format!("The header has the column `{name}` more than once. Remove all but one.")
            }
            Self::UnclosedQuote => {
                "This quote is never closed. Add a closing quote at the end of the field, or remove this one."
                    .to_owned()
            }
            Self::SpaceBeforeQuote => {
                "There is a space between the separator and the quote. Remove the space.".to_owned()
            }
            Self::EqualsBeforeQuote => {
                "`=\"` does not quote a field, so the separator inside has split it. Remove the `=`.".to_owned()
            }
            Self::TextAfterQuote { backslash: true } => {
                "`\\\"` does not escape a quote: the field ends here. Write a quote inside a quoted field twice: `\"\"`."
                    .to_owned()
            }
            Self::TextAfterQuote { backslash: false } => {
                "There is text after the closing quote of a field. Write a quote inside a quoted field twice: `\"\"`."
                    .to_owned()
            }
            Self::TypographicQuotes => {
                "Typographic quotes such as “ and ” do not quote a field. Use straight double quotes: `\"`.".to_owned()
            }
            Self::CommentedRow => {
                "`#` and `//` do not comment out a row. Delete the row if you don't want to register it.".to_owned()
            }
            Self::RowInQuotes => {
                "The row is quoted as a whole, so it is a single field. Remove the quotes around it.".to_owned()
            }
            Self::HeaderAgain => "This row repeats the header. Remove it: only the first row can be a header.".to_owned(),
            Self::RowTooLong => format!(
                "The row is longer than {} KiB. Probably its line ends were lost: \
                 each device needs its own line.",
                MAX_ROW_BYTES / 1024
            ),
            Self::TooManyFields { found, most } => format!(
                "The row has {found} fields, and at most {most} are allowed. \
                 If a field contains the separator, put double quotes around that field."
            ),
            Self::MoreThanHeader { found, named } => format!(
                "The row has {found} fields, but the header names only {named} columns. Name the other columns in the \
                 header, or put double quotes around a field that contains the separator."
            ),
            Self::ScientificNotation => {
                format!("A spreadsheet rounded the device name, a long number. {RESTORE_NUMBERS}")
            }
            Self::DeviceName(DeviceNameProblem::TooLong { .. }) => {
                format!("A device name has at most {} characters.", DeviceName::MAX_CHARS)
            }
            Self::ModelName(ModelNameProblem::TooLong { .. }) => {
                format!("A model name has at most {} characters.", ModelName::MAX_CHARS)
            }
            Self::DeviceName(it) => format!("{it}."),
            Self::ModelName(it) => format!("{it}."),
            Self::FriendlyName(it) => text_heading("friendly name", it),
            Self::Description(it) => text_heading("description", it),
            Self::PricingTier { suggestion } => format!(
                "`{value}` is not a pricing tier.{} {TIERS}",
                suggestion.map_or(String::new(), |tier| format!(" Did you mean {tier}?"))
            ),
            Self::Duplicate { .. } => {
                "Duplicate device name. Give each device its own name.".to_owned()
            }
            Self::CaseOnly { .. } => {
                "The device name differs from an earlier one only in letter case. \
                 If both are one device, remove one of the rows."
                    .to_owned()
            }
            Self::EncodedTwice => {
                format!("A text looks as if it was encoded twice, as `ZÃ¼rich` for `Zürich`. {CHECK_ENCODING}")
            }
            Self::LostCharacters => {
                format!("A text has lost characters: each `\u{fffd}` replaces one. {CHECK_ENCODING}")
            }
        }
    }

    /// A heading for the groups of one kind that are too many to be counted separately.
    pub(super) fn folded_heading(&self) -> String {
        match self {
            Self::PricingTier { .. } => {
                format!("Other values are not pricing tiers either. {TIERS}")
            }
            Self::DeviceName(_) => "Other device names are wrong.".to_owned(),
            Self::ModelName(_) => "Other model names are wrong.".to_owned(),
            Self::FriendlyName(_) => "Other friendly names are wrong.".to_owned(),
            Self::Description(_) => "Other descriptions are wrong.".to_owned(),
            Self::TooManyFields { .. } | Self::MoreThanHeader { .. } => "Other rows have too many fields.".to_owned(),
            _ => "Other problems of the same kind.".to_owned(),
        }
    }
}

fn text_sentence(name: &str, problem: &TextProblem) -> String {
    match problem {
        TextProblem::TooLong { chars, max } => {
            format!(
                "The {name} has {} characters. At most {} are allowed.",
                thousands((*chars).into()),
                thousands((*max).into())
            )
        }
        _ => text_heading(name, problem),
    }
}

fn text_heading(name: &str, problem: &TextProblem) -> String {
    match problem {
        TextProblem::Control { character: '\n' | '\r' } => format!(
            "A {name} cannot contain a line break. If it should have ended on its line, \
             its closing quote is missing."
        ),
        TextProblem::Control { character } => {
            format!("A {name} cannot contain {}. Remove it.", shown_char(*character))
        }
        TextProblem::TooLong { max, .. } => {
            format!("A {name} has at most {} characters.", thousands((*max).into()))
        }
        TextProblem::Empty => format!("A {name} cannot be empty."),
    }
}

fn not_utf8(guess: EncodingGuess) -> String {
    match guess {
        EncodingGuess::Western { character } => format!(
            "The file is not UTF-8. It looks like Windows-1252 (Latin-1), in which this character is `{character}`. {SAVE_AS_UTF8}"
        ),
        EncodingGuess::CutOff => format!(
            "The file ends in the middle of a character: its end is missing, or it is not UTF-8. \
             Export the whole file again from the original system. {SAVE_AS_UTF8}"
        ),
        EncodingGuess::Other { byte } => {
            format!("The file is not UTF-8: the byte {byte:02X} is not valid here. {SAVE_AS_UTF8}")
        }
    }
}

fn known_columns() -> String {
    format!("{}; Line and Error are ignored", field_names())
}

fn field_names() -> String {
    Field::ALL.map(Field::label).join(", ")
}

/// The names of columns, the last with `and`.
fn listed(columns: &ColumnNames) -> String {
    let mut names: Vec<String> = columns
        .listed
        .iter()
        .map(|name| if name.is_empty() { "a column without a name".to_owned() } else { format!("`{name}`") })
        .collect();
    let more = columns.count as usize - names.len().min(columns.count as usize);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

//! The CSV files that Muster writes: RFC 4180, UTF-8, and nothing that a spreadsheet would run.
//!
//! What people open in a spreadsheet begins with a byte order mark, without which it shows `ZÃ¼rich` for `Zürich`, and
//! ends lines in CR LF. What scripts read has no mark and ends lines in LF.
//!
//! `csv_core` decides which fields need quotes, and escapes them. Its state machine is not used: rows are appended to a
//! buffer that grows, and each field is at hand as a whole.

use std::sync::LazyLock;

use crate::guard::guarded;

/// Whether a spreadsheet would change this device name when it opens a CSV file and saves it again.
///
/// It takes `0012345` for the number 12345, `891E3` for 891000, `2-3` for a date and `1:30` for a time, and it rounds
/// numbers of more than 11 digits to what its column shows. So this is true for all that consists of digits with
/// separators of numbers, dates and times between them, unless it is a whole number of at most 11 digits that does
/// not begin with 0; and for the names of the months and the truth values that it knows.
#[must_use]
pub fn spreadsheet_would_change(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.iter().all(u8::is_ascii_digit) {
        return bytes.len() > 11 || (bytes.len() > 1 && bytes[0] == b'0');
    }
    let name = name.to_ascii_lowercase();
    if matches!(name.as_str(), "true" | "false") {
        return true;
    }
    let mut parts = name.split(['.', ':', '-']);
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let begins_with_digit = bytes.first().is_some_and(u8::is_ascii_digit);
    // `891e3`, `1.5e10`
    if let Some((number, exponent)) = name.split_once('e')
        && begins_with_digit
        && number.split('.').count() <= 2
        && number.split('.').all(all_digits)
        && !exponent.is_empty()
        && all_digits(exponent.strip_prefix('-').unwrap_or(exponent))
    {
        return true;
    }
    // `2-3`, `1.10`, `12:30`, `2026-05-01`, `2-mar`, `mar-2`: at most three parts of at most four digits.
    let is_month = |part: &str| part.len() >= 3 && MONTHS.iter().any(|month| month.starts_with(part));
    parts.clone().count() <= 3
        && parts.clone().filter(|part| is_month(part)).count() <= 1
        && parts.clone().any(|part| !part.is_empty() && all_digits(part))
        && parts.all(|part| part.len() <= 4 && all_digits(part) || is_month(part))
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What `csv_core` decides and escapes by: separated by commas, quoted only if necessary, quotes doubled.
static FORMAT: LazyLock<csv_core::Writer> = LazyLock::new(csv_core::Writer::new);

/// Appends one field.
fn push_field(out: &mut Vec<u8>, value: &str) {
    // Some readers take white space and byte order marks at an end for padding, unless they are quoted.
    let is_blank = |it: char| it.is_whitespace() || it == '\u{feff}';
    let is_quoted = FORMAT.should_quote(value.as_bytes()) || value.starts_with(is_blank) || value.ends_with(is_blank);
    let value = guarded(value);
    if !is_quoted {
        out.extend_from_slice(value.as_bytes());
        return;
    }
    let quote = FORMAT.get_quote();
    out.push(quote);
    let start = out.len();
    // In the worst case every byte is a quote. With that much room, `quote` writes the field in one call.
    out.resize(start + 2 * value.len(), 0);
    let doubled = FORMAT.get_double_quote();
    let (_, _, written) = csv_core::quote(value.as_bytes(), &mut out[start..], quote, FORMAT.get_escape(), doubled);
    out.truncate(start + written);
    out.push(quote);
}

/// Appends fields and a line end.
fn push_record<'a>(out: &mut Vec<u8>, fields: impl IntoIterator<Item = &'a str>, line_end: &str) {
    for (index, field) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(FORMAT.get_delimiter());
        }
        push_field(out, field);
    }
    out.extend_from_slice(line_end.as_bytes());
}

/// `tokens.csv`: the device names and their security tokens, for scripts. It is written in the browser, and stored nowhere.
pub mod tokens_csv {
    use zeroize::Zeroize;

    use crate::{DeviceName, SecurityToken};

    /// The first line, with its line end.
    pub const HEADER: &str = "Device name,Security token\n";

    /// Appends a device's row.
    pub fn push_row(out: &mut Vec<u8>, name: &DeviceName, token: &SecurityToken) {
        let mut token = token.reveal();
        super::push_record(out, [name.as_str(), token.as_str()], "\n");
        token.zeroize();
    }
}

/// `errors.csv`: the rows that failed, as they were, and why. Corrected, it can be uploaded as it is: see
/// [`crate::Reader`].
pub mod errors_csv {
    use crate::NewDevice;

    /// The byte order mark, and the first line with its line end.
    pub const HEADER: &str =
        "\u{feff}Device name,Model name,Device friendly name,Description,Pricing tier,Line,Error\r\n";

    /// Appends a failed row: its five fields as [`crate::Row::fields`] gives them, the line of the uploaded file
    /// in which it stood, and the error.
    pub fn push_row(out: &mut Vec<u8>, fields: [&str; 5], line: u64, error: &str) {
        let line = line.to_string();
        super::push_record(out, fields.into_iter().chain([line.as_str(), error]), "\r\n");
    }

    /// The same, from the device that the row asked for.
    pub fn push_device(out: &mut Vec<u8>, device: &NewDevice, line: u64, error: &str) {
        push_row(out, device.fields(), line, error);
    }
}

/// A registration file, as *Export* writes it: it can be uploaded again as it is.
pub mod registration_csv {
    use crate::NewDevice;

    /// The byte order mark, and the first line with its line end.
    pub const HEADER: &str = "\u{feff}Device name,Model name,Device friendly name,Description,Pricing tier\r\n";

    /// Appends a device's row.
    pub fn push_row(out: &mut Vec<u8>, device: &NewDevice) {
        super::push_record(out, device.fields(), "\r\n");
    }
}

/// `problems.csv`: the problems of a file that was checked, one per line, for the person who corrects the file.
pub mod problems_csv {
    use crate::Problem;

    /// The byte order mark, and the first line with its line end.
    pub const HEADER: &str = "\u{feff}Line,Column,Device name,Value,Problem\r\n";

    /// Appends a problem, and the device name of its row, as far as it has one.
    pub fn push_row(out: &mut Vec<u8>, problem: &Problem, device_name: &str) {
        let (line, column) = (problem.line.to_string(), problem.column.to_string());
        let fields = [line.as_str(), &column, device_name, &problem.value, &problem.sentence()];
        super::push_record(out, fields, "\r\n");
    }

    /// Appends a sentence about the list itself.
    pub fn push_note(out: &mut Vec<u8>, sentence: &str) {
        super::push_record(out, ["", "", "", "", sentence], "\r\n");
    }
}

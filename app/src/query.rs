//! The part of an address after `?`.

use std::fmt::Write;

/// A value as it stands in an address: everything but letters, digits and `- . _ ~` as `%XX`.
pub fn encode(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// A path with these parameters; those without a value are left out.
pub fn path_with(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut out = path.to_owned();
    for (name, value) in parameters {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            out.push(if out.len() == path.len() { '?' } else { '&' });
            out.push_str(name);
            out.push('=');
            out.push_str(&encode(value));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_without_a_value_are_left_out() {
        let check = |parameters: &[(&str, Option<&str>)], expected: &str| {
            assert_eq!(path_with("/devices", parameters), expected)
        };
        check(&[], "/devices");
        check(&[("q", None), ("status", Some(""))], "/devices");
        check(&[("q", Some("a b&ü")), ("after", Some("x"))], "/devices?q=a%20b%26%C3%BC&after=x");
    }
}

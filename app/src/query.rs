//! The part of an address after `?`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The longest search in an address, as it is encoded: 24 KiB, or 1,000 device names of 23 characters. The server reads
/// requests whose line and headers have 32 KiB; that leaves 8 KiB for the other filters and the headers.
const MAX_SEARCH_BYTES: usize = 24 * 1024;

/// Shown if [`is_search_too_long`].
pub(crate) const SEARCH_TOO_LONG: &str = "This search is too long. Shorten it, or search for fewer names at a time.";

/// Whether an address with this search might be longer than the server reads, so that the page would not load again.
pub(crate) fn is_search_too_long(search: &str) -> bool {
    encode(search).len() > MAX_SEARCH_BYTES
}

/// The characters that are escaped: all except those without a meaning in a URL, and the comma, which separates names.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',');

/// A value percent-encoded for an address: everything but letters, digits and `- . _ ~ ,` as `%XX`.
pub fn encode(value: &str) -> String {
    utf8_percent_encode(value, ESCAPED).to_string()
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
        check(&[("q", Some("Pump-1,Pump_2,a:b"))], "/devices?q=Pump-1,Pump_2,a%3Ab");
    }

    #[test]
    fn search_is_limited_as_it_is_encoded() {
        let check = |search: &str, expected: bool| assert_eq!(is_search_too_long(search), expected, "{}", search.len());
        let names = |count: usize, name: &str| vec![name; count].join(",");
        check("", false);
        check(&"x".repeat(24 * 1024), false);
        check(&"x".repeat(24 * 1024 + 1), true);
        check(&names(1_000, &"x".repeat(23)), false);
        check(&names(1_000, &"x".repeat(25)), true);
        check(&"ü".repeat(4 * 1024), false);
        check(&"ü".repeat(4 * 1024 + 1), true);
    }
}

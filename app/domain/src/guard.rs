//! Keeps spreadsheets from running what Muster writes: `'` before anything that they would take for a formula.
//!
//! A value is split where a spreadsheet may split it although Muster did not: behind `;`, tab, LF or CR, since many
//! spreadsheets do not separate by commas. Each piece that begins like a formula gets a `'`. One that begins so
//! behind apostrophes of its own gets another, so that taking one off gives back exactly what was written; and one
//! that begins so behind double quotes gets one, since a spreadsheet may read these as quoting.

use std::borrow::Cow;

/// What a formula begins with. Tab and CR count because spreadsheets skip them; the fullwidth ones are run by those
/// set to Chinese, Japanese or Korean.
const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// The characters after which a piece begins.
const BREAKS: [char; 4] = [';', '\t', '\n', '\r'];

/// The value with `'` before each piece that a spreadsheet would run.
pub(crate) fn guarded(value: &str) -> Cow<'_, str> {
    if !value.contains(STARTS) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 2);
    for piece in pieces(value) {
        if begins_formula(&value[piece.start..]) {
            out.push('\'');
        }
        out.push_str(&value[piece]);
    }
    Cow::Owned(out)
}

/// The value that [`guarded`] was given.
pub(crate) fn unguarded(text: &str) -> Cow<'_, str> {
    if !text.contains('\'') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for mut piece in pieces(text) {
        if text[piece.start..].starts_with('\'') && begins_formula(&text[piece.start..]) {
            piece.start += 1;
        }
        out.push_str(&text[piece]);
    }
    Cow::Owned(out)
}

/// Whether a cell that begins so would be run. Apostrophes and quotes before it do not count: see above. The search
/// ends within the piece, since nothing that it skips ends one.
fn begins_formula(rest: &str) -> bool {
    rest.trim_start_matches(['\'', '"']).starts_with(STARTS)
}

/// The ranges of the pieces of a value. The break that ends a piece belongs to it.
fn pieces(value: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    value.split_inclusive(BREAKS).map(move |piece| {
        let range = start..start + piece.len();
        start = range.end;
        range
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_formulas_are_guarded() {
        let check = |value: &str, expected: &str| {
            assert_eq!(guarded(value), expected, "{value:?}");
            assert_eq!(unguarded(expected), value, "{expected:?}");
        };
        check("Jet 1", "Jet 1");
        check("O'Brien's pump; 5 °C", "O'Brien's pump; 5 °C");
        check("1-2;3+4", "1-2;3+4");
        check("=1+1", "'=1+1");
        check("'=1", "''=1");
        check("'plain", "'plain");
        check("\u{ff1d}1+1", "'\u{ff1d}1+1");
        check("Jet;=1+1;", "Jet;'=1+1;");
        check("a;-b\t+c\n@d", "a;'-b\t'+c\n'@d");
        check("a;'=b", "a;''=b");
        check("a;\"=b", "a;'\"=b");
        check("a; =b", "a; =b");
        check(";\t=", ";'\t'=");
        check("", "");
    }

    proptest! {
        #[test]
        fn any_value_comes_back(value in "[;\t\r\n'\"=+\u{ff1d} a]{0,12}") {
            let written = guarded(&value);
            prop_assert_eq!(unguarded(&written), value.as_str());
        }
    }
}

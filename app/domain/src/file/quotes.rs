//! Quotes that do not quote, or that readers of CSV disagree about.

use super::cells::{is_split_equals_text, space_before_quote, text_after_quotes};
use super::problem::Cause;

/// A quote that does not do what it looks like.
pub(super) struct BadQuote {
    /// The cell it is in.
    pub(super) cell: usize,
    /// Where in that cell, in bytes.
    pub(super) at: usize,
    pub(super) cause: Cause,
}

/// The first such quote of a row with these cells, as they stand in the file. It shifts what follows it, so no other is
/// looked for.
pub(super) fn bad_quote<'a>(cells: impl Iterator<Item = &'a str> + Clone) -> Option<BadQuote> {
    for (cell, text) in cells.clone().enumerate() {
        let indent = text.len() - text.trim_start().len();
        let bad = |at, cause| Some(BadQuote { cell, at, cause });
        if space_before_quote(text) {
            return bad(indent, Cause::SpaceBeforeQuote);
        }
        if is_split_equals_text(text) {
            return bad(indent, Cause::EqualsBeforeQuote);
        }
        if let Some((at, _)) = text_after_quotes(text) {
            let backslash = text[..at].trim_end().ends_with("\\\"");
            return bad(at, Cause::TextAfterQuote { backslash });
        }
    }
    None
}

/// A quote that ends a cell behind a quoted one, and has no other to go with: `"Valve 12", left"`. Readers agree on it,
/// so it only explains what else is wrong with a row.
pub(super) fn stray_quote<'a>(cells: impl Iterator<Item = &'a str>) -> Option<BadQuote> {
    let mut was_quoted = false;
    for (cell, text) in cells.enumerate() {
        let is_quoted = text.starts_with('"');
        let end = text.trim_end().len();
        if was_quoted && !is_quoted && text.find('"').is_some_and(|at| at + 1 == end) {
            return Some(BadQuote { cell, at: end - 1, cause: Cause::TextAfterQuote { backslash: false } });
        }
        was_quoted = is_quoted;
    }
    None
}

/// Typographic quotes that open in one cell and close in a later one.
pub(super) fn split_typographic_quotes<'a>(cells: impl Iterator<Item = &'a str>) -> Option<BadQuote> {
    let mut open: Option<(usize, usize, &str)> = None;
    for (cell, raw) in cells.enumerate() {
        let text = raw.trim();
        if let Some((opened, at, closing)) = open
            && text.ends_with(|it| closing.contains(it))
        {
            return Some(BadQuote { cell: opened, at, cause: Cause::TypographicQuotes });
        }
        if let Some(closing) = closing_quotes(text)
            && !text.chars().skip(1).any(|it| closing.contains(it))
        {
            open = Some((cell, raw.len() - raw.trim_start().len(), closing));
        }
    }
    None
}

/// Whether typographic quotes enclose all of a text.
pub(super) fn is_in_typographic_quotes(text: &str) -> bool {
    closing_quotes(text).is_some_and(|closing| text.chars().skip(1).last().is_some_and(|last| closing.contains(last)))
}

/// The quotes that may close the one with which a text begins: `“…”`, `„…“`, `”…”`, `«…»`, `»…«` and so on.
fn closing_quotes(text: &str) -> Option<&'static str> {
    Some(match text.chars().next()? {
        '“' => "”",
        '„' => "“”",
        '”' => "”",
        '«' => "»",
        '»' => "«»",
        '‹' => "›",
        '›' => "‹›",
        '‘' => "’",
        '‚' => "‘’",
        '＂' => "＂",
        _ => return None,
    })
}

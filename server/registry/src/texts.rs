//! What a search looks into: the name, the friendly name and the model of each device; and its pricing tier.
//!
//! No index finds three letters in the midst of a million names as quickly as they are read from one end to the other:
//! that takes some ten milliseconds, whatever is searched for and however much is found. So the database keeps these
//! texts a second time, in *blocks* of up to 10,000 devices, and a server keeps the blocks that it has read (`grid.rs`).
//! A block is of one registration, so that those are found in the same way.
//!
//! How a device is, that is its facet, changes more often than all these: so it stands beside the text, as one byte for
//! each line, its *mark* (`sql/marks.rs`).

use crate::hits::Entry;
use memchr::{memchr, memchr_iter};
use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{Arc, OnceLock, Weak},
};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Blocks with fewer are added to by their registration; others stay, since each change writes all of a block.
pub(crate) const SMALL_BLOCK_DEVICES: usize = 1_000;

/// Appends a device to a block's text: a line with a tab behind each of the three, and the tier. None of them has a
/// control character, and the tier is one (U+0001 for code 0, and so on): so no search finds it.
///
/// It is the tier that the device was registered with. How it is since is told by its *mark*.
pub(crate) fn push_line(text: &mut String, name: &str, friendly_name: Option<&str>, model: &str, tier: i16) {
    for field in [name, friendly_name.unwrap_or_default(), model] {
        text.push_str(field);
        text.push('\t');
    }
    text.push(char::from(1 + tier.clamp(0, 3) as u8));
    text.push('\n');
}

/// A block without the devices of these names: its text, its marks, and how many devices are left in it.
pub(crate) fn without(text: &str, marks: &[u8], names: &HashSet<&str>) -> (String, Vec<u8>, usize) {
    let (mut left, mut left_marks, mut devices) = (String::with_capacity(text.len()), Vec::new(), 0);
    for (at, line) in text.split_inclusive('\n').enumerate() {
        if !names.contains(cut(line).0) {
            left.push_str(line);
            left_marks.extend(marks.get(at));
            devices += 1;
        }
    }
    (left, left_marks, devices)
}

/// Whether a character is invisible: of no width, a soft hyphen, or a mark of the direction of text. The registration file
/// is read without these.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// A text in Unicode's composed form (NFC), without invisible characters. New texts come so; those that earlier versions of
/// Muster stored may be otherwise.
pub(crate) fn normal(text: &str) -> Cow<'_, str> {
    let is_normal =
        text.is_ascii() || (is_nfc_quick(text.chars()) == IsNormalized::Yes && !text.contains(is_invisible));
    if is_normal { Cow::Borrowed(text) } else { text.chars().filter(|letter| !is_invisible(*letter)).nfc().collect() }
}

/// A text as a search compares it: in normal form and lower case.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Both `σ` and `ς` are the lower case of one letter.
    let text = normal(text);
    let lower = text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter });
    lower.nfc().collect()
}

/// Whether a folded text stands in a device's name, friendly name or model.
pub(crate) fn has_text(fields: [&str; 3], text: &str) -> bool {
    fields.iter().any(|field| fold(field).contains(text))
}

pub(crate) fn cut(text: &str) -> (&str, &str) {
    match memchr(b'\t', text.as_bytes()) {
        Some(tab) => (&text[..tab], &text[tab + 1..]),
        None => (text, ""),
    }
}

/// Where each line of a text begins, and where one more would.
fn line_starts(text: &str) -> Vec<u32> {
    // A block has at most 10,000 lines of some hundred bytes.
    let ends = memchr_iter(b'\n', text.as_bytes()).map(|end| end as u32 + 1);
    std::iter::once(0).chain(ends).collect()
}

/// The texts of some devices of one account.
#[derive(Debug)]
pub(crate) struct Texts {
    text: String,
    /// Where each line begins, and where one more would.
    lines: Vec<u32>,
    /// The folded text and its lines, where that is another. It has the same lines, but they may begin elsewhere.
    folded: Option<(String, Vec<u32>)>,
    /// The lines in the order of their names, once that is asked for.
    by_name: OnceLock<Vec<u32>>,
}

impl Texts {
    pub(crate) fn new(text: String) -> Self {
        let folded = Some(fold(&text)).filter(|folded| *folded != text);
        let folded = folded.map(|folded| {
            let lines = line_starts(&folded);
            (folded, lines)
        });
        let lines = line_starts(&text);
        Self { text, lines, folded, by_name: OnceLock::new() }
    }

    fn devices(&self) -> usize {
        self.lines.len() - 1
    }

    fn line(&self, line: u32) -> &str {
        let line = line as usize;
        &self.text[self.lines[line] as usize..self.lines[line + 1] as usize - 1]
    }

    fn name(&self, line: u32) -> &str {
        cut(self.line(line)).0
    }

    /// The line of the device of this name.
    fn line_of(&self, name: &str) -> Option<usize> {
        let by_name = self.by_name.get_or_init(|| {
            let mut lines: Vec<u32> = (0..self.devices() as u32).collect();
            lines.sort_unstable_by_key(|&line| self.name(line));
            lines
        });
        let at = by_name.binary_search_by(|&line| self.name(line).cmp(name)).ok()?;
        Some(by_name[at] as usize)
    }
}

/// Some lines of a block.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines(Vec<u64>);

impl Lines {
    pub(crate) fn insert(&mut self, line: usize) {
        if self.0.len() <= line / 64 {
            self.0.resize(line / 64 + 1, 0);
        }
        self.0[line / 64] |= 1 << (line % 64);
    }

    pub(crate) fn has(&self, line: u32) -> bool {
        self.0.get(line as usize / 64).is_some_and(|bits| bits >> (line % 64) & 1 == 1)
    }

    /// Those of both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(bits, others)| bits & others).collect())
    }

    /// Those of either.
    pub(crate) fn or(&self, other: &Self) -> Self {
        let (long, short) = if self.0.len() < other.0.len() { (other, self) } else { (self, other) };
        let mut both = long.0.clone();
        both.iter_mut().zip(&short.0).for_each(|(bits, more)| *bits |= more);
        Self(both)
    }
}

/// Stands for a device that is as it was registered.
const UNMARKED: u8 = u8::MAX;

/// The texts of some devices of one account, and how these devices are.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    texts: Arc<Texts>,
    /// A byte for each line. Those that are missing at the end are as they were registered.
    marks: Arc<[u8]>,
}

impl Block {
    pub(crate) fn new(text: String, marks: &[u8]) -> Self {
        Self { texts: Arc::new(Texts::new(text)), marks: marks.into() }
    }

    /// The same texts with other marks.
    pub(crate) fn with_marks(&self, marks: &[u8]) -> Self {
        Self { texts: self.texts.clone(), marks: marks.into() }
    }

    /// The folded text, which is searched through; where each of its lines begins, and where one more would.
    pub(crate) fn folded(&self) -> (&str, &[u32]) {
        match &self.texts.folded {
            Some((folded, lines)) => (folded, lines),
            None => (&self.texts.text, &self.texts.lines),
        }
    }

    /// Its texts, as long as anybody keeps them.
    pub(crate) fn texts(&self) -> Weak<Texts> {
        Arc::downgrade(&self.texts)
    }

    /// Whether these are its texts, so that the lines are the same.
    pub(crate) fn has(&self, texts: &Weak<Texts>) -> bool {
        std::ptr::eq(texts.as_ptr(), Arc::as_ptr(&self.texts))
    }

    /// The line of the device of this name.
    pub(crate) fn line_of(&self, name: &str) -> Option<usize> {
        self.texts.line_of(name)
    }

    /// The marks with others for devices of these names; who is not in this block is passed over.
    pub(crate) fn marked<'a>(&self, changes: impl Iterator<Item = (&'a str, u8)>) -> Vec<u8> {
        let mut marks = self.marks.to_vec();
        for (name, mark) in changes {
            let Some(line) = self.texts.line_of(name) else { continue };
            if marks.len() <= line {
                marks.resize(line + 1, UNMARKED);
            }
            marks[line] = mark;
        }
        marks
    }

    pub(crate) fn bytes(&self) -> usize {
        let folded = self.texts.folded.as_ref().map_or(0, |(folded, lines)| folded.len() + 4 * lines.len());
        let texts = self.texts.text.len() + folded;
        // Two numbers of four bytes, and the mark.
        texts + 9 * self.texts.devices()
    }

    pub(crate) fn facet(&self, line: u32) -> i16 {
        match self.marks.get(line as usize) {
            Some(&mark) if mark != UNMARKED => mark.into(),
            // Registered, and never seen. The tier is the last of the line.
            _ => 2 * self.texts.line(line).bytes().next_back().map_or(0, |tier| i16::from(tier) - 1),
        }
    }

    pub(crate) fn entry(&self, line: u32) -> Entry<'_> {
        Entry::of(self.texts.line(line), self.facet(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn folding_keeps_lines_and_fields(lines in prop::collection::vec("\\PC{0,20}\t\\PC{0,20}\n", 0..4)) {
            let text = lines.concat();
            let folded = fold(&text);
            let each: String = lines.iter().map(|line| fold(line)).collect();
            prop_assert_eq!(&folded, &each);
            prop_assert_eq!(folded.matches('\n').count(), lines.len());
            prop_assert_eq!(folded.matches('\t').count(), text.matches('\t').count());
            prop_assert_eq!(fold(&folded), folded);
        }
    }

    #[test]
    fn letters_are_the_same_however_they_are_written() {
        let check = |one: &str, other: &str| assert_eq!(fold(one), fold(other), "{one:?} {other:?}");
        check("Z\u{fc}rich", "ZU\u{308}RICH");
        check("Gen\u{e8}ve", "gene\u{300}ve");
        check("\u{ac00}", "\u{1100}\u{1161}");
        check("\u{212b}", "\u{c5}");
        check("Jet\u{200b} 1", "jet\u{200e} 1");
        check("\u{feff}Hangar", "han\u{ad}gar");
        check("ΟΔΟΣ", "οδος");
        check("İ", "i\u{307}");
        assert_ne!(fold("Zürich"), fold("Zurich"));
    }
}

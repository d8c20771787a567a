//! What a search looks into: the name, the friendly name and the model of each device; and its pricing tier.
//!
//! No index finds three letters in the midst of a million names as quickly as they are read from one end to the other:
//! that takes some ten milliseconds, whatever is searched for and however much is found. So the database keeps these
//! texts a second time, in *blocks* of up to 10,000 devices, and a server keeps the blocks that it has read (`grid.rs`).
//! A block is of one registration, so that those are found in the same way.
//!
//! How a device is, that is its facet, changes more often than all these: so it stands beside the text, as one byte for
//! each line, its *mark* (`sql/marks.rs`).

use crate::fleet::Sort;
use memchr::{memchr, memchr_iter, memmem};
use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock, Weak},
};

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

/// In lower case, where that is as long: so a place in the one text is the same place in the other.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        let mut lower = letter.to_lowercase();
        folded.push(match (lower.next(), lower.next()) {
            // Both are the lower case of one letter.
            (Some('ς'), None) => 'σ',
            (Some(lower), None) if lower.len_utf8() == letter.len_utf8() => lower,
            _ => letter,
        });
    }
    folded
}

/// Whether a folded text stands in a device's name, friendly name or model.
pub(crate) fn has_text(fields: [&str; 3], text: &str) -> bool {
    fields.iter().any(|field| fold(field).contains(text))
}

/// One device, as the texts have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'t> {
    pub(crate) name: &'t str,
    pub(crate) friendly_name: &'t str,
    pub(crate) model: &'t str,
    /// status * 8 + tier * 2 + seen.
    pub(crate) facet: i16,
}

impl<'t> Entry<'t> {
    fn of(line: &'t str, facet: i16) -> Self {
        let (name, rest) = cut(line);
        let (friendly_name, rest) = cut(rest);
        Self { name, friendly_name, model: cut(rest).0, facet }
    }

    fn cmp(&self, other: &Self, order: Order) -> Ordering {
        let by_key = match order.sort {
            Sort::FriendlyName => {
                let lower = |text: &'t str| text.bytes().map(|byte| byte.to_ascii_lowercase());
                lower(self.friendly_name).cmp(lower(other.friendly_name))
            }
            Sort::Model => self.model.cmp(other.model),
            Sort::Tier => self.tier().cmp(&other.tier()),
            Sort::Status => self.status().cmp(&other.status()),
            Sort::Name | Sort::LastSeen => Ordering::Equal,
        };
        let forwards = by_key.then_with(|| self.name.cmp(other.name));
        if order.is_descending { forwards.reverse() } else { forwards }
    }

    pub(crate) fn tier(&self) -> i16 {
        self.facet >> 1 & 3
    }

    pub(crate) fn status(&self) -> i16 {
        self.facet >> 3
    }
}

fn cut(text: &str) -> (&str, &str) {
    match memchr(b'\t', text.as_bytes()) {
        Some(tab) => (&text[..tab], &text[tab + 1..]),
        None => (text, ""),
    }
}

/// An order that needs no more of a device than its entry: by name where the sort is by something else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) sort: Sort,
    pub(crate) is_descending: bool,
}

/// Some facets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facets(u32);

impl Default for Facets {
    fn default() -> Self {
        Self::ALL
    }
}

impl Facets {
    pub(crate) const ALL: Self = Self(u32::MAX);

    /// Those that a condition holds for.
    pub(crate) fn that(holds: impl Fn(i16) -> bool) -> Self {
        Self((0..24).filter(|&facet| holds(facet)).fold(0, |bits, facet| bits | 1 << facet))
    }

    fn has(self, facet: i16) -> bool {
        self.0 >> facet.clamp(0, 31) & 1 == 1
    }
}

/// The texts of some devices of one account.
#[derive(Debug)]
pub(crate) struct Texts {
    text: String,
    /// Where that is another.
    folded: Option<String>,
    /// Where each line begins, and where one more would.
    lines: Vec<u32>,
    /// The lines in the order of their names, once that is asked for.
    by_name: OnceLock<Vec<u32>>,
}

impl Texts {
    pub(crate) fn new(text: String) -> Self {
        let folded = Some(fold(&text)).filter(|folded| *folded != text);
        // A block has at most 10,000 lines of some hundred bytes.
        let ends = memchr_iter(b'\n', text.as_bytes()).map(|end| end as u32 + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Self { text, folded, lines, by_name: OnceLock::new() }
    }

    fn folded(&self) -> &str {
        self.folded.as_ref().unwrap_or(&self.text)
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

    fn has(&self, line: u32) -> bool {
        self.0.get(line as usize / 64).is_some_and(|bits| bits >> (line % 64) & 1 == 1)
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
        let texts = self.texts.text.len() + self.texts.folded.as_ref().map_or(0, String::len);
        // Two numbers of four bytes, and the mark.
        texts + 9 * self.texts.devices()
    }

    fn facet(&self, line: u32) -> i16 {
        match self.marks.get(line as usize) {
            Some(&mark) if mark != UNMARKED => mark.into(),
            // Registered, and never seen. The tier is the last of the line.
            _ => 2 * self.texts.line(line).bytes().next_back().map_or(0, |tier| i16::from(tier) - 1),
        }
    }

    fn entry(&self, line: u32) -> Entry<'_> {
        Entry::of(self.texts.line(line), self.facet(line))
    }
}

/// A device that was found: the block, and its line there.
#[derive(Clone, Copy)]
struct Place {
    block: u32,
    line: u32,
}

/// Which devices are looked for.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Those that have this folded text in what a search looks into: all of them have nothing.
    pub(crate) text: String,
    /// Those of this model.
    pub(crate) model: Option<String>,
    pub(crate) facets: Facets,
    /// Those of these lines, of each block.
    pub(crate) lines: Option<HashMap<i64, Arc<Lines>>>,
}

/// Devices that a search found.
pub(crate) struct Hits {
    blocks: Vec<Block>,
    places: Vec<Place>,
}

impl Hits {
    /// The devices of these blocks, by their ids, that are wanted.
    pub(crate) fn find(blocks: HashMap<i64, Block>, wanted: &Wanted) -> Self {
        let finder = memmem::Finder::new(wanted.text.as_bytes());
        let is_any = wanted.model.is_none() && wanted.facets == Facets::ALL && wanted.lines.is_none();
        // Of a block that has none of the lines, nothing is looked at.
        let (mut among, mut searched) = (Vec::new(), Vec::new());
        for (id, block) in blocks {
            let lines = wanted.lines.as_ref().map(|lines| lines.get(&id));
            if lines != Some(None) {
                among.push(lines.flatten());
                searched.push(block);
            }
        }
        let blocks = searched;
        let mut places = Vec::new();
        for ((block, among), at) in blocks.iter().zip(&among).zip(0..) {
            let bytes = block.texts.folded().as_bytes();
            let lines = &block.texts.lines;
            let mut line = 0;
            while (line as usize) < block.texts.devices()
                && let Some(found) = finder.find(&bytes[lines[line as usize] as usize..])
            {
                let found = lines[line as usize] + found as u32;
                // Nearly always it is this line, or one of the next.
                while lines[line as usize + 1] <= found {
                    line += 1;
                }
                let is_it = || {
                    among.is_none_or(|lines| lines.has(line))
                        && wanted.facets.has(block.facet(line))
                        && wanted.model.as_ref().is_none_or(|model| block.entry(line).model == model)
                };
                if is_any || is_it() {
                    places.push(Place { block: at, line });
                }
                line += 1;
            }
        }
        Self { blocks, places }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    fn entry(&self, place: Place) -> Entry<'_> {
        self.blocks[place.block as usize].entry(place.line)
    }

    /// Those of these facets.
    fn entries_of(&self, facets: Facets) -> impl Iterator<Item = Entry<'_>> {
        let has = move |place: &Place| {
            facets == Facets::ALL || facets.has(self.blocks[place.block as usize].facet(place.line))
        };
        self.places.iter().copied().filter(has).map(|place| self.entry(place))
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries_of(Facets::ALL)
    }

    /// The first so many of them in an order, of these facets: behind a place, or from it on.
    pub(crate) fn first(
        &self,
        order: Order,
        facets: Facets,
        from: Option<(Entry<'_>, bool)>,
        limit: usize,
    ) -> Vec<Entry<'_>> {
        if limit == 0 {
            return Vec::new();
        }
        let mut kept: Vec<Entry<'_>> = Vec::new();
        let mut last: Option<Entry<'_>> = None;
        for entry in self.entries_of(facets) {
            if let Some((from, is_inclusive)) = &from {
                match entry.cmp(from, order) {
                    Ordering::Less => continue,
                    Ordering::Equal if !is_inclusive => continue,
                    _ => {}
                }
            }
            if last.is_some_and(|last| entry.cmp(&last, order).is_gt()) {
                continue;
            }
            kept.push(entry);
            // Twice as many as are asked for: the half that comes later goes.
            if kept.len() == 2 * limit {
                let (_, nth, _) = kept.select_nth_unstable_by(limit - 1, |a, b| a.cmp(b, order));
                last = Some(*nth);
                kept.truncate(limit);
            }
        }
        kept.sort_unstable_by(|a, b| a.cmp(b, order));
        kept.truncate(limit);
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Devices of three blocks: with names that differ, and fields of few letters, so that much is found.
    fn fleet() -> impl Strategy<Value = Vec<(String, String, String)>> {
        prop::collection::vec(("[aAbB]{1,4}", "[aAbÄäßσΣς ]{0,4}", "[ab.]{1,3}"), 0..40).prop_map(|rows| {
            let rows = rows.into_iter().enumerate();
            rows.map(|(at, (name, friendly_name, model))| (format!("{name}{at}"), friendly_name, model)).collect()
        })
    }

    /// As it was registered, but for some: for all whose names have the same length, alike.
    fn entry((name, friendly_name, model): &(String, String, String)) -> Entry<'_> {
        let facet = if is_marked(name) { mark_of(name).into() } else { 2 * tier_of(name) };
        Entry { name, friendly_name, model, facet }
    }

    fn tier_of(name: &str) -> i16 {
        (name.len() % 4) as i16
    }

    fn is_marked(name: &str) -> bool {
        name.starts_with('a')
    }

    fn mark_of(name: &str) -> u8 {
        (name.len() * 5 % 24) as u8
    }

    fn blocks(fleet: &[(String, String, String)]) -> HashMap<i64, Block> {
        let mut texts = vec![String::new(); 3];
        for (at, (name, friendly_name, model)) in fleet.iter().enumerate() {
            push_line(&mut texts[at % 3], name, Some(friendly_name), model, tier_of(name));
        }
        let marks = || fleet.iter().filter(|row| is_marked(&row.0)).map(|row| (row.0.as_str(), mark_of(&row.0)));
        let marked = |text| {
            let block = Block::new(text, &[]);
            block.with_marks(&block.marked(marks()))
        };
        (1..).zip(texts.into_iter().map(marked)).collect()
    }

    fn orders() -> impl Strategy<Value = Order> {
        let sorts = vec![Sort::Name, Sort::FriendlyName, Sort::Model, Sort::Tier, Sort::Status];
        (prop::sample::select(sorts), any::<bool>()).prop_map(|(sort, is_descending)| Order { sort, is_descending })
    }

    fn facets() -> impl Strategy<Value = Facets> {
        prop_oneof![Just(Facets::ALL), (0_u32..1 << 24).prop_map(Facets)]
    }

    proptest! {
        #[test]
        fn folding_changes_no_place(text in "\\PC{0,40}") {
            let folded = fold(&text);
            prop_assert_eq!(folded.len(), text.len());
            prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn what_has_the_text_is_found(fleet in fleet(), text in "[aAbäΣ.\\d]{0,3}", model in prop::option::of("[ab.]{1,2}"), facets in facets(), members in prop::option::of(prop::collection::vec(any::<bool>(), 40))) {
            let text = fold(&text);
            let blocks = blocks(&fleet);
            let is_member = |name: &str| members.as_ref().is_none_or(|members| fleet.iter().position(|row| row.0 == name).is_some_and(|at| members[at]));
            let lines = members.as_ref().map(|_| {
                let mut lines: HashMap<i64, Lines> = HashMap::new();
                for (id, block) in &blocks {
                    for line in fleet.iter().filter(|row| is_member(&row.0)).filter_map(|row| block.line_of(&row.0)) {
                        lines.entry(*id).or_default().insert(line);
                    }
                }
                lines.into_iter().map(|(id, lines)| (id, Arc::new(lines))).collect()
            });
            let hits = Hits::find(blocks, &Wanted { text: text.clone(), model: model.clone(), facets, lines });
            let mut found: Vec<_> = hits.entries().map(|entry| entry.name).collect();
            let is_it = |entry: &Entry<'_>| {
                [entry.name, entry.friendly_name, entry.model].iter().any(|field| fold(field).contains(&text))
                    && model.as_deref().is_none_or(|model| entry.model == model)
                    && facets.has(entry.facet)
                    && is_member(entry.name)
            };
            let mut expected: Vec<_> = fleet.iter().map(entry).filter(is_it).map(|entry| entry.name).collect();
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn the_first_behind_a_place(fleet in fleet(), order in orders(), facets in facets(), at in any::<prop::sample::Index>(), is_inclusive: bool, limit in 0_usize..9) {
            let hits = Hits::find(blocks(&fleet), &Wanted::default());
            let mut sorted: Vec<_> = fleet.iter().map(entry).filter(|entry| facets.has(entry.facet)).collect();
            sorted.sort_by_key(|entry| match order.sort {
                Sort::FriendlyName => (entry.friendly_name.to_ascii_lowercase(), entry.name),
                Sort::Model => (entry.model.to_owned(), entry.name),
                Sort::Tier => (entry.tier().to_string(), entry.name),
                Sort::Status => (entry.status().to_string(), entry.name),
                _ => (String::new(), entry.name),
            });
            if order.is_descending {
                sorted.reverse();
            }
            prop_assert_eq!(hits.first(order, facets, None, limit), &sorted[..limit.min(sorted.len())]);
            if !sorted.is_empty() {
                let at = at.index(sorted.len());
                let behind = &sorted[at + usize::from(!is_inclusive)..];
                prop_assert_eq!(hits.first(order, facets, Some((sorted[at], is_inclusive)), limit), &behind[..limit.min(behind.len())]);
            }
        }

        #[test]
        fn those_that_go_are_out_and_all_others_stay_as_they_are(fleet in fleet(), gone in prop::collection::vec(any::<prop::sample::Index>(), 0..5)) {
            let mut text = String::new();
            for (name, friendly_name, model) in &fleet {
                push_line(&mut text, name, Some(friendly_name), model, tier_of(name));
            }
            let marks = fleet.iter().filter(|row| is_marked(&row.0)).map(|row| (row.0.as_str(), mark_of(&row.0)));
            let marks = Block::new(text.clone(), &[]).marked(marks);
            let gone: HashSet<&str> = gone.iter().filter(|_| !fleet.is_empty()).map(|at| at.get(&fleet).0.as_str()).collect();
            let (left, marks, devices) = without(&text, &marks, &gone);
            let hits = Hits::find([(1, Block::new(left, &marks))].into(), &Wanted::default());
            let expected: Vec<_> = fleet.iter().map(entry).filter(|entry| !gone.contains(entry.name)).collect();
            prop_assert_eq!(devices, expected.len());
            prop_assert_eq!(hits.entries().collect::<Vec<_>>(), expected);
        }
    }
}

//! What a search looks into: the name, the friendly name and the model of each device; and its pricing tier.
//!
//! No index finds three letters in the midst of a million names as quickly as they are read from one end to the other:
//! that takes some ten milliseconds, whatever is searched for and however much is found. So the database keeps these
//! texts a second time, in *blocks* of up to 10,000 devices, and a server keeps the blocks that it has read (`grid.rs`).
//! A block is of one registration, so that those are found in the same way.

use crate::fleet::Sort;
use memchr::{memchr, memmem, memrchr};
use std::{cmp::Ordering, collections::HashSet, sync::Arc};

/// Blocks with fewer are added to by their registration; others stay, since each change writes all of a block.
pub(crate) const SMALL_BLOCK_DEVICES: usize = 1_000;

/// Appends a device to a block's text: a line with a tab behind each of the three, and the tier. None of them has a
/// control character, and the tier is one (U+0001 for code 0, and so on): so no search finds it.
pub(crate) fn push_line(text: &mut String, name: &str, friendly_name: Option<&str>, model: &str, tier: i16) {
    for field in [name, friendly_name.unwrap_or_default(), model] {
        text.push_str(field);
        text.push('\t');
    }
    text.push(tier_mark(tier));
    text.push('\n');
}

fn tier_mark(tier: i16) -> char {
    char::from(1 + tier.clamp(0, 3) as u8)
}

/// A block's text with another tier for the devices of these names.
pub(crate) fn with_tier(text: &str, names: &HashSet<&str>, tier: i16) -> String {
    let mut made = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let entry = Entry::of(line.trim_end_matches('\n'));
        if names.contains(entry.name) {
            push_line(&mut made, entry.name, Some(entry.friendly_name), entry.model, tier);
        } else {
            made.push_str(line);
        }
    }
    made
}

/// A block's text without the devices of these names, and how many are left in it.
pub(crate) fn without(text: &str, names: &HashSet<&str>) -> (String, usize) {
    let mut left = (String::with_capacity(text.len()), 0);
    for line in text.split_inclusive('\n') {
        if !names.contains(Entry::of(line.trim_end_matches('\n')).name) {
            left.0.push_str(line);
            left.1 += 1;
        }
    }
    left
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
    /// Its code.
    pub(crate) tier: i16,
}

impl<'t> Entry<'t> {
    fn of(line: &'t str) -> Self {
        let (name, rest) = cut(line);
        let (friendly_name, rest) = cut(rest);
        let (model, mark) = cut(rest);
        Self { name, friendly_name, model, tier: mark.bytes().next().map_or(0, |mark| i16::from(mark) - 1) }
    }

    fn cmp(&self, other: &Self, order: Order) -> Ordering {
        let by_key = match order.sort {
            Sort::FriendlyName => {
                let lower = |text: &'t str| text.bytes().map(|byte| byte.to_ascii_lowercase());
                lower(self.friendly_name).cmp(lower(other.friendly_name))
            }
            Sort::Model => self.model.cmp(other.model),
            Sort::Tier => self.tier.cmp(&other.tier),
            _ => Ordering::Equal,
        };
        let forwards = by_key.then_with(|| self.name.cmp(other.name));
        if order.is_descending { forwards.reverse() } else { forwards }
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

/// The texts of some devices of one account.
#[derive(Debug)]
pub(crate) struct Block {
    text: String,
    /// Where that is another.
    folded: Option<String>,
}

impl Block {
    pub(crate) fn new(text: String) -> Self {
        let folded = Some(fold(&text)).filter(|folded| *folded != text);
        Self { text, folded }
    }

    fn folded(&self) -> &str {
        self.folded.as_ref().unwrap_or(&self.text)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.folded.as_ref().map_or(0, String::len)
    }
}

/// A device that was found: the block, and where its line is.
#[derive(Clone, Copy)]
struct Place {
    block: u32,
    begin: u32,
    end: u32,
}

/// Devices that a search found.
pub(crate) struct Hits {
    blocks: Vec<Arc<Block>>,
    places: Vec<Place>,
}

impl Hits {
    /// The devices that have a folded text in what a search looks into, and are of this model and tier. All have a text
    /// of nothing.
    pub(crate) fn find(blocks: Vec<Arc<Block>>, text: &str, model: Option<&str>, tier: Option<i16>) -> Self {
        let finder = memmem::Finder::new(text.as_bytes());
        let mut places = Vec::new();
        for (block, at) in blocks.iter().zip(0..) {
            let bytes = block.folded().as_bytes();
            let mut begin = 0;
            while begin < bytes.len()
                && let Some(found) = finder.find(&bytes[begin..])
            {
                let found = begin + found;
                begin += memrchr(b'\n', &bytes[begin..found]).map_or(0, |before| before + 1);
                let end = found + memchr(b'\n', &bytes[found..]).unwrap_or(bytes.len() - found);
                let is_it = || {
                    let entry = Entry::of(&block.text[begin..end]);
                    model.is_none_or(|model| entry.model == model) && tier.is_none_or(|tier| entry.tier == tier)
                };
                if model.is_none() && tier.is_none() || is_it() {
                    // A block has at most 10,000 lines of some hundred bytes.
                    places.push(Place { block: at, begin: begin as u32, end: end as u32 });
                }
                begin = end + 1;
            }
        }
        Self { blocks, places }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    fn entry(&self, place: Place) -> Entry<'_> {
        Entry::of(&self.blocks[place.block as usize].text[place.begin as usize..place.end as usize])
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.places.iter().map(|place| self.entry(*place))
    }

    /// The first so many of them in an order: behind a place, or from it on.
    pub(crate) fn first(&self, order: Order, from: Option<(Entry<'_>, bool)>, limit: usize) -> Vec<Entry<'_>> {
        if limit == 0 {
            return Vec::new();
        }
        let mut kept: Vec<Entry<'_>> = Vec::new();
        let mut last: Option<Entry<'_>> = None;
        for entry in self.entries() {
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

    fn entry((name, friendly_name, model): &(String, String, String)) -> Entry<'_> {
        Entry { name, friendly_name, model, tier: tier_of(name) }
    }

    /// Any, but the same for each name.
    fn tier_of(name: &str) -> i16 {
        (name.len() % 4) as i16
    }

    fn blocks(fleet: &[(String, String, String)]) -> Vec<Arc<Block>> {
        let mut texts = vec![String::new(); 3];
        for (at, (name, friendly_name, model)) in fleet.iter().enumerate() {
            push_line(&mut texts[at % 3], name, Some(friendly_name), model, tier_of(name));
        }
        texts.into_iter().map(|text| Arc::new(Block::new(text))).collect()
    }

    fn orders() -> impl Strategy<Value = Order> {
        let sort = prop::sample::select(vec![Sort::Name, Sort::FriendlyName, Sort::Model, Sort::Tier]);
        (sort, any::<bool>()).prop_map(|(sort, is_descending)| Order { sort, is_descending })
    }

    proptest! {
        #[test]
        fn folding_changes_no_place(text in "\\PC{0,40}") {
            let folded = fold(&text);
            prop_assert_eq!(folded.len(), text.len());
            prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn what_has_the_text_is_found(fleet in fleet(), text in "[aAbäΣ.\\d]{0,3}", model in prop::option::of("[ab.]{1,2}"), tier in prop::option::of(0_i16..4)) {
            let text = fold(&text);
            let hits = Hits::find(blocks(&fleet), &text, model.as_deref(), tier);
            let mut found: Vec<_> = hits.entries().map(|entry| entry.name).collect();
            let is_it = |entry: &Entry<'_>| {
                [entry.name, entry.friendly_name, entry.model].iter().any(|field| fold(field).contains(&text))
                    && model.as_deref().is_none_or(|model| entry.model == model)
                    && tier.is_none_or(|tier| entry.tier == tier)
            };
            let mut expected: Vec<_> = fleet.iter().map(entry).filter(is_it).map(|entry| entry.name).collect();
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn the_first_behind_a_place(fleet in fleet(), order in orders(), at in any::<prop::sample::Index>(), is_inclusive: bool, limit in 0_usize..9) {
            let hits = Hits::find(blocks(&fleet), "", None, None);
            let mut sorted: Vec<_> = fleet.iter().map(entry).collect();
            sorted.sort_by_key(|entry| match order.sort {
                Sort::FriendlyName => (entry.friendly_name.to_ascii_lowercase(), entry.name),
                Sort::Model => (entry.model.to_owned(), entry.name),
                Sort::Tier => (entry.tier.to_string(), entry.name),
                _ => (String::new(), entry.name),
            });
            if order.is_descending {
                sorted.reverse();
            }
            prop_assert_eq!(hits.first(order, None, limit), &sorted[..limit.min(sorted.len())]);
            if !sorted.is_empty() {
                let at = at.index(sorted.len());
                let behind = &sorted[at + usize::from(!is_inclusive)..];
                prop_assert_eq!(hits.first(order, Some((sorted[at], is_inclusive)), limit), &behind[..limit.min(behind.len())]);
            }
        }

        #[test]
        fn those_that_go_are_out_and_all_others_stay(fleet in fleet(), gone in prop::collection::vec(any::<prop::sample::Index>(), 0..5)) {
            let mut text = String::new();
            for (name, friendly_name, model) in &fleet {
                push_line(&mut text, name, Some(friendly_name), model, tier_of(name));
            }
            let gone: HashSet<&str> = gone.iter().filter(|_| !fleet.is_empty()).map(|at| at.get(&fleet).0.as_str()).collect();
            let (left, devices) = without(&text, &gone);
            let hits = Hits::find(vec![Arc::new(Block::new(left))], "", None, None);
            let expected: Vec<_> = fleet.iter().map(entry).filter(|entry| !gone.contains(entry.name)).collect();
            prop_assert_eq!(devices, expected.len());
            let all = Hits::find(vec![Arc::new(Block::new(with_tier(&text, &gone, 3)))], "", None, None);
            let retiered = |row| { let entry = entry(row); if gone.contains(entry.name) { Entry { tier: 3, ..entry } } else { entry } };
            prop_assert_eq!(all.entries().collect::<Vec<_>>(), fleet.iter().map(retiered).collect::<Vec<_>>());
            prop_assert_eq!(hits.entries().collect::<Vec<_>>(), expected);
        }
    }
}

//! A search: which devices of some blocks are wanted, and which of those come first in an order.

use crate::{
    fleet::Sort,
    texts::{Block, Lines, cut},
};
use memchr::memmem;
use std::{cmp::Ordering, collections::HashMap, sync::Arc};

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
    pub(crate) fn of(line: &'t str, facet: i16) -> Self {
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

/// A device that was found: the block, and its line there.
#[derive(Clone, Copy)]
struct Place {
    block: u32,
    line: u32,
}

/// Which devices are looked for.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Those that have one of these folded texts in what a search looks into. None are given: all devices.
    pub(crate) texts: Vec<String>,
    /// Those of this model.
    pub(crate) model: Option<String>,
    pub(crate) facets: Facets,
    /// Those of these lines, of each block.
    pub(crate) lines: Option<HashMap<i64, Arc<Lines>>>,
}

/// The lines of a block that have a text.
fn lines_with<'b>(block: &'b Block, finder: &'b memmem::Finder<'_>) -> impl Iterator<Item = u32> {
    let (text, lines) = block.folded();
    let mut line = 0;
    std::iter::from_fn(move || {
        let start = *lines.get(line as usize).filter(|_| (line as usize) < lines.len() - 1)?;
        let found = start + finder.find(&text.as_bytes()[start as usize..])? as u32;
        // Nearly always it is this line, or one of the next.
        while lines[line as usize + 1] <= found {
            line += 1;
        }
        line += 1;
        Some(line - 1)
    })
}

/// Devices that a search found.
pub(crate) struct Hits {
    blocks: Vec<Block>,
    places: Vec<Place>,
}

impl Hits {
    /// The devices of these blocks, by their ids, that are wanted.
    pub(crate) fn find(blocks: HashMap<i64, Block>, wanted: &Wanted) -> Self {
        let mut finders: Vec<_> = wanted.texts.iter().map(|text| memmem::Finder::new(text.as_bytes())).collect();
        if finders.is_empty() {
            finders.push(memmem::Finder::new(""));
        }
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
            let is_it = |line| {
                among.is_none_or(|lines| lines.has(line))
                    && wanted.facets.has(block.facet(line))
                    && wanted.model.as_ref().is_none_or(|model| block.entry(line).model == model)
            };
            let found = finders.iter().flat_map(|finder| lines_with(block, finder));
            let mut found: Vec<u32> = found.filter(|&line| is_any || is_it(line)).collect();
            if finders.len() > 1 {
                found.sort_unstable();
                found.dedup();
            }
            places.extend(found.into_iter().map(|line| Place { block: at, line }));
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
    use crate::texts::{fold, push_line, without};
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// Devices of three blocks: with names that differ, and fields of few letters, so that much is found.
    fn fleet() -> impl Strategy<Value = Vec<(String, String, String)>> {
        prop::collection::vec(("[aAbB]{1,4}", "[aAbÄäßσΣςİ\u{308} ]{0,4}", "[ab.]{1,3}"), 0..40).prop_map(|rows| {
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
        fn what_has_the_text_is_found(fleet in fleet(), texts in prop::collection::vec("[aAbäΣ.\\d]{0,3}", 0..3), model in prop::option::of("[ab.]{1,2}"), facets in facets(), members in prop::option::of(prop::collection::vec(any::<bool>(), 40))) {
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
            let hits = Hits::find(blocks, &Wanted { texts: texts.iter().map(|text| fold(text)).collect(), model: model.clone(), facets, lines });
            let mut found: Vec<_> = hits.entries().map(|entry| entry.name).collect();
            let is_it = |entry: &Entry<'_>| {
                let has = |text: &String| [entry.name, entry.friendly_name, entry.model].iter().any(|field| fold(field).contains(&fold(text)));
                (texts.is_empty() || texts.iter().any(has))
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

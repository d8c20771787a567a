//! A query: filter, bitmap, count, and the first devices in an order.
//!
//! For each segment, a filter gives a bitmap of its lines. Their number is the count. The first devices in an order are
//! found without sorting all of them. For a sort by status, tier, model or last report, the threshold of the page is found
//! first. The devices at that threshold are then merged by name: each segment keeps its lines sorted.

use super::{
    criteria::Criteria,
    lines::Lines,
    natural,
    order::{Bound, Order},
    segment::Segment,
    segment_matches::SegmentMatches,
    sort_numbers::{SmallestNumbers, SortNumbers},
};
use memchr::memmem;
use muster_domain::Sort;
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

/// The devices that match a query.
#[derive(Default)]
pub(crate) struct Matches {
    found: Vec<SegmentMatches>,
}

impl Matches {
    /// Finds the devices that meet the criteria, in these segments by their ids.
    pub(crate) fn find(segments: &HashMap<i64, Segment>, criteria: &Criteria) -> Self {
        let finders: Vec<_> = criteria.texts.iter().map(|text| memmem::Finder::new(text.as_bytes())).collect();
        let find = |(id, segment): (&i64, &Segment)| {
            let lines = criteria.lines_of(*id, segment, &finders);
            let count = lines.as_ref().map_or(segment.devices(), Lines::count);
            (count > 0).then(|| SegmentMatches { segment: segment.clone(), lines, count })
        };
        Self { found: segments.iter().filter_map(find).collect() }
    }

    pub(crate) fn count(&self) -> usize {
        self.found.iter().map(|found| found.count).sum()
    }

    /// How many of them are of each model.
    pub(crate) fn by_model(&self) -> HashMap<String, u64> {
        let mut counts = HashMap::new();
        for found in &self.found {
            let models = found.segment.models();
            let mut of_segment = vec![0; models.len()];
            found.for_each(|line| of_segment[found.segment.model(line) as usize] += 1);
            for (model, count) in models.iter().zip(of_segment).filter(|(_, count)| *count > 0) {
                *counts.entry(model.clone()).or_default() += count;
            }
        }
        counts
    }

    /// The names of the first `limit` matches in an order, after a place.
    pub(crate) fn first(&self, order: Order, from: Option<&Bound>, limit: usize) -> Vec<String> {
        if limit == 0 {
            return Vec::new();
        }
        let numbers = SortNumbers::of(order, &self.found);
        let from_number = from.map(|from| numbers.of_bound(from));
        // For devices with the same number as the place: their ranks after it.
        let after: Vec<Range<usize>> = match from {
            None => self.found.iter().map(|found| 0..found.segment.devices()).collect(),
            Some(from) => {
                let key = match order.sort {
                    Sort::FriendlyName => natural::key_of_two(from.key.text(), &from.name),
                    _ => natural::key(&from.name),
                };
                self.found.iter().map(|found| found.ranks_after(order, &key, from.is_inclusive)).collect()
            }
        };
        let (mut names, mut at_threshold) = (Vec::new(), 0);
        if numbers.distinguish() {
            // Whether a device with this number comes after the place.
            let follows = |at: usize, line: u32, number: u64| match from_number {
                None => true,
                Some(from) if number == from => {
                    let rank = self.found[at].sorted(order).ranks[line as usize];
                    after[at].contains(&(rank as usize))
                }
                Some(from) => number > from,
            };
            let mut smallest = SmallestNumbers::new(limit);
            for (at, found) in self.found.iter().enumerate() {
                if smallest.bound() <= numbers.least() {
                    break;
                }
                for word in 0..found.words() {
                    if numbers.least_of_word(found, word) >= smallest.bound() {
                        continue;
                    }
                    numbers.for_each(at, found, word, |line, number| {
                        if number < smallest.bound() && follows(at, line, number) {
                            smallest.push((number, at, line));
                        }
                    });
                }
            }
            let smallest = smallest.sorted();
            let Some((threshold, ..)) = smallest.last().copied() else { return Vec::new() };
            // With the numbers read before: reports change the times meanwhile.
            let before = smallest.into_iter().filter(|(number, ..)| *number < threshold);
            let mut before: Vec<_> =
                before.map(|(number, at, line)| (number, self.found[at].segment.name_key(line), at, line)).collect();
            before.sort_unstable_by(|(number, key, ..), (other_number, other_key, ..)| {
                let by_name = if order.is_descending { other_key.cmp(key) } else { key.cmp(other_key) };
                number.cmp(other_number).then(by_name)
            });
            names.extend(before.iter().map(|(_, _, at, line)| self.found[*at].segment.name(*line).to_owned()));
            at_threshold = threshold;
        }
        let is_at_place = from_number.is_some_and(|from| from == at_threshold);
        let sorted_matches = self.found.iter().zip(after).enumerate().map(|(at, (found, after))| {
            let ranks = if is_at_place { after } else { 0..found.segment.devices() };
            let numbers = &numbers;
            let is_it = move |line: &u32| numbers.of_line(at, &found.segment, *line) == at_threshold;
            found.in_order(order, ranks).filter(is_it)
        });
        names.extend(self.merged(order, sorted_matches.collect(), limit.saturating_sub(names.len())));
        names
    }

    /// The names of the first `limit` devices of the sorted matches of all segments.
    fn merged<'m>(
        &'m self,
        order: Order,
        mut sorted_matches: Vec<impl Iterator<Item = u32> + 'm>,
        limit: usize,
    ) -> impl Iterator<Item = String> {
        // The segment is part of the key: a device that was deleted and registered again may briefly be in two.
        let mut heads: BTreeMap<(Vec<u8>, usize), u32> = BTreeMap::new();
        let mut advance = move |heads: &mut BTreeMap<_, _>, at: usize| {
            if let Some(line) = sorted_matches[at].next() {
                heads.insert((self.found[at].key(order, line), at), line);
            }
        };
        (0..self.found.len()).for_each(|at| advance(&mut heads, at));
        let next = std::iter::from_fn(move || {
            let ((_, at), line) = if order.is_descending { heads.pop_last()? } else { heads.pop_first()? };
            advance(&mut heads, at);
            Some(self.found[at].segment.name(line).to_owned())
        });
        next.take(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{
        criteria::{ACTIVE, StatusBytes},
        members::Members,
        order::Key,
        segment::{Columns, State, push_line},
        text::lowercase,
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    #[derive(Clone, Debug)]
    struct Row {
        name: String,
        friendly_name: String,
        model: String,
        status_byte: u8,
        last_seen: i64,
        groups: Vec<u128>,
    }

    /// Devices of three segments: with names that differ, and fields of few letters, so that much is found.
    fn fleet(max: usize) -> impl Strategy<Value = Vec<Row>> {
        let row = (
            "[aAbB]{1,4}",
            "[aAbÄäßσΣςİ\u{308} 1]{0,4}",
            "[ab.]{1,3}",
            0_u8..24,
            1_i64..6,
            prop::sample::subsequence(vec![1, 2], 0..=2),
        );
        prop::collection::vec(row, 0..max).prop_map(|rows| {
            let row = |(at, (name, friendly_name, model, status_byte, seen, groups))| {
                let last_seen = if status_byte & 1 == 1 { seen } else { 0 };
                Row { name: format!("{name}{at}"), friendly_name, model, status_byte, last_seen, groups }
            };
            (0_u32..).zip(rows).map(row).collect()
        })
    }

    fn segments(fleet: &[Row]) -> HashMap<i64, Segment> {
        let mut stored = vec![(String::new(), Members::default()); 3];
        for (at, row) in fleet.iter().enumerate() {
            let (text, members) = &mut stored[at % 3];
            push_line(text, &row.name, Some(&row.friendly_name), &row.model, 1);
            row.groups.iter().for_each(|group| {
                members.join(Uuid::from_u128(*group), &[at as u32 / 3]);
            });
        }
        let segment = |(text, members)| {
            let segment = Segment::new(Columns { text, state: State { members, ..State::default() } });
            segment.record_last_seen(fleet.iter().map(|row| (row.name.as_str(), row.last_seen)));
            segment.changed(fleet.iter().map(|row| (row.name.as_str(), row.status_byte)))
        };
        (1..).zip(stored.into_iter().map(segment)).collect()
    }

    fn orders() -> impl Strategy<Value = Order> {
        let sorts = vec![Sort::Name, Sort::FriendlyName, Sort::Model, Sort::Tier, Sort::Status, Sort::LastSeen];
        (prop::sample::select(sorts), any::<bool>()).prop_map(|(sort, is_descending)| Order { sort, is_descending })
    }

    fn sets_of_status_bytes() -> impl Strategy<Value = StatusBytes> {
        prop_oneof![Just(StatusBytes::ALL), (0_u32..1 << 24).prop_map(StatusBytes)]
    }

    fn key(row: &Row, sort: Sort) -> Key {
        match sort {
            Sort::Name => Key::Number(0),
            Sort::Model => Key::Text(row.model.clone()),
            Sort::FriendlyName => Key::Text(row.friendly_name.clone()),
            Sort::Tier => Key::Number(i64::from(row.status_byte >> 1 & 3)),
            Sort::Status => Key::Number(i64::from(row.status_byte >> 3)),
            Sort::LastSeen => Key::Number(row.last_seen),
        }
    }

    fn sorted(fleet: &[Row], order: Order) -> Vec<Row> {
        let mut rows = fleet.to_vec();
        rows.sort_by_cached_key(|row| {
            let number = if let Key::Number(number) = key(row, order.sort) { number } else { 0 };
            let model = if order.sort == Sort::Model { row.model.clone() } else { String::new() };
            let friendly = if order.sort == Sort::FriendlyName { row.friendly_name.as_str() } else { "" };
            (number, model, natural::key_of_two(friendly, &row.name))
        });
        if order.is_descending {
            rows.reverse();
        }
        rows
    }

    fn names(rows: &[Row], limit: usize) -> Vec<String> {
        rows.iter().take(limit).map(|row| row.name.clone()).collect()
    }

    proptest! {
        #[test]
        fn matching_devices_are_found(fleet in fleet(40), texts in prop::collection::vec("[aAbäΣ.\\d]{0,3}", 0..3), model in prop::option::of("[ab.]{1,2}"), status_bytes in sets_of_status_bytes(), named in prop::option::of(prop::collection::vec(any::<bool>(), 40)), groups in prop::option::of(prop::sample::subsequence(vec![1, 2, 3], 0..=3)), silent_since in prop::option::of(0_i64..7)) {
            let segments = segments(&fleet);
            let is_named = |name: &str| named.as_ref().is_none_or(|named| fleet.iter().position(|row| row.name == name).is_some_and(|at| named[at]));
            let lines = named.as_ref().map(|_| {
                let mut lines: HashMap<i64, Lines> = HashMap::new();
                for (id, segment) in &segments {
                    for line in fleet.iter().filter(|row| is_named(&row.name)).filter_map(|row| segment.line_of(&row.name)) {
                        lines.entry(*id).or_default().insert(line);
                    }
                }
                lines
            });
            let matches = Matches::find(&segments, &Criteria { texts: texts.iter().map(|text| lowercase(text)).collect(), model: model.clone(), status_bytes, groups: groups.as_ref().map(|groups| groups.iter().copied().map(Uuid::from_u128).collect()), lines, silent_since });
            let is_it = |row: &&Row| {
                let has = |text: &String| [&row.name, &row.friendly_name, &row.model].iter().any(|field| lowercase(field).contains(&lowercase(text)));
                (texts.is_empty() || texts.iter().any(has))
                    && model.as_deref().is_none_or(|model| row.model == model)
                    && status_bytes.contains(row.status_byte)
                    && is_named(&row.name)
                    && groups.as_ref().is_none_or(|groups| row.groups.iter().any(|group| groups.contains(group)))
                    && silent_since.is_none_or(|since| row.status_byte >> 3 == ACTIVE && (1..since).contains(&row.last_seen))
            };
            let expected: Vec<Row> = fleet.iter().filter(is_it).cloned().collect();
            let order = Order { sort: Sort::Name, is_descending: false };
            prop_assert_eq!(matches.first(order, None, 99), names(&sorted(&expected, order), 99));
            prop_assert_eq!(matches.count(), expected.len());
            let mut by_model: HashMap<String, u64> = HashMap::new();
            expected.iter().for_each(|row| *by_model.entry(row.model.clone()).or_default() += 1);
            prop_assert_eq!(matches.by_model(), by_model);
        }

        #[test]
        fn first_devices_after_a_position(fleet in fleet(250), order in orders(), status_bytes in sets_of_status_bytes(), at in any::<prop::sample::Index>(), is_inclusive: bool, is_there: bool, limit in 0_usize..9) {
            let matches = Matches::find(&segments(&fleet), &Criteria { status_bytes, ..Criteria::default() });
            let all = sorted(&fleet, order);
            let is_it = |row: &&Row| status_bytes.contains(row.status_byte);
            let found: Vec<Row> = all.iter().filter(is_it).cloned().collect();
            prop_assert_eq!(matches.first(order, None, limit), names(&found, limit));
            if !all.is_empty() {
                // Of any device, whether it matches or not.
                let at = at.index(all.len());
                let from = Bound { key: key(&all[at], order.sort), name: all[at].name.clone(), is_inclusive };
                let behind: Vec<Row> = all[at + usize::from(!is_inclusive)..].iter().filter(is_it).cloned().collect();
                prop_assert_eq!(matches.first(order, Some(&from), limit), names(&behind, limit));
            }
            // A place of a model or a name that no device has.
            if is_there && order.sort == Sort::Model && !order.is_descending {
                let from = Bound { key: Key::Text("a.a".to_owned()), name: "x".to_owned(), is_inclusive };
                let behind: Vec<Row> = found.iter().filter(|row| (row.model.as_str(), natural::key(&row.name)) > ("a.a", natural::key("x"))).cloned().collect();
                prop_assert_eq!(matches.first(order, Some(&from), limit), names(&behind, limit));
            }
        }
    }
}

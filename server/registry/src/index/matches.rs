//! A query: filter, bitmap, count, and the first devices in an order.
//!
//! For each segment, a filter gives a bitmap of its lines. Their number is the count. The first devices in an order are
//! found without sorting all: by status, tier, model or time of last report, the threshold of the page is found first, and
//! the devices at that threshold are then walked through by name, in each segment's own order, side by side.

use super::{
    natural,
    segment::{Lines, Segment, Sorted},
    text::lowercase,
};
use crate::fleet::Sort;
use memchr::memmem;
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

/// An order of devices: by name where the sort is by something else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) sort: Sort,
    pub(crate) is_descending: bool,
}

impl Order {
    pub(crate) fn reversed(self) -> Self {
        Self { is_descending: !self.is_descending, ..self }
    }
}

/// What a device is sorted by before its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A tier, a status, or milliseconds.
    Number(i64),
    /// A model, or a friendly name.
    Text(String),
}

impl Key {
    /// As a [`Cursor`](crate::fleet::Cursor) has it.
    pub(crate) fn parse(sort: Sort, text: &str) -> Self {
        match sort {
            Sort::Name => Self::Number(0),
            Sort::Tier | Sort::Status | Sort::LastSeen => Self::Number(text.parse().unwrap_or_default()),
            Sort::Model | Sort::FriendlyName => Self::Text(text.to_owned()),
        }
    }

    fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }
}

/// A place in an order. The device need not be there.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) key: Key,
    pub(crate) name: String,
    /// Whether the device at this place is one of those asked for.
    pub(crate) is_inclusive: bool,
}

/// Some status_bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatusBytes(u32);

impl Default for StatusBytes {
    fn default() -> Self {
        Self::ALL
    }
}

impl StatusBytes {
    pub(crate) const ALL: Self = Self(u32::MAX);

    /// Those that a condition holds for.
    pub(crate) fn that(holds: impl Fn(u8) -> bool) -> Self {
        Self((0..24).filter(|&status_byte| holds(status_byte)).fold(0, |bits, status_byte| bits | 1 << status_byte))
    }

    fn has(self, status_byte: u8) -> bool {
        self.0 >> status_byte.min(31) & 1 == 1
    }
}

/// [`Status::Active`](crate::Status::Active) in a status_byte.
const ACTIVE: u8 = 1;

/// Which devices are looked for.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Those that have one of these lowercased texts in what a search looks into. None are given: all devices.
    pub(crate) texts: Vec<String>,
    /// Those of this model.
    pub(crate) model: Option<String>,
    pub(crate) status_bytes: StatusBytes,
    /// Those of these lines, of each segment.
    pub(crate) lines: Option<HashMap<i64, Arc<Lines>>>,
    /// Those that are `Active`, but were last seen before this time, in milliseconds.
    pub(crate) silent_since: Option<i64>,
}

impl Wanted {
    /// The lines of a segment that are wanted; `None`: all.
    fn lines_of(&self, id: i64, segment: &Segment, finders: &[memmem::Finder<'_>]) -> Option<Lines> {
        let mut lines = None;
        if let Some(of_segments) = &self.lines {
            lines = Some(of_segments.get(&id).map(|lines| Lines::clone(lines)).unwrap_or_default());
        }
        if !finders.is_empty() {
            let mut found = Lines::default();
            finders.iter().flat_map(|finder| lines_with(segment, finder)).for_each(|line| found.insert(line));
            // Models are few: a text is looked for in each only once.
            let has_text =
                |model: &String| finders.iter().any(|finder| finder.find(lowercase(model).as_bytes()).is_some());
            let models: Vec<bool> = segment.models().iter().map(has_text).collect();
            if models.contains(&true) {
                let of_models = Lines::that(segment.devices(), |line| models[segment.model(line) as usize]);
                found = found.or(&of_models);
            }
            lines = Some(lines.map_or_else(|| found.clone(), |lines| lines.and(&found)));
        }
        if let Some(model) = &self.model {
            match segment.models().iter().position(|there| there == model) {
                Some(_) if segment.models().len() == 1 => {}
                Some(model) => narrow(&mut lines, segment, |line| segment.model(line) as usize == model),
                None => return Some(Lines::default()),
            }
        }
        if self.status_bytes != StatusBytes::ALL {
            narrow(&mut lines, segment, |line| self.status_bytes.has(segment.status_byte(line)));
        }
        if let Some(since) = self.silent_since {
            // 0: another server took the device's first report a moment ago.
            let is_silent =
                |line| segment.status_byte(line) >> 3 == ACTIVE && (1..since).contains(&segment.last_seen(line));
            narrow(&mut lines, segment, is_silent);
        }
        lines
    }
}

/// Keeps those of the lines, or of all lines, that a condition holds for.
fn narrow(lines: &mut Option<Lines>, segment: &Segment, holds: impl Fn(u32) -> bool) {
    match lines {
        Some(lines) => lines.retain(holds),
        None => *lines = Some(Lines::that(segment.devices(), holds)),
    }
}

/// The lines of a segment whose names have a text.
fn lines_with<'s>(segment: &'s Segment, finder: &'s memmem::Finder<'_>) -> impl Iterator<Item = u32> {
    let (text, lines) = segment.lowercased();
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

/// The matches in one segment.
struct Found {
    segment: Segment,
    /// `None`: all.
    lines: Option<Lines>,
    count: usize,
}

impl Found {
    fn has(&self, line: u32) -> bool {
        self.lines.as_ref().is_none_or(|lines| lines.has(line))
    }

    fn for_each(&self, mut each: impl FnMut(u32)) {
        match &self.lines {
            Some(lines) => lines.iter().for_each(each),
            None => (0..self.segment.devices() as u32).for_each(&mut each),
        }
    }

    fn sorted(&self, order: Order) -> &Sorted {
        match order.sort {
            Sort::FriendlyName => self.segment.by_friendly_name(),
            _ => self.segment.by_name(),
        }
    }

    /// The key of a line in that order.
    fn key(&self, order: Order, line: u32) -> Vec<u8> {
        match order.sort {
            Sort::FriendlyName => self.segment.friendly_name_key(line),
            _ => self.segment.name_key(line),
        }
    }

    /// The ranks of those that follow a place in the order, which is given as a key.
    fn behind(&self, order: Order, key: &[u8], is_inclusive: bool) -> Range<usize> {
        let lines = &self.sorted(order).lines;
        // Ascending, those that stand before the place are cut off; descending, those behind it.
        let is_left = |line: &u32| {
            let there = self.key(order, *line);
            if order.is_descending == is_inclusive { &there[..] <= key } else { &there[..] < key }
        };
        let at = lines.partition_point(is_left);
        if order.is_descending { 0..at } else { at..lines.len() }
    }

    /// The matches of these ranks, in the order.
    fn in_order(&self, order: Order, ranks: Range<usize>) -> Box<dyn Iterator<Item = u32> + '_> {
        let sorted = self.sorted(order);
        // Of few, it is quicker to sort them than to pass over the others.
        if self.count < self.segment.devices() / 8 {
            let mut few = Vec::with_capacity(self.count);
            self.for_each(|line| few.push(line));
            few.retain(|line| ranks.contains(&(sorted.ranks[*line as usize] as usize)));
            few.sort_unstable_by_key(|line| sorted.ranks[*line as usize]);
            if order.is_descending {
                few.reverse();
            }
            return Box::new(few.into_iter());
        }
        let lines = sorted.lines[ranks].iter().copied().filter(|line| self.has(*line));
        if order.is_descending { Box::new(lines.rev()) } else { Box::new(lines) }
    }
}

/// Turns the order of numbers around. They have 63 bits.
const FLIP: u64 = i64::MAX.cast_unsigned();

/// What devices are sorted by before the name, as a number: the smaller comes first.
struct Primary {
    order: Order,
    /// For each segment, the numbers of its models in the order of their names.
    models: Vec<Vec<u64>>,
    /// All models, in the order of their names.
    sorted_models: Vec<String>,
}

impl Primary {
    fn of(order: Order, found: &[Found]) -> Self {
        let (mut sorted_models, mut models) = (Vec::new(), Vec::new());
        if order.sort == Sort::Model {
            let mut names: Vec<&String> = found.iter().flat_map(|found| found.segment.models()).collect();
            names.sort_unstable();
            names.dedup();
            sorted_models = names.into_iter().cloned().collect();
            let number = |name: &String| Self::number_of(&sorted_models, name);
            models = found.iter().map(|found| found.segment.models().iter().map(number).collect()).collect();
        }
        Self { order, models, sorted_models }
    }

    /// Odd for a model that is there, and an even number between for one that is not.
    fn number_of(sorted: &[String], model: &str) -> u64 {
        match sorted.binary_search_by(|there| there.as_str().cmp(model)) {
            Ok(at) => 2 * at as u64 + 1,
            Err(at) => 2 * at as u64,
        }
    }

    /// Whether all are alike in it.
    fn is_nothing(&self) -> bool {
        matches!(self.order.sort, Sort::Name | Sort::FriendlyName)
    }

    fn directed(&self, number: u64) -> u64 {
        if self.order.is_descending { number ^ FLIP } else { number }
    }

    /// Calls with each match of a segment and its number. There is a loop for each sort, with nothing to decide in it: it
    /// goes through a million devices.
    fn for_each(&self, at: usize, found: &Found, mut each: impl FnMut(u32, u64)) {
        let (segment, flip) = (&found.segment, if self.order.is_descending { FLIP } else { 0 });
        match self.order.sort {
            Sort::Name | Sort::FriendlyName => found.for_each(|line| each(line, 0)),
            Sort::Model => {
                let models = &self.models[at];
                found.for_each(|line| each(line, models[segment.model(line) as usize] ^ flip));
            }
            Sort::Tier => found.for_each(|line| each(line, u64::from(segment.status_byte(line) >> 1 & 3) ^ flip)),
            Sort::Status => found.for_each(|line| each(line, u64::from(segment.status_byte(line) >> 3) ^ flip)),
            Sort::LastSeen => found.for_each(|line| each(line, segment.last_seen(line).cast_unsigned() ^ flip)),
        }
    }

    fn of_line(&self, at: usize, segment: &Segment, line: u32) -> u64 {
        self.directed(match self.order.sort {
            Sort::Name | Sort::FriendlyName => return 0,
            Sort::Model => self.models[at][segment.model(line) as usize],
            Sort::Tier => u64::from(segment.status_byte(line) >> 1 & 3),
            Sort::Status => u64::from(segment.status_byte(line) >> 3),
            Sort::LastSeen => segment.last_seen(line).cast_unsigned(),
        })
    }

    fn of_bound(&self, bound: &Bound) -> u64 {
        self.directed(match (self.order.sort, &bound.key) {
            (Sort::Name | Sort::FriendlyName, _) => return 0,
            (Sort::Model, key) => Self::number_of(&self.sorted_models, key.text()),
            (_, Key::Number(number)) => number.max(&0).cast_unsigned(),
            (_, Key::Text(_)) => 0,
        })
    }
}

/// The devices that match a query.
#[derive(Default)]
pub(crate) struct Matches {
    found: Vec<Found>,
}

impl Matches {
    /// The devices of these segments, by their ids, that are wanted.
    pub(crate) fn find(segments: &HashMap<i64, Segment>, wanted: &Wanted) -> Self {
        let finders: Vec<_> = wanted.texts.iter().map(|text| memmem::Finder::new(text.as_bytes())).collect();
        let find = |(id, segment): (&i64, &Segment)| {
            let lines = wanted.lines_of(*id, segment, &finders);
            let count = lines.as_ref().map_or(segment.devices(), Lines::count);
            (count > 0).then(|| Found { segment: segment.clone(), lines, count })
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

    /// The names of the first so many of them in an order, from a place on.
    pub(crate) fn first(&self, order: Order, from: Option<&Bound>, limit: usize) -> Vec<String> {
        if limit == 0 {
            return Vec::new();
        }
        let primary = Primary::of(order, &self.found);
        let from_number = from.map(|from| primary.of_bound(from));
        // Where those that are alike in the primary key follow the place.
        let behind: Vec<Range<usize>> = match from {
            None => self.found.iter().map(|found| 0..found.segment.devices()).collect(),
            Some(from) => {
                let key = match order.sort {
                    Sort::FriendlyName => natural::key_of_two(from.key.text(), &from.name),
                    _ => natural::key(&from.name),
                };
                self.found.iter().map(|found| found.behind(order, &key, from.is_inclusive)).collect()
            }
        };
        let (mut names, mut at_threshold) = (Vec::new(), 0);
        if !primary.is_nothing() {
            // Whether a device with this number stands behind the place.
            let follows = |at: usize, line: u32, number: u64| match from_number {
                None => true,
                Some(from) if number == from => {
                    let rank = self.found[at].sorted(order).ranks[line as usize];
                    behind[at].contains(&(rank as usize))
                }
                Some(from) => number > from,
            };
            let mut smallest = Smallest::new(limit);
            for (at, found) in self.found.iter().enumerate() {
                primary.for_each(at, found, |line, number| {
                    if number < smallest.bound() && follows(at, line, number) {
                        smallest.push((number, at, line));
                    }
                });
            }
            let smallest = smallest.sorted();
            let Some((threshold, ..)) = smallest.last().copied() else { return Vec::new() };
            // Each device with its number of that moment: reports change times meanwhile.
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
        let walks = self.found.iter().zip(behind).enumerate().map(|(at, (found, behind))| {
            let ranks = if is_at_place { behind } else { 0..found.segment.devices() };
            let primary = &primary;
            let is_it = move |line: &u32| primary.of_line(at, &found.segment, *line) == at_threshold;
            found.in_order(order, ranks).filter(is_it)
        });
        names.extend(self.merged(order, walks.collect(), limit.saturating_sub(names.len())));
        names
    }

    /// The names of the first so many devices of several walks in an order, one for each segment.
    fn merged<'m>(
        &'m self,
        order: Order,
        mut walks: Vec<impl Iterator<Item = u32> + 'm>,
        limit: usize,
    ) -> impl Iterator<Item = String> {
        // By segment, too: a device that was deleted and registered again may be in two for a moment.
        let mut heads: BTreeMap<(Vec<u8>, usize), u32> = BTreeMap::new();
        let mut advance = move |heads: &mut BTreeMap<_, _>, at: usize| {
            if let Some(line) = walks[at].next() {
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

/// A device: its number, its segment, and its line there.
type Numbered = (u64, usize, u32);

/// The devices with the smallest of many numbers.
struct Smallest {
    limit: usize,
    devices: Vec<Numbered>,
    /// Above all numbers, until there are enough.
    bound: u64,
}

impl Smallest {
    fn new(limit: usize) -> Self {
        Self { limit, devices: Vec::with_capacity(2 * limit), bound: u64::MAX }
    }

    /// Only numbers below this still matter: once there are enough, an equal one changes nothing.
    fn bound(&self) -> u64 {
        self.bound
    }

    fn push(&mut self, device: Numbered) {
        self.devices.push(device);
        // Twice as many as are asked for: the half with the larger numbers goes.
        if self.devices.len() == 2 * self.limit {
            self.bound = self.devices.select_nth_unstable(self.limit - 1).1.0;
            self.devices.truncate(self.limit);
        }
    }

    fn sorted(mut self) -> Vec<Numbered> {
        self.devices.sort_unstable();
        self.devices.truncate(self.limit);
        self.devices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::segment::{Columns, push_line};
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    struct Row {
        name: String,
        friendly_name: String,
        model: String,
        status_byte: u8,
        last_seen: i64,
    }

    /// Devices of three segments: with names that differ, and fields of few letters, so that much is found.
    fn fleet() -> impl Strategy<Value = Vec<Row>> {
        let row = ("[aAbB]{1,4}", "[aAbÄäßσΣςİ\u{308} 1]{0,4}", "[ab.]{1,3}", 0_u8..24, 1_i64..6);
        prop::collection::vec(row, 0..40).prop_map(|rows| {
            let row =
                |(at, (name, friendly_name, model, status_byte, seen)): (usize, (String, String, String, u8, i64))| {
                    let last_seen = if status_byte & 1 == 1 { seen } else { 0 };
                    Row { name: format!("{name}{at}"), friendly_name, model, status_byte, last_seen }
                };
            rows.into_iter().enumerate().map(row).collect()
        })
    }

    fn segments(fleet: &[Row]) -> HashMap<i64, Segment> {
        let mut texts = vec![String::new(); 3];
        for (at, row) in fleet.iter().enumerate() {
            push_line(&mut texts[at % 3], &row.name, Some(&row.friendly_name), &row.model, 1);
        }
        let segment = |text| {
            let segment = Segment::new(Columns { text, status_bytes: Vec::new(), last_seen: Vec::new() });
            segment.saw(fleet.iter().map(|row| (row.name.as_str(), row.last_seen)));
            segment.changed(fleet.iter().map(|row| (row.name.as_str(), row.status_byte)))
        };
        (1..).zip(texts.into_iter().map(segment)).collect()
    }

    fn orders() -> impl Strategy<Value = Order> {
        let sorts = vec![Sort::Name, Sort::FriendlyName, Sort::Model, Sort::Tier, Sort::Status, Sort::LastSeen];
        (prop::sample::select(sorts), any::<bool>()).prop_map(|(sort, is_descending)| Order { sort, is_descending })
    }

    fn status_bytes() -> impl Strategy<Value = StatusBytes> {
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
        fn what_matches_is_found(fleet in fleet(), texts in prop::collection::vec("[aAbäΣ.\\d]{0,3}", 0..3), model in prop::option::of("[ab.]{1,2}"), status_bytes in status_bytes(), members in prop::option::of(prop::collection::vec(any::<bool>(), 40)), silent_since in prop::option::of(0_i64..7)) {
            let segments = segments(&fleet);
            let is_member = |name: &str| members.as_ref().is_none_or(|members| fleet.iter().position(|row| row.name == name).is_some_and(|at| members[at]));
            let lines = members.as_ref().map(|_| {
                let mut lines: HashMap<i64, Lines> = HashMap::new();
                for (id, segment) in &segments {
                    for line in fleet.iter().filter(|row| is_member(&row.name)).filter_map(|row| segment.line_of(&row.name)) {
                        lines.entry(*id).or_default().insert(line);
                    }
                }
                lines.into_iter().map(|(id, lines)| (id, Arc::new(lines))).collect()
            });
            let matches = Matches::find(&segments, &Wanted { texts: texts.iter().map(|text| lowercase(text)).collect(), model: model.clone(), status_bytes, lines, silent_since });
            let is_it = |row: &&Row| {
                let has = |text: &String| [&row.name, &row.friendly_name, &row.model].iter().any(|field| lowercase(field).contains(&lowercase(text)));
                (texts.is_empty() || texts.iter().any(has))
                    && model.as_deref().is_none_or(|model| row.model == model)
                    && status_bytes.has(row.status_byte)
                    && is_member(&row.name)
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
        fn first_devices_from_a_place_on(fleet in fleet(), order in orders(), status_bytes in status_bytes(), at in any::<prop::sample::Index>(), is_inclusive: bool, is_there: bool, limit in 0_usize..9) {
            let matches = Matches::find(&segments(&fleet), &Wanted { status_bytes, ..Wanted::default() });
            let all = sorted(&fleet, order);
            let is_it = |row: &&Row| status_bytes.has(row.status_byte);
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

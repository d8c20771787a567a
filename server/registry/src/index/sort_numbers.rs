//! The numbers that devices are sorted by before their names.

use super::{
    order::{Bound, Key, Order},
    segment::Segment,
    segment_matches::SegmentMatches,
};
use crate::types::status_code;
use muster_domain::{Sort, Status};

/// XOR with this reverses the order of numbers. They have 63 bits.
const FLIP: u64 = i64::MAX.cast_unsigned();

/// The status, tier, model or time that devices are sorted by before their names, as a number. The smaller comes first.
pub(super) struct SortNumbers {
    order: Order,
    /// For each segment, the numbers of its models in the order of their names.
    models: Vec<Vec<u64>>,
    /// All models, in the order of their names.
    sorted_models: Vec<String>,
}

impl SortNumbers {
    pub(super) fn of(order: Order, matches: &[SegmentMatches]) -> Self {
        let (mut sorted_models, mut models) = (Vec::new(), Vec::new());
        if order.sort == Sort::Model {
            let mut names: Vec<&String> = matches.iter().flat_map(|matches| matches.segment.models()).collect();
            names.sort_unstable();
            names.dedup();
            sorted_models = names.into_iter().cloned().collect();
            let number = |name: &String| Self::number_of(&sorted_models, name);
            models = matches.iter().map(|matches| matches.segment.models().iter().map(number).collect()).collect();
        }
        Self { order, models, sorted_models }
    }

    /// An odd number for a model that exists; an even number between its neighbors for one that does not.
    fn number_of(sorted: &[String], model: &str) -> u64 {
        match sorted.binary_search_by(|name| name.as_str().cmp(model)) {
            Ok(at) => 2 * at as u64 + 1,
            Err(at) => 2 * at as u64,
        }
    }

    /// Whether devices differ in them. For a sort by name or friendly name they do not.
    pub(super) fn distinguish(&self) -> bool {
        !matches!(self.order.sort, Sort::Name | Sort::FriendlyName)
    }

    fn directed(&self, number: u64) -> u64 {
        if self.order.is_descending { number ^ FLIP } else { number }
    }

    /// No device has a smaller number.
    pub(super) fn least(&self) -> u64 {
        let (first, last) = match self.order.sort {
            Sort::Name | Sort::FriendlyName => (0, 0),
            Sort::Model => (1, (2 * self.sorted_models.len() as u64).saturating_sub(1)),
            Sort::Tier => (0, 3),
            Sort::Status => (0, status_code(Status::Disabled) as u64),
            Sort::LastSeen => (0, FLIP),
        };
        self.directed(if self.order.is_descending { last } else { first })
    }

    /// No device of the 64 lines from `64 * word` on has a smaller number.
    pub(super) fn least_of_word(&self, matches: &SegmentMatches, word: usize) -> u64 {
        if self.order.sort == Sort::LastSeen && self.order.is_descending {
            self.directed(matches.segment.latest_of_word(word).cast_unsigned())
        } else {
            0
        }
    }

    /// Calls `each` with each match of the 64 lines from `64 * word` on, and its number. Each sort has a loop of its own
    /// without branches, since it runs over a million devices.
    pub(super) fn for_each(&self, at: usize, matches: &SegmentMatches, word: usize, mut each: impl FnMut(u32, u64)) {
        let (segment, flip) = (&matches.segment, if self.order.is_descending { FLIP } else { 0 });
        let status_byte = |line| u64::from(segment.status_byte(line));
        match self.order.sort {
            Sort::Name | Sort::FriendlyName => matches.for_each_of_word(word, |line| each(line, 0)),
            Sort::Model => {
                let models = &self.models[at];
                matches.for_each_of_word(word, |line| each(line, models[segment.model(line) as usize] ^ flip));
            }
            Sort::Tier => matches.for_each_of_word(word, |line| each(line, status_byte(line) >> 1 & 3 ^ flip)),
            Sort::Status => matches.for_each_of_word(word, |line| each(line, status_byte(line) >> 3 ^ flip)),
            Sort::LastSeen => {
                matches.for_each_of_word(word, |line| each(line, segment.last_seen(line).cast_unsigned() ^ flip));
            }
        }
    }

    pub(super) fn of_line(&self, at: usize, segment: &Segment, line: u32) -> u64 {
        self.directed(match self.order.sort {
            Sort::Name | Sort::FriendlyName => return 0,
            Sort::Model => self.models[at][segment.model(line) as usize],
            Sort::Tier => u64::from(segment.status_byte(line) >> 1 & 3),
            Sort::Status => u64::from(segment.status_byte(line) >> 3),
            Sort::LastSeen => segment.last_seen(line).cast_unsigned(),
        })
    }

    pub(super) fn of_bound(&self, bound: &Bound) -> u64 {
        self.directed(match (self.order.sort, &bound.key) {
            (Sort::Name | Sort::FriendlyName, _) => return 0,
            (Sort::Model, key) => Self::number_of(&self.sorted_models, key.text()),
            (_, Key::Number(number)) => number.max(&0).cast_unsigned(),
            (_, Key::Text(_)) => 0,
        })
    }
}

/// A device: its number, its segment, and its line there.
pub(super) type Numbered = (u64, usize, u32);

/// The devices with the smallest of many numbers.
pub(super) struct SmallestNumbers {
    limit: usize,
    devices: Vec<Numbered>,
    /// Above all numbers, until there are enough devices.
    bound: u64,
}

impl SmallestNumbers {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, devices: Vec::with_capacity(2 * limit), bound: u64::MAX }
    }

    /// Only smaller numbers still matter. Once there are enough devices, one with an equal number changes nothing.
    pub(super) fn bound(&self) -> u64 {
        self.bound
    }

    pub(super) fn push(&mut self, device: Numbered) {
        self.devices.push(device);
        // Twice the limit: drop the half with the larger numbers.
        if self.devices.len() == 2 * self.limit {
            self.bound = self.devices.select_nth_unstable(self.limit - 1).1.0;
            self.devices.truncate(self.limit);
        }
    }

    pub(super) fn sorted(mut self) -> Vec<Numbered> {
        self.devices.sort_unstable();
        self.devices.truncate(self.limit);
        self.devices
    }
}

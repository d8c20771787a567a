//! The lines of one segment that match a query, and their order.

use super::{
    lines::Lines,
    order::Order,
    segment::{Segment, Sorted},
};
use muster_domain::Sort;
use std::ops::Range;

/// The matches in one segment.
pub(super) struct SegmentMatches {
    pub(super) segment: Segment,
    /// `None`: all.
    pub(super) lines: Option<Lines>,
    pub(super) count: usize,
}

impl SegmentMatches {
    fn has(&self, line: u32) -> bool {
        self.lines.as_ref().is_none_or(|lines| lines.contains(line))
    }

    pub(super) fn for_each(&self, mut each: impl FnMut(u32)) {
        match &self.lines {
            Some(lines) => lines.iter().for_each(each),
            None => (0..self.segment.devices() as u32).for_each(&mut each),
        }
    }

    /// The number of words: 64 lines each.
    pub(super) fn words(&self) -> usize {
        self.segment.devices().div_ceil(64)
    }

    /// Calls `each` with each match of the 64 lines from `64 * word` on.
    pub(super) fn for_each_of_word(&self, word: usize, each: impl FnMut(u32)) {
        match &self.lines {
            Some(lines) => lines.of_word(word).for_each(each),
            None => (64 * word as u32..(64 * word as u32 + 64).min(self.segment.devices() as u32)).for_each(each),
        }
    }

    pub(super) fn sorted(&self, order: Order) -> &Sorted {
        match order.sort {
            Sort::FriendlyName => self.segment.by_friendly_name(),
            _ => self.segment.by_name(),
        }
    }

    /// The key of a line in that order.
    pub(super) fn key(&self, order: Order, line: u32) -> Vec<u8> {
        match order.sort {
            Sort::FriendlyName => self.segment.friendly_name_key(line),
            _ => self.segment.name_key(line),
        }
    }

    /// The ranks of the lines that come after a place in the order. The place is given as a key.
    pub(super) fn ranks_after(&self, order: Order, key: &[u8], is_inclusive: bool) -> Range<usize> {
        let lines = &self.sorted(order).lines;
        // Ascending, the lines before the place are cut off; descending, the lines after it.
        let is_left = |line: &u32| {
            let line_key = self.key(order, *line);
            if order.is_descending == is_inclusive { &line_key[..] <= key } else { &line_key[..] < key }
        };
        let at = lines.partition_point(is_left);
        if order.is_descending { 0..at } else { at..lines.len() }
    }

    /// The matches with these ranks, in order.
    pub(super) fn in_order(&self, order: Order, ranks: Range<usize>) -> Box<dyn Iterator<Item = u32> + '_> {
        let sorted = self.sorted(order);
        // Sorting few matches is quicker than skipping many other lines.
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

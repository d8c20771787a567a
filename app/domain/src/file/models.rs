//! Counts the devices of each model in a file.

use std::collections::BTreeMap;

use super::report::{CheckReport, Count};
use super::simd::same;

/// The models of a file, in the order in which they came. The index of one fits 10 bits, as `Names` keeps it.
#[derive(Debug, Default)]
pub(super) struct Models {
    counts: Vec<Count>,
    by_name: BTreeMap<String, u16>,
    last: u16,
    /// Devices whose model came after the list was full.
    others: u64,
}

/// The model of a device that is counted among the others: behind the last that has an index.
const OTHER: u16 = CheckReport::MAX_MODELS as u16;

impl Models {
    /// Counts a device of this model, and returns the index to undo the count with.
    pub(super) fn count(&mut self, model: &str) -> u16 {
        // Files are nearly always sorted by model.
        let same =
            self.counts.get(usize::from(self.last)).is_some_and(|last| same(last.name.as_bytes(), model.as_bytes()));
        let index = if same { self.last } else { self.index(model) };
        match self.counts.get_mut(usize::from(index)) {
            Some(count) => count.devices += 1,
            None => self.others += 1,
        }
        self.last = index;
        index
    }

    fn index(&mut self, model: &str) -> u16 {
        if let Some(&index) = self.by_name.get(model) {
            return index;
        }
        if self.counts.len() >= CheckReport::MAX_MODELS {
            return OTHER;
        }
        let index = u16::try_from(self.counts.len()).unwrap_or(OTHER);
        self.counts.push(Count { name: model.to_owned(), devices: 0 });
        self.by_name.insert(model.to_owned(), index);
        index
    }

    /// Takes a device back that was counted.
    pub(super) fn take_back(&mut self, index: u16) {
        match self.counts.get_mut(usize::from(index)) {
            Some(count) => count.devices -= 1,
            None => self.others -= 1,
        }
    }

    /// The models that have devices, the most frequent first and equals by name; and the devices of all others.
    pub(super) fn into_counts(mut self) -> (Vec<Count>, u64) {
        self.counts.retain(|count| count.devices > 0);
        self.counts.sort_by(|a, b| b.devices.cmp(&a.devices).then_with(|| a.name.cmp(&b.name)));
        (self.counts, self.others)
    }
}

//! A set of lines of a segment, as a bitmap.
//!
//! A segment has some 10,000 lines: 1,250 bytes, which stay in the processor's nearest cache while a million devices are
//! scanned. A compressed bitmap would be smaller where few lines are in it, and several times slower to ask for one line.

/// A set of lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines(Vec<u64>);

impl Lines {
    /// The lines, of `count`, that a condition holds for.
    pub(crate) fn matching(count: usize, holds: impl Fn(u32) -> bool) -> Self {
        let count = count as u32;
        let word = |start: u32| {
            let lines = start..count.min(start + 64);
            lines.fold(0, |bits, line| bits | u64::from(holds(line)) << (line - start))
        };
        Self((0..count).step_by(64).map(word).collect())
    }

    pub(crate) fn insert(&mut self, line: u32) {
        let line = line as usize;
        if self.0.len() <= line / 64 {
            self.0.resize(line / 64 + 1, 0);
        }
        self.0[line / 64] |= 1 << (line % 64);
    }

    pub(crate) fn contains(&self, line: u32) -> bool {
        self.0.get(line as usize / 64).is_some_and(|bits| bits >> (line % 64) & 1 == 1)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.0.len()).flat_map(|word| self.of_word(word))
    }

    /// The members of this set among the 64 lines from `64 * word` on.
    pub(crate) fn of_word(&self, word: usize) -> impl Iterator<Item = u32> + use<> {
        let (start, mut left) = (64 * word as u32, self.0.get(word).copied().unwrap_or_default());
        std::iter::from_fn(move || {
            let line = (left != 0).then(|| start + left.trailing_zeros())?;
            left &= left - 1;
            Some(line)
        })
    }

    /// Removes the lines that a condition does not hold for.
    pub(crate) fn retain(&mut self, holds: impl Fn(u32) -> bool) {
        for (start, bits) in (0..).step_by(64).zip(&mut self.0) {
            let mut left = *bits;
            while left != 0 {
                let line = left.trailing_zeros();
                left &= left - 1;
                if !holds(start + line) {
                    *bits &= !(1 << line);
                }
            }
        }
    }

    /// The lines that are in both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(bits, others)| bits & others).collect())
    }

    /// The lines that are in either.
    pub(crate) fn or(&self, other: &Self) -> Self {
        let (long, short) = if self.0.len() < other.0.len() { (other, self) } else { (self, other) };
        let mut both = long.0.clone();
        both.iter_mut().zip(&short.0).for_each(|(bits, more)| *bits |= more);
        Self(both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_are_a_set(inserted in prop::collection::btree_set(0_u32..300, 0..40), count in 0_usize..300) {
            let mut lines = Lines::default();
            inserted.iter().for_each(|line| lines.insert(*line));
            prop_assert_eq!(lines.iter().collect::<Vec<_>>(), inserted.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(lines.count(), inserted.len());
            let even = Lines::matching(count, |line| line % 2 == 0);
            prop_assert_eq!(even.iter().collect::<Vec<_>>(), (0..count as u32).step_by(2).collect::<Vec<_>>());
            lines.retain(|line| line % 3 == 0);
            prop_assert!(inserted.iter().all(|line| lines.contains(*line) == (line % 3 == 0)));
        }
    }
}

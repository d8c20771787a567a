//! The members of device groups, in one segment: for each group a bitmap of the lines whose devices are in it.

use super::lines::Lines;
use roaring::RoaringBitmap;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Bytes of a group's id, and of the length of its bitmap.
const ID_BYTES: usize = 16;
const LENGTH_BYTES: usize = 4;

/// Memory of a group beside the content of its bitmap: an entry of the map, and two lists.
const GROUP_BYTES: usize = 100;

/// The groups that have devices of a segment, with the lines of those devices.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Members(BTreeMap<Uuid, RoaringBitmap>);

impl Members {
    /// From the stored form: for each group its id, the length of its bitmap (little-endian), and the bitmap in the portable
    /// format of Roaring. `None`: the bytes are malformed.
    pub(crate) fn parse(mut stored: &[u8]) -> Option<Self> {
        let mut groups = BTreeMap::new();
        while !stored.is_empty() {
            let (id, rest) = stored.split_first_chunk::<ID_BYTES>()?;
            let (length, rest) = rest.split_first_chunk::<LENGTH_BYTES>()?;
            let (bitmap, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            groups.insert(Uuid::from_bytes(*id), RoaringBitmap::deserialize_from(bitmap).ok()?);
            stored = rest;
        }
        Some(Self(groups))
    }

    /// The stored form.
    pub(crate) fn stored(&self) -> Vec<u8> {
        let mut stored = Vec::new();
        for (id, bitmap) in &self.0 {
            stored.extend_from_slice(id.as_bytes());
            stored.extend_from_slice(&(bitmap.serialized_size() as u32).to_le_bytes());
            // Writing to memory does not fail.
            let _ = bitmap.serialize_into(&mut stored);
        }
        stored
    }

    /// Adds lines to a group. Returns how many were not in it.
    pub(crate) fn join(&mut self, group: Uuid, lines: &[u32]) -> u64 {
        let bitmap = self.0.entry(group).or_default();
        let before = bitmap.len();
        bitmap.extend(lines);
        // Most often all devices of a registration join, which is then a single run.
        bitmap.optimize();
        bitmap.len() - before
    }

    /// Removes lines from a group. Returns how many were in it.
    pub(crate) fn leave(&mut self, group: Uuid, lines: &[u32]) -> u64 {
        let Some(bitmap) = self.0.get_mut(&group) else { return 0 };
        let left = lines.iter().filter(|line| bitmap.remove(**line)).count();
        if bitmap.is_empty() {
            self.0.remove(&group);
        }
        left as u64
    }

    /// Removes a group. Returns whether it had members here.
    pub(crate) fn remove_group(&mut self, group: Uuid) -> bool {
        self.0.remove(&group).is_some()
    }

    /// The groups, and how many members each has.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Uuid, u64)> {
        self.0.iter().map(|(group, bitmap)| (*group, bitmap.len()))
    }

    /// The groups that a line is in.
    pub(crate) fn groups_of(&self, line: u32) -> Vec<Uuid> {
        self.0.iter().filter(|(_, bitmap)| bitmap.contains(line)).map(|(group, _)| *group).collect()
    }

    /// The lines that are in any of these groups.
    pub(crate) fn in_any(&self, groups: &[Uuid]) -> Lines {
        let mut lines = Lines::default();
        groups.iter().filter_map(|group| self.0.get(group)).flatten().for_each(|line| lines.insert(line));
        lines
    }

    /// The same members after only these lines are left, in ascending order: the first of them is line 0 now.
    pub(crate) fn of_lines(&self, left: &[u32]) -> Self {
        if self.0.is_empty() {
            return Self::default();
        }
        // Each member once, and not each line once for each group.
        let lines: HashMap<u32, u32> = left.iter().copied().zip(0..).collect();
        let of_group = |(group, bitmap): (&Uuid, &RoaringBitmap)| {
            let mut bitmap: RoaringBitmap = bitmap.iter().filter_map(|before| lines.get(&before)).collect();
            bitmap.optimize();
            (!bitmap.is_empty()).then_some((*group, bitmap))
        };
        Self(self.0.iter().filter_map(of_group).collect())
    }

    /// An estimate of the memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.values().map(|bitmap| GROUP_BYTES + bitmap.serialized_size()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const GROUPS: [Uuid; 3] = [Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3)];

    #[test]
    fn malformed_bytes_are_rejected() {
        let mut members = Members::default();
        members.join(GROUPS[0], &[1, 5, 70_000]);
        let stored = members.stored();
        for length in 1..stored.len() {
            assert_eq!(Members::parse(&stored[..length]), None, "{length} bytes");
        }
        assert_eq!(Members::parse(&[stored.clone(), vec![0]].concat()), None);
        assert_eq!(Members::parse(&stored), Some(members));
    }

    proptest! {
        #[test]
        fn groups_are_sets_of_lines(
            changes in prop::collection::vec((any::<bool>(), 0_usize..3, prop::collection::vec(0_u32..300, 0..40)), 0..12),
            gone in prop::collection::btree_set(0_u32..300, 0..80),
            asked in prop::sample::subsequence(GROUPS.to_vec(), 0..=3),
        ) {
            let mut members = Members::default();
            let mut expected = vec![BTreeSet::new(); 3];
            for (joins, group, lines) in changes {
                let set = &mut expected[group];
                let before = set.len();
                if joins {
                    set.extend(lines.iter().copied());
                    prop_assert_eq!(members.join(GROUPS[group], &lines) as usize, set.len() - before);
                } else {
                    lines.iter().for_each(|line| { set.remove(line); });
                    prop_assert_eq!(members.leave(GROUPS[group], &lines) as usize, before - set.len());
                }
            }
            prop_assert_eq!(Members::parse(&members.stored()), Some(members.clone()));
            let left: Vec<u32> = (0..300).filter(|line| !gone.contains(line)).collect();
            let place = |line: &u32| left.binary_search(line).ok().map(|now| now as u32);
            let shifted: Vec<BTreeSet<u32>> = expected.iter().map(|lines| lines.iter().filter_map(place).collect()).collect();
            for (members, expected) in [(&members, &expected), (&members.of_lines(&left), &shifted)] {
                let any: BTreeSet<u32> = (0..3).filter(|at| asked.contains(&GROUPS[*at])).flat_map(|at| expected[at].clone()).collect();
                prop_assert_eq!(members.in_any(&asked).iter().collect::<BTreeSet<_>>(), any);
                let counts: BTreeMap<Uuid, u64> = members.counts().filter(|(_, devices)| *devices > 0).collect();
                prop_assert_eq!(counts, GROUPS.iter().zip(expected).filter(|(_, lines)| !lines.is_empty()).map(|(group, lines)| (*group, lines.len() as u64)).collect());
                for line in [0, 7, 299] {
                    prop_assert_eq!(members.groups_of(line), GROUPS.iter().zip(expected).filter(|(_, lines)| lines.contains(&line)).map(|(group, _)| *group).collect::<Vec<_>>());
                }
            }
        }
    }
}

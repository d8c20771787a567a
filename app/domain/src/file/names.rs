//! Finds the device names that a file has more than once.
//!
//! A set of a million names is the most expensive part of a check, in time and in memory. So the names stand in
//! one arena, and 64 bits for each (half of them a hash, half the place in the arena) in one of 256 lists. Only
//! at the end are the lists sorted; then equal hashes stand together, and their names are compared.
//!
//! Names are always compared before they are called equal, and what has equal hashes is sorted by name, so a file
//! made up to have many of them gives no wrong answer and costs no more than sorting. That is why the hash needs
//! no secret. A million names of 20 bytes take 38 MiB.

/// What is remembered of the row that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where the name stands.
    pub(super) line: u32,
    /// The same; 65,535 stands for all beyond.
    pub(super) column: u16,
    /// What the row was counted under, if it was counted.
    pub(super) counted: Option<Counted>,
}

/// What a row was counted under, for taking it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// The index of its model.
    pub(super) model: u16,
    /// The index of its tier.
    pub(super) tier: u8,
}

/// The names seen so far.
#[derive(Debug)]
pub(super) struct Names {
    /// Each record of the arena is a head of [`HEAD`] bytes and the name. No record lies across two chunks.
    chunks: Vec<Vec<u8>>,
    /// The upper half of each number is a hash, the lower half the record's place.
    lists: Vec<Vec<u64>>,
}

/// A chunk's size, 1 MiB: so the arena grows without ever being copied. A million records of 128 bytes and a
/// head make 139 chunks, far from the 4,096 that 32 bits can tell apart.
const CHUNK_BITS: u32 = 20;
const CHUNK: usize = 1 << CHUNK_BITS;

/// Length, tier, model, column and line: 1 + 1 + 2 + 2 + 4 bytes.
const HEAD: usize = 10;

const LISTS: usize = 256;

/// Stands for a row that was not counted, in the place of its tier.
const NOT_COUNTED: u8 = u8::MAX;

/// A name that stands in an earlier row: where this row and the first one with the name are in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Repeat {
    later: u32,
    first: u32,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { chunks: Vec::new(), lists: vec![Vec::new(); LISTS] }
    }

    /// Adds a name of at most 255 bytes.
    pub(super) fn add(&mut self, name: &str, entry: Entry) {
        let name = name.as_bytes();
        let Ok(len) = u8::try_from(name.len()) else {
            return;
        };
        let needed = HEAD + name.len();
        if self.chunks.last().is_none_or(|chunk| chunk.len() + needed > CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let number = self.chunks.len() - 1;
        let chunk = &mut self.chunks[number];
        let Ok(place) = u32::try_from((number << CHUNK_BITS) | chunk.len()) else {
            return;
        };
        let counted = entry.counted.unwrap_or(Counted { model: 0, tier: NOT_COUNTED });
        let mut head = [0; HEAD];
        head[0] = len;
        head[1] = counted.tier;
        head[2..4].copy_from_slice(&counted.model.to_le_bytes());
        head[4..6].copy_from_slice(&entry.column.to_le_bytes());
        head[6..10].copy_from_slice(&entry.line.to_le_bytes());
        chunk.extend_from_slice(&head);
        chunk.extend_from_slice(name);

        let hash = hash(name);
        let list = (hash >> 56) as usize;
        self.lists[list].push(((hash & 0xffff_ffff) << 32) | u64::from(place));
    }

    /// Every name that stands in an earlier row, in the order of the file.
    pub(super) fn repeats(&mut self) -> Vec<Repeat> {
        let mut lists = std::mem::take(&mut self.lists);
        let mut repeats = Vec::new();
        for list in &mut lists {
            // By hash, then by place, which is the order of the file.
            list.sort_unstable();
            for group in list.chunk_by_mut(|a, b| a >> 32 == b >> 32) {
                if group.len() > 1 {
                    self.repeats_among(group, &mut repeats);
                }
            }
        }
        repeats.sort_unstable();
        repeats
    }

    /// The same among names of one hash.
    fn repeats_among(&self, group: &mut [u64], repeats: &mut Vec<Repeat>) {
        // Most such groups are one name, already in order; then this is one pass over them.
        group.sort_by(|&a, &b| self.name(place(a)).cmp(self.name(place(b))));
        for same in group.chunk_by(|&a, &b| self.name(place(a)) == self.name(place(b))) {
            let first = place(same[0]);
            repeats.extend(same[1..].iter().map(|&later| Repeat { later: place(later), first }));
        }
    }

    /// The name that is repeated, its row, and the first row that has it.
    pub(super) fn resolve(&self, repeat: Repeat) -> (&str, Entry, Entry) {
        let name = std::str::from_utf8(self.name(repeat.later)).unwrap_or_default();
        (name, self.entry(repeat.later), self.entry(repeat.first))
    }

    fn record(&self, place: u32) -> &[u8] {
        &self.chunks[(place >> CHUNK_BITS) as usize][place as usize & (CHUNK - 1)..]
    }

    fn name(&self, place: u32) -> &[u8] {
        let record = self.record(place);
        &record[HEAD..HEAD + usize::from(record[0])]
    }

    fn entry(&self, place: u32) -> Entry {
        let head = self.record(place);
        let (tier, model) = (head[1], u16::from_le_bytes([head[2], head[3]]));
        Entry {
            line: u32::from_le_bytes([head[6], head[7], head[8], head[9]]),
            column: u16::from_le_bytes([head[4], head[5]]),
            counted: (tier != NOT_COUNTED).then_some(Counted { model, tier }),
        }
    }
}

/// The lower half of an entry of a list.
fn place(entry: u64) -> u32 {
    entry as u32
}

/// A quick hash that spreads names well. It need not withstand anybody: see above.
fn hash(name: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = name.len() as u64;
    let (words, rest) = name.as_chunks::<8>();
    let mut add = |word: u64| hash = (hash ^ word).wrapping_mul(FACTOR).rotate_left(29);
    for word in words {
        add(u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    add(u64::from_le_bytes(last));
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: u32) -> Entry {
        let counted = line.is_multiple_of(2).then_some(Counted { model: 999, tier: 4 });
        Entry { line, column: u16::MAX, counted }
    }

    fn repeats(names: &mut Names) -> Vec<(String, u32, u32)> {
        let all = names.repeats();
        all.into_iter()
            .map(|repeat| {
                let (name, later, first) = names.resolve(repeat);
                assert_eq!((later, first), (entry(later.line), entry(first.line)));
                (name.to_owned(), later.line, first.line)
            })
            .collect()
    }

    #[test]
    fn each_repeat_names_the_first_row() {
        let mut names = Names::new();
        for (line, name) in (1..).zip(["a", "b", "a", "A", "c", "b", "a"]) {
            names.add(name, entry(line));
        }
        let expected = [("a", 3, 1), ("b", 6, 2), ("a", 7, 1)];
        assert_eq!(repeats(&mut names), expected.map(|(name, later, first)| (name.to_owned(), later, first)));
    }

    /// The largest file: every record keeps its place, in whatever chunk it lies, and no name is called another.
    #[test]
    fn a_million_long_names() {
        let mut names = Names::new();
        for line in 0..1_000_000 {
            names.add(&format!("{line:0>128}"), entry(line));
        }
        names.add(&format!("{:0>128}", 999_999), entry(1_000_000));
        names.add(&format!("{:0>128}", 0), entry(1_000_001));
        let expected = vec![(format!("{:0>128}", 999_999), 1_000_000, 999_999), (format!("{:0>128}", 0), 1_000_001, 0)];
        assert_eq!(repeats(&mut names), expected);
    }

    /// Different names of one hash are not repeats; the lists are made here, since such names are hard to find.
    #[test]
    fn equal_hashes_are_told_apart_by_name() {
        let mut names = Names::new();
        for (line, name) in (1..).zip(["a", "b", "c", "a", "b", "a"]) {
            names.add(name, entry(line));
        }
        let mut all: Vec<u64> = names.lists.concat().into_iter().map(|it| it & 0xffff_ffff).collect();
        all.sort_unstable();
        names.lists = vec![all];
        let expected = [("a", 4, 1), ("b", 5, 2), ("a", 6, 1)];
        assert_eq!(repeats(&mut names), expected.map(|(name, later, first)| (name.to_owned(), later, first)));
    }
}

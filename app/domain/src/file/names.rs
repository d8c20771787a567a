//! Finds the device names that a file has more than once, and those that differ in letter case only.
//!
//! A set of a million names is the most expensive part of a check, in time and in memory. So the names stand in
//! one arena, as words of 8 bytes, which are hashed, copied and compared at once; and 64 bits for each (half of
//! them a hash, half the place in the arena) in one of 256 lists. Only at the end are the lists looked through, and
//! those sorted that have equal hashes; then these stand together, and their names are compared.
//!
//! Names are always compared before they are called equal, and what has equal hashes is sorted by name, so a file
//! made up to have many of them gives no wrong answer and costs no more than sorting. That is why the hash needs
//! no secret. A million names of 20 bytes take 38 MiB.

/// What is remembered of the row that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The line of the name.
    pub(super) line: u32,
    /// The column of the name; 65,535 also for all columns beyond.
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

/// The device names seen so far.
#[derive(Debug)]
pub(super) struct Names {
    /// Each record of the arena is a head, see [`Entry::packed`], and the words of the name, the last of them
    /// filled up with zeros. No record lies across two chunks.
    chunks: Vec<Vec<u64>>,
    /// The upper half of each number is a hash, the lower half the record's place.
    lists: Vec<Vec<u64>>,
}

/// A chunk's size in words, 1 MiB: so the arena grows without ever being copied. A million records of 17 words
/// make 130 chunks, far from the 32,768 that 32 bits can tell apart.
const CHUNK_BITS: u32 = 17;
const CHUNK: usize = 1 << CHUNK_BITS;

const LISTS: usize = 256;

/// Stands for a row that was not counted, in the place of its tier.
const NOT_COUNTED: u8 = 7;

/// The bit layout of a record's head (64 bits): 7 for the length (128 at most, less one), 3 for the tier (five, and
/// [`NOT_COUNTED`]), 10 for the model (1,000, and one for the others), 16 for the column and 28 for the line: a file of
/// 256 MiB has fewer than 2^28.
const LEN_BITS: u64 = 0x7f;
const TIER_AT: u32 = 7;
const TIER_BITS: u64 = 0x7;
const MODEL_AT: u32 = 10;
const MODEL_BITS: u64 = 0x3ff;
const COLUMN_AT: u32 = 20;
const LINE_AT: u32 = 36;
const LINE_BITS: u64 = 0xfff_ffff;

/// A name that an earlier row has: where this row and the first one with the name are in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Repeat {
    later: u32,
    first: u32,
    /// Whether it is the same name. Otherwise it differs in letter case, and is the first row that is spelt so.
    pub(super) is_exact: bool,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { chunks: Vec::new(), lists: vec![Vec::new(); LISTS] }
    }

    /// Adds a device name: 1 to 128 bytes of ASCII.
    pub(super) fn add(&mut self, name: &str, entry: Entry) {
        let name = name.as_bytes();
        let needed = 1 + name.len().div_ceil(8);
        if self.chunks.last().is_none_or(|chunk| chunk.len() + needed > CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let number = self.chunks.len() - 1;
        let chunk = &mut self.chunks[number];
        let start = chunk.len();
        let Ok(place) = u32::try_from((number << CHUNK_BITS) | start) else {
            return;
        };
        chunk.push(entry.packed(name.len()));
        let (words, rest) = name.as_chunks::<8>();
        chunk.extend(words.iter().map(|word| u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            chunk.push(last_word(name, rest));
        }
        let hash = hash(&chunk[start + 1..]);
        self.lists[(hash >> 56) as usize].push((hash << 32) | u64::from(place));
    }

    /// Every name that an earlier row has, and the first of each other spelling of one, in the order of the file.
    pub(super) fn repeats(&mut self) -> Vec<Repeat> {
        let mut lists = std::mem::take(&mut self.lists);
        let mut repeats = Vec::new();
        let mut table = Vec::new();
        for list in &mut lists {
            if !may_repeat(list, &mut table) {
                continue;
            }
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
        let lower_case = |entry: u64| self.name(place(entry)).iter().map(|&word| lower_case(word));
        let name = |entry: u64| self.name(place(entry));
        // Most such groups are one name, already in order; then this is one pass over them, and needs no memory.
        group.sort_unstable_by(|&a, &b| {
            lower_case(a).cmp(lower_case(b)).then_with(|| name(a).cmp(name(b))).then(a.cmp(&b))
        });
        for same in group.chunk_by(|&a, &b| lower_case(a).eq(lower_case(b))) {
            let earliest = same.iter().map(|&entry| place(entry)).min().unwrap_or_default();
            for same in same.chunk_by(|&a, &b| name(a) == name(b)) {
                let first = place(same[0]);
                if first != earliest {
                    repeats.push(Repeat { later: first, first: earliest, is_exact: false });
                }
                repeats.extend(same[1..].iter().map(|&later| Repeat { later: place(later), first, is_exact: true }));
            }
        }
    }

    /// The name that is repeated, its row, and the first row that has it.
    pub(super) fn resolve(&self, repeat: Repeat) -> (String, Entry, Entry) {
        let bytes = self.name(repeat.later).iter().flat_map(|word| word.to_le_bytes());
        // A device name is ASCII, and has no NUL.
        let name = bytes.filter(|&byte| byte != 0).map(char::from).collect();
        (name, self.entry(repeat.later), self.entry(repeat.first))
    }

    fn record(&self, place: u32) -> &[u64] {
        &self.chunks[(place >> CHUNK_BITS) as usize][place as usize & (CHUNK - 1)..]
    }

    /// The words of a name. They are equal if the names are: no name has a NUL in it, so zeros only fill up.
    fn name(&self, place: u32) -> &[u64] {
        let record = self.record(place);
        &record[1..1 + name_len(record[0]).div_ceil(8)]
    }

    fn entry(&self, place: u32) -> Entry {
        Entry::unpacked(self.record(place)[0])
    }
}

impl Entry {
    /// The head of the record of a name of `len` bytes.
    fn packed(self, len: usize) -> u64 {
        let counted = self.counted.unwrap_or(Counted { model: 0, tier: NOT_COUNTED });
        (len as u64 - 1) & LEN_BITS
            | (u64::from(counted.tier) & TIER_BITS) << TIER_AT
            | (u64::from(counted.model) & MODEL_BITS) << MODEL_AT
            | u64::from(self.column) << COLUMN_AT
            | u64::from(self.line) << LINE_AT
    }

    fn unpacked(head: u64) -> Self {
        let tier = (head >> TIER_AT & TIER_BITS) as u8;
        let model = (head >> MODEL_AT & MODEL_BITS) as u16;
        Self {
            line: (head >> LINE_AT & LINE_BITS) as u32,
            column: (head >> COLUMN_AT) as u16,
            counted: (tier != NOT_COUNTED).then_some(Counted { model, tier }),
        }
    }
}

/// How many bytes a name has, by the head of its record.
fn name_len(head: u64) -> usize {
    (head & LEN_BITS) as usize + 1
}

/// Whether there may be equal hashes in a list: a quick look, since nearly every file has no name twice.
///
/// The hashes are put into a table in which every second place stays empty, so each finds its place in a step or
/// two. Where they need more, the answer is that there may be: sorting does not depend on how they spread.
fn may_repeat(list: &[u64], table: &mut Vec<u32>) -> bool {
    const EMPTY: u32 = 0;
    // Four times what a list has of a million names that are well spread: 128 KiB of table.
    if list.len() > 16_384 {
        return true;
    }
    table.clear();
    table.resize((list.len() * 2).next_power_of_two(), EMPTY);
    let mut steps = list.len() * 4;
    for entry in list {
        let hash = (entry >> 32) as u32;
        let mut at = hash as usize & (table.len() - 1);
        while table[at] != EMPTY {
            steps -= 1;
            if table[at] == hash || steps == 0 {
                return true;
            }
            at = (at + 1) & (table.len() - 1);
        }
        if hash == EMPTY {
            return true;
        }
        table[at] = hash;
    }
    false
}

/// The lower half of an entry of a list.
fn place(entry: u64) -> u32 {
    entry as u32
}

/// What is left of a name behind its whole words, filled up with zeros.
#[inline]
fn last_word(name: &[u8], rest: &[u8]) -> u64 {
    match name.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
        None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// The word without regard to the case of its letters, for comparing: sets the bit in which `a` and `A` differ. Of what
/// names are made of, all else has it set already, except `_`, which becomes what no name has.
#[inline]
const fn lower_case(word: u64) -> u64 {
    word | 0x2020_2020_2020_2020
}

/// A quick hash that spreads names well, the same for both cases of a letter. It need not withstand anybody: see above.
#[inline]
fn hash(words: &[u64]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let hash = words.iter().fold(0, |hash: u64, &word| (hash ^ lower_case(word)).wrapping_mul(FACTOR).rotate_left(29));
    let hash = (hash ^ hash >> 32).wrapping_mul(FACTOR);
    hash ^ hash >> 29
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: u32) -> Entry {
        let counted = line.is_multiple_of(2).then_some(Counted { model: 1_000, tier: 4 });
        Entry { line, column: u16::MAX, counted }
    }

    /// Those of the same name, and those that differ in letter case.
    fn all_repeats(names: &mut Names) -> [Vec<(String, u32, u32)>; 2] {
        let mut found = [Vec::new(), Vec::new()];
        for repeat in names.repeats() {
            let (name, later, first) = names.resolve(repeat);
            assert_eq!((later, first), (entry(later.line), entry(first.line)));
            found[usize::from(!repeat.is_exact)].push((name, later.line, first.line));
        }
        found
    }

    fn repeats(names: &mut Names) -> Vec<(String, u32, u32)> {
        let [exact, _] = all_repeats(names);
        exact
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

    /// A spelling is reported once, at its first row, whatever comes between.
    #[test]
    fn each_other_spelling_names_the_first_row() {
        let mut names = Names::new();
        for (line, name) in (1..).zip(["Ab-1", "x", "ab-1", "AB-1", "ab-1", "Ab-1", "ab_1", "ab-1", "aB-1"]) {
            names.add(name, entry(line));
        }
        let of = |all: &[(&str, u32, u32)]| all.iter().map(|&(name, a, b)| (name.to_owned(), a, b)).collect::<Vec<_>>();
        let exact = of(&[("ab-1", 5, 3), ("Ab-1", 6, 1), ("ab-1", 8, 3)]);
        let spelling = of(&[("ab-1", 3, 1), ("AB-1", 4, 1), ("aB-1", 9, 1)]);
        assert_eq!(all_repeats(&mut names), [exact, spelling]);
    }

    /// Names of every length, each the beginning of the next: none fills its last word up to another's.
    #[test]
    fn a_beginning_is_another_name() {
        let text: String = ('a'..='z').cycle().take(128).collect();
        let mut names = Names::new();
        for line in 1..=256 {
            names.add(&text[..(line - 1) % 128 + 1], entry(line as u32));
        }
        let expected: Vec<_> = (1..=128).map(|len| (text[..len].to_owned(), len as u32 + 128, len as u32)).collect();
        assert_eq!(repeats(&mut names), expected);
    }

    #[test]
    fn a_head_keeps_every_entry() {
        for line in [1, 256 * 1024 * 1024 - 1] {
            for column in [1, u16::MAX] {
                for counted in [None, Some(Counted { model: 0, tier: 0 }), Some(Counted { model: 1_000, tier: 4 })] {
                    for len in [1, 128] {
                        let entry = Entry { line, column, counted };
                        let head = entry.packed(len);
                        assert_eq!((Entry::unpacked(head), name_len(head)), (entry, len));
                    }
                }
            }
        }
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

//! A segment: up to some 10,000 devices of one registration, in columns.
//!
//! The texts of its devices (name, friendly name, model) never change. Their *status bytes* (status, pricing tier, and whether a
//! device was ever seen, in one byte), the times at which they were last seen, and their groups do.

use super::{members::Members, natural, text::lowercase};
use memchr::{memchr, memchr_iter};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
};

/// A registration appends devices to a segment that has fewer. Larger segments stay, since each change writes the whole
/// text of a segment.
pub(crate) const SMALL_SEGMENT_DEVICES: usize = 1_000;

/// Appends a device to a segment's text: a line with a tab after each of the three fields, and the tier. The fields
/// have no control characters, and the tier is one (U+0001 for code 0, and so on), so no search finds it.
///
/// It is the tier at registration. The current one is in the status byte.
pub(crate) fn push_line(text: &mut String, name: &str, friendly_name: Option<&str>, model: &str, tier: i16) {
    for field in [name, friendly_name.unwrap_or_default(), model] {
        text.push_str(field);
        text.push('\t');
    }
    text.push(char::from(1 + tier.clamp(0, 3) as u8));
    text.push('\n');
}

/// The stored columns of a segment.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) text: String,
    pub(crate) state: State,
}

/// The stored columns that change. Values missing at the end of a column are as at registration.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) status_bytes: Vec<u8>,
    /// Milliseconds, 8 bytes each, little-endian. 0: never seen.
    pub(crate) last_seen: Vec<u8>,
    pub(crate) members: Members,
}

impl Columns {
    /// The columns without the devices with these names, and the number of remaining devices.
    pub(crate) fn without(&self, names: &HashSet<String>) -> (Self, usize) {
        let (mut text, mut status_bytes, mut last_seen) =
            (String::with_capacity(self.text.len()), Vec::new(), Vec::new());
        let mut left = Vec::new();
        for (at, line) in self.text.split_inclusive('\n').enumerate() {
            if !names.contains(cut(line).0) {
                text.push_str(line);
                status_bytes.extend(self.state.status_bytes.get(at));
                last_seen.extend(self.state.last_seen.get(8 * at..8 * at + 8).unwrap_or_default());
                left.push(at as u32);
            }
        }
        let members = self.state.members.of_lines(&left);
        (Self { text, state: State { status_bytes, last_seen, members } }, left.len())
    }
}

/// The names of the devices in a segment's text, in the order of the lines.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split_terminator('\n').map(|line| cut(line).0)
}

/// The lines of a segment's text that have these names.
pub(crate) fn lines_of_names(text: &str, wanted: &HashSet<String>) -> Vec<u32> {
    names(text).zip(0..).filter(|(name, _)| wanted.contains(*name)).map(|(_, line)| line).collect()
}

fn cut(text: &str) -> (&str, &str) {
    match memchr(b'\t', text.as_bytes()) {
        Some(tab) => (&text[..tab], &text[tab + 1..]),
        None => (text, ""),
    }
}

/// The offset of each line of a text, and of the end.
fn line_starts(text: &str) -> Vec<u32> {
    // A segment has about 10,000 lines of at most 2 KiB.
    let ends = memchr_iter(b'\n', text.as_bytes()).map(|end| end as u32 + 1);
    std::iter::once(0).chain(ends).collect()
}

/// The lines of a segment in some order.
#[derive(Debug)]
pub(crate) struct Sorted {
    pub(crate) lines: Vec<u32>,
    /// The rank of each line in the order.
    pub(crate) ranks: Vec<u32>,
}

impl Sorted {
    fn by_key<K: Ord>(devices: u32, key: impl Fn(u32) -> K) -> Self {
        let mut lines: Vec<u32> = (0..devices).collect();
        lines.sort_by_cached_key(|line| key(*line));
        let mut ranks = vec![0; lines.len()];
        for (rank, line) in (0..).zip(&lines) {
            ranks[*line as usize] = rank;
        }
        Self { lines, ranks }
    }
}

/// The texts of devices, and what is derived from them alone.
#[derive(Debug)]
pub(crate) struct Texts {
    /// A line for each: name and friendly name, with a tab between.
    text: String,
    /// The offset of each line, and of the end.
    lines: Vec<u32>,
    /// The lowercased text and its lines, if they differ from the text. It has the same lines, but they may begin elsewhere.
    lowercased: Option<(String, Vec<u32>)>,
    /// The distinct names of the devices' models.
    models: Vec<String>,
    /// For each line, the index of its model.
    model_of: Vec<u32>,
    /// The status bytes that the devices were registered with.
    registered: Vec<u8>,
    /// The lines in the order of the names' bytes.
    by_bytes: Vec<u32>,
    by_name: Sorted,
    /// Computed when it is first needed.
    by_friendly_name: OnceLock<Sorted>,
}

impl Texts {
    /// Parses a stored text. Takes about 5 ms for 10,000 devices.
    pub(crate) fn new(stored: &str) -> Self {
        let mut text = String::with_capacity(stored.len());
        let (mut models, mut model_of) = (Vec::new(), Vec::new());
        let (mut registered, mut known) = (Vec::new(), HashMap::new());
        for line in stored.split_terminator('\n') {
            let (name, rest) = cut(line);
            let (friendly_name, rest) = cut(rest);
            let model = cut(rest).0;
            text.push_str(name);
            text.push('\t');
            text.push_str(friendly_name);
            text.push('\n');
            let id = *known.entry(model).or_insert_with(|| {
                models.push(model.to_owned());
                models.len() as u32 - 1
            });
            model_of.push(id);
            registered.push(2 * line.bytes().next_back().map_or(0, |tier| tier.saturating_sub(1) & 3));
        }
        let lowercased = Some(lowercase(&text)).filter(|lowercased| *lowercased != text);
        let lowercased = lowercased.map(|lowercased| {
            let lines = line_starts(&lowercased);
            (lowercased, lines)
        });
        let lines = line_starts(&text);
        let devices = lines.len() as u32 - 1;
        let mut texts = Self {
            by_name: Sorted { lines: Vec::new(), ranks: Vec::new() },
            by_bytes: (0..devices).collect(),
            by_friendly_name: OnceLock::new(),
            text,
            lines,
            lowercased,
            models,
            model_of,
            registered,
        };
        texts.by_name = Sorted::by_key(devices, |line| natural::key(texts.name(line)));
        let mut by_bytes = std::mem::take(&mut texts.by_bytes);
        by_bytes.sort_unstable_by_key(|&line| texts.name(line));
        texts.by_bytes = by_bytes;
        texts
    }

    fn devices(&self) -> usize {
        self.lines.len() - 1
    }

    fn line(&self, line: u32) -> &str {
        let line = line as usize;
        &self.text[self.lines[line] as usize..self.lines[line + 1] as usize - 1]
    }

    fn name(&self, line: u32) -> &str {
        cut(self.line(line)).0
    }

    fn friendly_name(&self, line: u32) -> &str {
        cut(self.line(line)).1
    }

    fn line_of(&self, name: &str) -> Option<u32> {
        let at = self.by_bytes.binary_search_by(|&line| self.name(line).cmp(name)).ok()?;
        Some(self.by_bytes[at])
    }

    fn bytes(&self) -> usize {
        let lowercased = self.lowercased.as_ref().map_or(0, |(lowercased, lines)| lowercased.len() + 4 * lines.len());
        // Line, model, status_byte, order by bytes, two orders with ranks.
        self.text.len() + lowercased + (4 + 4 + 1 + 4 + 16) * self.devices()
    }
}

/// Last-seen times. They only increase.
#[derive(Debug)]
struct LastSeen {
    /// For each line, milliseconds. 0: never, or not known.
    times: Box<[AtomicI64]>,
    /// For each 64 lines, a time that is not before any of theirs.
    latest: Box<[AtomicI64]>,
    /// The batches that are in these times.
    batches: Mutex<HashSet<i64>>,
}

impl LastSeen {
    fn new(devices: usize, stored: &[u8]) -> Self {
        let mut stored = stored.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok()).map(i64::from_le_bytes);
        let times: Vec<i64> = (0..devices).map(|_| stored.next().unwrap_or_default()).collect();
        let latest = times.chunks(64).map(|times| times.iter().copied().max().unwrap_or_default());
        Self {
            latest: latest.map(AtomicI64::new).collect(),
            times: times.into_iter().map(AtomicI64::new).collect(),
            batches: Mutex::default(),
        }
    }

    fn record(&self, line: u32, at_ms: i64) {
        self.latest[line as usize / 64].fetch_max(at_ms, Relaxed);
        self.times[line as usize].fetch_max(at_ms, Relaxed);
    }
}

/// In stored status bytes: the device is as at registration.
const AS_REGISTERED: u8 = u8::MAX;

/// Some devices of an account. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    texts: Arc<Texts>,
    /// For each line.
    status_bytes: Arc<[u8]>,
    last_seen: Arc<LastSeen>,
    members: Arc<Members>,
    /// The memory it takes.
    bytes: usize,
}

impl Segment {
    pub(crate) fn new(Columns { text, state }: Columns) -> Self {
        Self::with_texts(Arc::new(Texts::new(&text)), state)
    }

    /// The same devices in another state.
    pub(crate) fn in_state(&self, state: State) -> Self {
        Self::with_texts(self.texts.clone(), state)
    }

    fn with_texts(texts: Arc<Texts>, State { status_bytes: stored, last_seen, members }: State) -> Self {
        let mut status_bytes = texts.registered.clone();
        for (status_byte, stored) in status_bytes.iter_mut().zip(stored).filter(|(_, stored)| *stored != AS_REGISTERED)
        {
            *status_byte = stored;
        }
        let last_seen = Arc::new(LastSeen::new(texts.devices(), &last_seen));
        let bytes = texts.bytes() + 9 * texts.devices() + members.bytes();
        Self { texts, status_bytes: status_bytes.into(), last_seen, members: Arc::new(members), bytes }
    }

    /// The same devices, some with other status bytes. Names that are not in this segment are ignored.
    pub(crate) fn changed<'a>(&self, changes: impl Iterator<Item = (&'a str, u8)>) -> Self {
        let mut status_bytes = self.status_bytes.to_vec();
        for (name, status_byte) in changes {
            if let Some(line) = self.line_of(name) {
                status_bytes[line as usize] = status_byte;
            }
        }
        Self { status_bytes: status_bytes.into(), ..self.clone() }
    }

    /// Records when devices were seen. Names that are not in this segment are ignored.
    pub(crate) fn record_last_seen<'a>(&self, seen: impl Iterator<Item = (&'a str, i64)>) {
        for (name, at_ms) in seen {
            if let Some(line) = self.line_of(name) {
                self.last_seen.record(line, at_ms);
            }
        }
    }

    /// As [`Segment::record_last_seen`], once for each batch.
    pub(crate) fn record_batch<'a>(&self, batch: i64, seen: impl Iterator<Item = (&'a str, i64)>) {
        let is_in = |batches: &HashSet<i64>| batches.contains(&batch);
        if is_in(&self.last_seen.batches.lock().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        self.record_last_seen(seen);
        self.last_seen.batches.lock().unwrap_or_else(PoisonError::into_inner).insert(batch);
    }

    /// The names of devices that were seen, but not known when: the server that took their first report ended before it
    /// could publish the time.
    pub(crate) fn seen_at_unknown_times(&self) -> impl Iterator<Item = &str> {
        let is_unknown = |line: &u32| self.status_byte(*line) & 1 == 1 && self.last_seen(*line) == 0;
        (0..self.devices() as u32).filter(is_unknown).map(|line| self.name(line))
    }

    /// The status_bytes and the last-seen times, to be stored.
    pub(crate) fn stored(&self) -> (Vec<u8>, Vec<u8>) {
        let times = self.last_seen.times.iter().flat_map(|time| time.load(Relaxed).to_le_bytes());
        (self.status_bytes.to_vec(), times.collect())
    }

    pub(crate) fn devices(&self) -> usize {
        self.texts.devices()
    }

    /// The lowercased names and friendly names, which are searched through; where each line begins, and where one more would.
    pub(crate) fn lowercased(&self) -> (&str, &[u32]) {
        match &self.texts.lowercased {
            Some((lowercased, lines)) => (lowercased, lines),
            None => (&self.texts.text, &self.texts.lines),
        }
    }

    /// The line of the device of this name.
    pub(crate) fn line_of(&self, name: &str) -> Option<u32> {
        self.texts.line_of(name)
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn name(&self, line: u32) -> &str {
        self.texts.name(line)
    }

    /// Its key in the order of names.
    pub(crate) fn name_key(&self, line: u32) -> Vec<u8> {
        natural::key(self.name(line))
    }

    /// Its key in the order of friendly names, and then of names.
    pub(crate) fn friendly_name_key(&self, line: u32) -> Vec<u8> {
        natural::key_of_two(self.texts.friendly_name(line), self.name(line))
    }

    pub(crate) fn by_name(&self) -> &Sorted {
        &self.texts.by_name
    }

    pub(crate) fn by_friendly_name(&self) -> &Sorted {
        let sort = || Sorted::by_key(self.devices() as u32, |line| self.friendly_name_key(line));
        self.texts.by_friendly_name.get_or_init(sort)
    }

    /// status * 8 + tier * 2 + seen.
    pub(crate) fn status_byte(&self, line: u32) -> u8 {
        self.status_bytes[line as usize]
    }

    /// Milliseconds; 0: never.
    pub(crate) fn last_seen(&self, line: u32) -> i64 {
        if self.status_byte(line) & 1 == 1 { self.last_seen.times[line as usize].load(Relaxed) } else { 0 }
    }

    /// No device of the 64 lines from `64 * word` on was seen after this time.
    pub(crate) fn latest_of_word(&self, word: usize) -> i64 {
        self.last_seen.latest[word].load(Relaxed)
    }

    /// The members of groups among its devices.
    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    /// The names of its devices' models, each once.
    pub(crate) fn models(&self) -> &[String] {
        &self.texts.models
    }

    /// Which of [`Segment::models`].
    pub(crate) fn model(&self, line: u32) -> u32 {
        self.texts.model_of[line as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn segment(names: &[String]) -> Segment {
        let mut text = String::new();
        for name in names {
            push_line(&mut text, name, None, "M", 1);
        }
        Segment::new(Columns { text, ..Columns::default() })
    }

    #[test]
    fn stored_segment_is_read_again() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let before = segment(&names).changed([("b", 9), ("nobody", 3)].into_iter());
        before.record_last_seen([("b", 700), ("b", 500), ("a", 600), ("nobody", 1)].into_iter());
        let (status_bytes, last_seen) = before.stored();
        let after = segment(&names).in_state(State { status_bytes, last_seen, ..State::default() });
        for segment in [before, after] {
            assert_eq!((0..3).map(|line| segment.status_byte(line)).collect::<Vec<_>>(), [2, 9, 2]);
            assert_eq!((0..3).map(|line| segment.last_seen(line)).collect::<Vec<_>>(), [0, 700, 0], "as seen");
        }
    }

    #[test]
    fn batch_counts_once() {
        let segment = segment(&["a".to_owned()]).changed([("a", 11)].into_iter());
        segment.record_batch(1, [("a", 5)].into_iter());
        segment.record_batch(1, [("a", 6)].into_iter());
        assert_eq!(segment.last_seen(0), 5);
    }

    proptest! {
        #[test]
        fn removed_devices_are_gone_and_others_unchanged(names in prop::collection::btree_set("[a-c]{1,3}", 0..12), gone in prop::collection::hash_set("[a-c]{1,3}", 0..6), stored in 0_usize..12, joined in prop::collection::vec(0_u32..12, 0..12)) {
            let names: Vec<String> = names.into_iter().collect();
            let mut text = String::new();
            names.iter().for_each(|name| push_line(&mut text, name, None, "M", name.len() as i16));
            let status_bytes: Vec<u8> = (0..stored.min(names.len()) as u8).map(|status_byte| status_byte * 2 + 1).collect();
            let last_seen: Vec<u8> = (1..=status_bytes.len() as i64).flat_map(i64::to_le_bytes).collect();
            let mut members = Members::default();
            let joined: Vec<u32> = joined.into_iter().filter(|line| (*line as usize) < names.len()).collect();
            members.join(Uuid::nil(), &joined);
            let columns = Columns { text, state: State { status_bytes, last_seen, members } };
            let (left, devices) = columns.without(&gone);
            let (before, after) = (Segment::new(columns), Segment::new(left));
            let stay: Vec<_> = names.iter().filter(|name| !gone.contains(*name)).collect();
            prop_assert_eq!(devices, stay.len());
            prop_assert_eq!(after.devices(), devices);
            for name in stay {
                let of = |segment: &Segment| segment.line_of(name).map(|line| (segment.status_byte(line), segment.last_seen(line), segment.members().groups_of(line)));
                prop_assert_eq!(of(&after), of(&before));
                prop_assert!(of(&after).is_some());
            }
        }
    }
}

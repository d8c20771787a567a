//! Distributing last-seen times to all servers.
//!
//! A report stores the time with the device's state, which needs no index. For the fleet index, each server collects
//! the times of the reports that it stored, and publishes them every two seconds, as one *batch* for each account. All
//! servers read the batches before each query; compaction moves them into the segments.

use crate::types::AccountId;
use muster_domain::DeviceName;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// Last-seen times of devices in milliseconds, by segment and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch(HashMap<i64, HashMap<String, i64>>);

impl Batch {
    pub(crate) fn insert(&mut self, segment: i64, name: &str, at_ms: i64) {
        let of_segment = self.0.entry(segment).or_default();
        match of_segment.get_mut(name) {
            Some(time) => *time = at_ms.max(*time),
            None => drop(of_segment.insert(name.to_owned(), at_ms)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.keys().copied()
    }

    /// The times of one segment.
    pub(crate) fn of(&self, segment: i64) -> impl Iterator<Item = (&str, i64)> {
        self.0.get(&segment).into_iter().flatten().map(|(name, at_ms)| (name.as_str(), *at_ms))
    }

    /// As it is stored: a line for each device. Names have neither tabs nor line ends.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for (segment, devices) in &self.0 {
            for (name, at_ms) in devices {
                text.push_str(&format!("{segment}\t{name}\t{at_ms}\n"));
            }
        }
        text
    }

    /// Ignores lines of another form.
    pub(crate) fn parse(text: &str) -> Self {
        let mut batch = Self::default();
        for line in text.lines() {
            let mut fields = line.split('\t');
            let (segment, name, at_ms) = (fields.next(), fields.next(), fields.next());
            let segment = segment.and_then(|text| text.parse().ok());
            if let (Some(segment), Some(name), Some(Ok(at_ms))) = (segment, name, at_ms.map(str::parse)) {
                batch.insert(segment, name, at_ms);
            }
        }
        batch
    }

    /// Removes the times of a batch, except those that are later now.
    fn remove(&mut self, published: &Self) {
        for (segment, devices) in &published.0 {
            let Some(times) = self.0.get_mut(segment) else { continue };
            times.retain(|name, at_ms| devices.get(name).is_none_or(|published| *at_ms > *published));
            if times.is_empty() {
                self.0.remove(segment);
            }
        }
    }
}

/// The time of a stored report.
pub(crate) struct Seen {
    pub(crate) account: AccountId,
    pub(crate) segment: i64,
    pub(crate) name: DeviceName,
    pub(crate) at_ms: i64,
}

/// The times that this server has not published yet.
#[derive(Default)]
pub(crate) struct Unpublished(Mutex<HashMap<AccountId, Waiting>>);

/// The times of an account.
struct Waiting {
    batch: Batch,
    /// No time has waited longer.
    since: Instant,
    /// When the batch was last copied. Once that copy is published, no time has waited longer than since then.
    copied: Instant,
}

impl Unpublished {
    pub(crate) fn insert(&self, Seen { account, segment, name, at_ms }: &Seen) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = all.entry(*account).or_insert_with(|| {
            let now = Instant::now();
            Waiting { batch: Batch::default(), since: now, copied: now }
        });
        waiting.batch.insert(*segment, name.as_str(), *at_ms);
    }

    /// The times of one segment.
    pub(crate) fn of(&self, account: AccountId, segment: i64) -> Vec<(String, i64)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_segment = all.get(&account).map(|waiting| waiting.batch.of(segment));
        of_segment.into_iter().flatten().map(|(name, at_ms)| (name.to_owned(), at_ms)).collect()
    }

    /// A copy of all times, to be published.
    pub(crate) fn copy(&self) -> Vec<(AccountId, Batch)> {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = |(account, waiting): (&AccountId, &mut Waiting)| {
            waiting.copied = now;
            (*account, waiting.batch.clone())
        };
        all.iter_mut().map(copy).collect()
    }

    /// When the first of the times came, or before. `None` if none wait.
    pub(crate) fn since(&self) -> Option<Instant> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().map(|waiting| waiting.since).min()
    }

    /// Removes a published batch of an account.
    pub(crate) fn remove(&self, account: AccountId, batch: &Batch) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(waiting) = all.get_mut(&account) else { return };
        waiting.batch.remove(batch);
        waiting.since = waiting.copied;
        if waiting.batch.is_empty() {
            all.remove(&account);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    #[test]
    fn times_recorded_while_a_batch_is_published_stay_for_the_next() {
        let (unpublished, account) = (Unpublished::default(), AccountId(Uuid::from_u128(1)));
        let saw = |segment, name, at_ms| {
            unpublished.insert(&Seen { account, segment, name: DeviceName::parse(name).unwrap(), at_ms });
        };
        saw(1, "a", 10);
        saw(1, "b", 10);
        let since = unpublished.since().unwrap();
        let before_copy = Instant::now();
        let (_, batch) = unpublished.copy().remove(0);
        saw(1, "b", 11);
        saw(2, "c", 11);
        assert_eq!(unpublished.since(), Some(since), "nothing is published yet");
        unpublished.remove(account, &batch);
        assert!(unpublished.since().unwrap() >= before_copy);
        assert_eq!(unpublished.of(account, 1), [("b".to_owned(), 11)]);
        let (_, left) = unpublished.copy().remove(0);
        unpublished.remove(account, &left);
        assert!(unpublished.copy().is_empty() && unpublished.since().is_none());
    }

    proptest! {
        #[test]
        fn batch_is_read_as_it_was_written(devices in prop::collection::vec((0_i64..4, "[a-z.]{1,5}", 0_i64..i64::MAX), 0..20)) {
            let mut batch = Batch::default();
            devices.iter().for_each(|(segment, name, at_ms)| batch.insert(*segment, name, *at_ms));
            prop_assert_eq!(Batch::parse(&batch.to_text()), batch);
        }

        #[test]
        fn any_text_can_be_read(text in "[\\d\\t\\na-]{0,30}") {
            Batch::parse(&text);
        }
    }
}

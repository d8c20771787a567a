//! A concurrency limit that is shared fairly: the next free permit goes to the holder with the fewest.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::oneshot, time::timeout};

/// How many permits there are, and how many requests may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Permits in all.
    pub(crate) permits: u32,
    /// Permits of one holder, so that some are free immediately when another comes.
    pub(crate) permits_per_holder: u32,
    /// Requests that may wait for a permit.
    pub(crate) waiting: usize,
    /// Of those, the requests of one holder.
    pub(crate) waiting_per_holder: usize,
    /// How long each of them waits.
    pub(crate) max_wait: Duration,
}

/// Excess requests are rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy;

/// The limit. `H` says for whom a request is: an account, a device, or an address.
#[derive(Debug)]
pub(crate) struct FairLimit<H: Hash + Eq + Copy> {
    bounds: Bounds,
    state: Mutex<State<H>>,
}

#[derive(Debug)]
struct State<H: Hash + Eq + Copy> {
    free: u32,
    holders: HashMap<H, Holder<H>>,
    waiting: usize,
    /// Counts the requests that had to wait, to know which has waited longest.
    arrivals: u64,
}

#[derive(Debug)]
struct Holder<H: Hash + Eq + Copy> {
    permits: u32,
    waiting: VecDeque<Waiting<H>>,
}

impl<H: Hash + Eq + Copy> Default for Holder<H> {
    fn default() -> Self {
        Self { permits: 0, waiting: VecDeque::new() }
    }
}

#[derive(Debug)]
struct Waiting<H: Hash + Eq + Copy> {
    arrival: u64,
    permits: u32,
    sender: oneshot::Sender<Permit<H>>,
}

/// The right to do something, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit<H: Hash + Eq + Copy> {
    limit: Arc<FairLimit<H>>,
    holder: H,
    permits: u32,
}

impl<H: Hash + Eq + Copy> FairLimit<H> {
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        let state = State { free: bounds.permits, holders: HashMap::new(), waiting: 0, arrivals: 0 };
        Arc::new(Self { bounds, state: Mutex::new(state) })
    }

    /// Waits for so many permits for a holder, if the queue is not too long.
    pub(crate) async fn acquire(self: &Arc<Self>, holder: H, permits: u32) -> Result<Permit<H>, Busy> {
        // More than a holder may have at all is taken for all of it.
        let permits = permits.min(self.bounds.permits_per_holder);
        let mut waiting = match self.enter(holder, permits)? {
            Entered::Now(permit) => return Ok(permit),
            Entered::Queue(receiver) => InQueue { limit: self, holder, receiver },
        };
        match timeout(self.bounds.max_wait, &mut waiting.receiver).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Busy),
        }
    }

    fn enter(self: &Arc<Self>, holder: H, permits: u32) -> Result<Entered<H>, Busy> {
        let mut state = self.state();
        let has_queue = state.waiting > 0;
        let bounds = self.bounds;
        let entry = state.holders.get(&holder);
        let held = entry.map_or(0, |entry| entry.permits);
        let queued = entry.map_or(0, |entry| entry.waiting.len());
        // Others that wait may all be at their own limits; `grant` finds out who is next.
        if !has_queue && permits <= state.free && held + permits <= bounds.permits_per_holder {
            state.free -= permits;
            state.holders.entry(holder).or_default().permits += permits;
            return Ok(Entered::Now(Permit { limit: self.clone(), holder, permits }));
        }
        if queued >= bounds.waiting_per_holder || bounds.max_wait.is_zero() {
            return Err(Busy);
        }
        if state.waiting >= bounds.waiting {
            // The last of the longest queue gives way to a shorter one: a few holders must not fill all there is. Its
            // caller learns of it by its sender, which is dropped.
            let longest = state.holders.values_mut().max_by_key(|other| other.waiting.len());
            let Some(longest) = longest.filter(|other| other.waiting.len() > queued + 1) else { return Err(Busy) };
            longest.waiting.pop_back();
            state.waiting -= 1;
        }
        let (sender, receiver) = oneshot::channel();
        state.arrivals += 1;
        let arrival = state.arrivals;
        state.waiting += 1;
        state.holders.entry(holder).or_default().waiting.push_back(Waiting { arrival, permits, sender });
        drop(state);
        self.grant();
        Ok(Entered::Queue(receiver))
    }

    /// Gives free permits to those who wait: first to the holder with the fewest, then to the request that came first.
    fn grant(self: &Arc<Self>) {
        loop {
            let mut state = self.state();
            let next = state
                .holders
                .iter()
                .filter_map(|(holder, entry)| {
                    let first = entry.waiting.front()?;
                    let fits = entry.permits + first.permits <= self.bounds.permits_per_holder;
                    fits.then_some((entry.permits, first.arrival, first.permits, *holder))
                })
                .min_by_key(|(held, arrival, ..)| (*held, *arrival));
            // A large request is not overtaken by small ones: it would wait for ever.
            let Some((_, _, permits, holder)) = next.filter(|(_, _, permits, _)| *permits <= state.free) else {
                return;
            };
            let Some(entry) = state.holders.get_mut(&holder) else { return };
            let Some(waiting) = entry.waiting.pop_front() else { return };
            entry.permits += permits;
            state.free -= permits;
            state.waiting -= 1;
            drop(state);
            // If the caller is gone, the permit comes back, is dropped, and goes to the next.
            let _ = waiting.sender.send(Permit { limit: self.clone(), holder, permits });
        }
    }

    fn state(&self) -> MutexGuard<'_, State<H>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Entered<H: Hash + Eq + Copy> {
    Now(Permit<H>),
    Queue(oneshot::Receiver<Permit<H>>),
}

/// A request in the queue. It leaves when it is dropped, whether it got its permit or not.
struct InQueue<'l, H: Hash + Eq + Copy> {
    limit: &'l Arc<FairLimit<H>>,
    holder: H,
    receiver: oneshot::Receiver<Permit<H>>,
}

impl<H: Hash + Eq + Copy> Drop for InQueue<'_, H> {
    fn drop(&mut self) {
        self.receiver.close();
        {
            let mut state = self.limit.state();
            let Some(entry) = state.holders.get_mut(&self.holder) else { return };
            let before = entry.waiting.len();
            entry.waiting.retain(|waiting| !waiting.sender.is_closed());
            let left = before - entry.waiting.len();
            let is_empty = entry.waiting.is_empty() && entry.permits == 0;
            if is_empty {
                state.holders.remove(&self.holder);
            }
            state.waiting -= left;
            if left == 0 {
                return;
            }
        }
        // A large request may have held up others.
        self.limit.grant();
    }
}

impl<H: Hash + Eq + Copy> Drop for Permit<H> {
    fn drop(&mut self) {
        {
            let mut state = self.limit.state();
            state.free += self.permits;
            if let Some(entry) = state.holders.get_mut(&self.holder) {
                entry.permits -= self.permits;
                if entry.permits == 0 && entry.waiting.is_empty() {
                    state.holders.remove(&self.holder);
                }
            }
            if state.waiting == 0 {
                return;
            }
        }
        self.limit.grant();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use tokio::{spawn, task::yield_now};

    const BOUNDS: Bounds = Bounds {
        permits: 4,
        permits_per_holder: 3,
        waiting: 8,
        waiting_per_holder: 4,
        max_wait: Duration::from_secs(5),
    };

    /// Lets the other tasks run until all of them wait.
    async fn settle() {
        for _ in 0..32 {
            yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_holder_leaves_permits_to_others() {
        let limit = FairLimit::new(BOUNDS);
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(limit.acquire("greedy", 1).await.unwrap());
        }
        let fourth = spawn({
            let limit = limit.clone();
            async move { limit.acquire("greedy", 1).await.map(drop) }
        });
        settle().await;
        limit.acquire("other", 1).await.unwrap();
        held.pop();
        fourth.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_free_permit_goes_to_the_holder_with_the_fewest() {
        let limit = FairLimit::new(Bounds { permits_per_holder: 4, ..BOUNDS });
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(limit.acquire("greedy", 1).await.unwrap());
        }
        let (sender, mut granted) = tokio::sync::mpsc::unbounded_channel();
        for holder in ["greedy", "greedy", "one", "two", "one"] {
            let (limit, sender) = (limit.clone(), sender.clone());
            spawn(async move { sender.send((holder, limit.acquire(holder, 1).await.unwrap())) });
            settle().await;
        }
        let mut order = Vec::new();
        let mut others = Vec::new();
        for _ in 0..4 {
            held.pop();
            let (holder, permit) = granted.recv().await.unwrap();
            order.push(holder);
            others.push(permit);
        }
        assert_eq!(order, ["one", "two", "greedy", "greedy"]);
    }

    #[tokio::test(start_paused = true)]
    async fn excess_requests_are_rejected_at_the_end_of_the_queue_or_of_the_wait() {
        let limit = FairLimit::new(BOUNDS);
        let _held = (limit.acquire("a", 3).await.unwrap(), limit.acquire("b", 1).await.unwrap());
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let limit = limit.clone();
                spawn(async move { limit.acquire("a", 1).await.map(drop) })
            })
            .collect();
        settle().await;
        let begun = tokio::time::Instant::now();
        assert_eq!(limit.acquire("a", 1).await.map(drop), Err(Busy));
        assert_eq!(begun.elapsed(), Duration::ZERO, "immediately");
        for task in waiting {
            assert_eq!(task.await.unwrap(), Err(Busy));
        }
        assert_eq!(begun.elapsed().as_secs(), BOUNDS.max_wait.as_secs());
        let state = limit.state();
        assert_eq!((state.waiting, state.holders.len(), state.free), (0, 2, 0), "nothing is left behind");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_makes_room_for_holders_who_wait_with_less() {
        let limit = FairLimit::new(BOUNDS);
        let mut held = vec![limit.acquire("a", 3).await.unwrap(), limit.acquire("b", 1).await.unwrap()];
        let wait = |holder: &'static str| {
            let limit = limit.clone();
            spawn(async move { limit.acquire(holder, 1).await.map(drop) })
        };
        let mut waiting = Vec::new();
        for _ in 0..4 {
            waiting.extend([wait("a"), wait("b")]);
            settle().await;
        }
        let newcomers = [wait("c"), wait("c")];
        settle().await;
        // One of each who had four.
        let ended: Vec<_> = waiting.iter().map(|task| task.is_finished()).collect();
        assert_eq!(ended, [false, false, false, false, false, false, true, true]);
        assert_eq!(limit.acquire("a", 1).await.map(drop), Err(Busy), "no holder has more");
        held.clear();
        for task in newcomers {
            task.await.unwrap().unwrap();
        }
        let state = limit.state();
        assert_eq!((state.waiting, state.free), (0, 4), "nothing is left behind");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_kept_of_those_who_left() {
        let limit = FairLimit::new(BOUNDS);
        let held = limit.acquire(0, 3).await.unwrap();
        let cancelled = spawn({
            let limit = limit.clone();
            async move { limit.acquire(1, 2).await.map(drop) }
        });
        let behind = spawn({
            let limit = limit.clone();
            async move { limit.acquire(2, 1).await.map(drop) }
        });
        settle().await;
        assert!(!behind.is_finished(), "a large request is not overtaken");
        cancelled.abort();
        behind.await.unwrap().unwrap();
        drop(held);
        let state = limit.state();
        assert_eq!((state.waiting, state.holders.len(), state.free), (0, 0, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_for_more_than_there_is_takes_all_that_one_may_have() {
        let limit = FairLimit::new(BOUNDS);
        let all = limit.acquire("a", 99).await.unwrap();
        assert_eq!(all.permits, 3);
    }
}

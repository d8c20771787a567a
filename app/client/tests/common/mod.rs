//! A server, a file, and a clock with virtual time for the tests of the upload. Nothing sleeps: when nothing else can
//! happen, the time jumps to the next moment that something waits for.

use muster_client::{
    Clock, FailureKind, FileSlice, NewRegistration, Part, PartDone, Progress, RequestFailure, Results, Stopped,
    Transport, Upload,
};
use muster_domain::{Check, CheckReport, DeviceName, DryRun, PartRange, RowFailure};
use std::{
    cell::{Cell, RefCell},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};
use uuid::Uuid;

#[derive(Default)]
pub struct VirtualClock {
    now_ms: Cell<u64>,
    sleepers: RefCell<Vec<(u64, Waker)>>,
}

struct Sleep<'a> {
    clock: &'a VirtualClock,
    end_ms: u64,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now_ms() >= self.end_ms {
            return Poll::Ready(());
        }
        self.clock.sleepers.borrow_mut().push((self.end_ms, context.waker().clone()));
        Poll::Pending
    }
}

impl Clock for VirtualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    fn random(&self) -> f64 {
        0.5
    }

    async fn sleep_ms(&self, ms: u32) {
        Sleep { clock: self, end_ms: self.now_ms() + u64::from(ms) }.await;
    }
}

impl VirtualClock {
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
            let sleepers = self.sleepers.take();
            let next_ms = sleepers.iter().map(|(end_ms, _)| *end_ms).min().expect("the future waits for a time");
            self.now_ms.set(next_ms);
            for (end_ms, waker) in sleepers {
                if end_ms <= next_ms {
                    waker.wake();
                } else {
                    self.sleepers.borrow_mut().push((end_ms, waker));
                }
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    Lost,
    Busy { retry_after_ms: u32 },
    Refused(String),
    SignedOut,
    Fault,
}

impl RequestFailure for Failure {
    fn lost() -> Self {
        Self::Lost
    }

    fn refused(sentence: String) -> Self {
        Self::Refused(sentence)
    }

    fn kind(&self) -> FailureKind {
        match *self {
            Self::Lost => FailureKind::Lost,
            Self::Busy { retry_after_ms } => FailureKind::Busy { retry_after_ms },
            Self::Refused(_) => FailureKind::Refused,
            Self::SignedOut => FailureKind::SignedOut,
            Self::Fault => FailureKind::Fault,
        }
    }

    fn upload_sentence(&self) -> String {
        match self {
            Self::Refused(sentence) => sentence.clone(),
            failure => format!("{failure:?}."),
        }
    }
}

/// What the server does with an attempt at a part: the time that it takes, and the failure; without one, it registers the
/// rows of the part.
pub type Answer = (u32, Option<Failure>);

/// Longer than any time limit.
pub const NEVER_MS: u32 = u32::MAX;

/// An attempt at a part that the server received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    pub at_ms: u64,
    pub part: u32,
    pub attempt: u32,
    pub registration: Uuid,
    pub renew: bool,
}

/// The server, and the file, whose device names are `d0`, `d1`, ….
pub struct Server {
    pub clock: VirtualClock,
    pub report: CheckReport,
    pub collected: Collected,
    /// The answer to the n-th attempt (from 1) at a part, by the number of the part.
    answer: Box<dyn Fn(u32, usize) -> Answer>,
    /// The failures of the first attempts to begin a registration.
    pub begin_failures: RefCell<Vec<Failure>>,
    pub file: RefCell<Vec<u8>>,
    /// The file cannot be read from this byte on.
    pub readable_bytes: Cell<u64>,
    /// A copy of the file, made when it was checked.
    pub copy: RefCell<Option<Vec<u8>>>,
    pub begun: RefCell<Vec<NewRegistration>>,
    pub attempts: RefCell<Vec<Attempt>>,
    pub finished: RefCell<Vec<Uuid>>,
    under_way: Cell<usize>,
    pub most_under_way: Cell<usize>,
}

impl Server {
    /// A file of parts with two rows each.
    pub fn new(parts: u32, answer: impl Fn(u32, usize) -> Answer + 'static) -> Self {
        let rows: Vec<String> = (0..parts * 2).map(|row| format!("d{row},M\n")).collect();
        let file = rows.concat().into_bytes();
        let mut check = Check::new();
        check.push(&file);
        let mut report = check.finish();
        assert!(report.is_clean());
        let mut start = 0;
        let cut = rows.chunks(2).enumerate().map(|(number, rows)| {
            let end = start + rows.concat().len() as u64;
            let range = PartRange { start, end, first_line: number as u64 * 2 + 1, rows: 2 };
            start = end;
            range
        });
        report.parts = cut.collect();
        Self {
            clock: VirtualClock::default(),
            report,
            collected: Collected::default(),
            answer: Box::new(answer),
            begin_failures: RefCell::default(),
            file: RefCell::new(file),
            readable_bytes: Cell::new(u64::MAX),
            copy: RefCell::default(),
            begun: RefCell::default(),
            attempts: RefCell::default(),
            finished: RefCell::default(),
            under_way: Cell::new(0),
            most_under_way: Cell::new(0),
        }
    }

    pub fn upload(&self) -> Upload<&Self, &Collected> {
        Upload::new(self, &self.collected, "devices.csv".to_owned(), &self.report, "Pumps".parse().ok())
    }

    /// When a part was sent, in milliseconds.
    pub fn times_of(&self, part: u32) -> Vec<u64> {
        self.attempts.borrow().iter().filter(|attempt| attempt.part == part).map(|attempt| attempt.at_ms).collect()
    }

    /// The parts that were sent, in the order of the first attempt at each.
    pub fn parts_sent(&self) -> Vec<u32> {
        let mut parts = Vec::new();
        for attempt in &*self.attempts.borrow() {
            if !parts.contains(&attempt.part) {
                parts.push(attempt.part);
            }
        }
        parts
    }
}

impl Server {
    /// Takes an attempt at a part: after its time, gives the failure, if it is to fail.
    async fn work(&self, part: u32, attempt: Attempt) -> Option<Failure> {
        self.attempts.borrow_mut().push(Attempt { at_ms: self.clock.now_ms(), ..attempt });
        self.under_way.set(self.under_way.get() + 1);
        self.most_under_way.set(self.most_under_way.get().max(self.under_way.get()));
        let (ms, failure) = (self.answer)(part, self.times_of(part).len());
        self.clock.sleep_ms(ms).await;
        self.under_way.set(self.under_way.get() - 1);
        failure
    }
}

impl Transport for &Server {
    type Failure = Failure;
    type Clock = VirtualClock;

    const FILE_CHANGED: &'static str = "Changed.";

    fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    async fn begin(&self, registration: NewRegistration) -> Result<Uuid, Failure> {
        self.begun.borrow_mut().push(registration);
        let failure = self.begin_failures.borrow_mut().pop();
        failure.map_or(Ok(Uuid::from_u128(self.begun.borrow().len() as u128)), Err)
    }

    /// The first row of each part is new, the second would fail.
    async fn dry_run(&self, slice: FileSlice) -> Result<DryRun, Failure> {
        let number = (slice.first_line / 2) as u32;
        let failure = self.work(number, Attempt { part: number, attempt: 0, ..Attempt::default() }).await;
        let mut part = DryRun { new: 1, ..DryRun::default() };
        part.fail(RowFailure::UnknownModel, slice.first_line + 1, &DeviceName::parse("d1").expect("a name"));
        failure.map_or(Ok(part), Err)
    }

    async fn register_part(&self, part: Part) -> Result<PartDone, Failure> {
        let Part { registration, number, attempt, renew, .. } = part;
        match self.work(number, Attempt { at_ms: 0, part: number, attempt, registration, renew }).await {
            Some(failure) => Err(failure),
            // In both passes, each row has a token; its text is the row.
            None => Ok(PartDone {
                registered: if renew { 0 } else { 1 },
                already: if renew { 0 } else { 1 },
                already_never_connected: if renew { 0 } else { 1 },
                tokens: part.slice.bytes,
                token_count: if renew { 1 } else { 2 },
                ..PartDone::default()
            }),
        }
    }

    async fn finish(&self, registration: Uuid) -> Result<(), Failure> {
        self.finished.borrow_mut().push(registration);
        Ok(())
    }

    async fn read(&self, range: PartRange) -> Result<Vec<u8>, String> {
        if range.end > self.readable_bytes.get() {
            return Err("Unreadable.".to_owned());
        }
        Ok(self.file.borrow()[range.start as usize..range.end as usize].to_vec())
    }

    async fn read_as_checked(&self, range: PartRange) -> Option<Vec<u8>> {
        let copy = self.copy.borrow().as_ref().map(|copy| copy[range.start as usize..range.end as usize].to_vec());
        if copy.is_some() { copy } else { self.read(range).await.ok() }
    }
}

/// The results of an upload, and every report of its progress.
#[derive(Default)]
pub struct Collected {
    pub tokens: RefCell<Vec<u8>>,
    pub errors: RefCell<Vec<u8>>,
    pub commits: Cell<u32>,
    pub reports: RefCell<Vec<Progress>>,
    /// Why tokens cannot be stored.
    pub tokens_problem: RefCell<Option<String>>,
}

impl Collected {
    pub fn progress(&self) -> Progress {
        self.reports.borrow().last().expect("the progress was reported").clone()
    }

    /// What the progress says at the end: done, registered, failed, why it stopped.
    pub fn totals(&self) -> (u64, u64, u64, Option<Stopped>) {
        let progress = self.progress();
        (progress.rows_done, progress.registered, progress.failed, progress.stopped)
    }

    /// The rows that have tokens.
    pub fn tokens(&self) -> String {
        String::from_utf8_lossy(&self.tokens.borrow()).replace(",M\n", " ")
    }

    /// The rows of `errors.csv`: device name, line, sentence.
    pub fn errors(&self) -> Vec<(String, u64, String)> {
        let text = String::from_utf8_lossy(&self.errors.borrow()).into_owned();
        let row = |row: &str| {
            let mut cells = row.splitn(7, ',');
            let name = cells.next().unwrap_or_default().to_owned();
            let line = cells.nth(4).and_then(|line| line.parse().ok()).unwrap_or_default();
            (name, line, cells.next().unwrap_or_default().to_owned())
        };
        text.split_terminator("\r\n").map(row).collect()
    }

    /// The sentences that said what was waited for.
    pub fn waiting(&self) -> Vec<String> {
        let mut sentences: Vec<_> = self.reports.borrow().iter().filter_map(|it| it.waiting.clone()).collect();
        sentences.dedup();
        sentences
    }
}

impl Results for &Collected {
    async fn push_tokens(&self, rows: &[u8], _: u64) -> Result<(), String> {
        if let Some(sentence) = self.tokens_problem.borrow().clone() {
            return Err(sentence);
        }
        self.tokens.borrow_mut().extend_from_slice(rows);
        Ok(())
    }

    async fn push_errors(&self, rows: &[u8], _: u64) -> Result<(), String> {
        self.errors.borrow_mut().extend_from_slice(rows);
        Ok(())
    }

    async fn commit(&self) {
        self.commits.set(self.commits.get() + 1);
    }

    fn on_progress(&self, progress: Progress) {
        self.reports.borrow_mut().push(progress);
    }
}

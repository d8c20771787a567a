//! The upload itself: parts are sent concurrently, each is registered whole or not at all.

use crate::{
    Clock, FailureKind, FileSlice, NewRegistration, Part, PartDone, Progress, RequestFailure, Results, Stopped,
    Transport, UNAVAILABLE,
    retry::{POLL_MS, retried},
    rows,
};
use futures_util::{StreamExt, stream};
use muster_domain::{CheckReport, FieldSet, GroupName, Layout, PartRange};
use std::cell::{Cell, RefCell};
use uuid::Uuid;

/// The parts that are under way at the same time. On SQLite, the server stores waiting parts in one transaction, so more
/// are faster; two uploads of six are as many as the server takes.
const CONCURRENT_PARTS: usize = 6;

/// For a file that was not registered to its end, when a later upload may complete it.
const FINISH_LATER: &str = "Upload the same file to continue; devices already registered are kept.";

/// The same, when a later upload would meet the same failure.
const KEPT: &str = "Devices already registered are kept.";

/// What a pass over the file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// To register its devices.
    Register,
    /// To generate new tokens for the devices that were registered before and have never connected.
    Renew,
}

/// The upload of one file that the check found clean.
pub struct Upload<T: Transport, R> {
    transport: T,
    results: R,
    new_registration: NewRegistration,
    layout: Layout,
    missing_fields: FieldSet,
    parts: Vec<PartRange>,
    registration: Cell<Option<Uuid>>,
    /// Attempts so far at any part in any pass, so that each attempt at a part has a higher number than those before it.
    attempts: Cell<u32>,
    /// The failure of the parts that are no longer sent, if the upload was given up.
    given_up_by: RefCell<Option<T::Failure>>,
    progress: RefCell<Progress>,
}

/// What became of a part.
enum Outcome<F> {
    Done(PartDone),
    Failed(F),
    /// The user cancelled before it was sent.
    NotSent,
}

impl<T: Transport, R: Results> Upload<T, R> {
    /// An upload of the file with this name and report. Nothing is sent before [`Self::run`].
    pub fn new(transport: T, results: R, file_name: String, report: &CheckReport, group: Option<GroupName>) -> Self {
        let parts = report.parts.clone();
        let upload = Self {
            transport,
            results,
            new_registration: NewRegistration { file_name, devices: report.devices, parts: parts.len() as u32, group },
            layout: report.layout.clone(),
            missing_fields: report.missing_fields,
            parts,
            registration: Cell::new(None),
            attempts: Cell::new(0),
            given_up_by: RefCell::new(None),
            progress: RefCell::default(),
        };
        upload.update(|progress| progress.rows = report.rows);
        upload
    }

    /// The registration, once it has begun.
    pub fn registration(&self) -> Option<Uuid> {
        self.registration.get()
    }

    /// The results so far.
    pub fn results(&self) -> &R {
        &self.results
    }

    /// Makes one pass over the whole file. It completes when all parts are done or will not be sent; [`Progress::stopped`]
    /// and [`Progress::note`] say how it went. Passes must not overlap. The passes of one upload belong to one registration.
    pub async fn run(&self, pass: Pass) {
        if self.is_abandoned() {
            return;
        }
        self.given_up_by.take();
        self.update(|progress| {
            progress.rows_done = 0;
            progress.is_paused = false;
            progress.note = None;
            progress.stopped = None;
        });
        let registration = match self.begin().await {
            Ok(registration) => Some(registration),
            Err(failure) => {
                self.give_up(&failure);
                None
            }
        };
        let mut outcomes = stream::iter(self.parts.iter().enumerate())
            .map(|(number, range)| self.send(pass, registration, number as u32, *range))
            .buffered(CONCURRENT_PARTS);
        while let Some((range, outcome)) = outcomes.next().await {
            self.record(pass, range, outcome).await;
        }
        drop(outcomes);
        self.results.commit().await;
        self.update(|_| {});
        let is_whole = pass == Pass::Register && self.stopped().is_none();
        if let Some(registration) = registration.filter(|_| is_whole) {
            // The devices are registered even if this fails; the registration is then listed as unfinished.
            let _ = self.retried(|| self.transport.finish(registration)).await;
        }
    }

    /// Holds the parts that were not sent yet, or releases them.
    pub fn pause(&self, is_paused: bool) {
        self.update(|progress| progress.is_paused = is_paused);
    }

    /// Sends no more parts. Those under way are finished, and their tokens are returned.
    pub fn cancel(&self) {
        self.stop(Stopped::Cancelled, || format!("Stopped. {FINISH_LATER}"));
        self.pause(false);
    }

    /// Sends no more parts, drops the results of those under way, and reports nothing more.
    pub fn abandon(&self) {
        self.progress.borrow_mut().stopped = Some(Stopped::Abandoned);
    }

    /// Whether [`Self::abandon`] was called.
    pub fn is_abandoned(&self) -> bool {
        self.stopped() == Some(Stopped::Abandoned)
    }

    fn stopped(&self) -> Option<Stopped> {
        self.progress.borrow().stopped
    }

    /// Changes the progress, and reports it.
    fn update(&self, change: impl FnOnce(&mut Progress)) {
        if !self.is_abandoned() {
            // The report is a copy, since its receiver may call this upload.
            let mut progress = self.progress.borrow().clone();
            change(&mut progress);
            self.progress.replace(progress.clone());
            self.results.on_progress(progress);
        }
    }

    /// Sends no more parts, for the first reason there is.
    fn stop(&self, reason: Stopped, note: impl FnOnce() -> String) -> bool {
        let is_first = self.stopped().is_none();
        if is_first {
            self.update(|progress| {
                progress.stopped = Some(reason);
                progress.note = Some(note());
            });
        }
        is_first
    }

    /// Sends no more parts: those that follow would meet the same failure, each after a long wait.
    fn give_up(&self, failure: &T::Failure) {
        let is_given_up = self.stop(Stopped::GivenUp, || {
            let next = match failure.kind() {
                FailureKind::Refused | FailureKind::Fault => KEPT,
                FailureKind::Lost | FailureKind::Busy { .. } | FailureKind::SignedOut => FINISH_LATER,
            };
            format!("{} {next}", failure.upload_sentence())
        });
        if is_given_up {
            *self.given_up_by.borrow_mut() = Some(failure.clone());
        }
    }

    fn refuse(&self, sentence: String) -> T::Failure {
        let failure = T::Failure::refused(sentence);
        self.give_up(&failure);
        failure
    }

    async fn retried<A, S: Future<Output = Result<A, T::Failure>>>(
        &self,
        send: impl FnMut() -> S,
    ) -> Result<A, T::Failure> {
        let note = |waiting| self.update(|progress| progress.waiting = waiting);
        let outcome = retried(self.transport.clock(), send, || self.stopped().is_some(), note).await;
        if outcome.is_err() {
            note(None);
        }
        outcome
    }

    /// The registration of this upload. The second pass uses that of the first.
    async fn begin(&self) -> Result<Uuid, T::Failure> {
        if let Some(registration) = self.registration.get() {
            return Ok(registration);
        }
        let registration = self.retried(|| self.transport.begin(self.new_registration.clone())).await?;
        self.registration.set(Some(registration));
        Ok(registration)
    }

    async fn send(
        &self,
        pass: Pass,
        registration: Option<Uuid>,
        number: u32,
        range: PartRange,
    ) -> (PartRange, Outcome<T::Failure>) {
        while self.stopped().is_none() && self.progress.borrow().is_paused {
            self.transport.clock().sleep_ms(POLL_MS).await;
        }
        let Some(registration) = registration.filter(|_| self.stopped().is_none()) else {
            let given_up_by = self.given_up_by.borrow().clone();
            return (range, given_up_by.map_or(Outcome::NotSent, Outcome::Failed));
        };
        let bytes = match self.transport.read(range).await {
            Ok(bytes) if rows::is_part(&self.layout, range, &bytes) => Ok(bytes),
            Ok(_) => Err(T::FILE_CHANGED.to_owned()),
            Err(sentence) => Err(sentence),
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(sentence) => return (range, Outcome::Failed(self.refuse(sentence))),
        };
        let part = Part {
            registration,
            number,
            attempt: 0,
            renew: pass == Pass::Renew,
            slice: FileSlice {
                layout: self.layout.clone(),
                missing_fields: self.missing_fields,
                first_line: range.first_line,
                bytes,
            },
        };
        let attempt = || {
            let attempt = self.attempts.get() + 1;
            self.attempts.set(attempt);
            self.transport.register_part(Part { attempt, ..part.clone() })
        };
        match self.retried(attempt).await {
            Ok(done) => (range, Outcome::Done(done)),
            Err(failure) => {
                if failure.kind() != FailureKind::Refused {
                    self.give_up(&failure);
                }
                (range, Outcome::Failed(failure))
            }
        }
    }

    /// Counts the next part in file order, and passes its results on.
    async fn record(&self, pass: Pass, range: PartRange, outcome: Outcome<T::Failure>) {
        match outcome {
            _ if self.is_abandoned() => {}
            Outcome::Done(done) => self.record_done(pass, range, done).await,
            Outcome::NotSent => {}
            Outcome::Failed(failure) => {
                let is_temporary = failure.kind().is_temporary();
                if is_temporary && self.stopped() == Some(Stopped::Cancelled) {
                    return;
                }
                if pass == Pass::Renew {
                    return self.update(|progress| progress.rows_done += u64::from(range.rows));
                }
                let sentence = if is_temporary { UNAVAILABLE.to_owned() } else { failure.upload_sentence() };
                self.record_failed(range, &sentence).await;
            }
        }
    }

    async fn record_done(&self, pass: Pass, range: PartRange, done: PartDone) {
        let token_count = u64::from(done.token_count);
        let mut pushed = self.results.push_tokens(&done.tokens, token_count).await;
        let new_tokens = if pushed.is_ok() { token_count } else { 0 };
        if pass == Pass::Register && pushed.is_ok() {
            pushed = self.results.push_errors(&done.errors, u64::from(done.failed)).await;
        }
        if let Err(sentence) = pushed {
            self.refuse(sentence);
        }
        self.update(|progress| {
            progress.rows_done += u64::from(range.rows);
            progress.tokens += new_tokens;
            match pass {
                Pass::Register => {
                    progress.registered += u64::from(done.registered);
                    progress.already += u64::from(done.already);
                    progress.already_never_connected += u64::from(done.already_never_connected);
                    progress.failed += u64::from(done.failed);
                    progress.fragile_names += u64::from(done.fragile_names);
                }
                Pass::Renew => {
                    progress.already_never_connected = progress.already_never_connected.saturating_sub(token_count);
                }
            }
        });
    }

    async fn record_failed(&self, range: PartRange, sentence: &str) {
        let bytes = self.transport.read_as_checked(range).await;
        let (failed, fragile_names) = rows::failed_rows(&self.layout, range, bytes, sentence);
        let rows = u64::from(range.rows);
        if let Err(sentence) = self.results.push_errors(&failed, rows).await {
            self.refuse(sentence);
        }
        self.update(|progress| {
            progress.rows_done += rows;
            progress.failed += rows;
            progress.fragile_names += fragile_names;
        });
    }
}

//! Sends a checked file to the server: in parts, several under way, each registered whole or not at all.

use super::{
    checked_file::{CheckedFile, FileCopy},
    retry,
    save::{Gathered, Rows},
};
use crate::fns::{
    Failure,
    registrations::{Part, PartDone, begin_registration, finish_registration, register_part},
};
use futures_util::{StreamExt, stream};
use leptos::prelude::*;
use muster_domain::{FieldSet, PartRange, Report, errors_csv};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use uuid::Uuid;
use web_sys::File;

/// Parts under way at once. On SQLite, the server stores those that wait in one transaction, and more are quicker that
/// way; two such uploads are as many as the server takes.
const PARTS_AT_ONCE: usize = 6;

/// The progress of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) rows: u64,
    pub(crate) rows_done: u64,
    pub(crate) registered: u64,
    pub(crate) already: u64,
    pub(crate) already_never_connected: u64,
    pub(crate) failed: u64,
    /// Device names in `errors.csv` that a spreadsheet would change.
    pub(crate) fragile_names: u64,
    pub(crate) tokens: u64,
    /// Where those are.
    pub(crate) kept: Rows,
    /// What is being waited for; a sentence.
    pub(crate) waiting: Option<String>,
    /// What went wrong, and what to do; a sentence.
    pub(crate) note: Option<String>,
    pub(crate) is_paused: bool,
    pub(crate) stopped: Option<Stopped>,
}

/// Why no more parts are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// They would all meet the failure that one met. Their rows fail.
    GivenUp,
    /// The operator said so. Nothing becomes of their rows.
    Cancelled,
    /// Nobody looks any more, and nobody is told.
    Abandoned,
}

/// Said where a file was not registered to its end.
const FINISH_LATER: &str = "Upload the same file to continue; devices already registered are kept.";

/// One file on its way. The tokens and errors that came back are gathered here, and nowhere else.
#[derive(Clone)]
pub(crate) struct Upload {
    file: CheckedFile,
    missing_fields: FieldSet,
    parts: Rc<[PartRange]>,
    devices: u64,
    group: Option<String>,
    registration: Rc<Cell<Option<Uuid>>>,
    /// Attempts at parts so far, in all passes: so each attempt at a part has a higher number than those before it.
    attempts: Rc<Cell<u32>>,
    stopped: Rc<Cell<Option<Stopped>>>,
    /// The failure of the parts that are no longer sent, if the upload was given up.
    given_up_by: Rc<RefCell<Option<Failure>>>,
    pub(crate) tokens: Gathered,
    pub(crate) errors: Gathered,
    progress: RwSignal<Progress>,
}

/// The failure in the words of the dialog and of `errors.csv`. After the session has ended, the rest of the file has to
/// be uploaded again, so this must not say that nothing is lost.
fn sentence_of(failure: &Failure) -> String {
    if *failure == Failure::SignedOut {
        return "Your session has ended. Sign in in another tab.".to_owned();
    }
    failure.full_sentence()
}

/// What a pass over the file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// To register its devices.
    Register,
    /// To give new tokens to those that were registered before and have never connected.
    Renew,
}

impl Upload {
    /// An upload of a file that the check found clean; its tokens go to `tokens`, and `progress` tells how it stands.
    pub(crate) fn new(
        file: File,
        copy: FileCopy,
        report: &Report,
        group: Option<String>,
        tokens: Gathered,
        progress: RwSignal<Progress>,
    ) -> Self {
        progress.set(Progress { rows: report.rows, ..Progress::default() });
        Self {
            file: CheckedFile { file, copy, layout: report.layout.clone() },
            missing_fields: report.missing_fields,
            parts: report.parts.clone().into(),
            devices: report.devices,
            group,
            registration: Rc::default(),
            attempts: Rc::default(),
            stopped: Rc::default(),
            given_up_by: Rc::default(),
            tokens,
            errors: Gathered::new(errors_csv::HEADER),
            progress,
        }
    }

    /// Goes over the whole file once.
    pub(crate) async fn run(&self, pass: Pass) {
        self.stopped.set(None);
        self.given_up_by.take();
        self.tell(|progress| {
            progress.rows_done = 0;
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
        let mut done = stream::iter(self.parts.iter().enumerate())
            .map(|(number, range)| self.send(pass, registration, number as u32, *range))
            .buffered(PARTS_AT_ONCE);
        while let Some((range, outcome)) = done.next().await {
            self.count(pass, range, outcome).await;
        }
        drop(done);
        self.tokens.commit().await;
        self.tell(|progress| progress.kept = self.tokens.rows());
        let is_whole = pass == Pass::Register && self.stopped.get().is_none();
        if let Some(registration) = registration.filter(|_| is_whole) {
            // A registration that is not marked as finished shows as such, and is no less registered.
            let _ = self.retried(|_| finish_registration(registration)).await;
        }
    }

    /// The registration of this upload; the second pass goes on with that of the first.
    async fn begin(&self) -> Result<Uuid, Failure> {
        if let Some(registration) = self.registration.get() {
            return Ok(registration);
        }
        let parts = self.parts.len() as u32;
        let begun = self
            .retried(|_| begin_registration(self.file.file.name(), self.devices, parts, self.group.clone()))
            .await?;
        self.registration.set(Some(begun));
        Ok(begun)
    }

    async fn send(
        &self,
        pass: Pass,
        registration: Option<Uuid>,
        number: u32,
        range: PartRange,
    ) -> (PartRange, Result<PartDone, Failure>) {
        while self.stopped.get().is_none()
            && self.progress.try_with_untracked(|progress| progress.is_paused) == Some(true)
        {
            gloo_timers::future::TimeoutFuture::new(retry::LOOK_MS).await;
        }
        let Some(registration) = registration.filter(|_| self.stopped.get().is_none()) else {
            return (range, Err(self.given_up_by.borrow().clone().unwrap_or(Failure::Unavailable)));
        };
        let bytes = match self.file.part(range).await {
            Ok(bytes) => bytes,
            Err(sentence) => {
                let failure = Failure::Refused(sentence);
                self.give_up(&failure);
                return (range, Err(failure));
            }
        };
        let part = Part {
            registration,
            number,
            attempt: 0,
            renew: pass == Pass::Renew,
            layout: self.file.layout.clone(),
            missing_fields: self.missing_fields,
            first_line: range.first_line,
            bytes,
        };
        let attempt = || {
            self.attempts.set(self.attempts.get() + 1);
            register_part(Part { attempt: self.attempts.get(), ..part.clone() })
        };
        let outcome = self.retried(|_| attempt()).await;
        if let Err(failure) = &outcome
            && !matches!(failure, Failure::Refused(_))
        {
            self.give_up(failure);
        }
        (range, outcome)
    }

    async fn retried<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        send: impl FnMut(u32) -> F,
    ) -> Result<T, Failure> {
        let waiting = |waiting| self.tell(|progress| progress.waiting = waiting);
        let outcome = retry::retried(send, || self.stopped.get().is_some(), waiting).await;
        if outcome.is_err() {
            waiting(None);
        }
        outcome
    }

    /// Updates the progress while the dialog is open.
    fn tell(&self, change: impl FnOnce(&mut Progress)) {
        if !self.is_abandoned() {
            self.progress.try_update(change);
        }
    }

    /// Holds the parts that were not sent yet, or lets them go on.
    pub(crate) fn pause(&self, is_paused: bool) {
        self.tell(|progress| progress.is_paused = is_paused);
    }

    /// No more parts are sent. Those under way are registered, and their tokens come back.
    pub(crate) fn cancel(&self) {
        if self.stop(Stopped::Cancelled) {
            self.tell(|progress| progress.note = Some(format!("Stopped. {FINISH_LATER}")));
        }
        self.pause(false);
    }

    /// No more parts are sent, and nobody is told of those under way.
    pub(crate) fn abandon(&self) {
        self.stopped.set(Some(Stopped::Abandoned));
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.stopped.get() == Some(Stopped::Abandoned)
    }

    /// No more parts are sent: those that follow would meet the same failure, each after a long wait.
    fn give_up(&self, failure: &Failure) {
        if self.stop(Stopped::GivenUp) {
            *self.given_up_by.borrow_mut() = Some(failure.clone());
            // What was refused would be refused again.
            let next = match failure {
                Failure::Refused(_) | Failure::Internal => "Devices already registered are kept.",
                Failure::SignedOut
                | Failure::Unavailable
                | Failure::Superseded
                | Failure::Lost
                | Failure::TooMany { .. } => FINISH_LATER,
            };
            self.tell(|progress| progress.note = Some(format!("{} {next}", sentence_of(failure))));
        }
    }

    /// Sends no more parts, for the first reason that there is. False: there was one already.
    fn stop(&self, why: Stopped) -> bool {
        let is_first = self.stopped.get().is_none();
        if is_first {
            self.stopped.set(Some(why));
            self.tell(|progress| progress.stopped = Some(why));
        }
        is_first
    }

    async fn count(&self, pass: Pass, range: PartRange, outcome: Result<PartDone, Failure>) {
        match outcome {
            _ if self.is_abandoned() => {}
            Ok(done) => {
                let mut kept = self.tokens.push(&done.tokens, u64::from(done.token_count)).await;
                if pass == Pass::Register && kept.is_ok() {
                    kept = self.errors.push(&done.errors, u64::from(done.failed)).await;
                }
                if let Err(sentence) = kept {
                    self.give_up(&Failure::Refused(sentence));
                }
                self.tell(|progress| {
                    progress.kept = self.tokens.rows();
                    progress.rows_done += u64::from(range.rows);
                    progress.tokens = progress.kept.written + progress.kept.kept;
                    match pass {
                        Pass::Register => {
                            progress.registered += u64::from(done.registered);
                            progress.already += u64::from(done.already);
                            progress.already_never_connected += u64::from(done.already_never_connected);
                            progress.failed += u64::from(done.failed);
                            progress.fragile_names += u64::from(done.fragile_names);
                        }
                        Pass::Renew => {
                            progress.already_never_connected =
                                progress.already_never_connected.saturating_sub(u64::from(done.token_count));
                        }
                    }
                });
            }
            Err(failure) if failure.is_temporary() && self.stopped.get() == Some(Stopped::Cancelled) => {}
            Err(failure) if pass == Pass::Register => {
                // The design's sentence for a server that cannot now, whichever way that showed.
                let sentence =
                    if failure.is_temporary() { Failure::UNAVAILABLE.to_owned() } else { sentence_of(&failure) };
                let (failed, fragile_names) = self.file.failed_rows(range, &sentence).await;
                if let Err(sentence) = self.errors.push(&failed, u64::from(range.rows)).await {
                    self.give_up(&Failure::Refused(sentence));
                }
                self.tell(|progress| {
                    progress.rows_done += u64::from(range.rows);
                    progress.failed += u64::from(range.rows);
                    progress.fragile_names += fragile_names;
                });
            }
            Err(_) => self.tell(|progress| progress.rows_done += u64::from(range.rows)),
        }
    }
}

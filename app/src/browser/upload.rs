//! Sends a checked file to the server: in parts, several under way, each registered whole or not at all.

use super::{file, retry, save::Gathered};
use crate::fns::{
    Failure,
    registrations::{Part, PartDone, begin_registration, finish_registration, register_part},
};
use futures_util::{StreamExt, stream};
use leptos::prelude::*;
use muster_domain::{Layout, PartRange, Problem, Reader, Report, Row, Sink, errors_csv, tokens_csv};
use std::{cell::Cell, rc::Rc};
use uuid::Uuid;
use web_sys::File;

/// Parts under way at once. On SQLite, the server stores those that wait in one transaction, and more are quicker that
/// way; two such uploads are as many as the server takes.
const PARTS_AT_ONCE: usize = 6;

/// How an upload stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) rows: u64,
    pub(crate) rows_done: u64,
    pub(crate) registered: u64,
    pub(crate) already: u64,
    pub(crate) already_never_connected: u64,
    pub(crate) failed: u64,
    pub(crate) tokens: u64,
    /// What is being waited for, or what went wrong; a sentence.
    pub(crate) note: Option<String>,
    pub(crate) is_paused: bool,
}

/// Why no more parts are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    /// They would all meet the failure that one met. Their rows fail.
    GivenUp,
    /// The operator said so. Nothing becomes of their rows.
    Cancelled,
}

/// Said where a file was not registered to its end.
const FINISH_LATER: &str = "Upload the same file again to finish: what is registered stays so.";

/// One file on its way. The tokens and errors that came back are gathered here, and nowhere else.
#[derive(Clone)]
pub(crate) struct Upload {
    file: File,
    layout: Layout,
    parts: Rc<[PartRange]>,
    devices: u64,
    group: Option<String>,
    registration: Rc<Cell<Option<Uuid>>>,
    stopped: Rc<Cell<Option<Stopped>>>,
    pub(crate) tokens: Gathered,
    pub(crate) errors: Gathered,
    progress: RwSignal<Progress>,
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
    /// An upload of a file that the check found clean; `progress` tells how it stands.
    pub(crate) fn new(file: File, report: &Report, group: Option<String>, progress: RwSignal<Progress>) -> Self {
        progress.set(Progress { rows: report.rows, ..Progress::default() });
        Self {
            file,
            layout: report.layout.clone(),
            parts: report.parts.clone().into(),
            devices: report.devices,
            group,
            registration: Rc::default(),
            stopped: Rc::default(),
            tokens: Gathered::new(tokens_csv::HEADER),
            errors: Gathered::new(errors_csv::HEADER),
            progress,
        }
    }

    /// Goes over the whole file once.
    pub(crate) async fn run(&self, pass: Pass) {
        self.stopped.set(None);
        self.progress.update(|progress| {
            progress.rows_done = 0;
            progress.note = None;
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
        if let Some(registration) = registration.filter(|_| self.stopped.get().is_none()) {
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
        let begun =
            self.retried(|_| begin_registration(self.file.name(), self.devices, parts, self.group.clone())).await?;
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
        // Where the page is gone, nobody could let it go on.
        while self.progress.try_with_untracked(|progress| progress.is_paused).unwrap_or(false) {
            gloo_timers::future::TimeoutFuture::new(retry::LOOK_MS).await;
        }
        let Some(registration) = registration.filter(|_| self.stopped.get().is_none()) else {
            return (range, Err(Failure::Unavailable));
        };
        let bytes = match file::bytes(&self.file, range.start as f64, range.end as f64).await {
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
            layout: self.layout.clone(),
            first_line: range.first_line,
            bytes,
        };
        let outcome = self.retried(|attempt| register_part(Part { attempt, ..part.clone() })).await;
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
        let note = |note| self.progress.update(|progress| progress.note = note);
        retry::retried(send, || self.stopped.get().is_some(), note).await
    }

    /// Holds the parts that were not sent yet, or lets them go on.
    pub(crate) fn pause(&self, is_paused: bool) {
        self.progress.update(|progress| progress.is_paused = is_paused);
    }

    /// No more parts are sent. Those under way are registered, and their tokens come back.
    pub(crate) fn cancel(&self) {
        self.stop(Stopped::Cancelled);
        self.pause(false);
        self.progress.update(|progress| {
            progress.note = Some(format!("Cancelled. {FINISH_LATER}"));
        });
    }

    /// No more parts are sent: those that follow would meet the same failure, each after a long wait.
    fn give_up(&self, failure: &Failure) {
        if self.stop(Stopped::GivenUp) {
            let sentence = failure.sentence();
            let stop = if sentence.ends_with('.') { "" } else { "." };
            self.progress.update(|progress| progress.note = Some(format!("{sentence}{stop} {FINISH_LATER}")));
        }
    }

    /// Sends no more parts, for the first reason that there is. False: there was one already.
    fn stop(&self, why: Stopped) -> bool {
        let is_first = self.stopped.get().is_none();
        if is_first {
            self.stopped.set(Some(why));
        }
        is_first
    }

    async fn count(&self, pass: Pass, range: PartRange, outcome: Result<PartDone, Failure>) {
        match outcome {
            Ok(done) => {
                self.tokens.push(&done.tokens);
                if pass == Pass::Register {
                    self.errors.push(&done.errors);
                }
                self.progress.update(|progress| {
                    progress.rows_done += u64::from(range.rows);
                    progress.tokens += u64::from(done.token_count);
                    match pass {
                        Pass::Register => {
                            progress.registered += u64::from(done.registered);
                            progress.already += u64::from(done.already);
                            progress.already_never_connected += u64::from(done.already_never_connected);
                            progress.failed += u64::from(done.failed);
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
                    if failure.is_temporary() { Failure::UNAVAILABLE.to_owned() } else { failure.sentence() };
                if let Ok(bytes) = file::bytes(&self.file, range.start as f64, range.end as f64).await {
                    self.errors.push(&failed_rows(self.layout.clone(), range.first_line, &bytes, &sentence));
                }
                self.progress.update(|progress| {
                    progress.rows_done += u64::from(range.rows);
                    progress.failed += u64::from(range.rows);
                });
            }
            Err(_) => self.progress.update(|progress| progress.rows_done += u64::from(range.rows)),
        }
    }
}

/// The rows of a part that could not be sent, as they stand in `errors.csv`.
fn failed_rows(layout: Layout, first_line: u64, bytes: &[u8], sentence: &str) -> Vec<u8> {
    struct Failed<'a>(Vec<u8>, &'a str);
    impl Sink for Failed<'_> {
        fn row(&mut self, row: &Row<'_>) {
            errors_csv::push_row(&mut self.0, row.fields(), row.line(), self.1);
        }
        fn problem(&mut self, _: Problem) {}
    }
    let mut failed = Failed(Vec::new(), sentence);
    let mut reader = Reader::resume(layout, first_line);
    reader.push(bytes, &mut failed);
    reader.finish(&mut failed);
    failed.0
}

//! Sends a checked file to the server: in parts, several under way, each registered whole or not at all.

use super::{file, save::Gathered};
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

/// Parts under way at once. The server does one at a time on SQLite, and more hide the way there and back.
const PARTS_AT_ONCE: usize = 3;

/// How often a part is sent before its rows fail. With the pauses below that is three quarters of a minute.
const MAX_ATTEMPTS: u32 = 8;

/// The pause before the first retry; each is twice the one before, up to [`MAX_PAUSE_MS`], and jittered.
const FIRST_PAUSE_MS: u32 = 500;
const MAX_PAUSE_MS: u32 = 15_000;

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
}

/// One file on its way. The tokens and errors that came back are gathered here, and nowhere else.
#[derive(Clone)]
pub(crate) struct Upload {
    file: File,
    layout: Layout,
    parts: Rc<[PartRange]>,
    devices: u64,
    group: Option<String>,
    registration: Rc<Cell<Option<Uuid>>>,
    has_given_up: Rc<Cell<bool>>,
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
            has_given_up: Rc::default(),
            tokens: Gathered::new(tokens_csv::HEADER),
            errors: Gathered::new(errors_csv::HEADER),
            progress,
        }
    }

    /// Goes over the whole file once.
    pub(crate) async fn run(&self, pass: Pass) {
        self.has_given_up.set(false);
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
        if let Some(registration) = registration.filter(|_| !self.has_given_up.get()) {
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
        let Some(registration) = registration.filter(|_| !self.has_given_up.get()) else {
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

    /// Tries until it works, or until the failure is no temporary one, or until it has been tried often enough.
    async fn retried<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        mut send: impl FnMut(u32) -> F,
    ) -> Result<T, Failure> {
        let mut attempt = 1;
        loop {
            let failure = match send(attempt).await {
                Ok(done) => {
                    if attempt > 1 {
                        self.progress.update(|progress| progress.note = None);
                    }
                    return Ok(done);
                }
                Err(failure) => failure,
            };
            if !failure.is_temporary() || attempt == MAX_ATTEMPTS || self.has_given_up.get() {
                return Err(failure);
            }
            let pause_ms = pause_ms(attempt, js_sys::Math::random());
            self.progress.update(|progress| {
                progress.note =
                    Some(format!("The server does not answer. Trying again in {} s…", pause_ms.div_ceil(1_000)));
            });
            gloo_timers::future::TimeoutFuture::new(pause_ms).await;
            attempt += 1;
        }
    }

    /// No more parts are sent: those that follow would meet the same failure, each after a long wait.
    fn give_up(&self, failure: &Failure) {
        self.has_given_up.set(true);
        let again = "Upload the same file again to finish: what is registered stays so.";
        let sentence = failure.sentence();
        let stop = if sentence.ends_with('.') { "" } else { "." };
        self.progress.update(|progress| progress.note = Some(format!("{sentence}{stop} {again}")));
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

/// The pause after this attempt: doubled each time, and between half and all of that, so that many browsers
/// that lost one server do not all come back at the same moment.
fn pause_ms(attempt: u32, random: f64) -> u32 {
    let full = FIRST_PAUSE_MS.saturating_mul(1 << (attempt - 1).min(16)).min(MAX_PAUSE_MS);
    full / 2 + (f64::from(full / 2) * random) as u32
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let check = |attempt: u32, shortest: u32, longest: u32| {
            assert_eq!((pause_ms(attempt, 0.0), pause_ms(attempt, 1.0)), (shortest, longest));
        };
        check(1, 250, 500);
        check(2, 500, 1_000);
        check(5, 4_000, 8_000);
        check(7, 7_500, 15_000);
        check(60, 7_500, 15_000);
    }
}

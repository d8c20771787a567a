//! An action on many devices, as a dialog shows it: its progress, and how it is stopped and continued.

use crate::{
    alert::alert_text,
    browser::{calls::Calls, clock::BrowserClock},
    fns::Failure,
    format::{count, thousands},
};
use leptos::{prelude::*, task::spawn_local};
use muster_client::retried;
use muster_domain::{CallOutcome, Targets};
use send_wrapper::SendWrapper;

/// The stage of a job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing has been done yet.
    Asking,
    Working,
    /// Between two calls: the operator stopped it, or a call failed.
    Stopped,
    Done,
}

/// An action on the chosen devices. It belongs to the dialog, and is reused each time the dialog is opened.
#[derive(Clone, Copy)]
pub(super) struct Job {
    pub(super) stage: RwSignal<Stage>,
    /// How many devices are done.
    pub(super) devices: RwSignal<u64>,
    /// What is being waited for, or what went wrong.
    pub(super) note: RwSignal<Option<String>>,
    is_stopping: RwSignal<bool>,
    calls: StoredValue<Option<SendWrapper<Calls>>>,
    /// Counts how often the dialog was opened, so that a call of an earlier opening is ignored.
    opening: StoredValue<u32>,
}

impl Job {
    pub(super) fn new() -> Self {
        Self {
            stage: RwSignal::new(Stage::Asking),
            devices: RwSignal::new(0),
            note: RwSignal::new(None),
            is_stopping: RwSignal::new(false),
            calls: StoredValue::new(None),
            opening: StoredValue::new(0),
        }
    }

    /// Starts over; a running call is ignored.
    pub(super) fn reset(self) {
        self.opening.update_value(|opening| *opening += 1);
        self.stage.set(Stage::Asking);
        self.devices.set(0);
        self.note.set(None);
        self.is_stopping.set(false);
        self.calls.set_value(None);
    }

    pub(super) fn is_working(self) -> bool {
        self.stage.get() == Stage::Working
    }

    /// Processes these devices, or continues where it stopped.
    ///
    /// `call` sends the next devices to the server, again if there was no response. `take` takes each response once; the
    /// sentence of its error stops the job. `ended` is called before the stage becomes `Stopped` or `Done`.
    pub(super) fn run<T, F: Future<Output = Result<T, Failure>>>(
        self,
        targets: Targets,
        call: impl Fn(Targets) -> F + 'static,
        take: impl AsyncFn(T) -> Result<CallOutcome, String> + 'static,
        ended: impl AsyncFnOnce(Stage) -> Result<(), String> + 'static,
    ) {
        if matches!(self.stage.get_untracked(), Stage::Working | Stage::Done) {
            return;
        }
        let mut calls = self.calls.get_value().map_or_else(|| Calls::new(targets), SendWrapper::take);
        self.stage.set(Stage::Working);
        self.note.set(None);
        self.is_stopping.set(false);
        let opening = self.opening.get_value();
        // Not if the dialog was closed, or the page was left.
        let is_shown = move || self.opening.try_get_value() == Some(opening);
        let has_given_up = move || !is_shown() || self.is_stopping.try_get_untracked().unwrap_or(true);
        let note = move |note| {
            if is_shown() {
                self.note.try_set(note);
            }
        };
        spawn_local(async move {
            let mut stage = loop {
                let Some(targets) = calls.next() else { break Stage::Done };
                if has_given_up() {
                    break Stage::Stopped;
                }
                let answer = retried(&BrowserClock, || call(targets.clone()), has_given_up, note).await;
                if !is_shown() {
                    return;
                }
                let outcome = match answer {
                    Ok(answer) => take(answer).await,
                    Err(failure) => Err(failure.sentence()),
                };
                if !is_shown() {
                    return;
                }
                match outcome {
                    Ok(outcome) => {
                        self.devices.update(|devices| *devices += outcome.devices);
                        calls.done(&outcome);
                    }
                    Err(sentence) => {
                        note(Some(sentence));
                        break Stage::Stopped;
                    }
                }
            };
            if !is_shown() {
                return;
            }
            if let Err(sentence) = ended(stage).await {
                note(Some(sentence));
                stage = Stage::Stopped;
            }
            if is_shown() {
                self.calls.set_value(Some(SendWrapper::new(calls)));
                self.stage.set(stage);
            }
        });
    }

    /// Stops before the next call.
    pub(super) fn stop(self) {
        self.is_stopping.set(true);
    }
}

/// The progress of a job, once it has begun, and the button that stops it. `total` is how many devices were chosen.
#[component]
pub(super) fn JobProgress(job: Job, #[prop(into)] total: Signal<u64>) -> impl IntoView {
    let devices = move || job.devices.get();
    let has_begun = move || job.stage.get() != Stage::Asking;
    let status = move || match job.stage.get() {
        Stage::Asking => String::new(),
        Stage::Working if job.is_stopping.get() => "Stopping…".to_owned(),
        Stage::Working => format!("{} of {}", thousands(devices()), count(total.get(), "device", "devices")),
        Stage::Stopped => format!("Stopped after {}.", count(devices(), "device", "devices")),
        Stage::Done => format!("Done: {}.", count(devices(), "device", "devices")),
    };
    view! {
        // A screen reader announces the status, because the element is in the page before its text.
        <div class="row job">
            <Show when=has_begun>
                <progress aria-label="Progress" max=move || total.get().max(1).to_string()
                    value=move || if job.stage.get() == Stage::Done { total.get().max(1) } else { devices() }.to_string()></progress>
            </Show>
            <span class="faint" role="status">{status}</span>
            <Show when=move || job.is_working()>
                <button type="button" class="quiet" aria-disabled=move || job.is_stopping.get().to_string() on:click=move |_| job.stop()>"Stop"</button>
            </Show>
        </div>
        <p class="problem" role="alert">{move || alert_text(job.note.get())}</p>
    }
    .into_any()
}

//! Something done to many devices, as a dialog shows it: how far it is, stopping it, and going on.

use crate::{
    alert::alert_text,
    browser::{calls::Calls, clock::BrowserClock},
    fns::Failure,
    when::{count, thousands},
};
use leptos::{prelude::*, task::spawn_local};
use muster_client::retried;
use muster_domain::{CallOutcome, Targets};
use send_wrapper::SendWrapper;

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing has been done yet.
    Asking,
    Working,
    /// Between two calls: the operator said so, or a call failed.
    Stopped,
    Done,
}

/// One thing that is done to the chosen devices. It belongs to the dialog, and outlives its opening.
#[derive(Clone, Copy)]
pub(super) struct Job {
    pub(super) stage: RwSignal<Stage>,
    /// The devices that it was done to.
    pub(super) devices: RwSignal<u64>,
    /// What is being waited for, or what went wrong.
    pub(super) note: RwSignal<Option<String>>,
    is_stopping: RwSignal<bool>,
    calls: StoredValue<Option<SendWrapper<Calls>>>,
    /// The opening of the dialog: what an earlier one began has no say in it.
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

    /// Does it to these devices, or goes on where it stopped.
    ///
    /// `call` asks the server for the next of them, and again where there was no answer; `take` takes an answer, once,
    /// and fails with a sentence, which stops it. `ended` is called before it shows that it has stopped or is done.
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
        // Neither where the dialog was closed, nor where the page is left behind it.
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
    let said = move || match job.stage.get() {
        Stage::Asking => String::new(),
        Stage::Working if job.is_stopping.get() => "Stopping…".to_owned(),
        Stage::Working => format!("{} of {}", thousands(devices()), count(total.get(), "device", "devices")),
        Stage::Stopped => format!("Stopped after {}.", count(devices(), "device", "devices")),
        Stage::Done => format!("Done: {}.", count(devices(), "device", "devices")),
    };
    view! {
        // What is said here is heard, since the element is there before its text.
        <div class="row job">
            <Show when=has_begun>
                <progress aria-label="Progress" max=move || total.get().max(1).to_string()
                    value=move || if job.stage.get() == Stage::Done { total.get().max(1) } else { devices() }.to_string()></progress>
            </Show>
            <span class="faint" role="status">{said}</span>
            <Show when=move || job.is_working()>
                <button type="button" class="quiet" aria-disabled=move || job.is_stopping.get().to_string() on:click=move |_| job.stop()>"Stop"</button>
            </Show>
        </div>
        <p class="problem" role="alert">{move || alert_text(job.note.get())}</p>
    }
    .into_any()
}

//! Something done to many devices, as a dialog shows it: how far it is, stopping it, and going on.

use crate::{
    browser::{
        calls::{Calls, Targets},
        retry,
    },
    fns::{
        Failure,
        devices::{Chosen, Step},
    },
    when::{count, thousands},
};
use leptos::{prelude::*, task::spawn_local};
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
    note: RwSignal<Option<String>>,
    is_stopping: RwSignal<bool>,
    calls: StoredValue<Option<SendWrapper<Calls>>>,
}

impl Job {
    pub(super) fn new() -> Self {
        Self {
            stage: RwSignal::new(Stage::Asking),
            devices: RwSignal::new(0),
            note: RwSignal::new(None),
            is_stopping: RwSignal::new(false),
            calls: StoredValue::new(None),
        }
    }

    pub(super) fn reset(self) {
        self.stage.set(Stage::Asking);
        self.devices.set(0);
        self.note.set(None);
        self.calls.set_value(None);
    }

    pub(super) fn is_working(self) -> bool {
        self.stage.get() == Stage::Working
    }

    /// Does it to these devices, or goes on where it stopped; `ended` is called when it has stopped or is done.
    pub(super) fn run<F: Future<Output = Result<Step, Failure>>>(
        self,
        targets: Targets,
        call: impl Fn(Chosen) -> F + 'static,
        ended: impl FnOnce() + 'static,
    ) {
        if matches!(self.stage.get_untracked(), Stage::Working | Stage::Done) {
            return;
        }
        let mut calls = self.calls.get_value().map_or_else(|| Calls::new(targets), SendWrapper::take);
        self.stage.set(Stage::Working);
        self.note.set(None);
        self.is_stopping.set(false);
        // It stops, too, where the page is left behind it.
        let has_given_up = move || self.is_stopping.try_get_untracked().unwrap_or(true);
        spawn_local(async move {
            let stage = loop {
                let Some(chosen) = calls.next() else { break Stage::Done };
                if has_given_up() {
                    break Stage::Stopped;
                }
                match retry::retried(|_| call(chosen.clone()), has_given_up, |note| self.note.set(note)).await {
                    Ok(step) => {
                        self.devices.update(|devices| *devices += step.devices);
                        calls.done(&step);
                    }
                    Err(failure) => {
                        self.note.set(Some(failure.sentence()));
                        break Stage::Stopped;
                    }
                }
            };
            if self.stage.is_disposed() {
                return;
            }
            self.calls.set_value(Some(SendWrapper::new(calls)));
            self.stage.set(stage);
            ended();
        });
    }

    /// Stops before the next call.
    fn stop(self) {
        self.is_stopping.set(true);
    }
}

/// The progress of a job, once it has begun, and the button that stops it. `total` is how many devices were chosen.
#[component]
pub(super) fn JobProgress(job: Job, #[prop(into)] total: Signal<u64>) -> impl IntoView {
    let devices = move || job.devices.get();
    let said = move || match job.stage.get() {
        Stage::Asking => String::new(),
        Stage::Working if job.is_stopping.get() => "Stopping…".to_owned(),
        Stage::Working => format!("{} of {}", thousands(devices()), count(total.get(), "device", "devices")),
        Stage::Stopped => format!("Stopped after {}.", count(devices(), "device", "devices")),
        Stage::Done => format!("Done: {}.", count(devices(), "device", "devices")),
    };
    view! {
        <Show when=move || job.stage.get() != Stage::Asking>
            <div class="row">
                <progress aria-label="Progress" max=move || total.get().max(1).to_string()
                    value=move || if job.stage.get() == Stage::Done { total.get().max(1) } else { devices() }.to_string()></progress>
                <span class="faint" role="status">{said}</span>
                <Show when=move || job.is_working()>
                    <button type="button" class="quiet" aria-disabled=move || job.is_stopping.get().to_string() on:click=move |_| job.stop()>"Stop"</button>
                </Show>
            </div>
        </Show>
        <p class="problem" role="alert">{move || job.note.get()}</p>
    }
    .into_any()
}

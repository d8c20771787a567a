//! *Register devices*: choose a file, see what is in it, upload it, save the tokens.

mod checked;
mod choose;
mod status;

use super::{Modal, modal::keep_focus};
use crate::{
    browser::{
        check::{self, RunningCheck, Told},
        leaving::ask_before_leaving,
        upload::{Pass, Progress, Upload},
    },
    fns::registrations::{UnknownModel, unknown_models},
};
use checked::CheckedView;
use choose::{CheckingView, ChooseView};
use leptos::{prelude::*, task::spawn_local};
use muster_domain::{MAX_FILE_BYTES, Report};
use send_wrapper::SendWrapper;
use status::StatusView;
use std::sync::Arc;
use web_sys::File;

/// How far the person has come.
#[derive(Clone, PartialEq)]
enum Step {
    /// No file yet; or the last one could not be taken, and why.
    Choose { problem: Option<String> },
    /// A file is being checked.
    Checking { name: String, read: f64, size: f64 },
    /// A file is checked.
    Checked { name: String, report: Arc<Report> },
    /// It is on its way, or done.
    Status { is_done: bool },
}

/// What the steps share. Everything in it is gone when the dialog closes. What only a browser has is wrapped, since
/// the server, which renders the closed dialog, hands values from thread to thread.
#[derive(Clone, Copy)]
struct Dialog {
    step: RwSignal<Step>,
    /// The names the account does not have; `None` while that is being asked.
    unknown: RwSignal<Option<Vec<UnknownModel>>>,
    group: RwSignal<String>,
    file: StoredValue<Option<SendWrapper<File>>>,
    check: StoredValue<Option<SendWrapper<RunningCheck>>>,
    upload: StoredValue<Option<SendWrapper<Upload>>>,
    progress: RwSignal<Progress>,
    is_saved: RwSignal<bool>,
    is_asking_to_close: RwSignal<bool>,
    /// Called when devices were registered.
    done: Callback<()>,
}

impl Dialog {
    fn new(done: Callback<()>) -> Self {
        Self {
            step: RwSignal::new(Step::Choose { problem: None }),
            unknown: RwSignal::new(None),
            group: RwSignal::new(String::new()),
            file: StoredValue::new(None),
            check: StoredValue::new(None),
            upload: StoredValue::new(None),
            progress: RwSignal::new(Progress::default()),
            is_saved: RwSignal::new(false),
            is_asking_to_close: RwSignal::new(false),
            done,
        }
    }

    fn reset(self) {
        self.check.set_value(None);
        self.upload.set_value(None);
        self.file.set_value(None);
        self.step.set(Step::Choose { problem: None });
        self.unknown.set(None);
        self.group.set(String::new());
        self.is_saved.set(false);
        self.is_asking_to_close.set(false);
    }

    /// A file was chosen or dropped: its check begins at once.
    fn take(self, taken: Result<File, String>) {
        let file = match taken {
            Ok(file) => file,
            Err(sentence) => return self.step.set(Step::Choose { problem: Some(sentence) }),
        };
        if file.size() > MAX_FILE_BYTES as f64 {
            let problem = format!(
                "{} is larger than 256 MiB, the most a registration file may have. Split it into several files.",
                file.name()
            );
            return self.step.set(Step::Choose { problem: Some(problem) });
        }
        let (name, size) = (file.name(), file.size());
        self.unknown.set(None);
        self.step.set(Step::Checking { name: name.clone(), read: 0.0, size });
        let started = check::start(&file, move |told| match told {
            Told::Read(read) => self.step.set(Step::Checking { name: name.clone(), read, size }),
            Told::Failed(sentence) => {
                self.step.set(Step::Choose { problem: Some(format!("{name}: {sentence}")) });
            }
            Told::Report(report) => self.checked(name.clone(), Arc::new(*report)),
        });
        self.file.set_value(Some(SendWrapper::new(file)));
        match started {
            Ok(running) => self.check.set_value(Some(SendWrapper::new(running))),
            Err(sentence) => self.step.set(Step::Choose { problem: Some(sentence) }),
        }
    }

    fn checked(self, name: String, report: Arc<Report>) {
        let models: Vec<_> = report.models.iter().map(|model| model.name.clone()).take(1_000).collect();
        let is_clean = report.is_clean();
        self.step.set(Step::Checked { name, report });
        if is_clean {
            spawn_local(async move {
                // Where the server does not answer, the upload will tell what it would have told.
                self.unknown.set(Some(unknown_models(models).await.unwrap_or_default()));
            });
        }
    }

    fn begin_upload(self) {
        let Step::Checked { report, .. } = self.step.get_untracked() else { return };
        let Some(file) = self.file.get_value().filter(|_| report.is_clean()) else { return };
        self.check.set_value(None);
        let group = Some(self.group.get_untracked().trim().to_owned()).filter(|group| !group.is_empty());
        let upload = Upload::new(file.take(), &report, group, self.progress);
        self.upload.set_value(Some(SendWrapper::new(upload)));
        self.run(Pass::Register);
    }

    fn run(self, pass: Pass) {
        let Some(upload) = self.upload.get_value() else { return };
        self.step.set(Step::Status { is_done: false });
        self.is_saved.set(false);
        spawn_local(async move {
            upload.run(pass).await;
            self.step.set(Step::Status { is_done: true });
            self.done.run(());
        });
    }

    fn would_lose(self) -> bool {
        match self.step.get() {
            Step::Status { is_done: false } => true,
            Step::Status { is_done: true } => {
                self.progress.with(|progress| progress.tokens > 0) && !self.is_saved.get()
            }
            Step::Choose { .. } | Step::Checking { .. } | Step::Checked { .. } => false,
        }
    }
}

/// The dialog. A file that was dropped on the page outside it comes in through `dropped`.
#[component]
pub(crate) fn RegisterDialog(
    is_open: RwSignal<bool>,
    dropped: RwSignal<Option<Result<SendWrapper<File>, String>>>,
    done: Callback<()>,
) -> impl IntoView {
    let dialog = Dialog::new(done);
    let would_lose = Signal::derive(move || dialog.would_lose());
    ask_before_leaving(would_lose);
    Effect::new(move || {
        if !is_open.get() {
            dialog.reset();
        }
    });
    Effect::new(move || {
        if let Some(taken) = dropped.get() {
            dropped.set(None);
            is_open.set(true);
            dialog.take(taken.map(SendWrapper::take));
        }
    });
    let title = Signal::derive(move || match dialog.step.get() {
        Step::Status { .. } => "Registration status".to_owned(),
        Step::Choose { .. } | Step::Checking { .. } | Step::Checked { .. } => "Register devices".to_owned(),
    });
    // The step as such, so that a moving progress bar does not build the whole view again and again.
    let kind = Memo::new(move |_| dialog.step.with(std::mem::discriminant));
    Effect::new(move || {
        let _ = kind.get();
        keep_focus("register-title");
    });
    view! {
        <Modal id="register-title" title is_open would_lose ask=Callback::new(move |()| dialog.is_asking_to_close.set(true))>
            {move || {
                // Reading it, not just tracking it: a memo that nobody reads follows nothing.
                let _ = kind.get();
                match dialog.step.get_untracked() {
                    Step::Choose { .. } => view! { <ChooseView dialog /> }.into_any(),
                    Step::Checking { .. } => view! { <CheckingView dialog /> }.into_any(),
                    Step::Checked { name, report } => view! { <CheckedView dialog name report /> }.into_any(),
                    Step::Status { .. } => view! { <StatusView dialog is_open /> }.into_any(),
                }
            }}
        </Modal>
    }
    .into_any()
}

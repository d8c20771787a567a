//! *Register devices*: choose a file, see what is in it, upload it, save the tokens.

mod checked;
mod choose;
mod comparison;
mod lookup;
mod mapping;
mod problems;
mod status;
mod verdict;

use super::{Modal, modal::keep_focus};
use crate::browser::{
    check::{self, CheckEvent, CheckFailure, CheckWorker, Purpose},
    checked_file::{CheckedFile, FileCopy},
    save::{CollectedRows, Rows, save_whole},
    upload::{BrowserResults, Upload, dry_run, new_upload},
};
use checked::CheckedView;
use choose::{CheckingView, ChooseView};
use leptos::{prelude::*, task::spawn_local};
use lookup::{Comparison, Lookup};
use muster_client::{Pass, Progress};
use muster_domain::{
    Cause, CheckReport, GroupName, GroupNameProblem, MAX_DEVICES_PER_CALL, MAX_FILE_BYTES, Problem, ReadOptions,
    errors_csv, tokens_csv,
};
use send_wrapper::SendWrapper;
use status::StatusView;
use std::sync::Arc;
use verdict::{Tone, Verdict};
use web_sys::File;

/// How far the person has come.
#[derive(Clone, PartialEq)]
enum Step {
    /// No file yet; or the last one could not be taken, why, and whether checking it again may succeed.
    Choose { problem: Option<String>, can_retry: bool },
    /// A file is being checked. Of a check that is silent nothing was heard for a minute.
    Checking { name: String, read: f64, size: f64, is_silent: bool },
    /// A file is checked.
    Checked { name: String, report: Arc<CheckReport> },
    /// It is on its way, or done.
    Status { is_done: bool },
}

impl Step {
    /// No file yet.
    const CHOOSE: Self = Self::Choose { problem: None, can_retry: false };

    /// A file that cannot be taken, and why.
    fn refused(problem: String) -> Self {
        Self::Choose { problem: Some(problem), can_retry: false }
    }

    fn failed(file: &str, failure: CheckFailure) -> Self {
        let problem = Some(format!("{file}: {}", failure.sentence));
        Self::Choose { problem, can_retry: failure.can_retry }
    }
}

/// What the steps share. Everything in it is gone when the dialog closes. What only a browser has is wrapped, since
/// the server, which renders the closed dialog, hands values from thread to thread.
#[derive(Clone, Copy)]
struct Dialog {
    step: RwSignal<Step>,
    /// The server's answers about the checked file.
    lookup: RwSignal<Lookup>,
    comparison: RwSignal<Comparison>,
    group: RwSignal<String>,
    file: StoredValue<Option<SendWrapper<File>>>,
    /// Its content when it was checked.
    copy: StoredValue<Option<SendWrapper<FileCopy>>>,
    /// How the person wants the file to be read.
    options: StoredValue<ReadOptions>,
    /// Waits for the next file.
    prepared: StoredValue<Option<SendWrapper<CheckWorker>>>,
    check: StoredValue<Option<SendWrapper<CheckWorker>>>,
    /// Lists all problems, for a download.
    listing: StoredValue<Option<SendWrapper<CheckWorker>>>,
    /// How that is going.
    listing_note: RwSignal<Option<String>>,
    upload: StoredValue<Option<SendWrapper<Upload>>>,
    progress: RwSignal<Progress>,
    /// How many tokens of the upload are in the file that the person chose.
    token_rows: RwSignal<Rows>,
    /// Whether the tokens go to a file that the person chooses.
    is_to_disk: RwSignal<bool>,
    /// Why the upload could not begin: the name of the group, or the file for the tokens.
    upload_problem: RwSignal<Option<String>>,
    /// How many of the tokens are in a file, chosen or downloaded.
    saved: RwSignal<u64>,
    is_asking_to_close: RwSignal<bool>,
    /// Called when devices were registered.
    done: Callback<()>,
}

impl Dialog {
    fn new(done: Callback<()>) -> Self {
        Self {
            step: RwSignal::new(Step::CHOOSE),
            lookup: RwSignal::new(Lookup::Pending),
            comparison: RwSignal::new(Comparison::START),
            group: RwSignal::new(String::new()),
            file: StoredValue::new(None),
            copy: StoredValue::new(None),
            options: StoredValue::new(ReadOptions::default()),
            prepared: StoredValue::new(None),
            check: StoredValue::new(None),
            listing: StoredValue::new(None),
            listing_note: RwSignal::new(None),
            upload: StoredValue::new(None),
            progress: RwSignal::new(Progress::default()),
            token_rows: RwSignal::new(Rows::default()),
            is_to_disk: RwSignal::new(false),
            upload_problem: RwSignal::new(None),
            saved: RwSignal::new(0),
            is_asking_to_close: RwSignal::new(false),
            done,
        }
    }

    fn reset(self) {
        self.prepared.set_value(None);
        self.check.set_value(None);
        self.abandon();
        self.file.set_value(None);
        self.copy.set_value(None);
        self.step.set(Step::CHOOSE);
        self.lookup.set(Lookup::Pending);
        self.comparison.set(Comparison::START);
        self.listing.set_value(None);
        self.listing_note.set(None);
        self.group.set(String::new());
        self.is_to_disk.set(false);
        self.upload_problem.set(None);
        self.saved.set(0);
        self.is_asking_to_close.set(false);
    }

    /// An upload that is under way ends: nobody would save its tokens.
    fn abandon(self) {
        if let Some(upload) = self.upload.try_update_value(Option::take).flatten() {
            upload.abandon();
        }
    }

    /// A file may be chosen: the check before it, if there was one, is over.
    fn prepare(self) {
        self.check.set_value(None);
        if self.prepared.with_value(Option::is_none) {
            // Where it fails, it is tried once more with the file.
            self.prepared.set_value(check::prepare().ok().map(SendWrapper::new));
        }
    }

    /// A file was chosen or dropped: its check begins immediately. While tokens are not saved, it is refused, and the
    /// person is asked about them.
    fn take(self, taken: Result<File, String>) {
        if untrack(|| self.would_lose()) {
            return self.is_asking_to_close.set(true);
        }
        let file = match taken {
            Ok(file) => file,
            Err(sentence) => return self.step.set(Step::refused(sentence)),
        };
        if file.size() > MAX_FILE_BYTES as f64 {
            let sentence = Problem::of_file(Cause::FileTooLarge).sentence();
            let problem = format!("{}: {sentence}", file.name());
            return self.step.set(Step::refused(problem));
        }
        self.abandon();
        self.options.set_value(ReadOptions::default());
        self.start_check(file);
    }

    /// The same file is checked again, read in another way.
    fn check_again(self, change: impl FnOnce(&mut ReadOptions)) {
        let Some(file) = self.file.get_value() else { return };
        self.options.update_value(change);
        self.start_check(file.take());
    }

    fn start_check(self, file: File) {
        let (name, size) = (file.name(), file.size());
        self.lookup.set(Lookup::Pending);
        self.comparison.set(Comparison::START);
        self.listing.set_value(None);
        self.listing_note.set(None);
        self.upload_problem.set(None);
        let checking =
            move |name: &str, read, is_silent| Step::Checking { name: name.to_owned(), read, size, is_silent };
        self.step.set(checking(&name, 0.0, false));
        let prepared = self.prepared.try_update_value(Option::take).flatten().map(SendWrapper::take);
        let options = self.options.get_value();
        let (mut read, listener_name) = (0.0, name.clone());
        let started = check::start(prepared, &file, &options, Purpose::Report, move |event| match event {
            CheckEvent::Read(bytes) => {
                read = bytes;
                self.step.set(checking(&listener_name, read, false));
            }
            CheckEvent::Silent => self.step.set(checking(&listener_name, read, true)),
            CheckEvent::Failed(failure) => self.step.set(Step::failed(&listener_name, failure)),
            CheckEvent::Report(report) => self.checked(listener_name.clone(), Arc::new(*report)),
            CheckEvent::Problems(_) => {}
        });
        self.copy.set_value(Some(SendWrapper::new(FileCopy::begin(&file))));
        self.file.set_value(Some(SendWrapper::new(file)));
        match started {
            Ok(running) => self.check.set_value(Some(SendWrapper::new(running))),
            Err(failure) => self.step.set(Step::failed(&name, failure)),
        }
    }

    /// Lists all problems of the file, and downloads the list.
    fn download_problems(self) {
        let Some(file) = self.file.get_value() else { return };
        self.listing_note.set(Some("Preparing problems.csv…".to_owned()));
        let started =
            check::start(None, &file, &self.options.get_value(), Purpose::Problems, move |event| match event {
                CheckEvent::Problems(csv) => {
                    self.listing_note.set(save_whole("problems.csv", &csv).err());
                    // Its memory is as large as the list. Not now: this closure is the worker's.
                    spawn_local(async move { drop(self.listing.try_update_value(Option::take)) });
                }
                CheckEvent::Failed(failure) => self.listing_note.set(Some(failure.sentence)),
                CheckEvent::Read(_) | CheckEvent::Silent | CheckEvent::Report(_) => {}
            });
        match started {
            Ok(running) => self.listing.set_value(Some(SendWrapper::new(running))),
            Err(failure) => self.listing_note.set(Some(failure.sentence)),
        }
    }

    /// Checks the same file again, in a new worker.
    fn try_again(self) {
        // What was prepared meanwhile may have met the same cause.
        self.prepared.set_value(None);
        self.check.set_value(None);
        self.check_again(|_| {});
        // The button that was pressed is gone.
        keep_focus("register-title");
    }

    fn checked(self, name: String, report: Arc<CheckReport>) {
        self.step.set(Step::Checked { name, report: report.clone() });
        if report.is_clean() {
            spawn_local(async move {
                let lookup = Lookup::ask(&report).await;
                if !self.is_shown(&report) {
                    return;
                }
                let is_answered = matches!(lookup, Lookup::Done { .. });
                self.lookup.set(lookup);
                if is_answered {
                    self.compare(&report).await;
                }
            });
        }
    }

    /// Whether the dialog shows this report.
    fn is_shown(self, report: &Arc<CheckReport>) -> bool {
        let is_it = |now: &Step| matches!(now, Step::Checked { report: now, .. } if Arc::ptr_eq(now, report));
        self.step.try_with_untracked(is_it) == Some(true)
    }

    /// Compares the file with the registered devices, until it is uploaded or another is chosen.
    async fn compare(self, report: &Arc<CheckReport>) {
        let Some(file) = self.checked_file() else { return };
        let on_progress = |rows| {
            if self.is_shown(report) {
                self.comparison.set(Comparison::Pending { rows });
            }
        };
        let outcome = dry_run(file, report, || !self.is_shown(report), on_progress).await;
        if !self.is_shown(report) {
            return;
        }
        match outcome {
            Ok(Some(dry_run)) => self.comparison.set(Comparison::Done(dry_run)),
            Ok(None) => {}
            Err(failure) => self.comparison.set(Comparison::failed(&failure)),
        }
    }

    /// The file, and its content when it was checked.
    fn checked_file(self) -> Option<CheckedFile> {
        let copy = self.copy.get_value().map(SendWrapper::take).unwrap_or_default();
        self.file.get_value().map(|file| CheckedFile { file: file.take(), copy })
    }

    fn begin_upload(self) {
        let Step::Checked { report, .. } = self.step.get_untracked() else { return };
        let Some(file) = self.checked_file().filter(|_| report.is_clean()) else { return };
        let group = match self.group_name() {
            Ok(group) => group,
            Err(problem) => return self.upload_problem.set(Some(problem.to_string())),
        };
        let is_to_disk = self.is_to_disk.get_untracked() && report.devices > MAX_DEVICES_PER_CALL as u64;
        if !is_to_disk {
            return self.upload(file, &report, CollectedRows::new(tokens_csv::HEADER), group);
        }
        self.upload_problem.set(None);
        spawn_local(async move {
            let chosen = CollectedRows::to_disk("tokens.csv", tokens_csv::HEADER).await;
            // Meanwhile, another file may have been taken, or the dialog closed.
            if !self.is_shown(&report) {
                return;
            }
            match chosen {
                Ok(tokens) => self.upload(file, &report, tokens, group),
                Err(sentence) => self.upload_problem.set(Some(sentence)),
            }
        });
    }

    /// The group that the devices join, if there is one.
    fn group_name(self) -> Result<Option<GroupName>, GroupNameProblem> {
        let text = self.group.get_untracked();
        if text.trim().is_empty() { Ok(None) } else { GroupName::existing(&text).map(Some) }
    }

    fn upload(self, file: CheckedFile, report: &CheckReport, tokens: CollectedRows, group: Option<GroupName>) {
        self.prepared.set_value(None);
        let results =
            BrowserResults::new(tokens, CollectedRows::new(errors_csv::HEADER), self.progress, self.token_rows);
        let upload = new_upload(file, results, report, group);
        self.upload.set_value(Some(SendWrapper::new(upload)));
        self.saved.set(0);
        self.run(Pass::Register);
    }

    fn run(self, pass: Pass) {
        let Some(upload) = self.upload.get_value() else { return };
        self.step.set(Step::Status { is_done: false });
        spawn_local(async move {
            upload.run(pass).await;
            // The dialog, or the page, may be another's by now.
            if !upload.is_abandoned() && !self.step.is_disposed() {
                self.saved.update(|saved| *saved = (*saved).max(upload.results().tokens.rows().written));
                self.step.set(Step::Status { is_done: true });
                self.done.run(());
            }
        });
    }

    fn would_lose(self) -> bool {
        match self.step.get() {
            Step::Status { is_done: false } => true,
            Step::Status { is_done: true } => self.progress.with(|progress| progress.tokens) > self.saved.get(),
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
    on_cleanup(move || dialog.abandon());
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
    Effect::new(move || {
        let _ = kind.get();
        if is_open.get()
            && dialog.step.with_untracked(|step| matches!(step, Step::Choose { .. } | Step::Checked { .. }))
        {
            dialog.prepare();
        }
    });
    // It stays where it is, so that it is heard when the check ends.
    let verdict =
        Memo::new(move |_| {
            dialog.step.with(|step| match step {
                Step::Checked { name, report } => Some(dialog.lookup.with(|lookup| {
                    dialog.comparison.with(|comparison| Verdict::new(name, report, lookup, comparison))
                })),
                Step::Choose { .. } | Step::Checking { .. } | Step::Status { .. } => None,
            })
        });
    let tone = move || verdict.with(|verdict| verdict.as_ref().map_or(Tone::Neutral, |verdict| verdict.tone).class());
    view! {
        <Modal id="register-title" title is_open would_lose ask=Callback::new(move |()| dialog.is_asking_to_close.set(true))>
            <p class=tone role="status">{move || verdict.get().map(|verdict| verdict.text)}</p>
            {move || {
                // Reading it, not just tracking it: a memo that nobody reads follows nothing.
                let _ = kind.get();
                match dialog.step.get_untracked() {
                    Step::Choose { .. } => view! { <ChooseView dialog /> }.into_any(),
                    Step::Checking { .. } => view! { <CheckingView dialog /> }.into_any(),
                    Step::Checked { report, .. } => view! { <CheckedView dialog report /> }.into_any(),
                    Step::Status { .. } => view! { <StatusView dialog is_open /> }.into_any(),
                }
            }}
        </Modal>
    }
    .into_any()
}

//! Uploads a checked file from the browser: [`muster_client::Upload`] with the server functions, the chosen file, and the
//! signals of the dialog.

use super::{
    checked_file::{self, CheckedFile},
    clock::BrowserClock,
    random,
    save::{CollectedRows, Rows},
};
use crate::fns::{
    Failure,
    registrations::{begin_registration, dry_run_part, finish_registration, register_part},
};
use leptos::prelude::*;
use muster_client::{FileSlice, NewRegistration, Part, PartDone, Progress, Results, Transport};
use muster_domain::{CheckReport, DryRun, GroupName, PartRange};
use std::rc::Rc;
use uuid::Uuid;

/// The upload of one file.
pub(crate) type Upload = Rc<muster_client::Upload<BrowserTransport, BrowserResults>>;

/// An upload of a file that the check found clean.
pub(crate) fn new_upload(
    file: CheckedFile,
    results: BrowserResults,
    report: &CheckReport,
    group: Option<GroupName>,
) -> Upload {
    let file_name = file.file.name();
    let transport = BrowserTransport { file, idempotency_key: random::id() };
    Rc::new(muster_client::Upload::new(transport, results, file_name, report, group))
}

/// The dry run of a file that the check found clean: see [`muster_client::dry_run`].
pub(crate) async fn dry_run(
    file: CheckedFile,
    report: &CheckReport,
    has_given_up: impl Fn() -> bool,
    on_progress: impl Fn(u64),
) -> Result<Option<DryRun>, Failure> {
    let transport = BrowserTransport { file, idempotency_key: None };
    muster_client::dry_run(&transport, report, has_given_up, on_progress).await
}

/// The server functions, and the file that they register.
pub(crate) struct BrowserTransport {
    file: CheckedFile,
    /// The same for every attempt, so that the server begins one registration for this upload.
    idempotency_key: Option<Uuid>,
}

impl Transport for BrowserTransport {
    type Failure = Failure;
    type Clock = BrowserClock;

    const FILE_CHANGED: &'static str = checked_file::CHANGED;

    fn clock(&self) -> &BrowserClock {
        &BrowserClock
    }

    async fn begin(&self, registration: NewRegistration) -> Result<Uuid, Failure> {
        let NewRegistration { file_name, devices, parts, group } = registration;
        begin_registration(file_name, devices, parts, group, self.idempotency_key).await
    }

    async fn dry_run(&self, slice: FileSlice) -> Result<DryRun, Failure> {
        dry_run_part(slice).await
    }

    async fn register_part(&self, part: Part) -> Result<PartDone, Failure> {
        register_part(part).await
    }

    async fn finish(&self, registration: Uuid) -> Result<(), Failure> {
        finish_registration(registration.into()).await
    }

    async fn read(&self, range: PartRange) -> Result<Vec<u8>, String> {
        self.file.read(range).await
    }

    async fn read_as_checked(&self, range: PartRange) -> Option<Vec<u8>> {
        self.file.read_as_checked(range).await
    }
}

/// Collects the results of an upload, which are nowhere else, and shows its progress.
pub(crate) struct BrowserResults {
    pub(crate) tokens: CollectedRows,
    pub(crate) errors: CollectedRows,
    progress: RwSignal<Progress>,
    /// How many rows of tokens are in a file.
    token_rows: RwSignal<Rows>,
}

impl BrowserResults {
    pub(crate) fn new(
        tokens: CollectedRows,
        errors: CollectedRows,
        progress: RwSignal<Progress>,
        token_rows: RwSignal<Rows>,
    ) -> Self {
        Self { tokens, errors, progress, token_rows }
    }
}

impl Results for BrowserResults {
    async fn push_tokens(&self, rows: &[u8], count: u64) -> Result<(), String> {
        self.tokens.push(rows, count).await
    }

    async fn push_errors(&self, rows: &[u8], count: u64) -> Result<(), String> {
        self.errors.push(rows, count).await
    }

    async fn commit(&self) {
        self.tokens.commit().await;
    }

    /// The dialog may be gone, and its signals with it.
    fn on_progress(&self, progress: Progress) {
        self.token_rows.try_set(self.tokens.rows());
        self.progress.try_set(progress);
    }
}

//! What an upload returns while it runs: results and progress.

/// Receives the results of an upload, in file order, and its progress.
#[expect(async_fn_in_trait, reason = "an upload runs on one thread, so its futures need not be Send")]
pub trait Results {
    /// Appends rows of `tokens.csv`, which have `count` tokens. The next rows come after the future has completed.
    ///
    /// # Errors
    /// A sentence, if they cannot be stored. The upload stops.
    async fn push_tokens(&self, rows: &[u8], count: u64) -> Result<(), String>;

    /// Appends rows of `errors.csv`, `count` of them.
    ///
    /// # Errors
    /// As [`Self::push_tokens`].
    async fn push_errors(&self, rows: &[u8], count: u64) -> Result<(), String>;

    /// Makes durable what was pushed, where that is possible. Called at the end of each pass.
    async fn commit(&self);

    /// The progress has changed. Not called after the upload was abandoned.
    fn on_progress(&self, progress: Progress);
}

/// The progress of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The rows of the file.
    pub rows: u64,
    /// The rows that this pass is done with, whether they were registered or failed.
    pub rows_done: u64,
    /// Devices that were registered.
    pub registered: u64,
    /// Devices that were registered before.
    pub already: u64,
    /// Devices that were registered before, have never connected, and have not received a new token since.
    pub already_never_connected: u64,
    /// Rows that failed; each has a row in `errors.csv`.
    pub failed: u64,
    /// Device names in `errors.csv` that a spreadsheet would change.
    pub fragile_names: u64,
    /// Tokens that were pushed, in all passes.
    pub tokens: u64,
    /// Why the upload is waiting, and for how long; a sentence.
    pub waiting: Option<String>,
    /// Why the upload stopped, and what to do; sentences.
    pub note: Option<String>,
    /// Whether parts that were not sent are held.
    pub is_paused: bool,
    /// Why no more parts are sent, if so.
    pub stopped: Option<Stopped>,
}

/// Why no more parts are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// One part met a failure that all parts would meet. The remaining rows fail.
    GivenUp,
    /// The user cancelled. The remaining rows are neither registered nor failed.
    Cancelled,
    /// Nobody wants the results any more. They are dropped, and no progress is reported.
    Abandoned,
}

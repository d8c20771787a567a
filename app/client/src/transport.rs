//! The server and the file, as an upload sees them.

use crate::{Clock, FileSlice, NewRegistration, Part, PartDone, RequestFailure};
use muster_domain::{DryRun, PartRange};
use uuid::Uuid;

/// The server, and the file that is uploaded to it. Requests are made once each; [`crate::Upload`] retries them, and
/// drops the future of a request that has no answer after 70 s.
#[expect(async_fn_in_trait, reason = "an upload runs on one thread, so its futures need not be Send")]
pub trait Transport {
    /// Why a request failed.
    type Failure: RequestFailure;
    /// Time and randomness.
    type Clock: Clock;

    /// The sentence for a file whose content is not what was checked.
    const FILE_CHANGED: &'static str;

    /// Time and randomness.
    fn clock(&self) -> &Self::Clock;

    /// Begins the registration of this upload, and returns its identifier. It is called again if the answer was lost;
    /// implementations must not let the server begin a second one.
    ///
    /// # Errors
    /// See [`crate::FailureKind`].
    async fn begin(&self, registration: NewRegistration) -> Result<Uuid, Self::Failure>;

    /// Predicts the outcome of the rows of one part, without changing anything.
    ///
    /// # Errors
    /// See [`crate::FailureKind`].
    async fn dry_run(&self, slice: FileSlice) -> Result<DryRun, Self::Failure>;

    /// Registers the rows of one part, all or none of them.
    ///
    /// # Errors
    /// See [`crate::FailureKind`].
    async fn register_part(&self, part: Part) -> Result<PartDone, Self::Failure>;

    /// Marks a registration as finished.
    ///
    /// # Errors
    /// See [`crate::FailureKind`].
    async fn finish(&self, registration: Uuid) -> Result<(), Self::Failure>;

    /// The bytes of a part as the file has them now.
    ///
    /// # Errors
    /// A sentence, if the file cannot be read or is known to have changed. The upload stops.
    async fn read(&self, range: PartRange) -> Result<Vec<u8>, String>;

    /// The bytes of a part as they were checked, for `errors.csv`. Override it where a copy was made.
    async fn read_as_checked(&self, range: PartRange) -> Option<Vec<u8>> {
        self.read(range).await.ok()
    }
}

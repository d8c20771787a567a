//! What has to be known of a failed request to decide what follows.

/// The sentence in `errors.csv` for rows that the server could not take at that time: the sentence of the seed page,
/// letter for letter.
pub const UNAVAILABLE: &str = "The server is temporarily unable to service your request due to maintenance \
                               downtime or capacity problems. Please try again later";

/// Why a request failed. The implementing type also has the words for it, which differ between a page and a command line.
pub trait RequestFailure: Clone {
    /// No answer came within the time limit. Its kind is [`FailureKind::Lost`].
    fn lost() -> Self;

    /// The request cannot be made, for the reason in this sentence. Its kind is [`FailureKind::Refused`].
    fn refused(sentence: String) -> Self;

    /// What the failure means for this request and for those after it.
    fn kind(&self) -> FailureKind;

    /// Why rows were not registered: a sentence with its full stop.
    fn upload_sentence(&self) -> String;
}

/// What a failure means for this request and for those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No answer came. The request may have been carried out; it may be sent again.
    Lost,
    /// The server does not take the request now. It may be sent again after this time.
    Busy {
        /// The time that the server asks for; 0 if it does not.
        retry_after_ms: u32,
    },
    /// The server does not accept this request. It may accept others.
    Refused,
    /// The session or the access key has ended. Every request fails until the user signs in again.
    SignedOut,
    /// A fault of the server. The same request would fail again.
    Fault,
}

impl FailureKind {
    /// Whether the same request may succeed later.
    pub const fn is_temporary(self) -> bool {
        match self {
            Self::Lost | Self::Busy { .. } => true,
            Self::Refused | Self::SignedOut | Self::Fault => false,
        }
    }
}

//! What can go wrong between the browser and the server, in the words the person reads.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use muster_client::{FailureKind, RequestFailure};
use serde::{Deserialize, Serialize};

/// Why a call of the server did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// There is no session, or it has ended.
    SignedOut,
    /// The request cannot be done as it stands; the sentence says why and what to do.
    Refused(String),
    /// The server cannot do it now. The same request may be sent again.
    Unavailable,
    /// A fault of Muster, or of its database's content: the same request would fail again. The log has it.
    Internal,
    /// An attempt with this number, or a later one, was taken already: its answer was lost, or it was sent twice on its
    /// way. One with a higher number may be sent.
    Superseded,
    /// No answer came: the network is gone, or the server is. The same request may be sent again.
    Lost,
    /// Too many requests, or wrong passwords. The same request may be sent again after this time.
    TooMany { retry_after_s: u32 },
}

/// After these words, [`SIGN_IN`] is a link on the page.
pub(crate) const SESSION_ENDED: &str = "Your session has ended. ";
pub(crate) const SIGN_IN: &str = "Sign in";

impl Failure {
    /// The sentence of the seed page for a server that cannot serve now, letter for letter.
    pub const UNAVAILABLE: &str = muster_client::UNAVAILABLE;

    /// The page is of another version than the server, or it is not a page of Muster.
    pub fn other_version() -> Self {
        let failure = Self::Refused("Muster was updated. Reload the page.".to_owned());
        #[cfg(feature = "ssr")]
        let failure = failure.noted();
        failure
    }

    /// A sentence for the person at the screen.
    pub fn sentence(&self) -> String {
        match self {
            Self::SignedOut => format!("{SESSION_ENDED}{SIGN_IN} (opens a new tab; nothing here is lost)"),
            Self::Refused(sentence) => sentence.clone(),
            Self::Unavailable | Self::Superseded => Self::UNAVAILABLE.to_owned(),
            Self::Internal => {
                "Something is wrong in Muster. Ask your administrator to check the server's log.".to_owned()
            }
            Self::TooMany { retry_after_s } => {
                let (count, unit) = match retry_after_s {
                    0..=90 => (*retry_after_s, "second"),
                    _ => (retry_after_s.div_ceil(60), "minute"),
                };
                let plural = if count == 1 { "" } else { "s" };
                format!("Too many attempts. Try again in {count} {unit}{plural}.")
            }
            Self::Lost => "Can't reach Muster. Check the connection, then try again.".to_owned(),
        }
    }

    /// The sentence on a page that sends the request again by itself.
    pub fn sentence_while_retrying(&self) -> String {
        match self {
            Self::Lost => "Can't reach Muster. Retrying…".to_owned(),
            _ => self.sentence(),
        }
    }

    /// The same, with a full stop at its end, so that another sentence can follow. Some of the seed page's have none.
    pub(crate) fn full_sentence(&self) -> String {
        let sentence = self.sentence();
        if sentence.ends_with('.') { sentence } else { format!("{sentence}.") }
    }
}

impl RequestFailure for Failure {
    fn lost() -> Self {
        Self::Lost
    }

    fn refused(sentence: String) -> Self {
        Self::Refused(sentence)
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Lost => FailureKind::Lost,
            Self::Unavailable | Self::Superseded => FailureKind::Busy { retry_after_ms: 0 },
            Self::TooMany { retry_after_s } => {
                FailureKind::Busy { retry_after_ms: retry_after_s.saturating_mul(1_000) }
            }
            Self::Refused(_) => FailureKind::Refused,
            Self::SignedOut => FailureKind::SignedOut,
            Self::Internal => FailureKind::Fault,
        }
    }

    /// After the session has ended, the rest of the file has to be uploaded again, so this must not say that nothing is lost.
    fn upload_sentence(&self) -> String {
        match self {
            Self::SignedOut => format!("{SESSION_ENDED}{SIGN_IN} again."),
            _ => self.full_sentence(),
        }
    }
}

impl FromServerFnError for Failure {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            // A page of another version asks: see `answer.rs`.
            | ServerFnErrorErr::Serialization(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_) => Self::other_version(),
            // What the server cannot read is a request; what the browser cannot read is an answer that was cut off.
            #[cfg(feature = "ssr")]
            ServerFnErrorErr::Deserialization(error) => Self::unreadable_request(&error),
            #[cfg(not(feature = "ssr"))]
            ServerFnErrorErr::Deserialization(_) => Self::Lost,
            ServerFnErrorErr::Request(_)
            | ServerFnErrorErr::Response(_)
            | ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_)
            | ServerFnErrorErr::Registration(_) => Self::Lost,
        }
    }
}

#[cfg(feature = "ssr")]
mod server {
    use super::Failure;
    use http::StatusCode;
    use leptos::prelude::use_context;
    use muster_registry::StoreError;

    impl Failure {
        /// A request whose arguments cannot be read: one of the names in them breaks its rule, or the page is of another
        /// version.
        pub(super) fn unreadable_request(error: &str) -> Self {
            muster_domain::rejection_in(error).map_or_else(Self::other_version, Self::refused)
        }

        /// The HTTP status that goes with it.
        pub fn status(&self) -> StatusCode {
            match self {
                Self::SignedOut => StatusCode::UNAUTHORIZED,
                Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
                Self::Superseded => StatusCode::CONFLICT,
                Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
                Self::Unavailable | Self::Lost => StatusCode::SERVICE_UNAVAILABLE,
                Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            }
        }

        /// The failure, with its HTTP status set on the answer that is being made.
        pub(crate) fn noted(self) -> Self {
            if let Some(answer) = use_context::<leptos_axum::ResponseOptions>() {
                answer.set_status(self.status());
                if let Self::TooMany { retry_after_s } = self {
                    answer.insert_header(http::header::RETRY_AFTER, retry_after_s.into());
                }
            }
            self
        }

        /// A refusal with this sentence.
        pub(crate) fn refused(sentence: impl ToString) -> Self {
            Self::Refused(sentence.to_string()).noted()
        }
    }

    impl From<StoreError> for Failure {
        fn from(error: StoreError) -> Self {
            match error {
                // The registry has logged the database's words; they stay on the server.
                StoreError::Unavailable => Self::Unavailable.noted(),
                StoreError::Corrupt => Self::Internal.noted(),
                StoreError::FleetTooLarge => Self::refused(error),
                // Retrying immediately does not help: the user sees the reason.
                StoreError::ReadOnly => {
                    if let Some(answer) = use_context::<leptos_axum::ResponseOptions>() {
                        answer.set_status(StatusCode::SERVICE_UNAVAILABLE);
                    }
                    Self::Refused(error.to_string())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_sentence_ends_in_one_full_stop() {
        assert_eq!(Failure::Unavailable.full_sentence(), format!("{}.", Failure::UNAVAILABLE));
        assert_eq!(Failure::Lost.full_sentence(), Failure::Lost.sentence());
    }

    #[test]
    fn too_many_says_how_long() {
        let check = |retry_after_s: u32, expected: &str| {
            let failure = Failure::TooMany { retry_after_s };
            assert_eq!(failure.sentence(), format!("Too many attempts. Try again in {expected}."));
            assert_eq!(failure.kind(), FailureKind::Busy { retry_after_ms: retry_after_s * 1_000 });
        };
        check(1, "1 second");
        check(90, "90 seconds");
        check(91, "2 minutes");
        check(900, "15 minutes");
    }
}

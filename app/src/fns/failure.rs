//! What can go wrong between the browser and the server, in the words the person reads.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
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
    /// An attempt with this number, or a later one, was taken already: its answer was lost, or it was sent twice on its
    /// way. One with a higher number may be sent.
    Superseded,
    /// No answer came: the network is gone, or the server is. The same request may be sent again.
    Lost,
}

impl Failure {
    /// The sentence of the seed page for a server that cannot serve now, letter for letter.
    pub const UNAVAILABLE: &str = "The server is temporarily unable to service your request due to maintenance \
                                   downtime or capacity problems. Please try again later";

    /// The page is of another version than the server, or it is no page of ours.
    fn misunderstood() -> Self {
        let failure =
            Self::Refused("The page and the server do not understand each other. Reload the page.".to_owned());
        #[cfg(feature = "ssr")]
        let failure = failure.noted();
        failure
    }

    /// True where sending the same request again may help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable | Self::Lost | Self::Superseded)
    }

    /// A sentence for the person at the screen.
    pub fn sentence(&self) -> String {
        match self {
            Self::SignedOut => {
                "Your session has ended. Sign in again in another tab, then come back and retry.".to_owned()
            }
            Self::Refused(sentence) => sentence.clone(),
            Self::Unavailable | Self::Superseded => Self::UNAVAILABLE.to_owned(),
            Self::Lost => "The server does not answer. Check the connection, then try again.".to_owned(),
        }
    }
}

impl FromServerFnError for Failure {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_) => Self::misunderstood(),
            // What the server cannot read is a request; what the browser cannot read is an answer that was cut off.
            #[cfg(feature = "ssr")]
            ServerFnErrorErr::Deserialization(_) => Self::misunderstood(),
            #[cfg(not(feature = "ssr"))]
            ServerFnErrorErr::Deserialization(_) => Self::Lost,
            ServerFnErrorErr::Request(_)
            | ServerFnErrorErr::Response(_)
            | ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_)
            | ServerFnErrorErr::Serialization(_)
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
        /// The HTTP status that goes with it.
        pub fn status(&self) -> StatusCode {
            match self {
                Self::SignedOut => StatusCode::UNAUTHORIZED,
                Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
                Self::Superseded => StatusCode::CONFLICT,
                Self::Unavailable | Self::Lost => StatusCode::SERVICE_UNAVAILABLE,
            }
        }

        /// The failure, with its HTTP status set on the answer that is being made.
        pub(crate) fn noted(self) -> Self {
            if let Some(answer) = use_context::<leptos_axum::ResponseOptions>() {
                answer.set_status(self.status());
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
                StoreError::Unavailable | StoreError::Corrupt => Self::Unavailable.noted(),
                // Trying again at once does not help: the person learns why.
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

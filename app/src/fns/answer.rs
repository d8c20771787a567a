//! How answers travel: as Postcard to the page, whose WASM is a tenth smaller for not reading JSON, and as JSON to
//! everybody else, such as curl.

use bytes::Bytes;
use leptos::server_fn::{ContentType, Decodes, Encodes, Format, FormatType, codec::Post};
use serde::{Serialize, de::DeserializeOwned};

/// The output of a server function.
pub type Answer = Post<AnswerEncoding>;

/// Postcard, or JSON for those who do not ask for it.
pub struct AnswerEncoding;

impl ContentType for AnswerEncoding {
    /// What the page asks for. With the version, since Postcard does not say what its bytes are: a page of another
    /// version could take them for something else.
    const CONTENT_TYPE: &'static str = concat!("application/x-postcard;version=", env!("CARGO_PKG_VERSION"));
}

impl FormatType for AnswerEncoding {
    const FORMAT_TYPE: Format = Format::Binary;
}

impl<T: Serialize> Encodes<T> for AnswerEncoding {
    type Error = String;

    fn encode(answer: &T) -> Result<Bytes, Self::Error> {
        #[cfg(feature = "ssr")]
        if server::is_json_wanted()? {
            return serde_json::to_vec(answer).map(Bytes::from).map_err(|error| error.to_string());
        }
        postcard::to_allocvec(answer).map(Bytes::from).map_err(|error| error.to_string())
    }
}

impl<T: DeserializeOwned> Decodes<T> for AnswerEncoding {
    type Error = postcard::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        postcard::from_bytes(&bytes)
    }
}

#[cfg(feature = "ssr")]
mod server {
    use super::{AnswerEncoding, ContentType};
    use axum::http::{HeaderValue, header, request::Parts};
    use leptos::prelude::use_context;

    /// Whether the request of this answer is not from the page; then the answer says that it is JSON.
    ///
    /// # Errors
    /// Where a page of another version asks.
    pub(super) fn is_json_wanted() -> Result<bool, String> {
        let accept = use_context::<Parts>().and_then(|parts| parts.headers.get(header::ACCEPT).cloned());
        let accept = accept.as_ref().and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        if accept == AnswerEncoding::CONTENT_TYPE {
            return Ok(false);
        }
        if accept.starts_with("application/x-postcard;version=") {
            return Err(format!("a page of another version asks: {accept}"));
        }
        if let Some(answer) = use_context::<leptos_axum::ResponseOptions>() {
            answer.insert_header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(true)
    }
}

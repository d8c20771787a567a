//! Values that the server sends with the HTML of a page.

use codee::binary::PostcardCodec;
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

/// A value that comes with the HTML, as Postcard: see [`super::answer`].
pub(crate) type Sent<T> = Resource<T, PostcardCodec>;

/// A value that is asked for again when its source changes.
///
/// The HTML waits for it. Otherwise the server would work on it after the request has left its limits (`overload.rs`).
pub(crate) fn sent<S, T, F>(
    source: impl Fn() -> S + Send + Sync + 'static,
    ask: impl Fn(S) -> F + Send + Sync + 'static,
) -> Sent<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = T> + Send + 'static,
{
    Resource::new_with_options(source, ask, true)
}

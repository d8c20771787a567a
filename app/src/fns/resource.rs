//! Values that the server sends with the HTML of a page.

use super::Failure;
use crate::browser::refresh;
use codee::binary::PostcardCodec;
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

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

/// The last answer, and why there is no newer one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Kept<T> {
    /// `None`: there was no answer yet.
    pub(crate) value: Option<T>,
    /// The failure since then.
    pub(crate) problem: Option<Failure>,
}

/// Keeps the last answer while the server cannot be reached or the session has ended, and asks again until there is
/// another. Read the resource as well where the HTML must wait for it.
pub(crate) fn kept<T>(answer: Sent<Result<T, Failure>>) -> Memo<Kept<T>>
where
    T: PartialEq + Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let kept = Memo::new(move |before: Option<&Kept<T>>| match answer.get() {
        Some(Ok(value)) => Kept { value: Some(value), problem: None },
        Some(Err(failure)) => Kept { value: before.and_then(|before| before.value.clone()), problem: Some(failure) },
        None => before.cloned().unwrap_or(Kept { value: None, problem: None }),
    });
    Effect::new(move || {
        refresh::every(RETRY, move || {
            if kept.with_untracked(|kept| kept.problem.is_some()) {
                answer.refetch();
            }
        });
    });
    kept
}

/// How often a question without an answer is asked again.
const RETRY: Duration = Duration::from_secs(2);

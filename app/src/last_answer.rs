//! The last answer of the server stays on the page while there is no newer one.

use crate::{
    alert::Banner,
    browser::refresh,
    fns::{Failure, Sent},
};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// How often a request without an answer is sent again.
const RETRY: Duration = Duration::from_secs(2);

/// A resource with its last answer, and the failure since then.
pub(crate) struct LastAnswer<T: Send + Sync + 'static> {
    resource: Sent<Result<T, Failure>>,
    /// `None` before the first answer.
    pub(crate) value: Memo<Option<T>>,
    problem: Memo<Option<Failure>>,
}

impl<T: PartialEq + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> LastAnswer<T> {
    /// Follows a resource. After a failure it is requested again, until there is an answer.
    pub(crate) fn of(resource: Sent<Result<T, Failure>>) -> Self {
        let value = Memo::new(move |before: Option<&Option<T>>| match resource.get() {
            Some(Ok(value)) => Some(value),
            Some(Err(_)) | None => before.cloned().flatten(),
        });
        let problem = Memo::new(move |before: Option<&Option<Failure>>| match resource.get() {
            Some(answer) => answer.err(),
            None => before.cloned().flatten(),
        });
        Effect::new(move || {
            refresh::every(RETRY, move || {
                if problem.with_untracked(Option::is_some) {
                    resource.refetch();
                }
            });
        });
        Self { resource, value, problem }
    }

    /// The value, greyed while there is no newer answer, below a banner with the reason. A failure does not rebuild the value:
    /// the focus may be in it.
    pub(crate) fn view(self, of_value: impl Fn(T) -> AnyView + Send + Sync + 'static) -> AnyView {
        let Self { resource, value, problem } = self;
        let is_stale = Memo::new(move |_| problem.with(Option::is_some));
        view! {
            <Banner problem again=Callback::new(move |()| resource.refetch()) />
            <Suspense>
                <div class:stale=is_stale>
                    {move || {
                        // The HTML waits for what is read here. In the browser, only another value matters.
                        #[cfg(feature = "ssr")]
                        resource.track();
                        match value.get() {
                            Some(value) => of_value(value),
                            None if is_stale.get() => ().into_any(),
                            None => view! { <p class="loading">"Loading…"</p> }.into_any(),
                        }
                    }}
                </div>
            </Suspense>
        }
        .into_any()
    }
}

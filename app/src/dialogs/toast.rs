//! What came of something, said for a moment at the edge of the page.

use leptos::prelude::*;
use std::time::Duration;

/// How long it is said.
const SHOWN: Duration = Duration::from_secs(10);

/// Says each sentence that is set, for a while. It is in the page before there is one, so that screen readers hear it.
#[component]
pub(super) fn Toast(said: RwSignal<Option<String>>) -> impl IntoView {
    Effect::new(move || {
        if said.with(Option::is_some) {
            let hide = set_timeout_with_handle(
                move || {
                    said.try_set(None);
                },
                SHOWN,
            );
            // For the next sentence, the time begins anew.
            on_cleanup(move || {
                if let Ok(hide) = hide {
                    hide.clear();
                }
            });
        }
    });
    view! { <p class="toast" role="status">{move || said.get()}</p> }
}

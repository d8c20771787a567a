//! A message about the outcome of an action, shown for a few seconds at the edge of the page.

use leptos::prelude::*;
use std::time::Duration;

/// How long a message is shown.
const SHOWN: Duration = Duration::from_secs(10);

/// Shows each message that is set. The element is in the page before the first message, so that screen readers announce it.
#[component]
pub(super) fn Toast(message: RwSignal<Option<String>>) -> impl IntoView {
    Effect::new(move || {
        if message.with(Option::is_some) {
            let hide = set_timeout_with_handle(
                move || {
                    message.try_set(None);
                },
                SHOWN,
            );
            // The next message is shown for the full time.
            on_cleanup(move || {
                if let Ok(hide) = hide {
                    hide.clear();
                }
            });
        }
    });
    view! { <p class="toast" role="status">{move || message.get()}</p> }
}

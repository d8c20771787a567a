//! Asking before the page is left while something on it would be lost.

use leptos::prelude::*;

/// While `would_lose` is true, closing or reloading the tab asks first. The browser words the question.
pub(crate) fn ask_before_leaving(would_lose: Signal<bool>) {
    let handle = window_event_listener(leptos::ev::beforeunload, move |event| {
        if would_lose.get_untracked() {
            event.prevent_default();
        }
    });
    on_cleanup(move || handle.remove());
}

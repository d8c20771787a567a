//! Asking again, so that what a page shows changes by itself.

use leptos::prelude::*;
use std::{cell::Cell, time::Duration};
use web_sys::VisibilityState;

thread_local! {
    static IS_PAUSED: Cell<bool> = const { Cell::new(false) };
}

/// Asks no more, or again: who signs out is on the page for a moment longer, and nobody's to the server.
pub(crate) fn pause(is_paused: bool) {
    IS_PAUSED.set(is_paused);
}

/// Runs `again` at this interval, for as long as the page is there and is seen. The interval is the whole
/// protocol: any server of many can answer, and a server that was away is found again.
pub(crate) fn every(interval: Duration, again: impl Fn() + 'static) {
    let handle = set_interval_with_handle(
        move || {
            if document().visibility_state() == VisibilityState::Visible && !IS_PAUSED.get() {
                again();
            }
        },
        interval,
    );
    if let Ok(handle) = handle {
        on_cleanup(move || handle.clear());
    }
}

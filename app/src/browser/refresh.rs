//! Repeated requests, so that a page shows changes by itself.

use leptos::prelude::*;
use std::{cell::Cell, time::Duration};
use web_sys::VisibilityState;

thread_local! {
    static IS_PAUSED: Cell<bool> = const { Cell::new(false) };
}

/// Pauses all refreshes, or resumes them. While a user signs out, the page is still open, but its requests have no session.
pub(crate) fn pause(is_paused: bool) {
    IS_PAUSED.set(is_paused);
}

/// Runs `again` at this interval while the page is open and visible. There is no connection to keep: any of several
/// servers can answer, and a server that was down is found again.
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

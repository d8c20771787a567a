//! Asking before the page is left while something on it would be lost.

use leptos::prelude::*;
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Event, History};

/// The states of the two entries of the browser's history that a held page has: Back leads from the one to the other,
/// and so does not leave the page.
const HELD: &str = "held";
const BELOW: &str = "below";

thread_local! {
    /// The address that is held. It stays here when nothing would be lost any more, since its entries do.
    static HELD_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// While `would_lose` is true, closing or reloading the tab asks first, in the browser's words. Going back does not
/// leave the page, but calls `ask`.
pub(crate) fn ask_before_leaving(would_lose: Signal<bool>, ask: Callback<()>) {
    Effect::new(move || {
        let unload = window_event_listener(leptos::ev::beforeunload, move |event| {
            if would_lose.get_untracked() {
                event.prevent_default();
            }
        });
        on_cleanup(move || unload.remove());
        listen_for_back(move |event| {
            let Ok(history) = window().history() else { return };
            if would_lose.get_untracked() {
                event.stop_immediate_propagation();
                hold(&history);
                ask.run(());
            } else {
                skip_held_entry(&history, &event);
            }
        });
    });
    Effect::new(move || {
        if would_lose.get()
            && let Ok(history) = window().history()
        {
            HELD_AT.set(Some(here(&history).1));
            hold(&history);
        }
    });
}

/// Calls this when Back or Forward was pressed, before the router's own listener.
fn listen_for_back(called: impl FnMut(Event) + 'static) {
    const EVENT: &str = "popstate";
    let closure = send_wrapper::SendWrapper::new(Closure::<dyn FnMut(Event)>::new(called));
    // In the capturing phase, before listeners of the bubbling phase.
    let _ = window().add_event_listener_with_callback_and_bool(EVENT, closure.as_ref().unchecked_ref(), true);
    on_cleanup(move || {
        let _ = window().remove_event_listener_with_callback_and_bool(EVENT, closure.as_ref().unchecked_ref(), true);
    });
}

/// Pushes the page onto the history once more; if Back has already led to another page, the page that is held.
fn hold(history: &History) {
    let (state, here) = here(history);
    let held = HELD_AT.with_borrow_mut(|held| held.get_or_insert_with(|| here.clone()).clone());
    if state == HELD && held == here {
        return;
    }
    // A browser refuses these calls only after hundreds of them.
    if held == here {
        let _ = history.replace_state_with_url(&JsValue::from_str(BELOW), "", None);
    }
    let _ = history.push_state_with_url(&JsValue::from_str(HELD), "", Some(&held));
}

/// When nothing would be lost any more, the first Back would lead to the same page. This goes back once more.
fn skip_held_entry(history: &History, event: &Event) {
    let (state, here) = here(history);
    let was_held = HELD_AT.replace((state == HELD).then(|| here.clone()));
    if state == BELOW && was_held == Some(here) {
        event.stop_immediate_propagation();
        let _ = history.back();
    }
}

/// The state and the address of the entry that the browser shows.
fn here(history: &History) -> (String, String) {
    let state = history.state().ok().and_then(|state| state.as_string()).unwrap_or_default();
    (state, window().location().href().unwrap_or_default())
}

//! A dialog in front of the page: titled, closed by Escape, and not closed while something would be lost.

use crate::browser::leaving::ask_before_leaving;
use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// A modal `<dialog>` that is shown while `is_open`.
///
/// Where `would_lose` is true, closing it (Escape, the Close button, Back, the browser itself) calls `ask` in its place.
#[component]
pub(crate) fn Modal(
    /// The id of its title, unique on its page.
    id: &'static str,
    #[prop(into)] title: Signal<String>,
    is_open: RwSignal<bool>,
    #[prop(into)] would_lose: Signal<bool>,
    ask: Callback<()>,
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    ask_before_leaving(would_lose, ask);
    let try_close = move || {
        if would_lose.get_untracked() {
            ask.run(());
        } else {
            is_open.set(false);
        }
    };
    Effect::new(move || {
        let (Some(dialog), wanted) = (dialog.get(), is_open.get()) else { return };
        if wanted && !dialog.open() {
            let show = move |dialog: &web_sys::HtmlDialogElement| {
                // It fails only for a dialog that is not in the document.
                let _ = dialog.show_modal();
                // Chromium and WebKit do this themselves; Firefox would focus the button Close.
                focus_title(id);
            };
            if dialog.is_connected() {
                show(&dialog);
            } else {
                // Built open, as where its code was loaded for this: it gets into the document after its effects.
                request_animation_frame(move || {
                    if is_open.try_get_untracked() == Some(true) && !dialog.open() {
                        show(&dialog);
                    }
                });
            }
        } else if !wanted && dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog
            node_ref=dialog
            aria-labelledby=id
            on:cancel=move |event: web_sys::Event| {
                // A file input inside says so, too, when nothing was chosen: that is no wish to close the dialog.
                if event.target() != event.current_target() {
                    return;
                }
                event.prevent_default();
                try_close();
            }
            on:keydown=move |event| {
                if event.key() == "Escape" && !event.default_prevented() {
                    event.prevent_default();
                    try_close();
                }
            }
            on:close=move |_: web_sys::Event| {
                // Browsers let nobody keep a dialog open against a person who insists. We do, for tokens.
                if is_open.get_untracked() {
                    if would_lose.get_untracked() {
                        if let Some(dialog) = dialog.get_untracked() { let _ = dialog.show_modal(); }
                        ask.run(());
                    } else {
                        is_open.set(false);
                    }
                }
            }>
            <header>
                <h2 id=id tabindex="-1">{title}</h2>
                <button type="button" class="quiet close" aria-label="Close" on:click=move |_| try_close()>"✕"</button>
            </header>
            <Show when=move || is_open.get()>{children()}</Show>
        </dialog>
    }
    .into_any()
}

/// After a step that took away what had the focus: puts the focus on the title of the dialog, so that the keyboard,
/// and a screen reader, go on from there.
pub(super) fn keep_focus(id: &'static str) {
    request_animation_frame(move || {
        if document().active_element().is_none_or(|focused| focused.tag_name() == "BODY") {
            focus_title(id);
        }
    });
}

fn focus_title(id: &str) {
    if let Some(title) = document().get_element_by_id(id).and_then(|title| title.dyn_into::<HtmlElement>().ok()) {
        let _ = title.focus();
    }
}

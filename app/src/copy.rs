//! Text to copy.

use leptos::{html, prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;
use web_sys::window;

/// A text, such as a command, with the button **Copy**.
#[component]
pub(crate) fn CopyText(#[prop(into)] text: Signal<String>, label: &'static str) -> impl IntoView {
    let code = NodeRef::<html::Code>::new();
    let note = RwSignal::new("");
    let copy = move |_| {
        spawn_local(async move {
            let is_copied = write_text(&text.get_untracked()).await;
            if !is_copied {
                select(code);
            }
            note.try_set(if is_copied { "Copied." } else { "Selected. Press Ctrl+C or ⌘C to copy." });
        });
    };
    view! {
        <div class="copy">
            <pre tabindex="0" role="group" aria-label=label><code node_ref=code>{text}</code></pre>
            <div class="row">
                <button type="button" on:click=copy>"Copy"</button>
                <span class="faint" role="status">{note}</span>
            </div>
        </div>
    }
    .into_any()
}

/// Copies a text, if the browser allows it: only over HTTPS or on localhost.
async fn write_text(text: &str) -> bool {
    // The getter of `clipboard` returns undefined on a page that is not secure.
    let Some(window) = window().filter(web_sys::Window::is_secure_context) else { return false };
    JsFuture::from(window.navigator().clipboard().write_text(text)).await.is_ok()
}

/// Selects the whole text, so that the person can copy it.
fn select(code: NodeRef<html::Code>) {
    let selection = window().and_then(|window| window.get_selection().ok().flatten());
    if let (Some(code), Some(selection)) = (code.get_untracked(), selection) {
        let _ = selection.select_all_children(&code);
    }
}

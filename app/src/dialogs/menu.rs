//! A menu button and its menu, after the ARIA Authoring Practices: arrow keys move, Escape and Tab close.

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

/// The id of the sentence that says why items of a menu do nothing. A page has one menu.
const WHY: &str = "menu-why";

/// A button that opens a menu of [`MenuItem`]s.
#[component]
pub(crate) fn Menu(
    label: &'static str,
    /// Why those that are off do nothing now; a sentence.
    #[prop(into)]
    why_not: Signal<Option<&'static str>>,
    children: ChildrenFn,
) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let root = NodeRef::<html::Div>::new();
    let button = NodeRef::<html::Button>::new();
    let focus_button = move || {
        if let Some(button) = button.get_untracked() {
            let _ = button.focus();
        }
    };
    let close = Callback::new(move |()| {
        is_open.set(false);
        focus_button();
    });
    provide_context(CloseMenu(close));

    Effect::new(move || {
        if is_open.get() {
            request_animation_frame(move || focus_item(root, Move::First));
        }
    });
    Effect::new(move || {
        let handle = window_event_listener(leptos::ev::pointerdown, move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let is_inside = root.get_untracked().is_some_and(|root| root.contains(target.as_ref().map(AsRef::as_ref)));
            if is_open.get_untracked() && !is_inside {
                is_open.set(false);
            }
        });
        on_cleanup(move || handle.remove());
    });
    let keydown = move |event: KeyboardEvent| {
        let to = match event.key().as_str() {
            "ArrowDown" if !is_open.get_untracked() => {
                is_open.set(true);
                event.prevent_default();
                return;
            }
            "ArrowDown" => Move::Next,
            "ArrowUp" => Move::Previous,
            "Home" => Move::First,
            "End" => Move::Last,
            "Escape" if is_open.get_untracked() => {
                event.prevent_default();
                close.run(());
                return;
            }
            "Tab" => {
                is_open.set(false);
                return;
            }
            _ => return,
        };
        event.prevent_default();
        focus_item(root, to);
    };
    view! {
        <div class="menu" node_ref=root on:keydown=keydown>
            <button type="button" node_ref=button aria-haspopup="menu" aria-expanded=move || is_open.get().to_string()
                on:click=move |_| is_open.update(|open| *open = !*open)>
                {label}<span class="caret" aria-hidden="true"></span>
            </button>
            <Show when=move || is_open.get()>
                <div class="popup">
                    <p class="faint" id=WHY>{move || why_not.get()}</p>
                    <div role="menu" aria-label=label>{children()}</div>
                </div>
            </Show>
        </div>
    }
    .into_any()
}

#[derive(Clone, Copy)]
struct CloseMenu(Callback<()>);

/// One thing a menu does. While it is off it does nothing, and the menu says why.
#[component]
pub(crate) fn MenuItem(label: &'static str, #[prop(into)] is_off: Signal<bool>, act: Callback<()>) -> impl IntoView {
    let close = use_context::<CloseMenu>();
    let click = move |_| {
        if is_off.get_untracked() {
            return;
        }
        if let Some(CloseMenu(close)) = close {
            close.run(());
        }
        act.run(());
    };
    view! {
        <button type="button" role="menuitem" tabindex="-1" aria-disabled=move || is_off.get().to_string()
            aria-describedby=move || is_off.get().then_some(WHY) on:click=click>
            {label}
        </button>
    }
    .into_any()
}

#[derive(Clone, Copy)]
enum Move {
    First,
    Last,
    Next,
    Previous,
}

fn focus_item(root: NodeRef<html::Div>, to: Move) {
    let Some(items) = root.get_untracked().and_then(|root| root.query_selector_all("[role=menuitem]").ok()) else {
        return;
    };
    let count = items.length();
    if count == 0 {
        return;
    }
    let focused = document().active_element();
    let at = (0..count).find(|&index| {
        items.item(index).is_some_and(|item| focused.as_ref().is_some_and(|focused| focused.is_same_node(Some(&item))))
    });
    let next = match (to, at) {
        (Move::First, _) | (Move::Next, None) => 0,
        (Move::Last, _) | (Move::Previous, None) => count - 1,
        (Move::Next, Some(at)) => (at + 1) % count,
        (Move::Previous, Some(at)) => (at + count - 1) % count,
    };
    if let Some(item) = items.item(next).and_then(|item| item.dyn_into::<HtmlElement>().ok()) {
        let _ = item.focus();
    }
}

//! The grid *All Devices*: one page of it.

use super::{super::selection::Selection, view::address};
use crate::{format::Ago, query::encode};
use leptos::{html, prelude::*};
use muster_domain::{DeviceItem, DeviceName, DevicePage, DeviceQuery, PagePosition, Sort, Timestamp};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent};

#[component]
pub(super) fn Grid(
    page: RwSignal<DevicePage>,
    now: RwSignal<Timestamp>,
    view: Memo<DeviceQuery>,
    selection: Selection<DeviceName>,
) -> impl IntoView {
    let names = Memo::new(move |_| page.with(|page| page.items.iter().map(|row| row.name.clone()).collect::<Vec<_>>()));
    let ticked = move || names.with(|names| names.iter().filter(|name| selection.has(name)).count());
    let all = Memo::new(move |_| ticked() == names.with(Vec::len));
    let some = Memo::new(move |_| ticked() > 0 && !all.get());
    let body = NodeRef::<html::Tbody>::new();
    let keydown = move |event: KeyboardEvent| {
        let to = match event.key().as_str() {
            "ArrowDown" => Move::By(1),
            "ArrowUp" => Move::By(-1),
            "PageDown" => Move::By(rows_seen(body)),
            "PageUp" => Move::By(-rows_seen(body)),
            "Home" => Move::First,
            "End" => Move::Last,
            _ => return,
        };
        event.prevent_default();
        move_focus(body, to);
    };
    view! {
        <div class="scroll fleet">
            <table role="grid" aria-label="All Devices" aria-multiselectable="true">
                <thead>
                    <tr>
                        <th scope="col" class="tick">
                            <input type="checkbox" aria-label="Select all devices on this page" prop:checked=all prop:indeterminate=some
                                on:change:target=move |event| names.with_untracked(|names| selection.set(names, event.target().checked())) />
                        </th>
                        {Sort::ALL.map(|sort| view! { <Column sort view /> }).collect_view()}
                    </tr>
                </thead>
                <tbody node_ref=body on:keydown=keydown>
                    <For each=move || names.get() key=Clone::clone let:name><Row name page now selection names /></For>
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

/// The head of a column: a link that sorts by it, and the other way round the next time.
#[component]
fn Column(sort: Sort, view: Memo<DeviceQuery>) -> impl IntoView {
    let now = move || view.with(|view| (view.sort == sort).then_some(view.is_descending));
    let href = move || {
        // What was heard of last is asked for first.
        let is_descending = now().map_or(sort == Sort::LastSeen, |is_descending| !is_descending);
        address(&DeviceQuery { sort, is_descending, position: PagePosition::First, ..view.get() })
    };
    let order = move || now().map(|is_descending| if is_descending { "descending" } else { "ascending" });
    view! { <th scope="col" aria-sort=order><a href=href>{sort.label()}</a></th> }.into_any()
}

/// One device. Its cells change by themselves, so that a refresh keeps the focus and the tick where they are.
#[component]
fn Row(
    name: DeviceName,
    page: RwSignal<DevicePage>,
    now: RwSignal<Timestamp>,
    selection: Selection<DeviceName>,
    names: Memo<Vec<DeviceName>>,
) -> impl IntoView {
    let own = name.clone();
    let row = Memo::new(move |_| page.with(|page| page.items.iter().find(|row| row.name == own).cloned()));
    let text = move |of: fn(&DeviceItem) -> String| move || row.with(|row| row.as_ref().map(of));
    let is_ticked = {
        let name = name.clone();
        Memo::new(move |_| selection.has(&name))
    };
    let click = {
        let name = name.clone();
        move |event: MouseEvent| {
            let is_on = !is_ticked.get_untracked();
            names.with_untracked(|names| selection.tick(&name, is_on, event.shift_key(), names));
        }
    };
    view! {
        <tr aria-selected=move || is_ticked.get().to_string()>
            <td class="tick"><input type="checkbox" aria-label=format!("Select {name}") prop:checked=is_ticked on:click=click /></td>
            <th scope="row"><a href=format!("/devices/{}", encode(name.as_str()))>{name.to_string()}</a></th>
            <td>{text(|row| row.model.to_string())}</td>
            <td>{text(|row| row.friendly_name.clone().unwrap_or_default())}</td>
            <td>{text(|row| row.tier.as_str().to_owned())}</td>
            <td><span class="status" data-status=text(|row| row.status.as_str().to_owned())>{text(|row| row.status.as_str().to_owned())}</span></td>
            <td>{move || match row.with(|row| row.as_ref().and_then(|row| row.last_seen)) {
                Some(then) => view! { <Ago then now=now.get() /> }.into_any(),
                None => view! { <span class="faint">"Never"</span> }.into_any(),
            }}</td>
        </tr>
    }
    .into_any()
}

#[derive(Clone, Copy)]
enum Move {
    By(i32),
    First,
    Last,
}

/// How many rows are seen at once, but for the one that the header is before.
fn rows_seen(body: NodeRef<html::Tbody>) -> i32 {
    let height = |of: Option<Element>| of.map_or(0, |element| element.client_height());
    let scroll = body.get_untracked().and_then(|body| body.closest(".scroll").ok().flatten());
    let window = document().document_element();
    let row = body.get_untracked().and_then(|body| body.first_element_child());
    (height(scroll).min(height(window)) / height(row).max(1) - 2).max(1)
}

/// Moves the focus to the same control of another row.
fn move_focus(body: NodeRef<html::Tbody>, to: Move) {
    let (Some(body), Some(focused)) = (body.get_untracked(), document().active_element()) else { return };
    let selector = if focused.tag_name() == "INPUT" { "td.tick input" } else { "th a" };
    let Ok(all) = body.query_selector_all(selector) else { return };
    let at = (0..all.length()).find(|&index| all.item(index).is_some_and(|item| focused.is_same_node(Some(&item))));
    let (Some(at), Some(last)) = (at, all.length().checked_sub(1)) else { return };
    let next = match to {
        Move::By(rows) => at.saturating_add_signed(rows).min(last),
        Move::First => 0,
        Move::Last => last,
    };
    if let Some(next) = all.item(next).and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
        let _ = next.focus();
    }
}

//! `/devices`: the grid of all devices, and what can be done with them.

mod grid;
mod selection;

use crate::{
    browser::{file, refresh},
    dialogs::{ConfirmDialog, Menu, MenuItem, RegisterDialog, TokensDialog},
    fns::{
        Failure,
        devices::{DeviceChange, DevicePage, DeviceView, Status, devices},
    },
    query::path_with,
    when::count,
};
use grid::Grid;
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use selection::Selection;
use send_wrapper::SendWrapper;
use std::time::Duration;

/// How often the page of devices is asked for again, so that a status changes by itself.
const REFRESH: Duration = Duration::from_secs(2);

/// How long after the last key a search begins.
const SEARCH_PAUSE: Duration = Duration::from_millis(200);

#[component]
pub(crate) fn Devices() -> impl IntoView {
    let view = current_view();
    // The first page comes with the HTML. After that the browser asks for itself, and changes what has changed.
    let first = Resource::new_blocking(|| (), move |()| devices(view.get_untracked()));
    view! {
        <Title text="Devices" />
        <Suspense fallback=|| view! { <p class="loading">"Loading…"</p> }>
            {move || Suspend::new(async move {
                let first = first.await;
                view! { <DevicesPage view first /> }
            })}
        </Suspense>
    }
    .into_any()
}

/// What the page shows: the last answer, and whether the last question had one.
#[derive(Clone, Copy)]
struct Shown {
    page: RwSignal<DevicePage>,
    problem: RwSignal<Option<Failure>>,
}

impl Shown {
    fn new(first: Result<DevicePage, Failure>) -> Self {
        let shown = Self { page: RwSignal::new(DevicePage::default()), problem: RwSignal::new(None) };
        shown.take(first);
        shown
    }

    /// Takes an answer. A failure leaves the devices where they are: they were right a moment ago.
    fn take(self, answer: Result<DevicePage, Failure>) {
        match answer {
            Ok(page) => {
                if self.page.with_untracked(|now| *now != page) {
                    self.page.set(page);
                }
                if self.problem.with_untracked(Option::is_some) {
                    self.problem.set(None);
                }
            }
            Err(failure) => self.problem.set(Some(failure)),
        }
    }
}

#[component]
fn DevicesPage(view: Memo<DeviceView>, first: Result<DevicePage, Failure>) -> impl IntoView {
    let shown = Shown::new(first);
    let selection = Selection::new();
    let (is_registering, is_making_tokens, is_confirming) =
        (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let change = RwSignal::new(DeviceChange::Disable);
    let dropped = RwSignal::new(None);
    let is_over = RwSignal::new(false);
    let names = Signal::derive(move || selection.names());

    let ask_again = move || {
        spawn_local(async move {
            let asked = view.get_untracked();
            let answer = devices(asked.clone()).await;
            // An answer to a question that has changed meanwhile is not shown.
            if view.try_get_untracked() == Some(asked) {
                shown.take(answer);
            }
        });
    };
    let refetch = Callback::new(move |()| ask_again());
    Effect::new(move |before: Option<DeviceView>| {
        let now = view.get();
        if before.is_some_and(|before| before != now) {
            ask_again();
        }
        now
    });
    Effect::new(move || {
        file::ignore_stray_drops();
        refresh::every(REFRESH, ask_again);
    });

    let needs_selection = Signal::derive(move || selection.is_empty().then_some("Tick devices first."));
    let ask = move |what: DeviceChange| {
        Callback::new(move |()| {
            change.set(what);
            is_confirming.set(true);
        })
    };
    view! {
        <div class="page" class:over=move || is_over.get()
            on:dragover=move |event| { event.prevent_default(); is_over.set(file::holds_files(&event)); }
            on:dragleave=move |_| is_over.set(false)
            on:drop=move |event| {
                event.prevent_default();
                is_over.set(false);
                dropped.set(Some(file::dropped(&event).map(SendWrapper::new)));
            }>
            <div class="head">
                <h1>"Devices"</h1>
                <Menu label="Actions">
                    <MenuItem label="Register devices" why_not=None act=Callback::new(move |()| is_registering.set(true)) />
                    <MenuItem label="Generate token" why_not=needs_selection act=Callback::new(move |()| is_making_tokens.set(true)) />
                    <MenuItem label="Disable" why_not=needs_selection act=ask(DeviceChange::Disable) />
                    <MenuItem label="Enable" why_not=needs_selection act=ask(DeviceChange::Enable) />
                    <MenuItem label="Delete" why_not=needs_selection act=ask(DeviceChange::Delete) />
                </Menu>
            </div>
            <Filters view />
            <p class="problem" role="alert">{move || shown.problem.get().map(|failure| failure.sentence())}</p>
            <div class="under-filters">
                <p class="total" role="status">{move || count(shown.page.with(|page| page.total), "device", "devices")}</p>
                <Show when=move || !selection.is_empty()>
                    <p class="selected">
                        {move || count(selection.len() as u64, "selected", "selected")}
                        <button type="button" class="quiet" on:click=move |_| selection.clear()>"Clear"</button>
                    </p>
                </Show>
                <Pages view page=shown.page />
            </div>
            <Content page=shown.page selection is_registering />
        </div>
        <RegisterDialog is_open=is_registering dropped done=refetch />
        <TokensDialog is_open=is_making_tokens names done=refetch />
        <ConfirmDialog is_open=is_confirming change=change names done=Callback::new(move |()| {
            if change.get_untracked() == DeviceChange::Delete {
                selection.clear();
            }
            ask_again();
        }) />
    }
    .into_any()
}

/// What the address says is to be shown.
fn current_view() -> Memo<DeviceView> {
    let query = use_query_map();
    Memo::new(move |_| {
        let query = query.read();
        let text = |name: &str| query.get(name).filter(|value| !value.is_empty());
        DeviceView {
            search: text("q"),
            status: text("status").and_then(|word| Status::parse(&word)),
            group: text("group"),
            after: text("after"),
            before: text("before"),
        }
    })
}

/// The address of a view.
fn address(view: &DeviceView) -> String {
    path_with(
        "/devices",
        &[
            ("q", view.search.as_deref()),
            ("status", view.status.map(Status::as_str)),
            ("group", view.group.as_deref()),
            ("after", view.after.as_deref()),
            ("before", view.before.as_deref()),
        ],
    )
}

/// The search box and the filters. What they say goes into the address, and comes from there.
#[component]
fn Filters(view: Memo<DeviceView>) -> impl IntoView {
    let go = StoredValue::new(use_navigate());
    let show = move |change: &dyn Fn(&mut DeviceView)| {
        let mut next = DeviceView { after: None, before: None, ..view.get_untracked() };
        change(&mut next);
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        go.with_value(|go| go(&address(&next), options));
    };
    let typed = StoredValue::new(None::<TimeoutHandle>);
    let search = move |text: String| {
        if let Some(earlier) = typed.get_value() {
            earlier.clear();
        }
        let later = move || show(&|next| next.search = Some(text.trim().to_owned()).filter(|text| !text.is_empty()));
        typed.set_value(set_timeout_with_handle(later, SEARCH_PAUSE).ok());
    };
    let group = move || view.with(|view| view.group.clone());
    view! {
        <div class="filters" role="search">
            <input type="search" aria-label="Search devices" placeholder="Search devices" autocomplete="off" spellcheck="false" maxlength="256"
                prop:value=move || view.with(|view| view.search.clone()).unwrap_or_default()
                on:input:target=move |event| search(event.target().value()) />
            <select aria-label="Status" on:change:target=move |event| { let word = event.target().value(); show(&|next| next.status = Status::parse(&word)); }>
                <option value="" selected=move || view.with(|view| view.status.is_none())>"Any status"</option>
                {Status::ALL.map(|status| view! {
                    <option selected=move || view.with(|view| view.status == Some(status))>{status.as_str()}</option>
                }).collect_view()}
            </select>
            <Show when=move || group().is_some()>
                <span class="chip">{move || format!("Group {}", group().unwrap_or_default())}
                    <button type="button" class="quiet" aria-label="All groups" on:click=move |_| show(&|next| next.group = None)>"✕"</button></span>
            </Show>
        </div>
    }
    .into_any()
}

/// To the page before and the page after.
#[component]
fn Pages(view: Memo<DeviceView>, page: RwSignal<DevicePage>) -> impl IntoView {
    let to = move |is_next: bool| {
        let edge = page.with(|page| {
            let may = if is_next { page.has_next } else { page.has_previous };
            let edge = if is_next { page.rows.last() } else { page.rows.first() };
            edge.filter(|_| may).map(|row| row.name.clone())
        })?;
        let base = DeviceView { after: None, before: None, ..view.get() };
        Some(address(&if is_next {
            DeviceView { after: Some(edge), ..base }
        } else {
            DeviceView { before: Some(edge), ..base }
        }))
    };
    let link = move |label: &'static str, is_next: bool| match to(is_next) {
        Some(href) => view! { <a class="button" href=href>{label}</a> }.into_any(),
        None => view! { <a class="button" role="link" aria-disabled="true">{label}</a> }.into_any(),
    };
    let has_several = Memo::new(move |_| page.with(|page| page.has_next || page.has_previous));
    view! {
        <Show when=move || has_several.get()>
            <nav class="pages" aria-label="Pages">{move || link("Previous", false)}{move || link("Next", true)}</nav>
        </Show>
    }
    .into_any()
}

/// The grid, or what there is to say in its place.
#[component]
fn Content(page: RwSignal<DevicePage>, selection: Selection, is_registering: RwSignal<bool>) -> impl IntoView {
    #[derive(Clone, PartialEq)]
    enum Kind {
        NoneYet,
        NoMatch,
        Rows,
    }
    let kind = Memo::new(move |_| {
        page.with(|page| match page {
            page if page.in_account == 0 => Kind::NoneYet,
            page if page.rows.is_empty() => Kind::NoMatch,
            _ => Kind::Rows,
        })
    });
    move || {
        match kind.get() {
        Kind::NoneYet => view! {
            <div class="empty">
                <h2>"Register the first devices"</h2>
                <p>"Drop a registration file anywhere on this page: one device a line, with its name and its model. It is checked before anything is uploaded."</p>
                <p><button type="button" class="main" on:click=move |_| is_registering.set(true)>"Choose a file"</button></p>
                <p>"Its models must be in your account first: "<a href="/models">"upload a model definition"</a>"."</p>
            </div>
        }.into_any(),
        Kind::NoMatch => view! {
            <div class="empty"><h2>"No device matches"</h2><p><a href="/devices">"Show all devices"</a></p></div>
        }.into_any(),
        Kind::Rows => view! { <Grid page selection /> }.into_any(),
    }
    }
}

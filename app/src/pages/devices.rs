//! `/devices`: the grid of all devices, and what can be done with them.

mod filters;
mod grid;
mod view;

use super::selection::{AllMatching, Selection};
use crate::{
    alert::{Banner, alert},
    browser::{file, refresh},
    dialogs::{Actions, Done},
    fns::{Dated, Failure, devices::devices, sent},
    format::{count, thousands},
    query::{SEARCH_TOO_LONG, path_with},
};
use filters::{Filters, Offered};
use grid::Grid;
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use muster_domain::{DeviceFilter, DeviceName, DevicePage, DeviceQuery, NamesNotFound, PagePosition, Sort, Timestamp};
use send_wrapper::SendWrapper;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use view::{address, address_problem, current_view};

/// How often the page of devices is asked for again, so that a status changes by itself.
const REFRESH: Duration = Duration::from_secs(2);

/// A server that took a while to answer is left alone for so many times that long: a page that nobody touches is a tenth of
/// what the server does.
const REST: f64 = 9.0;

/// On the list of a fleet that does not fit into the memory of the server's index.
const TOO_LARGE: &str = "This fleet is larger than the memory of this server's index: it can be listed by name, but not \
                         searched, filtered or sorted otherwise. Ask your administrator to raise MUSTER_INDEX_MEMORY.";

/// A page, and the view that it is of.
#[derive(Clone, Serialize, Deserialize)]
struct Answer {
    view: DeviceQuery,
    page: Dated<DevicePage>,
}

async fn ask(view: DeviceQuery) -> Result<Answer, Failure> {
    let page = devices(view.clone()).await?;
    Ok(Answer { view, page })
}

#[component]
pub(crate) fn Devices() -> impl IntoView {
    let view = current_view();
    let address_problem = address_problem();
    // The first page comes with the HTML. After that the browser asks for itself, and changes what has changed.
    let first = sent(|| (), move |()| ask(view.get_untracked()));
    view! {
        <Title text="Devices" />
        {move || match address_problem.get() {
            Some(problem) => view! {
                <div class="head"><h1>"Devices"</h1></div>
                <div class="card">
                    {alert(problem)}
                    <a class="button" href="/devices">"Clear filters"</a>
                </div>
            }
            .into_any(),
            None => view! {
                <Suspense fallback=|| view! { <p class="loading">"Loading…"</p> }>
                    {move || Suspend::new(async move {
                        let first = first.await;
                        view! { <DevicesPage view first /> }
                    })}
                </Suspense>
            }
            .into_any(),
        }}
    }
    .into_any()
}

/// What the page shows: the last answer, and whether the last question had one.
#[derive(Clone, Copy)]
struct Shown {
    page: RwSignal<DevicePage>,
    /// The server's clock when it answered.
    now: RwSignal<Timestamp>,
    /// How many devices match, and which filter that is.
    matching: RwSignal<(DeviceFilter, u64)>,
    /// The view that the page is of; `None`: there was no answer yet.
    view: RwSignal<Option<DeviceQuery>>,
    problem: RwSignal<Option<Failure>>,
    /// For screen readers: what another page, order or filter has brought.
    brought: RwSignal<String>,
}

impl Shown {
    fn new(first: Result<Answer, Failure>) -> Self {
        let shown = Self {
            page: RwSignal::new(DevicePage::default()),
            now: RwSignal::new(Timestamp::default()),
            matching: RwSignal::new((DeviceFilter::default(), 0)),
            view: RwSignal::new(None),
            problem: RwSignal::new(None),
            brought: RwSignal::new(String::new()),
        };
        shown.take(first);
        shown
    }

    /// Takes an answer. A failure leaves the devices where they are: they were right a moment ago.
    fn take(self, answer: Result<Answer, Failure>) {
        match answer {
            Ok(Answer { view, page: Dated { value: page, now } }) => {
                self.now.set(now);
                let matching = (view.filter.clone(), page.total);
                if self.view.with_untracked(|now| now.as_ref().is_some_and(|now| *now != view)) {
                    self.brought.set(first_to_last(&page));
                }
                if self.page.with_untracked(|now| *now != page) {
                    self.page.set(page);
                }
                if self.matching.with_untracked(|now| *now != matching) {
                    self.matching.set(matching);
                }
                if self.view.with_untracked(|now| now.as_ref() != Some(&view)) {
                    self.view.set(Some(view));
                }
                if self.problem.with_untracked(Option::is_some) {
                    self.problem.set(None);
                }
            }
            Err(failure) => self.problem.set(Some(failure)),
        }
    }

    fn total(self) -> u64 {
        self.matching.with(|(_, total)| *total)
    }

    /// How many match, if that was counted for this filter.
    fn total_of(self, filter: &DeviceFilter) -> Option<u64> {
        self.matching.with(|(counted, total)| (counted == filter).then_some(*total))
    }
}

fn first_to_last(page: &DevicePage) -> String {
    match &*page.items {
        [] => String::new(),
        [only] => only.name.to_string(),
        [first, .., last] => format!("{} to {}", first.name, last.name),
    }
}

/// The device names of a list that were not found.
fn names_not_found(NamesNotFound { count: names, first }: &NamesNotFound) -> Option<String> {
    if *names == 0 {
        return None;
    }
    let more = u64::from(*names) - first.len() as u64;
    let more = if more > 0 { format!(" and {} more", thousands(more)) } else { String::new() };
    Some(format!("{} not found: {}{more}", count(u64::from(*names), "name", "names"), first.join(", ")))
}

#[component]
fn DevicesPage(view: Memo<DeviceQuery>, first: Result<Answer, Failure>) -> impl IntoView {
    let shown = Shown::new(first);
    let selection = Selection::<DeviceName>::new();
    let is_registering = RwSignal::new(false);
    let dropped = RwSignal::new(None);
    let is_over = RwSignal::new(false);
    let next_ms = StoredValue::new(0.0);

    let ask_again = move || {
        next_ms.set_value(f64::INFINITY);
        spawn_local(async move {
            let (asked, begun_ms) = (view.get_untracked(), js_sys::Date::now());
            let answer = ask(asked.clone()).await;
            let now_ms = js_sys::Date::now();
            next_ms.try_set_value(now_ms + REST * (now_ms - begun_ms));
            // An answer to a question that has changed meanwhile is not shown.
            if view.try_get_untracked() == Some(asked) {
                shown.take(answer);
            }
        });
    };
    Effect::new(move || {
        let now = view.get();
        selection.shows(&now.filter);
        // The first answer, too, may be to a question that has changed meanwhile.
        if shown.view.with_untracked(|shown| shown.as_ref().is_some_and(|shown| *shown != now)) {
            ask_again();
        }
    });
    Effect::new(move || shown.matching.with(|(filter, total)| selection.match_now(filter, *total)));
    let offered = Offered::new();
    let is_search_too_long = RwSignal::new(false);
    let too_long = move || is_search_too_long.get().then_some(SEARCH_TOO_LONG);
    Effect::new(move || {
        offered.load();
        refresh::every(REFRESH, move || {
            if js_sys::Date::now() >= next_ms.get_value() {
                ask_again();
            }
        });
    });

    let done = Callback::new(move |done: Done| {
        if done == Done::Deleted {
            selection.clear();
        }
        offered.load();
        ask_again();
    });
    let selected = Signal::derive(move || selection.len());
    let hidden = Memo::new(move |_| shown.page.with(|page| selection.hidden(&page.items)));
    let first_names = Signal::derive(move || shown.page.with(|page| selection.first_names(&page.items)));
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
                <div class="row">
                <button type="button" class="main" on:click=move |_| is_registering.set(true)>"Register devices"</button>
                <Actions targets=Signal::derive(move || selection.targets()) total=selected hidden first_names
                    why_not=Signal::derive(move || (selection.len() == 0).then_some("Select one or more devices first."))
                    is_registering dropped done />
                </div>
            </div>
            <Filters view offered is_search_too_long />
            <p class="problem" role="alert">{too_long}</p>
            <Banner problem=shown.problem again=Callback::new(move |()| ask_again()) />
            <Show when=move || shown.page.with(|page| page.is_too_large)>
                <p class="notice">{TOO_LARGE}</p>
            </Show>
            <div class="under-filters">
                <p class="total" role="status">{move || shown.view.with(Option::is_some).then(|| count(shown.total(), "device", "devices"))}</p>
                <p class="faint" role="status">{move || shown.page.with(|page| names_not_found(&page.names_not_found))}</p>
                <p class="unseen" role="status">{move || shown.brought.get()}</p>
                <Selected shown view selection hidden />
                <Pages view page=shown.page />
            </div>
            <div class:stale=move || shown.problem.with(Option::is_some)><Content shown view selection is_registering /></div>
        </div>
    }
    .into_any()
}

/// How many are ticked, and ticking all that match.
#[component]
fn Selected(
    shown: Shown,
    view: Memo<DeviceQuery>,
    selection: Selection<DeviceName>,
    hidden: Memo<u64>,
) -> impl IntoView {
    let matching = Memo::new(move |_| view.with(|view| shown.total_of(&view.filter)));
    let tick_all = move |_| {
        let Some(total) = matching.get_untracked() else { return };
        let filter = view.with_untracked(|view| view.filter.clone());
        selection.tick_all(AllMatching { filter, total, at: shown.now.get_untracked() });
    };
    let may_tick_all = move || {
        matching.get().is_some_and(|total| {
            let is_other_page = shown.page.with(|page| page.has_next || page.has_previous);
            let is_unticked = || shown.page.with(|page| page.items.iter().any(|row| !selection.has(&row.name)));
            !selection.is_all(total) && (is_other_page || is_unticked())
        })
    };
    let is_any = Memo::new(move |_| selection.len() != 0);
    let selected = move || {
        let hidden = match hidden.get() {
            0 => String::new(),
            hidden => format!(", {} not shown here", thousands(hidden)),
        };
        is_any.get().then(|| format!("{} selected{hidden}", thousands(selection.len())))
    };
    let list = Memo::new(move |_| {
        let search = selection.search().filter(|_| hidden.get() > 0)?;
        Some(path_with("/devices", &[("q", Some(&search))]))
    });
    view! {
        <p class="selected">
            <span role="status">{selected}</span>
            <Show when=move || is_any.get()>
                {move || list.get().map(|href| view! { <a class="button quiet" href=href>"Show selected"</a> })}
                <Show when=may_tick_all>
                    <button type="button" class="quiet" on:click=tick_all>{move || format!("Select all {} matching", thousands(matching.get().unwrap_or_default()))}</button>
                </Show>
                <button type="button" class="quiet" on:click=move |_| selection.clear()>"Clear"</button>
            </Show>
        </p>
    }
    .into_any()
}

/// To other pages.
#[component]
fn Pages(view: Memo<DeviceQuery>, page: RwSignal<DevicePage>) -> impl IntoView {
    // Each stays the element it is, so that the focus stays on it when it leads nowhere any more.
    let link = move |label: &'static str, is_next: bool, position: fn(&DevicePage, Sort) -> Option<PagePosition>| {
        let href = Memo::new(move |_| {
            let there = page.with(|page| if is_next { page.has_next } else { page.has_previous });
            let view = view.get();
            let position = page.with(|page| position(page, view.sort)).filter(|_| there)?;
            Some(address(&DeviceQuery { position, ..view }))
        });
        let is_off = move || href.with(Option::is_none);
        view! {
            <a class="button" role="link" href=move || href.get() aria-disabled=move || is_off().then_some("true")
                tabindex=move || is_off().then_some("-1")>{label}</a>
        }
    };
    let has_several = Memo::new(move |_| page.with(|page| page.has_next || page.has_previous));
    view! {
        <Show when=move || has_several.get()>
            <nav class="pages" aria-label="Pages">
                {link("First", false, |_, _| Some(PagePosition::First))}
                {link("Previous", false, |page, sort| page.items.first().map(|item| PagePosition::Before(item.cursor(sort))))}
                {link("Next", true, |page, sort| page.items.last().map(|item| PagePosition::After(item.cursor(sort))))}
                {link("Last", true, |_, _| Some(PagePosition::Last))}
            </nav>
        </Show>
    }
    .into_any()
}

/// The grid, or what there is to say in its place.
#[component]
fn Content(
    shown: Shown,
    view: Memo<DeviceQuery>,
    selection: Selection<DeviceName>,
    is_registering: RwSignal<bool>,
) -> impl IntoView {
    #[derive(Clone, PartialEq)]
    enum Kind {
        /// There was no answer yet.
        Unknown,
        NoneYet,
        NoMatch,
        Rows,
    }
    let kind = Memo::new(move |_| {
        if shown.view.with(Option::is_none) {
            Kind::Unknown
        } else if shown.page.with(|page| !page.items.is_empty()) {
            Kind::Rows
        } else if shown.total_of(&DeviceFilter::default()) == Some(0)
            && view.with(|view| view.filter == DeviceFilter::default())
        {
            Kind::NoneYet
        } else {
            Kind::NoMatch
        }
    });
    move || {
        match kind.get() {
        Kind::Unknown => ().into_any(),
        Kind::NoneYet => view! {
            <div class="empty">
                <h2>"Register the first devices"</h2>
                <p>"Drop a registration file anywhere on this page: one device per line, with its name and its model. It is checked before anything is uploaded."</p>
                <p><button type="button" class="main" on:click=move |_| is_registering.set(true)>"Choose a file"</button></p>
                <p>"Its models must be in your account first: "<a href="/models">"upload a model definition"</a>"."</p>
            </div>
        }.into_any(),
        Kind::NoMatch => view! {
            <div class="empty"><h2>"No devices match your filters"</h2><p><a class="button" href="/devices">"Clear filters"</a></p></div>
        }.into_any(),
        Kind::Rows => view! { <Grid page=shown.page now=shown.now view selection /> }.into_any(),
    }
    }
}

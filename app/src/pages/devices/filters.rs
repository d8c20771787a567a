//! The search box and the filters. What they say goes into the address, and comes from there.

use super::view::{address, parse_hours};
use crate::{
    fns::{groups::groups, models::model_names},
    query,
};
use leptos::{html, prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use muster_domain::{
    DeviceFilter, DeviceQuery, GroupName, MAX_SILENT_HOURS, ModelName, PagePosition, PricingTier, Status,
};
use std::time::Duration;

/// How long after the last key a search begins.
const SEARCH_PAUSE: Duration = Duration::from_millis(200);

/// The most characters of a search: a few more than 1,000 device names of 128 characters have, so that a list with too many
/// is refused rather than cut.
const MAX_SEARCH_CHARS: &str = "140000";

/// The names in a pasted text, joined with commas: the search box would drop line ends. `None`:
/// the text is a single line. Security tokens are left out, since what is searched for becomes part of the address.
fn pasted_list(text: &str) -> Option<String> {
    if !text.trim().contains(['\r', '\n', '\t']) {
        return None;
    }
    let words = text.split(['\r', '\n', '\t', ',', ';']).map(str::trim);
    let words: Vec<&str> = words.filter(|word| !word.is_empty() && !word.contains("mst_")).collect();
    Some(words.join(","))
}

/// What the filters offer. Not resources: the page does not wait for them.
#[derive(Clone, Copy)]
pub(super) struct Offered {
    models: RwSignal<Vec<String>>,
    groups: RwSignal<Vec<String>>,
}

impl Offered {
    pub(super) fn new() -> Self {
        Self { models: RwSignal::new(Vec::new()), groups: RwSignal::new(Vec::new()) }
    }

    /// Asks for them. Where there is no answer, those known before are offered.
    pub(super) fn load(self) {
        spawn_local(async move {
            if let Ok(names) = model_names().await {
                self.models.try_set(names);
            }
            if let Ok(list) = groups().await {
                self.groups.try_set(list.value.into_iter().map(|group| group.name.to_string()).collect());
            }
        });
    }
}

#[component]
pub(super) fn Filters(
    view: Memo<DeviceQuery>,
    offered: Offered,
    /// Set while what is in the search box is too long for an address.
    is_search_too_long: RwSignal<bool>,
) -> impl IntoView {
    let search_box = NodeRef::<html::Input>::new();
    let go = StoredValue::new(use_navigate());
    let show = Callback::new(move |filter: DeviceFilter| {
        let next = DeviceQuery { filter, position: PagePosition::First, ..view.get_untracked() };
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        go.with_value(|go| go(&address(&next), options));
    });
    let now = move || view.with_untracked(|view| view.filter.clone());
    let filter = Memo::new(move |_| view.with(|view| view.filter.clone()));
    // The pause after the last key, while there is one.
    let typed = StoredValue::new(None::<TimeoutHandle>);
    let wait_no_more = move || {
        if let Some(earlier) = typed.try_update_value(Option::take).flatten() {
            earlier.clear();
        }
    };
    on_cleanup(wait_no_more);
    let search = move |text: String| {
        wait_no_more();
        let later = move || {
            typed.set_value(None);
            let search = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            is_search_too_long.set(search.as_deref().is_some_and(query::is_search_too_long));
            if !is_search_too_long.get_untracked() {
                show.run(DeviceFilter { search, ..now() });
            }
        };
        typed.set_value(set_timeout_with_handle(later, SEARCH_PAUSE).ok());
    };
    let paste = move |event: web_sys::ClipboardEvent| {
        let text = event.clipboard_data().and_then(|data| data.get_data("text/plain").ok());
        let (Some(list), Some(search_box)) = (text.and_then(|text| pasted_list(&text)), search_box.get_untracked())
        else {
            return;
        };
        event.prevent_default();
        if search_box.set_range_text(&list).is_ok() {
            search(search_box.value());
        }
    };
    let searched = Memo::new(move |_| filter.with(|filter| filter.search.clone()).unwrap_or_default());
    // The box follows the address where that says something else, and leaves alone what somebody is typing.
    Effect::new(move || {
        let (searched, Some(search_box)) = (searched.get(), search_box.get()) else { return };
        if typed.with_value(Option::is_none) && search_box.value().trim() != searched {
            search_box.set_value(&searched);
            is_search_too_long.set(false);
        }
    });
    let at_first = searched.get_untracked();
    let one_group = Memo::new(move |_| {
        filter.with(|filter| filter.groups.first().map(GroupName::to_string).filter(|_| filter.groups.len() == 1))
    });
    let several = Memo::new(move |_| filter.with(|filter| filter.groups.len()).max(1) - 1);
    let words = |words: Vec<&'static str>| Signal::stored(words.into_iter().map(str::to_owned).collect::<Vec<_>>());
    view! {
        <div class="filters" role="search">
            <input node_ref=search_box type="search" aria-label="Search devices" placeholder="Search devices" autocomplete="off" spellcheck="false" maxlength=MAX_SEARCH_CHARS
                value=at_first
                on:paste=paste
                on:input:target=move |event| search(event.target().value()) />
            <Choice label="Status" any="Any status" options=words(Status::ALL.map(Status::as_str).to_vec())
                chosen=Signal::derive(move || filter.with(|filter| filter.status.map(|status| status.as_str().to_owned())))
                choose=Callback::new(move |word: Option<String>| show.run(DeviceFilter { status: word.and_then(|word| Status::parse(&word)), ..now() })) />
            <Choice label="Model" any="Any model" options=offered.models.into()
                chosen=Signal::derive(move || filter.with(|filter| filter.model.as_ref().map(ModelName::to_string)))
                choose=Callback::new(move |word: Option<String>| show.run(DeviceFilter { model: word.and_then(|word| ModelName::parse(&word).ok()), ..now() })) />
            <Choice label="Pricing tier" any="Any tier" options=words(PricingTier::ALL.map(PricingTier::as_str).to_vec())
                chosen=Signal::derive(move || filter.with(|filter| filter.tier.map(|tier| tier.as_str().to_owned())))
                choose=Callback::new(move |word: Option<String>| show.run(DeviceFilter { tier: word.and_then(|word| PricingTier::parse(&word).ok()), ..now() })) />
            <Show when=move || several.get() == 0 fallback=move || view! {
                <Chip text=Signal::derive(move || format!("{} device groups", several.get() + 1)) label="All groups" drop=Callback::new(move |()| show.run(DeviceFilter { groups: Vec::new(), ..now() })) />
            }>
                <Choice label="Device group" any="Any group" options=offered.groups.into() chosen=one_group.into()
                    choose=Callback::new(move |group: Option<String>| show.run(DeviceFilter { groups: group.and_then(|group| GroupName::existing(&group).ok()).into_iter().collect(), ..now() })) />
            </Show>
            <label class="check">
                <input type="checkbox" prop:checked=move || filter.with(|filter| filter.never_seen)
                    on:change:target=move |event| show.run(DeviceFilter { never_seen: event.target().checked(), ..now() }) />
                "Never seen"
            </label>
            <SilentFor hours=Signal::derive(move || filter.with(|filter| filter.silent_hours))
                choose=Callback::new(move |silent_hours| show.run(DeviceFilter { silent_hours, ..now() })) />
            <Show when=move || filter.with(|filter| filter.registration.is_some())>
                <Chip text="One registration" label="All registrations" drop=Callback::new(move |()| show.run(DeviceFilter { registration: None, ..now() })) />
            </Show>
        </div>
    }
    .into_any()
}

/// What the filter by silence offers, in hours.
const SILENT_FOR: [(u32, &str); 4] =
    [(1, "Silent for 1 h"), (24, "Silent for 24 h"), (7 * 24, "Silent for 7 days"), (30 * 24, "Silent for 30 days")];

/// The choice of another time.
const SILENT_FOR_OTHER: &str = "Silent for other…";

/// The filter by silence: one of some times, or a number of hours.
#[component]
fn SilentFor(hours: Signal<Option<u32>>, choose: Callback<Option<u32>>) -> impl IntoView {
    let word_of = |hours: u32| SILENT_FOR.iter().find(|(offered, _)| *offered == hours).map(|(_, word)| *word);
    // Once chosen, the field stays while somebody types in it, even a time that is offered.
    let is_other_chosen = RwSignal::new(false);
    let is_other =
        Memo::new(move |_| is_other_chosen.get() || hours.get().is_some_and(|hours| word_of(hours).is_none()));
    // Removing the filter elsewhere, as **Clear filters** does, removes the field.
    Effect::new(move |had_hours: Option<bool>| {
        let has_hours = hours.with(Option::is_some);
        if had_hours == Some(true) && !has_hours {
            is_other_chosen.set(false);
        }
        has_hours
    });
    let options: Vec<&str> = SILENT_FOR.iter().map(|(_, word)| *word).chain([SILENT_FOR_OTHER]).collect();
    let word = move || if is_other.get() { Some(SILENT_FOR_OTHER) } else { hours.get().and_then(word_of) };
    view! {
        <Choice label="Silent for" any="Silent or not" options=Signal::stored(options.into_iter().map(str::to_owned).collect())
            chosen=Signal::derive(move || word().map(str::to_owned))
            choose=Callback::new(move |chosen: Option<String>| {
                is_other_chosen.set(chosen.as_deref() == Some(SILENT_FOR_OTHER));
                if !is_other_chosen.get_untracked() {
                    let chosen = chosen.unwrap_or_default();
                    choose.run(SILENT_FOR.iter().find(|(_, word)| *word == chosen).map(|(hours, _)| *hours));
                }
            }) />
        <Show when=move || is_other.get()>
            <label class="hours">
                <input type="number" min="1" max=MAX_SILENT_HOURS step="1" aria-label="Hours without data" prop:value=move || hours.get()
                    on:change:target=move |event| {
                        let input = event.target();
                        if let Some(hours) = parse_hours(&input.value()) {
                            choose.run(Some(hours));
                        } else if input.report_validity() {
                            // Empty, which the browser does not complain about.
                            input.set_value(&hours.get_untracked().map_or_else(String::new, |hours| hours.to_string()));
                        }
                    } />
                "hours"
            </label>
        </Show>
    }
    .into_any()
}

/// A filter that is one of a list of words, or none.
#[component]
fn Choice(
    label: &'static str,
    any: &'static str,
    options: Signal<Vec<String>>,
    chosen: Signal<Option<String>>,
    choose: Callback<Option<String>>,
) -> impl IntoView {
    // The chosen one, too, where the list is not there yet, or does not have it any more.
    let all = Memo::new(move |_| {
        let mut all = options.get();
        all.extend(chosen.get().filter(|chosen| !all.contains(chosen)));
        all
    });
    view! {
        <select aria-label=label class:on=move || chosen.with(Option::is_some)
            on:change:target=move |event| choose.run(Some(event.target().value()).filter(|value| !value.is_empty()))>
            // The property, too: an attribute has no say any more in what somebody has chosen by hand.
            <option value="" selected=move || chosen.with(Option::is_none) prop:selected=move || chosen.with(Option::is_none)>{any}</option>
            {move || all.get().into_iter().map(|word| {
                let (own, value) = (word.clone(), word.clone());
                let is_chosen = Memo::new(move |_| chosen.with(|chosen| chosen.as_ref() == Some(&own)));
                view! { <option value=value selected=is_chosen prop:selected=is_chosen>{word}</option> }
            }).collect_view()}
        </select>
    }
    .into_any()
}

/// A filter that came with the address, and a button that drops it.
#[component]
fn Chip(#[prop(into)] text: Signal<String>, label: &'static str, drop: Callback<()>) -> impl IntoView {
    view! {
        <span class="chip">{text}<button type="button" class="quiet" aria-label=label on:click=move |_| drop.run(())>"✕"</button></span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_of_a_pasted_list_become_commas() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(pasted_list(text).as_deref(), expected, "{text:?}");
        check("Pump-1", None);
        check("Pump-1\r\n", None);
        check("Pump-1, Pump-2", None);
        check("Pump-1\r\nPump-2\r\n\r\n Pump-3", Some("Pump-1,Pump-2,Pump-3"));
        check("Pump-1\tPump-2\nPump-3\t", Some("Pump-1,Pump-2,Pump-3"));
        check("Pump-1\tmst_abc\nPump-2,mst_def\nPump-3", Some("Pump-1,Pump-2,Pump-3"));
        check("\"Pump-1\"\n\"Pump-2\"", Some("\"Pump-1\",\"Pump-2\""));
    }
}

//! `/groups`: the device groups, and what can be done with the devices in them.

use super::selection::Selection;
use crate::{
    alert::{Banner, alert_text},
    browser::refresh,
    dialogs::{Actions, Done, Modal},
    fns::{
        Dated, Failure,
        devices::count_devices,
        groups::{delete_group, groups, make_group, rename_group},
        sent,
    },
    format::{count, thousands},
    query::path_with,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use muster_domain::{DeviceFilter, GroupName, GroupSummary, Matching, Targets};
use std::time::Duration;

/// How often the groups are asked for again.
const REFRESH: Duration = Duration::from_secs(5);

#[component]
pub(crate) fn Groups() -> impl IntoView {
    let first = sent(|| (), |()| groups());
    view! {
        <Title text="Device groups" />
        <Suspense fallback=|| view! { <p class="loading">"Loading…"</p> }>
            {move || Suspend::new(async move {
                let first = first.await;
                view! { <GroupsPage first /> }
            })}
        </Suspense>
    }
    .into_any()
}

/// What is done to a group itself.
#[derive(Clone, PartialEq)]
enum Edit {
    Make,
    Rename(GroupName),
    Delete(GroupSummary),
}

#[component]
fn GroupsPage(first: Result<Dated<Vec<GroupSummary>>, Failure>) -> impl IntoView {
    let list = RwSignal::new(Dated::default());
    let is_known = RwSignal::new(false);
    let problem = RwSignal::new(None::<Failure>);
    let take = move |answer: Result<Dated<Vec<GroupSummary>>, Failure>| match answer {
        Ok(now) => {
            list.set(now);
            is_known.set(true);
            problem.set(None);
        }
        Err(failure) => problem.set(Some(failure)),
    };
    take(first);
    let ask_again = move || {
        spawn_local(async move {
            let answer = groups().await;
            if !list.is_disposed() {
                take(answer);
            }
        });
    };
    Effect::new(move || {
        refresh::every(REFRESH, ask_again);
    });

    let selection = Selection::new();
    let names = Memo::new(move |_| list.with(|list| list.value.iter().map(|row| row.name.clone()).collect::<Vec<_>>()));
    // A device may be in several of the groups, so that their numbers do not add up. This one is of these names.
    let counted = RwSignal::new(None::<(Vec<GroupName>, u64)>);
    let asked = StoredValue::new(0_u32);
    let filter = move || DeviceFilter { groups: selection.names(), ..DeviceFilter::default() };
    Effect::new(move || {
        let filter = filter();
        list.track();
        // An answer to an earlier question comes too late.
        let this = asked.try_update_value(|asked| {
            *asked += 1;
            *asked
        });
        if filter.groups.is_empty() {
            return;
        }
        spawn_local(async move {
            let groups = filter.groups.clone();
            if let Ok(number) = count_devices(filter).await
                && asked.try_get_value() == this
            {
                counted.set(Some((groups, number)));
            }
        });
    });
    let devices = Memo::new(move |_| {
        let names = selection.names();
        counted.with(|counted| counted.as_ref().filter(|(of, _)| *of == names).map(|(_, number)| *number))
    });
    let targets = Signal::derive(move || {
        Targets::Matching(Matching {
            filter: filter(),
            registered_by: list.with(|list| list.now),
            except: Vec::new(),
            after: None,
        })
    });
    let why_not = Signal::derive(move || match devices.get() {
        _ if selection.len() == 0 => Some("Select one or more device groups first."),
        None => Some("Counting the devices…"),
        Some(0) => Some("The selected groups have no devices."),
        Some(_) => None,
    });
    let done = Callback::new(move |_: Done| ask_again());
    let edit = RwSignal::new(Edit::Make);
    let is_editing = RwSignal::new(false);
    let ask = Callback::new(move |what: Edit| {
        edit.set(what);
        is_editing.set(true);
    });
    let edited = Callback::new(move |()| {
        // The names that are ticked may be others now, or gone.
        selection.clear();
        ask_again();
    });
    let ticked = move || names.with(|names| names.iter().filter(|name| selection.has(name)).count());
    let all = Memo::new(move |_| ticked() == names.with(Vec::len));
    let some = Memo::new(move |_| ticked() > 0 && !all.get());
    // The devices of a group are not on this page.
    let number = Signal::derive(move || devices.get().unwrap_or_default());
    let selected = move || {
        let number = devices.get().map_or_else(|| "counting…".to_owned(), |number| count(number, "device", "devices"));
        (selection.len() != 0).then(|| format!("{} selected, {number}", thousands(selection.len())))
    };
    let is_empty = Memo::new(move |_| names.with(Vec::is_empty));
    view! {
        <div class="head">
            <h1>"Device groups"</h1>
            <div class="row">
                <button type="button" on:click=move |_| ask.run(Edit::Make)>"New group"</button>
                <Actions targets total=number hidden=number
                    first_names=Signal::derive(Vec::new) why_not is_registering=RwSignal::new(false) dropped=RwSignal::new(None) done />
            </div>
        </div>
        <Banner problem again=Callback::new(move |()| ask_again()) />
        <Show when=move || is_known.get() && is_empty.get()>
            <div class="empty">
                <h2>"No device groups yet"</h2>
                <p>"Create one here, name one while you register devices, or select devices and choose Add to group."</p>
                <p><a class="button" href="/devices">"Go to Devices"</a></p>
            </div>
        </Show>
        <Show when=move || !is_empty.get()>
            <div class="under-filters">
                <p class="total">{move || count(names.with(Vec::len) as u64, "device group", "device groups")}</p>
                <p class="selected" role="status">{selected}</p>
            </div>
            <div class="scroll" class:stale=move || problem.with(Option::is_some)>
                <table role="grid" aria-label="Device groups" aria-multiselectable="true">
                    <thead><tr>
                        <th scope="col" class="tick">
                            <input type="checkbox" aria-label="Select all device groups" prop:checked=all prop:indeterminate=some
                                on:change:target=move |event| names.with_untracked(|names| selection.set(names, event.target().checked())) />
                        </th>
                        <th scope="col">"Name"</th><th scope="col" class="number">"Devices"</th><th scope="col"><span class="unseen">"Rename or delete"</span></th>
                    </tr></thead>
                    <tbody><For each=move || names.get() key=Clone::clone let:name><Row name list selection names ask /></For></tbody>
                </table>
            </div>
        </Show>
        <EditDialog is_open=is_editing edit done=edited />
    }
    .into_any()
}

#[component]
fn Row(
    name: GroupName,
    list: RwSignal<Dated<Vec<GroupSummary>>>,
    selection: Selection<GroupName>,
    names: Memo<Vec<GroupName>>,
    ask: Callback<Edit>,
) -> impl IntoView {
    let own = StoredValue::new(name.clone());
    let devices = Memo::new(move |_| {
        let own = own.get_value();
        list.with(|list| list.value.iter().find(|row| row.name == own).map_or(0, |row| row.devices))
    });
    let is_ticked = Memo::new(move |_| own.with_value(|name| selection.has(name)));
    let click = move |event: web_sys::MouseEvent| {
        let is_on = !is_ticked.get_untracked();
        names.with_untracked(|names| selection.tick(&own.get_value(), is_on, event.shift_key(), names));
    };
    let rename = move |_| ask.run(Edit::Rename(own.get_value()));
    let delete =
        move |_| ask.run(Edit::Delete(GroupSummary { name: own.get_value(), devices: devices.get_untracked() }));
    let href = path_with("/devices", &[("group", Some(name.as_str()))]);
    view! {
        <tr aria-selected=move || is_ticked.get().to_string()>
            <td class="tick"><input type="checkbox" aria-label=format!("Select {name}") prop:checked=is_ticked on:click=click /></td>
            <th scope="row"><a href=href>{name.to_string()}</a></th>
            <td class="number">{move || count(devices.get(), "device", "devices")}</td>
            <td class="acts">
                <button type="button" class="quiet" aria-label=format!("Rename {name}") on:click=rename>"Rename"</button>
                <button type="button" class="quiet" aria-label=format!("Delete the group {name}") on:click=delete>"Delete group"</button>
            </td>
        </tr>
    }
    .into_any()
}

/// Makes, renames or deletes a group.
#[component]
fn EditDialog(is_open: RwSignal<bool>, edit: RwSignal<Edit>, done: Callback<()>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let problem = RwSignal::new(None::<Failure>);
    let is_working = RwSignal::new(false);
    Effect::new(move || {
        let _ = is_open.get();
        problem.set(None);
        name.set(match edit.get() {
            Edit::Rename(from) => from.to_string(),
            Edit::Make | Edit::Delete(_) => String::new(),
        });
    });
    let title = Signal::derive(move || match edit.get() {
        Edit::Make => "New device group".to_owned(),
        Edit::Rename(from) => format!("Rename {from}"),
        Edit::Delete(group) => format!("Delete the group {}?", group.name),
    });
    let verb = move || match edit.get() {
        Edit::Make => "Create",
        Edit::Rename(_) => "Rename",
        Edit::Delete(_) => "Delete group",
    };
    let is_deleting = move || matches!(edit.get(), Edit::Delete(_));
    let may_act = move || !is_working.get() && (is_deleting() || name.with(|name| !name.trim().is_empty()));
    let act = move || {
        if !untrack(may_act) {
            return;
        }
        is_working.set(true);
        spawn_local(async move {
            let typed = name.with_untracked(|name| GroupName::existing(name));
            let outcome = match (edit.get_untracked(), typed) {
                (Edit::Delete(group), _) => delete_group(group.name).await,
                (_, Err(problem)) => Err(Failure::Refused(problem.to_string())),
                (Edit::Make, Ok(to)) => make_group(to).await,
                (Edit::Rename(from), Ok(to)) => rename_group(from, to).await,
            };
            if is_working.is_disposed() {
                return;
            }
            is_working.set(false);
            match outcome {
                Ok(()) => {
                    is_open.set(false);
                    done.run(());
                }
                Err(failure) => problem.set(Some(failure)),
            }
        });
    };
    view! {
        <Modal id="group-title" title is_open would_lose=is_working ask=Callback::new(|()| {})>
            <form class="body" on:submit=move |event| { event.prevent_default(); act(); }>
                {move || match edit.get() {
                    Edit::Delete(group) => view! {
                        <p>{format!("Its {}.", count(group.devices, "device stays registered and in its other groups", "devices stay registered and in their other groups"))}</p>
                    }.into_any(),
                    Edit::Make | Edit::Rename(_) => view! {
                        <div class="row">
                            <label for="group-name">"Name"</label>
                            <input id="group-name" type="text" maxlength="128" autocomplete="off" prop:value=name
                                on:input:target=move |event| name.set(event.target().value()) />
                        </div>
                    }.into_any(),
                }}
                <p class="problem" role="alert">{move || alert_text(problem.get().map(|failure| failure.sentence()))}</p>
            </form>
            <footer>
                <button type="button" class="quiet" on:click=move |_| is_open.set(false)>"Cancel"</button>
                <button type="button" class:danger=is_deleting class:main=move || !is_deleting()
                    aria-disabled=move || (!may_act()).to_string() on:click=move |_| act()>{verb}</button>
            </footer>
        </Modal>
    }
    .into_any()
}

//! *Undo* of a registration: deletes its devices, except devices that have connected.

use super::{
    Modal,
    job::{Job, JobProgress, Stage},
    modal::keep_focus,
};
use crate::{
    alert::alert_text,
    fns::{
        Failure,
        devices::{count_devices, devices},
        registrations::undo_registration,
    },
    format::count,
    query::path_with,
};
use leptos::{prelude::*, task::spawn_local};
use muster_domain::{DeviceFilter, DeviceName, DeviceQuery, Matching, RegistrationSummary, Targets, Timestamp};

/// How many names of devices that stay the dialog lists. A link leads to all of them.
const SHOWN: usize = 20;

/// What is left of a registration.
#[derive(Clone, Default)]
struct Left {
    devices: u64,
    names: Vec<DeviceName>,
}

/// The dialog for this registration. `done` is called when it has ended.
#[component]
pub(crate) fn UndoDialog(
    is_open: RwSignal<bool>,
    #[prop(into)] registration: Signal<Option<RegistrationSummary>>,
    done: Callback<()>,
) -> impl IntoView {
    let job = Job::new();
    let there = RwSignal::new(None::<Result<u64, Failure>>);
    let left = RwSignal::new(None::<Left>);
    let id = move || registration.with(|row| row.as_ref().map(|row| row.id));
    let filter = move || DeviceFilter { registration: id(), ..DeviceFilter::default() };
    let number = Memo::new(move |_| there.get().and_then(Result::ok));
    // When the response arrives, the dialog may be closed, or open for another registration.
    let is_still = move |asked| is_open.try_get_untracked() == Some(true) && untrack(id) == asked;
    let count_registered = move || {
        there.set(None);
        spawn_local(async move {
            let (asked, counted) = (untrack(id), count_devices(untrack(filter)).await);
            if is_still(asked) {
                there.set(Some(counted));
            }
        });
    };
    Effect::new(move || {
        if is_open.get() {
            count_registered();
        } else {
            job.reset();
            there.set(None);
            left.set(None);
        }
    });
    Effect::new(move || {
        let _ = job.stage.get();
        keep_focus("undo-title");
    });
    let list_left = move || {
        spawn_local(async move {
            let asked = untrack(id);
            let query = DeviceQuery { filter: untrack(filter), ..DeviceQuery::default() };
            if let (Ok(number), Ok(page)) = (count_devices(query.filter.clone()).await, devices(query).await)
                && is_still(asked)
            {
                let names = page.value.items.into_iter().take(SHOWN).map(|item| item.name).collect();
                left.set(Some(Left { devices: number, names }));
            }
        });
    };
    let act = move |_| {
        let Some(id) = untrack(id).filter(|_| number.get_untracked().is_some()) else { return };
        let targets = Targets::Matching(Matching {
            filter: untrack(filter),
            registered_by: Timestamp::from_ms(i64::MAX),
            except: Vec::new(),
            after: None,
        });
        let call = move |targets| {
            let after = match targets {
                Targets::Matching(matching) => matching.after,
                Targets::Named(_) => None,
            };
            undo_registration(id, after)
        };
        let ended = async move |stage| {
            if stage == Stage::Done {
                list_left();
            }
            done.run(());
            Ok(())
        };
        job.run(targets, call, async |outcome| Ok(outcome), ended);
    };
    let total = Signal::derive(move || number.get().unwrap_or_default());
    let file = move || registration.with(|row| row.as_ref().map(|row| row.file_name.clone()).unwrap_or_default());
    let href = move || path_with("/devices", &[("registration", id().map(|id| id.to_string()).as_deref())]);
    let stage = move || job.stage.get();
    let title = Signal::derive(move || match stage() {
        Stage::Done => "Registration undone".to_owned(),
        Stage::Asking | Stage::Working | Stage::Stopped => "Undo registration?".to_owned(),
    });
    view! {
        <Modal id="undo-title" title is_open
            would_lose=Signal::derive(move || job.is_working()) ask=Callback::new(move |()| job.stop())>
            <div class="body">
                <p class="faint">{file}</p>
                <Show when=move || stage() == Stage::Asking>
                    <p role="status">{move || match there.get() {
                        None => "Counting the devices…".to_owned(),
                        Some(Ok(there)) => count(there, "device from this registration still exists.", "devices from this registration still exist."),
                        Some(Err(_)) => String::new(),
                    }}</p>
                    <p class="problem" role="alert">{move || alert_text(there.get().and_then(Result::err).map(|failure| format!("The devices could not be counted. {}", failure.sentence())))}</p>
                    <p>"Devices that have never connected are deleted, with their tokens. The others are kept, and listed afterwards."</p>
                </Show>
                <JobProgress job total />
                <p role="status">{move || left.get().map(|left| if left.devices == 0 {
                    "No devices of this registration are left.".into_any()
                } else {
                    view! {
                        {count(left.devices, "device has connected and was kept", "devices have connected and were kept")}": "
                        <a href=href>"show in Devices"</a>
                    }.into_any()
                })}</p>
                {move || left.get().filter(|left| left.devices != 0).map(|left| view! {
                    <ul class="names">{left.names.into_iter().map(|name| view! { <li>{name.to_string()}</li> }).collect_view()}</ul>
                })}
            </div>
            <footer>
                <button type="button" class="quiet" disabled=move || job.is_working() on:click=move |_| is_open.set(false)>
                    {move || if stage() == Stage::Asking { "Cancel" } else { "Done" }}
                </button>
                <Show when=move || there.with(|there| matches!(there, Some(Err(_))))>
                    <button type="button" on:click=move |_| count_registered()>"Try again"</button>
                </Show>
                <Show when=move || matches!(stage(), Stage::Asking | Stage::Stopped)>
                    <button type="button" class="danger" aria-disabled=move || number.get().is_none().to_string() on:click=act>{move || if stage() == Stage::Stopped { "Continue" } else { "Undo" }}</button>
                </Show>
            </footer>
        </Modal>
    }
    .into_any()
}

//! Asks before something is done to the selected devices, does it, and says what came of it.

use super::Modal;
use crate::{
    fns::devices::{DeviceChange, change_devices},
    when::{count, thousands},
};
use leptos::{prelude::*, task::spawn_local};

/// Devices in one call of the server.
const DEVICES_PER_CALL: usize = 10_000;

/// Over this many, the number has to be typed in before devices are deleted.
const TYPED_OVER: usize = 100;

/// The dialog for a change of the selected devices. `done` is called when some of them were changed.
#[component]
pub(crate) fn ConfirmDialog(
    is_open: RwSignal<bool>,
    #[prop(into)] change: Signal<DeviceChange>,
    #[prop(into)] names: Signal<Vec<String>>,
    done: Callback<()>,
) -> impl IntoView {
    let problem = RwSignal::new(None::<String>);
    let is_working = RwSignal::new(false);
    let typed = RwSignal::new(String::new());
    let verb = move || match change.get() {
        DeviceChange::Disable => "Disable",
        DeviceChange::Enable => "Enable",
        DeviceChange::Delete => "Delete",
        DeviceChange::Tier(_) => "Change pricing tier",
    };
    let devices = move || count(names.with(Vec::len) as u64, "device", "devices");
    let what = move || match change.get() {
        DeviceChange::Disable => "They may not connect until they are enabled again: their tokens stop at this moment.",
        DeviceChange::Enable => "They may connect again, with the tokens they have.",
        DeviceChange::Delete => {
            "Their tokens stop at this moment. A device registered later under the same name is another device."
        }
        DeviceChange::Tier(_) => "They are billed by the new tier from now on.",
    };
    let must_type = move || change.get() == DeviceChange::Delete && names.with(Vec::len) > TYPED_OVER;
    let may_act =
        move || !must_type() || typed.with(|typed| typed.replace(',', "").trim() == names.with(Vec::len).to_string());
    let act = move |_| {
        if !may_act() || is_working.get_untracked() {
            return;
        }
        is_working.set(true);
        problem.set(None);
        let (names, change) = (names.get_untracked(), change.get_untracked());
        spawn_local(async move {
            let mut outcome = Ok(());
            for some in names.chunks(DEVICES_PER_CALL) {
                outcome = change_devices(some.to_vec(), change).await.map(|_| ());
                if outcome.is_err() {
                    break;
                }
            }
            is_working.set(false);
            typed.set(String::new());
            match outcome {
                Ok(()) => is_open.set(false),
                Err(failure) => problem.set(Some(failure.sentence())),
            }
            done.run(());
        });
    };
    view! {
        <Modal id="confirm-title" title=Signal::derive(move || format!("{} {}?", verb(), devices())) is_open would_lose=is_working ask=Callback::new(|()| {})>
            <div class="body">
                <p>{what}</p>
                <Show when=must_type>
                    <label for="typed">{move || format!("Type {} to confirm", thousands(names.with(Vec::len) as u64))}</label>
                    <input id="typed" type="text" inputmode="numeric" autocomplete="off" prop:value=typed on:input:target=move |event| typed.set(event.target().value()) />
                </Show>
                <p class="problem" role="alert">{move || problem.get()}</p>
            </div>
            <footer>
                <button type="button" class="quiet" on:click=move |_| is_open.set(false)>"Cancel"</button>
                <button type="button" class:danger=move || change.get() == DeviceChange::Delete class:main=move || change.get() != DeviceChange::Delete
                    aria-disabled=move || (!may_act() || is_working.get()).to_string() on:click=act>{verb}</button>
            </footer>
        </Modal>
    }
    .into_any()
}

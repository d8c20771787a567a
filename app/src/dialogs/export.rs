//! *Export*: the chosen devices as a registration file.

use super::{
    Modal,
    job::{Job, JobProgress, Stage},
    modal::keep_focus,
};
use crate::{
    browser::save::{CollectedRows, spreadsheet_note},
    fns::devices::{Exported, export_devices},
    format::count,
};
use leptos::prelude::*;
use muster_domain::{Targets, registration_csv};
use send_wrapper::SendWrapper;

/// The dialog. The export begins when it opens, and downloads `devices.csv` when all rows are there.
#[component]
pub(crate) fn ExportDialog(
    is_open: RwSignal<bool>,
    #[prop(into)] targets: Signal<Targets>,
    /// How many devices those are.
    #[prop(into)]
    total: Signal<u64>,
) -> impl IntoView {
    let job = Job::new();
    let collected = StoredValue::new(None::<SendWrapper<CollectedRows>>);
    let fragile_names = RwSignal::new(0);
    let export = move || {
        let file =
            collected.get_value().map_or_else(|| CollectedRows::new(registration_csv::HEADER), SendWrapper::take);
        collected.set_value(Some(SendWrapper::new(file.clone())));
        let whole = file.clone();
        let take = async move |exported: Exported| {
            file.push(&exported.rows, exported.outcome.devices).await?;
            fragile_names.try_update(|names| *names += u64::from(exported.fragile_names));
            Ok(exported.outcome)
        };
        let ended = async move |stage| if stage == Stage::Done { whole.save("devices.csv") } else { Ok(()) };
        job.run(targets.get_untracked(), export_devices, take, ended);
    };
    let begin = move || {
        job.reset();
        collected.set_value(None);
        fragile_names.set(0);
        export();
    };
    Effect::new(move || {
        if is_open.get() {
            begin();
        } else {
            job.reset();
            collected.set_value(None);
        }
    });
    Effect::new(move || {
        let _ = job.stage.get();
        keep_focus("export-title");
    });
    view! {
        <Modal id="export-title" title="Export" is_open would_lose=Signal::derive(move || job.is_working()) ask=Callback::new(move |()| job.stop())>
            <div class="body">
                <p>{move || format!("{} as a registration file. Tokens are not included.", count(total.get(), "device", "devices"))}</p>
                <JobProgress job total />
                <p role="status">{move || (job.stage.get() == Stage::Done).then_some("devices.csv downloaded.")}</p>
                <p role="status">{move || spreadsheet_note(fragile_names.get()).filter(|_| job.stage.get() == Stage::Done)}</p>
            </div>
            <footer>
                <Show when=move || job.stage.get() == Stage::Stopped>
                    <button type="button" class="quiet" on:click=move |_| begin()>"Start again"</button>
                    <button type="button" class="main" on:click=move |_| export()>"Continue"</button>
                </Show>
                <button type="button" class="quiet" disabled=move || job.is_working() on:click=move |_| is_open.set(false)>"Done"</button>
            </footer>
        </Modal>
    }
    .into_any()
}

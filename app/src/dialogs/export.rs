//! *Export*: the chosen devices as a registration file.

use super::{
    Modal,
    job::{Job, JobProgress, Stage},
};
use crate::{
    browser::{calls::Targets, save::Gathered},
    fns::devices::export_devices,
    when::count,
};
use leptos::prelude::*;
use muster_domain::registration_csv;

/// The dialog. It begins by itself, and saves `devices.csv` when all of it is there.
#[component]
pub(crate) fn ExportDialog(
    is_open: RwSignal<bool>,
    #[prop(into)] targets: Signal<Targets>,
    /// How many devices those are.
    #[prop(into)]
    total: Signal<u64>,
) -> impl IntoView {
    let job = Job::new();
    let export = move || {
        job.reset();
        let file = Gathered::new(registration_csv::HEADER);
        let whole = send_wrapper::SendWrapper::new(file.clone());
        let ended = move || {
            if job.stage.get_untracked() == Stage::Done {
                whole.save("devices.csv");
            }
        };
        let call = move |chosen| {
            let file = file.clone();
            async move {
                let exported = export_devices(chosen).await?;
                file.push(&exported.rows);
                Ok(exported.step)
            }
        };
        job.run(targets.get_untracked(), call, ended);
    };
    Effect::new(move || {
        if is_open.get() {
            export();
        } else {
            job.reset();
        }
    });
    view! {
        <Modal id="export-title" title="Export" is_open would_lose=Signal::derive(move || job.is_working()) ask=Callback::new(|()| {})>
            <div class="body">
                <p>{move || format!("{} as a registration file. It holds no tokens.", count(total.get(), "device", "devices"))}</p>
                <JobProgress job total />
                <Show when=move || job.stage.get() == Stage::Done><p role="status">"devices.csv is saved."</p></Show>
            </div>
            <footer>
                <Show when=move || job.stage.get() == Stage::Stopped><button type="button" class="main" on:click=move |_| export()>"Start again"</button></Show>
                <button type="button" class="quiet" disabled=move || job.is_working() on:click=move |_| is_open.set(false)>"Done"</button>
            </footer>
        </Modal>
    }
    .into_any()
}

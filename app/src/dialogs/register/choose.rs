//! The first steps: choosing a file, and waiting for its check.

use super::{Dialog, Step};
use crate::browser::file;
use leptos::{html, prelude::*};

/// Drop a file, or Browse.
#[component]
pub(super) fn ChooseView(dialog: Dialog) -> impl IntoView {
    let is_over = RwSignal::new(false);
    let problem = move || match dialog.step.get() {
        Step::Choose { problem, .. } => problem,
        Step::Checking { .. } | Step::Checked { .. } | Step::Status { .. } => None,
    };
    let can_retry = move || dialog.step.with(|step| matches!(step, Step::Choose { can_retry: true, .. }));
    view! {
        <div class="body">
            <div class="drop" class:over=move || is_over.get()
                on:dragover=move |event| { event.prevent_default(); is_over.set(true); }
                on:dragleave=move |_| is_over.set(false)
                on:drop=move |event| {
                    event.prevent_default();
                    event.stop_propagation();
                    is_over.set(false);
                    dialog.take(file::dropped(&event));
                }>
                <p class="big">"Drop a registration file here"</p>
                <BrowseButton dialog label="Browse" is_main=true />
                <p class="faint">"Checked in your browser, then compared with your devices. Nothing changes until you click Upload."</p>
            </div>
            <div class="retry">
                <p class="problem" role="alert">{problem}</p>
                <Show when=can_retry><TryAgain dialog /></Show>
            </div>
            <details>
                <summary>"What a registration file looks like"</summary>
                <p>"One device per line, separated by commas: "<b>"device name"</b>", "<b>"model name"</b>", friendly name, description, pricing tier (ExtraSmall, Small, Medium or Large). The first two are required."</p>
                <pre tabindex="0"><code>"AutoRegister41,Contoso.Aircraft.AircraftModel,1st EM.Concorde Jet,The 1st Concorder Flight,Small\nAutoRegister42,Contoso.Aircraft.AircraftModel,2nd EM.Concorde Jet,Jet No.009,ExtraSmall"</code></pre>
            </details>
        </div>
        <footer><UploadDisabled why="Choose a registration file first." /></footer>
    }
    .into_any()
}

/// The button *Upload* while there is nothing to upload, with the reason beside it.
#[component]
pub(super) fn UploadDisabled(#[prop(into)] why: String) -> impl IntoView {
    view! {
        <span class="why faint" id="why">{why}</span>
        <button type="button" class="main" disabled aria-describedby="why">"Upload"</button>
    }
}

/// A button that opens the browser's file dialog, with a real file input behind it.
#[component]
pub(super) fn BrowseButton(dialog: Dialog, label: &'static str, is_main: bool) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    view! {
        <button type="button" class:main=is_main on:click=move |_| { if let Some(input) = input.get() { input.click(); } }>{label}</button>
        <input node_ref=input type="file" class="hidden" tabindex="-1" aria-label="Registration file" accept=".csv,.txt,.tsv,text/csv,text/plain"
            on:change:target=move |event| { if let Some(chosen) = file::chosen(&event.target()) { dialog.take(Ok(chosen)); } } />
    }
}

/// The check goes on.
#[component]
pub(super) fn CheckingView(dialog: Dialog) -> impl IntoView {
    let now = Memo::new(move |_| match dialog.step.get() {
        Step::Checking { name, read, size, .. } => (name, read, size),
        Step::Choose { .. } | Step::Checked { .. } | Step::Status { .. } => (String::new(), 0.0, 1.0),
    });
    let mib = |bytes: f64| format!("{:.1} MiB", bytes / 1_048_576.0);
    let stop = move |_| {
        dialog.check.set_value(None);
        dialog.step.set(Step::CHOOSE);
    };
    let is_silent = Memo::new(move |_| dialog.step.with(|step| matches!(step, Step::Checking { is_silent: true, .. })));
    let silence = move || {
        is_silent
            .get()
            .then_some("The check hasn't responded for a minute. The computer may be busy. Keep waiting, or try again.")
    };
    view! {
        <div class="body">
            <p>{move || now.with(|(name, read, size)| format!("Checking {name}: {} of {}", mib(*read), mib(*size)))}</p>
            <progress aria-label="Checking the file" max=move || now.get().2.max(1.0).to_string() value=move || now.get().1.to_string()></progress>
            <div class="retry">
                <p class="problem" role="alert">{silence}</p>
                <Show when=move || is_silent.get()><TryAgain dialog /></Show>
            </div>
        </div>
        <footer>
            <button type="button" class="quiet" on:click=stop>"Cancel"</button>
            <UploadDisabled why="The file is being checked." />
        </footer>
    }
    .into_any()
}

/// Checks the chosen file again.
#[component]
fn TryAgain(dialog: Dialog) -> impl IntoView {
    view! { <button type="button" on:click=move |_| dialog.try_again()>"Try again"</button> }
}

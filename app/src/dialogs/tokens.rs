//! *Generate token*: new tokens for the chosen devices, shown as a file to save, once.

use super::{
    Modal,
    job::{Job, JobProgress, Stage},
    modal::keep_focus,
};
use crate::{
    browser::{calls::Targets, leaving::ask_before_leaving, save::Gathered},
    fns::tokens::{OldTokens, generate_tokens},
    when::count,
};
use leptos::prelude::*;
use muster_domain::tokens_csv;
use send_wrapper::SendWrapper;

/// The dialog. `done` is called when tokens were made.
#[component]
pub(crate) fn TokensDialog(
    is_open: RwSignal<bool>,
    #[prop(into)] targets: Signal<Targets>,
    /// How many devices those are.
    #[prop(into)]
    total: Signal<u64>,
    done: Callback<()>,
) -> impl IntoView {
    let job = Job::new();
    let old = RwSignal::new(OldTokens::default());
    // Those made since are lost where this stays false.
    let is_saved = RwSignal::new(true);
    let is_asking_to_close = RwSignal::new(false);
    let gathered = StoredValue::new(None::<SendWrapper<Gathered>>);
    let would_lose = Signal::derive(move || job.is_working() || !is_saved.get());
    ask_before_leaving(would_lose);

    // Each opening begins anew, and nothing is left of the one before: neither its tokens nor its answers.
    Effect::new(move || {
        if !is_open.get() {
            job.reset();
            old.set(OldTokens::default());
            is_saved.set(true);
            is_asking_to_close.set(false);
            gathered.set_value(None);
        }
    });
    Effect::new(move || {
        let _ = job.stage.get();
        keep_focus("tokens-title");
    });
    let generate = move |_| {
        let file = gathered.get_value().map_or_else(|| Gathered::new(tokens_csv::HEADER), SendWrapper::take);
        gathered.set_value(Some(SendWrapper::new(file.clone())));
        let old = old.get_untracked();
        let call = move |chosen| {
            let file = file.clone();
            async move {
                let new = generate_tokens(chosen, old).await?;
                file.push(&new.rows);
                if new.step.devices > 0 {
                    is_saved.set(false);
                }
                Ok(new.step)
            }
        };
        job.run(targets.get_untracked(), call, move || done.run(()));
    };
    let save = move |_| {
        gathered.with_value(|file| {
            if let Some(file) = file {
                file.save("tokens.csv");
                is_saved.set(true);
                is_asking_to_close.set(false);
            }
        });
    };
    let is_asking = move || job.stage.get() == Stage::Asking;
    let has_ended = move || matches!(job.stage.get(), Stage::Stopped | Stage::Done);
    let tokens = move || count(job.devices.get(), "token", "tokens");
    let may_save = move || has_ended() && job.devices.get() > 0;
    view! {
        <Modal id="tokens-title" title="Generate token" is_open would_lose ask=Callback::new(move |()| is_asking_to_close.set(true))>
            <div class="body">
                <Show when=is_asking>
                    <p>{move || format!("A new token for {}.", count(total.get(), "device", "devices"))}</p>
                    <fieldset>
                        <legend>"The tokens they have now"</legend>
                        <label><input type="radio" name="old" checked on:change=move |_| old.set(OldTokens::KeepUntilNewIsUsed) />
                            <span>"keep working until the new one is first used"</span></label>
                        <label><input type="radio" name="old" on:change=move |_| old.set(OldTokens::StopNow) />
                            <span>"stop now"</span></label>
                    </fieldset>
                </Show>
                <JobProgress job total />
                <Show when=may_save>
                    <p role="status">{move || if is_saved.get() { "tokens.csv is saved.".to_owned() } else {
                        format!("{} generated. They are shown only now: save them before you close.", tokens())
                    }}</p>
                </Show>
                <UnsavedQuestion is_asked=is_asking_to_close leave=Callback::new(move |()| is_open.set(false)) />
            </div>
            <footer>
                <Show when=is_asking>
                    <button type="button" class="quiet" on:click=move |_| is_open.set(false)>"Cancel"</button>
                    <button type="button" class="main" on:click=generate>"Generate"</button>
                </Show>
                <Show when=has_ended>
                    <button type="button" class="quiet" on:click=move |_| if would_lose.get_untracked() { is_asking_to_close.set(true) } else { is_open.set(false) }>"Done"</button>
                    <Show when=move || job.stage.get() == Stage::Stopped><button type="button" on:click=generate>"Continue"</button></Show>
                    <Show when=may_save><button type="button" class="main" on:click=save>"Save"</button></Show>
                </Show>
            </footer>
        </Modal>
    }
    .into_any()
}

/// Asked where a dialog with unsaved tokens is to be closed.
#[component]
pub(super) fn UnsavedQuestion(is_asked: RwSignal<bool>, leave: Callback<()>) -> impl IntoView {
    view! {
        <Show when=move || is_asked.get()>
            <div class="question" role="alert">
                <p>"The tokens are not saved, and they are shown only now. Close without them?"</p>
                <button type="button" class="danger" on:click=move |_| leave.run(())>"Close without saving"</button>
                <button type="button" class="quiet" on:click=move |_| is_asked.set(false)>"Go back"</button>
            </div>
        </Show>
    }
    .into_any()
}

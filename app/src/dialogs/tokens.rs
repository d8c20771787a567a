//! *Generate token*: new tokens for the selected devices, shown as a file to save, once.

use super::{Modal, modal::keep_focus};
use crate::{
    browser::{leaving::ask_before_leaving, save::Gathered},
    fns::tokens::{DEVICES_PER_CALL, OldTokens, generate_tokens},
    when::count,
};
use leptos::{prelude::*, task::spawn_local};
use muster_domain::tokens_csv;
use send_wrapper::SendWrapper;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Asking,
    Working { done: u64 },
    Made { tokens: u64 },
}

/// The dialog. `done` is called when tokens were made.
#[component]
pub(crate) fn TokensDialog(
    is_open: RwSignal<bool>,
    #[prop(into)] names: Signal<Vec<String>>,
    done: Callback<()>,
) -> impl IntoView {
    let step = RwSignal::new(Step::Asking);
    let old = RwSignal::new(OldTokens::default());
    let problem = RwSignal::new(None::<String>);
    let is_saved = RwSignal::new(false);
    let is_asking_to_close = RwSignal::new(false);
    let gathered = StoredValue::new(None::<SendWrapper<Gathered>>);
    let would_lose = Signal::derive(move || match step.get() {
        Step::Asking => false,
        Step::Working { .. } => true,
        Step::Made { tokens } => tokens > 0 && !is_saved.get(),
    });
    ask_before_leaving(would_lose);

    // Each opening begins anew, and nothing is left of the one before: neither its tokens nor its answers.
    Effect::new(move || {
        if !is_open.get() {
            step.set(Step::Asking);
            old.set(OldTokens::default());
            problem.set(None);
            is_saved.set(false);
            is_asking_to_close.set(false);
            gathered.set_value(None);
        }
    });
    let kind = Memo::new(move |_| step.with(std::mem::discriminant));
    Effect::new(move || {
        let _ = kind.get();
        keep_focus("tokens-title");
    });
    let total = move || names.with(Vec::len) as u64;
    let generate = move |_| {
        if step.get_untracked() != Step::Asking {
            return;
        }
        let (names, old) = (names.get_untracked(), old.get_untracked());
        let file = Gathered::new(tokens_csv::HEADER);
        gathered.set_value(Some(SendWrapper::new(file.clone())));
        step.set(Step::Working { done: 0 });
        spawn_local(async move {
            let mut made = 0;
            for some in names.chunks(DEVICES_PER_CALL) {
                match generate_tokens(some.to_vec(), old).await {
                    Ok(new) => {
                        file.push(&new.rows);
                        made += new.devices;
                        step.set(Step::Working { done: made });
                    }
                    Err(failure) => {
                        problem.set(Some(failure.sentence()));
                        break;
                    }
                }
            }
            step.set(if made == 0 && problem.with_untracked(Option::is_some) {
                Step::Asking
            } else {
                Step::Made { tokens: made }
            });
            done.run(());
        });
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
    view! {
        <Modal id="tokens-title" title="Generate token" is_open would_lose ask=Callback::new(move |()| is_asking_to_close.set(true))>
            <div class="body">
                {move || match step.get() {
                    Step::Asking => view! {
                        <p>{move || format!("A new token for {}.", count(total(), "device", "devices"))}</p>
                        <fieldset>
                            <legend>"The tokens they have now"</legend>
                            <label><input type="radio" name="old" checked on:change=move |_| old.set(OldTokens::KeepUntilNewIsUsed) />
                                <span>"keep working until the new one is first used"</span></label>
                            <label><input type="radio" name="old" on:change=move |_| old.set(OldTokens::StopNow) />
                                <span>"stop now"</span></label>
                        </fieldset>
                    }.into_any(),
                    Step::Working { done } => view! {
                        <p>{move || format!("Generating {}…", count(total(), "token", "tokens"))}</p>
                        <progress max=total() value=done aria-label="Generating tokens"></progress>
                    }.into_any(),
                    Step::Made { tokens } => view! {
                        <p role="status">{format!("{} generated. They are shown only now: save them before you close.", count(tokens, "token", "tokens"))}</p>
                    }.into_any(),
                }}
                <p class="problem" role="alert">{move || problem.get()}</p>
                <UnsavedQuestion is_asked=is_asking_to_close leave=Callback::new(move |()| is_open.set(false)) />
            </div>
            <footer>
                <Show when=move || matches!(step.get(), Step::Made { .. }) fallback=move || view! {
                    <button type="button" class="quiet" on:click=move |_| is_open.set(false) disabled=move || matches!(step.get(), Step::Working { .. })>"Cancel"</button>
                    <button type="button" class="main" aria-disabled=move || (step.get() != Step::Asking).to_string() on:click=generate>"Generate"</button>
                }>
                    <span class="faint" role="status">{move || is_saved.get().then_some("tokens.csv is saved.")}</span>
                    <button type="button" class="main" on:click=save>"Save"</button>
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

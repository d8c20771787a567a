//! *Generate token*: new tokens for the chosen devices, shown as a file to save, once.

use super::{
    Modal,
    job::{Job, JobProgress, Stage},
    modal::keep_focus,
    to_disk::{self, ToDisk},
};
use crate::{
    browser::{
        random,
        save::{CollectedRows, Rows},
    },
    fns::tokens::{NewTokens, generate_tokens},
    format::count,
};
use leptos::{prelude::*, task::spawn_local};
use muster_domain::{OldTokens, Targets, TokenJob, tokens_csv};
use send_wrapper::SendWrapper;

/// The dialog. `done` is called when tokens were created.
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
    let is_to_disk = RwSignal::new(false);
    let rows = RwSignal::new(Rows::default());
    // How many of the created tokens are in a file, chosen or downloaded.
    let saved = RwSignal::new(0);
    let is_asking_to_close = RwSignal::new(false);
    let collected = StoredValue::new(None::<SendWrapper<CollectedRows>>);
    let id = StoredValue::new(None::<TokenJob>);
    let is_unsaved = move || job.devices.get() > saved.get();
    let would_lose = Signal::derive(move || job.is_working() || is_unsaved());
    let is_on_disk = move || collected.with_value(|file| file.as_ref().is_some_and(|file| file.is_on_disk()));

    // Each opening starts over, without the tokens and answers of the one before.
    Effect::new(move || {
        if !is_open.get() {
            job.reset();
            old.set(OldTokens::default());
            is_to_disk.set(false);
            rows.set(Rows::default());
            saved.set(0);
            is_asking_to_close.set(false);
            collected.set_value(None);
            id.set_value(None);
        }
    });
    Effect::new(move || {
        let _ = job.stage.get();
        keep_focus("tokens-title");
    });
    let run = move |file: CollectedRows, first: TokenJob| {
        collected.set_value(Some(SendWrapper::new(file.clone())));
        let old = old.get_untracked();
        let call = move |targets| {
            let job = id.try_update_value(|now| {
                let attempt = now.map_or(first.attempt, |now| now.attempt) + 1;
                *now.insert(TokenJob { attempt, ..first })
            });
            generate_tokens(targets, old, job.unwrap_or(first))
        };
        let show_rows = move |file: &CollectedRows| {
            // The dialog may have been closed and opened again.
            if collected.try_with_value(|now| now.as_ref().is_some_and(|now| now.is_same(file))) == Some(true) {
                rows.set(file.rows());
                saved.update(|saved| *saved = (*saved).max(file.rows().written));
            }
        };
        let whole = file.clone();
        let take = async move |new: NewTokens| {
            file.push(&new.rows, new.outcome.devices).await?;
            show_rows(&file);
            Ok(new.outcome)
        };
        let ended = async move |_| {
            whole.commit().await;
            show_rows(&whole);
            done.try_run(());
            Ok(())
        };
        job.run(targets.get_untracked(), call, take, ended);
    };
    let generate = move |_| {
        let Some(first) = id.get_value().or_else(|| Some(TokenJob { id: random::id()?, attempt: 0 })) else {
            job.note.set(Some("This browser can't generate random numbers. Use another one.".to_owned()));
            return;
        };
        job.note.set(None);
        if let Some(file) = collected.get_value() {
            run(file.take(), first);
        } else if is_to_disk.get_untracked() {
            spawn_local(async move {
                let chosen = CollectedRows::to_disk("tokens.csv", tokens_csv::HEADER).await;
                match chosen {
                    Ok(file) if is_open.try_get_untracked() == Some(true) => run(file, first),
                    Ok(_) => {}
                    Err(sentence) => {
                        job.note.try_set(Some(sentence));
                    }
                }
            });
        } else {
            run(CollectedRows::new(tokens_csv::HEADER), first);
        }
    };
    let save = move |_| {
        let Some(file) = collected.get_value() else { return };
        match file.save("tokens.csv") {
            Ok(()) => {
                saved.set(job.devices.get_untracked());
                job.note.set(None);
                is_asking_to_close.set(false);
            }
            Err(sentence) => job.note.set(Some(sentence)),
        }
    };
    let is_asking = move || job.stage.get() == Stage::Asking;
    let has_ended = move || matches!(job.stage.get(), Stage::Stopped | Stage::Done);
    let may_save = move || has_ended() && job.devices.get() > rows.get().written;
    let outcome = move || {
        if !has_ended() {
            return String::new();
        }
        to_disk::tokens_sentence(rows.get(), job.devices.get(), saved.get(), |_| {
            let created = job.devices.get();
            format!("{} generated. {}", count(created, "token", "tokens"), to_disk::save_now(created))
        })
    };
    // Tokens in the chosen file are not lost, so stopping is enough.
    let ask = Callback::new(move |()| if is_on_disk() { job.stop() } else { is_asking_to_close.set(true) });
    view! {
        <Modal id="tokens-title" title="Generate token" is_open would_lose ask>
            <div class="body">
                <Show when=is_asking>
                    <p>{move || format!("A new token for {}.", count(total.get(), "device", "devices"))}</p>
                    <fieldset>
                        <legend>"Current tokens"</legend>
                        <label><input type="radio" name="old" checked on:change=move |_| old.set(OldTokens::KeepUntilNewIsUsed) />
                            <span>"Keep working until the new token is first used"</span></label>
                        <label><input type="radio" name="old" on:change=move |_| old.set(OldTokens::RevokeNow) />
                            <span>"Revoke immediately"</span></label>
                    </fieldset>
                    <ToDisk devices=total is_on=is_to_disk />
                </Show>
                <JobProgress job total />
                <p role="status">{outcome}</p>
                <UnsavedQuestion work="Token generation" title_id="tokens-title" is_working=Signal::derive(move || job.is_working()) is_asked=is_asking_to_close leave=Callback::new(move |()| is_open.set(false)) />
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

/// The question before a dialog with unsaved tokens is closed.
#[component]
pub(super) fn UnsavedQuestion(
    /// The title of the dialog. It gets the focus when the question and its buttons are gone.
    title_id: &'static str,
    is_asked: RwSignal<bool>,
    /// The work that creates the tokens, as the beginning of a sentence.
    work: &'static str,
    /// Whether it still creates tokens.
    #[prop(into)]
    is_working: Signal<bool>,
    leave: Callback<()>,
) -> impl IntoView {
    Effect::new(move || {
        if !is_asked.get() {
            keep_focus(title_id);
        }
    });
    let question = move || {
        if is_working.get() {
            format!("{work} is still running. If you close now it stops, and the tokens created so far are lost.")
        } else {
            "The tokens are not saved and can't be shown again. Close anyway?".to_owned()
        }
    };
    view! {
        <div class:question=move || is_asked.get() role="alert">
            <Show when=move || is_asked.get()>
                <p>{question}</p>
                <button type="button" class="danger" on:click=move |_| leave.run(())>"Close without saving"</button>
                <button type="button" class="quiet" on:click=move |_| is_asked.set(false)>"Go back"</button>
            </Show>
        </div>
    }
    .into_any()
}

//! *Registration status*: the progress, the counts, `errors.csv`, and the tokens to save.

use super::{
    super::{modal::keep_focus, to_disk, tokens::UnsavedQuestion},
    Dialog, Step,
};
use crate::{
    alert::alert_text,
    browser::{save::spreadsheet_note, upload::Upload},
    format::{count, thousands},
    query::path_with,
};
use leptos::prelude::*;
use muster_client::{Pass, Progress, Stopped};

#[component]
pub(super) fn StatusView(dialog: Dialog, is_open: RwSignal<bool>) -> impl IntoView {
    let progress = dialog.progress;
    let is_done = Memo::new(move |_| matches!(dialog.step.get(), Step::Status { is_done: true }));
    let number = move |of: fn(&Progress) -> u64| move || thousands(progress.with(of));
    let failed = Memo::new(move |_| progress.with(|progress| progress.failed));
    let tokens = Memo::new(move |_| progress.with(|progress| progress.tokens));
    let silent = Memo::new(move |_| progress.with(|progress| progress.already_never_connected));
    let is_paused = Memo::new(move |_| progress.with(|progress| progress.is_paused));
    let with_upload = move |act: &dyn Fn(&Upload)| {
        dialog.upload.with_value(|upload| {
            if let Some(upload) = upload {
                act(upload);
            }
        });
    };
    let stopped = Memo::new(move |_| progress.with(|progress| progress.stopped));
    // Each removes buttons, and the focus may be on one of them.
    Effect::new(move || {
        let _ = (is_done.get(), stopped.get());
        keep_focus("register-title");
    });
    let status = move || {
        let so_far = progress
            .with(|progress| format!("{} of {}", thousands(progress.rows_done), count(progress.rows, "row", "rows")));
        match (is_done.get(), stopped.get()) {
            (true, None) => "Done.".to_owned(),
            (true, Some(Stopped::GivenUp)) => "Some devices were not registered.".to_owned(),
            (true, Some(_)) => format!("Stopped at {so_far}."),
            (false, Some(Stopped::Cancelled)) => "Stopping: parts already sent are finished first.".to_owned(),
            (false, _) if is_paused.get() => format!("Paused at {so_far}"),
            (false, _) => so_far,
        }
    };
    let save = move |_| {
        with_upload(&|upload| match upload.results().tokens.save("tokens.csv") {
            Ok(()) => {
                dialog.saved.set(tokens.get_untracked());
                dialog.is_asking_to_close.set(false);
            }
            Err(sentence) => progress.update(|progress| progress.note = Some(sentence)),
        });
    };
    let save_errors = move |_| {
        with_upload(&|upload| {
            if let Err(sentence) = upload.results().errors.save("errors.csv") {
                progress.update(|progress| progress.note = Some(sentence));
            }
        });
    };
    let registered = Memo::new(move |_| progress.with(|progress| progress.registered));
    let devices = Memo::new(move |_| {
        let (is_done, registered) = (is_done.get(), registered.get());
        let id = dialog.upload.with_value(|upload| upload.as_ref()?.registration())?;
        (is_done && registered > 0).then(|| path_with("/devices", &[("registration", Some(&id.to_string()))]))
    });
    let close = move || {
        let would_lose = dialog.would_lose();
        if would_lose {
            dialog.is_asking_to_close.set(true)
        } else {
            is_open.set(false)
        }
        !would_lose
    };
    let token_rows = Memo::new(move |_| dialog.token_rows.get());
    let may_save = move || tokens.get() > token_rows.get().written;
    let where_tokens_are = move || {
        if !is_done.get() {
            return String::new();
        }
        let created = tokens.get();
        to_disk::tokens_sentence(token_rows.get(), created, dialog.saved.get(), |tokens| {
            format!("{tokens} {} ready. {}", if created == 1 { "is" } else { "are" }, to_disk::save_now(created))
        })
    };
    view! {
        <div class="body">
            <progress aria-label="Registering" max=move || progress.with(|progress| progress.rows.max(1)).to_string()
                value=move || progress.with(|progress| progress.rows_done).to_string()></progress>
            <p class="faint" role="status">{status}</p>
            <ul class="totals">
                <li class="good">"Registered "<b>{number(|progress| progress.registered)}</b></li>
                <li class:bad=move || failed.get() != 0>"Failed "<b>{number(|progress| progress.failed)}</b></li>
                <li>"Already registered "<b>{number(|progress| progress.already)}</b></li>
            </ul>
            <p class="faint" role="status">{move || progress.with(|progress| progress.waiting.clone())}</p>
            <p class="problem" role="alert">{move || alert_text(progress.with(|progress| progress.note.clone()))}</p>
            <Show when=move || is_done.get() && failed.get() != 0>
                <p>"Some devices failed. "<button type="button" on:click=save_errors>"errors.csv"</button>" lists each failed row with the reason. Fix it and upload that same file."</p>
                <p class="faint">{move || spreadsheet_note(progress.with(|progress| progress.fragile_names))}</p>
            </Show>
            <Show when=move || is_done.get() && silent.get() != 0>
                <div class="note">
                    <p>{move || format!("{} registered before and never connected. Lost their tokens? Generate new ones.",
                        count(silent.get(), "device was", "devices were"))}</p>
                    <button type="button" on:click=move |_| dialog.run(Pass::Renew)>"Generate tokens"</button>
                </div>
            </Show>
            <p role="status">{where_tokens_are}</p>
            {move || devices.get().map(|href| view! {
                <p><a href=href on:click=move |event| if !close() { event.prevent_default() }>"Show these devices"</a></p>
            })}
            <UnsavedQuestion work="Registration" title_id="register-title" is_working=Signal::derive(move || !is_done.get()) is_asked=dialog.is_asking_to_close leave=Callback::new(move |()| is_open.set(false)) />
        </div>
        <footer>
            <Show when=move || is_done.get() fallback=move || view! {
                <span class="why faint">"Keep this tab open until it is done."</span>
                <Show when=move || stopped.get().is_none()>
                    <button type="button" class="quiet" on:click=move |_| with_upload(&|upload| upload.cancel())>"Cancel"</button>
                    <button type="button" on:click=move |_| with_upload(&|upload| upload.pause(!is_paused.get_untracked()))>{move || if is_paused.get() { "Resume" } else { "Pause" }}</button>
                </Show>
            }>
                <button type="button" class="quiet" on:click=move |_| { close(); }>"Done"</button>
                <Show when=may_save><button type="button" class="main" on:click=save>"Save"</button></Show>
            </Show>
        </footer>
    }
    .into_any()
}

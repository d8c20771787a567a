//! `/registrations`: the files registered so far.

use crate::{
    alert::alert_text,
    browser::{
        clock::BrowserClock,
        save::{CollectedRows, spreadsheet_note},
    },
    dialogs::UndoDialog,
    fns::{
        Dated,
        registrations::{RegistrationList, registration_errors, registrations},
        sent,
    },
    format::{Ago, thousands},
    last_answer::LastAnswer,
    query::path_with,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use muster_client::retried;
use muster_domain::{RegistrationId, RegistrationSummary, Timestamp, errors_csv};

#[component]
pub(crate) fn Registrations() -> impl IntoView {
    let query = use_query_map();
    let before = Memo::new(move |_| query.with(|query| query.get("before")?.parse::<RegistrationId>().ok()));
    let list = sent(move || before.get(), registrations);
    let problem = RwSignal::new(None::<String>);
    let note = RwSignal::new(None::<String>);
    let is_undoing = RwSignal::new(false);
    let undone = RwSignal::new(None::<RegistrationSummary>);
    let undo = Callback::new(move |row: RegistrationSummary| {
        undone.set(Some(row));
        is_undoing.set(true);
    });
    let line = move |row: RegistrationSummary, now: Timestamp| {
        view! { <RegistrationLine row now problem note undo /> }.into_any()
    };
    view! {
        <Title text="Registrations" />
        <div class="head"><h1>"Registrations"</h1></div>
        <p class="problem" role="alert">{move || alert_text(problem.get())}</p>
        <p class="faint" role="status">{move || note.get()}</p>
        {LastAnswer::of(list).view(move |list| list_view(list, before.get_untracked().is_some(), line))}
        <UndoDialog is_open=is_undoing registration=undone done=Callback::new(move |()| list.refetch()) />
    }
    .into_any()
}

fn list_view(
    list: Dated<RegistrationList>,
    has_newer: bool,
    line: impl Fn(RegistrationSummary, Timestamp) -> AnyView,
) -> AnyView {
    let Dated { value: RegistrationList { rows, has_older }, now } = list;
    if rows.is_empty() && !has_newer {
        return view! {
            <div class="empty">
                <h2>"Nothing has been registered yet"</h2>
                <p>"Each registered file is listed here, with the rows that failed."</p>
                <p><a class="button" href="/devices">"Go to Devices"</a></p>
            </div>
        }
        .into_any();
    }
    let oldest = rows.last().filter(|_| has_older);
    let older = oldest.map(|row| path_with("/registrations", &[("before", Some(&row.id.to_string()))]));
    view! {
        <div class="scroll">
            <table role="grid" aria-label="Registrations">
                <thead>
                    <tr>
                        <th scope="col">"File"</th><th scope="col">"When"</th><th scope="col">"By"</th>
                        <th scope="col" class="number">"Devices"</th>
                        <th scope="col" class="number">"Registered"</th>
                        <th scope="col" class="number">"Already registered"</th>
                        <th scope="col" class="number">"Failed"</th>
                        <th scope="col">"Errors"</th>
                        <th scope="col"><span class="unseen">"Undo"</span></th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(|row| line(row, now)).collect_view()}</tbody>
            </table>
        </div>
        <Pages older has_newer />
    }
    .into_any()
}

/// To those before, and back.
#[component]
fn Pages(older: Option<String>, has_newer: bool) -> impl IntoView {
    (has_newer || older.is_some()).then(|| {
        view! {
            <nav class="pages" aria-label="Pages">
                {has_newer.then(|| view! { <a class="button" href="/registrations">"Newest"</a> })}
                {older.map(|href| view! { <a class="button" href=href>"Older"</a> })}
            </nav>
        }
    })
}

/// Collects the `errors.csv` of a registration, and downloads it. Returns the note about it, if there is one. `waiting` is
/// called with a sentence while a call is retried.
///
/// # Errors
/// A sentence.
async fn save_errors(id: RegistrationId, waiting: impl Fn(Option<String>)) -> Result<Option<String>, String> {
    let collected = CollectedRows::new(errors_csv::HEADER);
    let (mut after, mut fragile_names) = (None, 0);
    loop {
        let page = retried(&BrowserClock, || registration_errors(id, after), || false, &waiting).await;
        let page = page.map_err(|failure| failure.sentence())?;
        collected.push(&page.rows, 0).await?;
        fragile_names += u64::from(page.fragile_names);
        after = page.next;
        if after.is_none() {
            collected.save("errors.csv")?;
            return Ok(spreadsheet_note(fragile_names));
        }
    }
}

#[component]
fn RegistrationLine(
    row: RegistrationSummary,
    now: Timestamp,
    problem: RwSignal<Option<String>>,
    note: RwSignal<Option<String>>,
    undo: Callback<RegistrationSummary>,
) -> impl IntoView {
    let id = row.id;
    let own = row.clone();
    let devices = path_with("/devices", &[("registration", Some(&id.to_string()))]);
    let download = move |_| {
        spawn_local(async move {
            let saved = save_errors(id, move |waiting| {
                problem.try_set(waiting);
            });
            let (saved_note, failed) = match saved.await {
                Ok(saved_note) => (saved_note, None),
                Err(failed) => (None, Some(failed)),
            };
            note.try_set(saved_note);
            problem.try_set(failed);
        });
    };
    let unfinished = row.finished.is_none().then(|| view! { <span class="chip warn" title="Not all of the file was registered. Upload the same file to continue.">"Unfinished"</span> });
    view! {
        <tr>
            <th scope="row">{row.file_name}" "{unfinished}</th>
            <td><Ago then=row.begun now /></td>
            <td>{row.by}</td>
            <td class="number">{thousands(row.devices)}</td>
            <td class="number">{if row.registered > 0 {
                view! { <a href=devices>{thousands(row.registered)}</a> }.into_any()
            } else {
                thousands(row.registered).into_any()
            }}</td>
            <td class="number">{thousands(row.already)}</td>
            <td class="number">{thousands(row.failed)}</td>
            <td>{(row.failed > 0).then(|| view! { <button type="button" class="quiet" on:click=download>"errors.csv"</button> })}</td>
            <td class="acts">{(row.registered > 0).then(|| view! {
                <button type="button" class="quiet" aria-label=format!("Undo {}", own.file_name) on:click=move |_| undo.run(own.clone())>"Undo"</button>
            })}</td>
        </tr>
    }
    .into_any()
}

//! `/models`: the model definitions, and uploading one.

use crate::{
    alert::alert_text,
    browser::file,
    fns::{
        Dated,
        models::{ModelUploaded, delete_model, models, upload_model},
        sent,
    },
    format::{Ago, count},
    last_answer::LastAnswer,
};
use leptos::{html, prelude::*, task::spawn_local};
use leptos_meta::Title;
use muster_domain::{ModelName, ModelOutcome, ModelProblem, ModelPut, ModelSummary, ThingModel, Timestamp};
use web_sys::File;

/// The outcome of the last upload or deletion.
#[derive(Clone, PartialEq, Eq)]
enum Notice {
    Nothing,
    Working(String),
    Done(String),
    Problem(String),
    Faulty { file: String, faults: Vec<ModelProblem> },
}

#[component]
pub(crate) fn Models() -> impl IntoView {
    let list = sent(|| (), |()| models());
    let notice = RwSignal::new(Notice::Nothing);
    let input = NodeRef::<html::Input>::new();
    let is_over = RwSignal::new(false);

    let upload = move |chosen: File| {
        spawn_local(async move {
            notice.set(Notice::Working(format!("Uploading {}…", chosen.name())));
            notice.set(upload_file(&chosen).await);
            list.refetch();
        });
    };
    let delete = Callback::new(move |name: ModelName| {
        spawn_local(async move {
            let done = delete_model(name.clone()).await;
            notice.set(match done {
                Ok(()) => Notice::Done(format!("Deleted {name}.")),
                Err(failure) => Notice::Problem(failure.sentence()),
            });
            list.refetch();
        });
    });

    view! {
        <Title text="Models" />
        <div class="page" class:over=move || is_over.get()
            on:dragover=move |event| { event.prevent_default(); is_over.set(file::holds_files(&event)); }
            on:dragleave=move |_| is_over.set(false)
            on:drop=move |event| {
                event.prevent_default();
                is_over.set(false);
                match file::dropped(&event) {
                    Ok(chosen) => upload(chosen),
                    Err(sentence) => notice.set(Notice::Problem(sentence)),
                }
            }>
            <div class="head">
                <h1>"Models"</h1>
                <button type="button" class="main" on:click=move |_| { if let Some(input) = input.get() { input.click(); } }>"Upload model"</button>
                <input node_ref=input type="file" accept=".json,.jsonld,application/json" class="hidden" tabindex="-1" aria-label="Model definition file"
                    on:change:target=move |event| { if let Some(chosen) = file::chosen(&event.target()) { upload(chosen); } } />
            </div>
            <div class="outcome" aria-live="polite">{move || notice_view(notice.get())}</div>
            {LastAnswer::of(list).view(move |list| list_view(list, delete))}
        </div>
    }
    .into_any()
}

fn list_view(list: Dated<Vec<ModelSummary>>, delete: Callback<ModelName>) -> AnyView {
    if list.value.is_empty() {
        return view! {
            <div class="empty">
                <h2>"Upload the first model"</h2>
                <p>"A model definition says what a kind of device reports and does. It is a W3C WoT Thing Model, a JSON file; its title is the model name that registration files use."</p>
                <p>"Press Upload model, or drop the file here."</p>
                <details>
                    <summary>"A model definition to start from"</summary>
                    <pre tabindex="0"><code>{EXAMPLE}</code></pre>
                </details>
            </div>
        }
        .into_any();
    }
    view! {
        <div class="scroll">
            <table role="grid" aria-label="Models">
                <thead>
                    <tr>
                        <th scope="col">"Model name"</th>
                        <th scope="col" class="number">"Properties"</th>
                        <th scope="col" class="number">"Events"</th>
                        <th scope="col" class="number">"Actions"</th>
                        <th scope="col" class="number">"Devices"</th>
                        <th scope="col">"Updated"</th>
                        <th scope="col"><span class="unseen">"Delete"</span></th>
                    </tr>
                </thead>
                <tbody>{list.value.into_iter().map(|row| view! { <ModelLine row now=list.now delete /> }).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

const EXAMPLE: &str = r#"{
  "@context": "https://www.w3.org/2022/wot/td/v1.1",
  "@type": "tm:ThingModel",
  "title": "Contoso.Aircraft.AircraftModel",
  "properties": {
    "altitude": { "type": "number", "unit": "m", "minimum": -500 }
  }
}"#;

/// Checks a model definition here, so that a wrong one never leaves the browser, and uploads it.
async fn upload_file(chosen: &File) -> Notice {
    let name = chosen.name();
    if chosen.size() > ThingModel::MAX_BYTES as f64 {
        return Notice::Problem(format!(
            "{name} is larger than 1 MiB, the limit for a model definition. Is it the right file?"
        ));
    }
    let bytes = match file::all_bytes(chosen).await {
        Ok(bytes) => bytes,
        Err(sentence) => return Notice::Problem(sentence),
    };
    if let Err(faults) = ThingModel::parse(&bytes) {
        return Notice::Faulty { file: name, faults };
    }
    match upload_model(bytes).await {
        Ok(ModelUploaded::Stored(ModelPut { name, outcome })) => Notice::Done(match outcome {
            ModelOutcome::Added => format!("Added {name}."),
            ModelOutcome::Updated => format!("Updated {name}."),
            ModelOutcome::Unchanged => format!("{name} is unchanged."),
        }),
        Ok(ModelUploaded::Faulty(faults)) => Notice::Faulty { file: name, faults },
        Err(failure) => Notice::Problem(failure.sentence()),
    }
}

fn notice_view(notice: Notice) -> AnyView {
    match notice {
        Notice::Nothing => ().into_any(),
        Notice::Working(sentence) => view! { <p>{sentence}</p> }.into_any(),
        Notice::Done(sentence) => view! { <p class="good">{sentence}</p> }.into_any(),
        Notice::Problem(sentence) => view! { <p class="problem">{alert_text(Some(sentence))}</p> }.into_any(),
        Notice::Faulty { file, faults } => view! {
            <div class="card problems">
                <h2>{format!("Can't use {file}: {}. Nothing was changed.", count(faults.len() as u64, "problem", "problems"))}</h2>
                <ul>{faults.into_iter().map(|fault| view! { <li><code>{fault.place}</code>" "{fault.sentence}</li> }).collect_view()}</ul>
            </div>
        }
        .into_any(),
    }
}

#[component]
fn ModelLine(row: ModelSummary, now: Timestamp, delete: Callback<ModelName>) -> impl IntoView {
    let is_used = row.devices > 0;
    let name = row.name.clone();
    let is_asking = RwSignal::new(false);
    let title = if is_used { "Devices use this model. Delete them first." } else { "Delete this model" };
    let label = format!("Delete {}", row.name);
    view! {
        <tr>
            <th scope="row"><span class="name">{row.name.to_string()}</span>{row.description.map(|text| view! { <span class="under">{text}</span> })}</th>
            <td class="number">{row.properties}</td>
            <td class="number">{row.events}</td>
            <td class="number">{row.actions}</td>
            <td class="number">{count(row.devices, "device", "devices")}</td>
            <td><Ago then=row.updated now /></td>
            <td class="acts">
                {move || {
                    let (name, label) = (name.clone(), label.clone());
                    if is_asking.get() {
                        view! {
                            <button type="button" class="danger" on:click=move |_| { is_asking.set(false); delete.run(name.clone()); }>"Delete"</button>
                            <button type="button" class="quiet" on:click=move |_| is_asking.set(false)>"Cancel"</button>
                        }.into_any()
                    } else {
                        view! {
                            <button type="button" class="quiet" aria-label=label title=title disabled=is_used on:click=move |_| is_asking.set(true)>"Delete"</button>
                        }.into_any()
                    }
                }}
            </td>
        </tr>
    }
    .into_any()
}

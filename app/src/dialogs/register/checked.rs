//! What the check found: how many devices, the problems and warnings, a preview, and the button *Upload*.

use super::{
    super::{confirm::GroupField, to_disk::ToDisk},
    Dialog,
    choose::{BrowseButton, UploadDisabled},
    comparison::ComparisonView,
    lookup::{Comparison, Lookup, devices_of},
    mapping::MapColumns,
    problems::{column_name, is_about_columns, problems_view, warnings_view},
};
use crate::{
    alert::alert_text,
    format::{count, thousands},
};
use leptos::prelude::*;
use muster_domain::{CheckReport, Field, Separator, UnknownModel};
use std::sync::Arc;

#[component]
pub(super) fn CheckedView(dialog: Dialog, report: Arc<CheckReport>) -> impl IntoView {
    let is_clean = report.is_clean();
    let has_kind = |kind: &str| report.problem_groups.iter().any(|group| group.kind == kind);
    let separator = match report.layout.separator() {
        Separator::Comma => None,
        Separator::Semicolon => Some("Semicolon-separated file detected."),
        Separator::Tab => Some("Tab-separated file detected."),
    };
    let is_ignoring = dialog.options.with_value(|options| options.ignore_unknown_columns);
    let ignored: Vec<&str> = report.unknown_columns.iter().map(|column| column_name(column)).collect();
    let ignored = (is_ignoring && !ignored.is_empty()).then(|| ignored.join(", "));
    // A mapping that was chosen can be changed, above what came of it; otherwise it is below the reason for it.
    let is_mapped = dialog.options.with_value(|options| options.mapping.is_some());
    // Only these problems are gone with a mapping; any other that ended the check is to be fixed in the file first.
    let ended_by = report.ended_by.as_ref().map(|problem| problem.cause.kind());
    let is_needed = !is_mapped && matches!(ended_by, Some("header-words" | "missing-column"));
    let offer = report.mapping.clone().filter(|_| is_mapped || is_needed || ended_by.is_none());
    let mapping = offer.map(|offer| view! { <MapColumns dialog offer is_needed /> });
    let problems = (!is_clean).then(|| problems_view(dialog, &report));
    let (above, below) = if is_mapped { (mapping, None) } else { (None, mapping) };
    let why = if is_needed && report.mapping.is_some() {
        "Map the columns, then check the file again."
    } else if report.problem_groups.iter().all(|group| is_about_columns(&group.kind)) {
        "Ignore these columns, or fix them in the file and choose it again."
    } else {
        "Fix these in the file, then choose it again."
    };
    let devices = report.devices;
    let disk_view = is_clean.then(|| view! { <ToDisk devices is_on=dialog.is_to_disk /> });
    // The problem of a file with a column for the group names this field, so it is shown with the problem, too.
    let group_view = (is_clean || has_kind("group-column"))
        .then(|| view! { <GroupField name=dialog.group label="Device group (optional)" /> });
    view! {
        <div class="body">
            {separator.map(|sentence| view! { <p class="note">{sentence}</p> })}
            {ignored.map(|columns| view! { <p class="note">{format!("Ignored columns: {columns}")}</p> })}
            {above}
            {problems}
            {below}
            {is_clean.then(|| view! { <UnknownModels dialog report=report.clone() /> })}
            {is_clean.then(|| view! { <ComparisonView dialog rows=report.rows /> })}
            {warnings_view(dialog, &report)}
            {(report.devices > 0).then(|| summary_view(&report))}
            {group_view}
            {disk_view}
            <p class="problem" role="alert">{move || dialog.upload_problem.get()}</p>
        </div>
        <footer>
            <BrowseButton dialog label="Choose another file" is_main=false />
            {if is_clean {
                view! { <button type="button" class="main" on:click=move |_| dialog.begin_upload()>"Upload"</button> }.into_any()
            } else {
                view! { <UploadDisabled why /> }.into_any()
            }}
        </footer>
    }
    .into_any()
}

fn summary_view(report: &CheckReport) -> AnyView {
    let models = report.models.iter().take(8).map(
        |model| view! { <li><span class="name">{model.name.clone()}</span>" "<b>{thousands(model.devices)}</b></li> },
    );
    let others = report.devices.saturating_sub(report.models.iter().take(8).map(|model| model.devices).sum());
    let tiers = report.tiers.iter().map(|tier| {
        let name = tier.tier.map_or("Default tier", |tier| tier.as_str());
        view! { <li>{name}" "<b>{thousands(tier.devices)}</b></li> }
    });
    let rows = report.preview.iter().map(|row| {
        view! {
            <tr>
                <td class="number">{row.line}</td>
                {Field::ALL.map(|field| {
                    let is_text = matches!(field, Field::FriendlyName | Field::Description);
                    view! { <td class:text=is_text>{row.field(field).to_owned()}</td> }
                }).collect_view()}
            </tr>
        }
    });
    view! {
        <div class="summary">
            <div><h3>"By model"</h3><ul class="counts">{models.collect_view()}{(others > 0).then(|| view! { <li>"Others "<b>{thousands(others)}</b></li> })}</ul></div>
            <div><h3>"By pricing tier"</h3><ul class="counts">{tiers.collect_view()}</ul></div>
        </div>
        <h3>"First rows"</h3>
        <div class="scroll" tabindex="0" role="region" aria-label="First rows of the file">
            <table>
                <thead><tr><th scope="col" class="number">"Line"</th>{Field::ALL.map(|field| view! { <th scope="col">{field.label()}</th> }).collect_view()}</tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// The model names that the account does not have, or that they could not be looked up. The operator may upload all the same.
#[component]
fn UnknownModels(dialog: Dialog, report: Arc<CheckReport>) -> impl IntoView {
    let line = move |model: UnknownModel| {
        let devices = count(devices_of(&report, model.name.as_str()), "device", "devices");
        let nearest = model.nearest.map(|nearest| view! { ". Did you mean "<code>{nearest}</code>"?" });
        view! { <li><code>{model.name.to_string()}</code>": "{devices}{nearest}</li> }
    };
    let all = Memo::new(move |_| dialog.lookup.with(|lookup| lookup.unknown_models().to_vec()));
    let failure = Memo::new(move |_| {
        let of_comparison = || {
            dialog.comparison.with(|comparison| match comparison {
                Comparison::Failed(sentence) => Some(sentence.clone()),
                Comparison::Pending { .. } | Comparison::Done(_) => None,
            })
        };
        dialog.lookup.with(|lookup| match lookup {
            Lookup::Failed(sentence) => Some(sentence.clone()),
            Lookup::Pending | Lookup::Done { .. } => of_comparison(),
        })
    });
    let is_there = move || all.with(|unknown| !unknown.is_empty()) || failure.with(Option::is_some);
    let sentence = move || match all.with(Vec::len) {
        0 => "",
        1 => {
            "This model is not in your account yet. Its devices would fail: upload the model first, or correct the name."
        }
        _ => {
            "These models are not in your account yet. Their devices would fail: upload the models first, or correct the names."
        }
    };
    view! {
        // It is there before its text, so that this is heard.
        <div class:note=is_there class:warn=is_there aria-live="polite">
            <Show when=is_there>
                <p>{move || alert_text(Some(failure.get().unwrap_or_else(|| sentence().to_owned())))}</p>
                <ul>{
                    let line = line.clone();
                    move || all.get().into_iter().take(20).map(&line).collect_view()
                }</ul>
            </Show>
        </div>
    }
    .into_any()
}

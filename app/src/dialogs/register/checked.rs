//! What the check found: how many devices, the problems by cause, a first look, and the button *Upload*.

use super::{
    super::{confirm::GroupName, to_disk::ToDisk},
    Dialog,
    choose::{BrowseButton, UploadDisabled},
};
use crate::{
    fns::registrations::UnknownModel,
    when::{count, thousands},
};
use leptos::prelude::*;
use muster_domain::{Field, ProblemGroup, Report, Separator};
use std::sync::Arc;

/// What the check found, in a line.
pub(super) fn verdict(name: &str, report: &Report) -> String {
    if report.is_clean() {
        format!("{name}: {}, no problems", count(report.devices, "device", "devices"))
    } else {
        format!("{name}: {} to mend in the file", count(report.problem_count, "problem", "problems"))
    }
}

#[component]
pub(super) fn CheckedView(dialog: Dialog, report: Arc<Report>) -> impl IntoView {
    let is_clean = report.is_clean();
    let separator = match report.layout.separator() {
        Separator::Comma => None,
        Separator::Semicolon => Some("Its fields are separated by semicolons, and were read so."),
        Separator::Tab => Some("Its fields are separated by tabs, and were read so."),
    };
    let devices = report.devices;
    let disk_view = is_clean.then(|| view! { <ToDisk devices is_on=dialog.is_to_disk /> });
    let group_view = is_clean.then(|| view! { <GroupName name=dialog.group label="Device group (optional)" /> });
    view! {
        <div class="body">
            {separator.map(|sentence| view! { <p class="note">{sentence}</p> })}
            {(!is_clean).then(|| problems_view(&report.problem_groups))}
            {is_clean.then(|| view! { <UnknownModels dialog /> })}
            {(report.devices > 0).then(|| summary_view(&report))}
            {group_view}
            {disk_view}
            <p class="problem" role="alert">{move || dialog.disk_problem.get()}</p>
        </div>
        <footer>
            <BrowseButton dialog label="Choose another file" is_main=false />
            {if is_clean {
                view! { <button type="button" class="main" on:click=move |_| dialog.begin_upload()>"Upload"</button> }.into_any()
            } else {
                view! { <UploadDisabled why="Mend the problems in the file, then choose it again." /> }.into_any()
            }}
        </footer>
    }
    .into_any()
}

fn problems_view(groups: &[ProblemGroup]) -> AnyView {
    let groups = groups.iter().map(|group| {
        // Where every row has the sentence of the heading, it is not said again.
        let says_more = group.examples.iter().any(|problem| problem.sentence() != group.heading);
        let more = group.count.saturating_sub(group.examples.len() as u64);
        let examples = group.examples.iter().map(|problem| {
            view! {
                <tr>
                    <td class="number">{problem.line}</td>
                    <td class="number">{problem.column}</td>
                    <td><code>{problem.value.clone()}</code></td>
                    {says_more.then(|| view! { <td>{problem.sentence()}</td> })}
                </tr>
            }
        });
        view! {
            <li>
                <details open=group.count <= 3>
                    <summary><b>{group.heading.clone()}</b>" "<span class="chip">{count(group.count, "row", "rows")}</span></summary>
                    <div class="scroll">
                        <table>
                            <thead><tr><th scope="col" class="number">"Line"</th><th scope="col" class="number">"Column"</th><th scope="col">"Value"</th>{says_more.then(|| view! { <th scope="col">"Problem"</th> })}</tr></thead>
                            <tbody>{examples.collect_view()}</tbody>
                        </table>
                    </div>
                    {(more > 0).then(|| view! { <p class="faint">{format!("and {} more", thousands(more))}</p> })}
                </details>
            </li>
        }
    });
    view! { <ul class="problems" aria-label="Problems">{groups.collect_view()}</ul> }.into_any()
}

fn summary_view(report: &Report) -> AnyView {
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
                {Field::ALL.map(|field| view! { <td>{row.field(field).to_owned()}</td> }).collect_view()}
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

/// The model names that the account does not have. The operator may upload all the same.
#[component]
fn UnknownModels(dialog: Dialog) -> impl IntoView {
    let line = |model: UnknownModel| {
        let nearest = model.nearest.map(|nearest| view! { " Did you mean "<code>{nearest}</code>"?" });
        view! { <li><code>{model.name}</code>{nearest}</li> }
    };
    let all = Memo::new(move |_| dialog.unknown.get().unwrap_or_default());
    let is_there = move || all.with(|unknown| !unknown.is_empty());
    let is_one = move || all.with(|unknown| unknown.len() == 1);
    view! {
        // It is there before its text, so that this is heard.
        <div class:note=is_there class:warn=is_there aria-live="polite">
            <Show when=is_there>
                <p>{move || if is_one() {
                    "This model is not in your account yet. Its devices would fail: upload the model first, or correct the name."
                } else {
                    "These models are not in your account yet. Their devices would fail: upload the models first, or correct the names."
                }}</p>
                <ul>{move || all.get().into_iter().take(20).map(line).collect_view()}</ul>
            </Show>
        </div>
    }
    .into_any()
}

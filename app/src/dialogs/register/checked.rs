//! What the check found: how many devices, the problems by cause, a first look, and the button *Upload*.

use super::{
    super::confirm::GroupName,
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

#[component]
pub(super) fn CheckedView(dialog: Dialog, name: String, report: Arc<Report>) -> impl IntoView {
    let is_clean = report.is_clean();
    let problems = count(report.problem_count, "problem", "problems");
    let devices = count(report.devices, "device", "devices");
    let said = if is_clean {
        format!("{name}: {devices}, no problems")
    } else {
        format!("{name}: {problems} to mend in the file")
    };
    let separator = match report.layout.separator() {
        Separator::Comma => None,
        Separator::Semicolon => Some("Its fields are separated by semicolons, and were read so."),
        Separator::Tab => Some("Its fields are separated by tabs, and were read so."),
    };
    let group_view = is_clean.then(|| view! { <GroupName name=dialog.group label="Device group (optional)" /> });
    view! {
        <div class="body">
            <p class=if is_clean { "verdict good" } else { "verdict bad" } role="status">{said}</p>
            {separator.map(|sentence| view! { <p class="note">{sentence}</p> })}
            {(!is_clean).then(|| problems_view(&report.problem_groups))}
            {is_clean.then(|| view! { <UnknownModels dialog /> })}
            {(report.devices > 0).then(|| summary_view(&report))}
            {group_view}
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
    move || {
        let unknown = dialog.unknown.get().filter(|unknown| !unknown.is_empty())?;
        let many = unknown.len() > 1;
        Some(view! {
            <div class="note warn" role="status">
                <p>{if many { "These models are not in your account yet. Their devices would fail: upload the models first, or correct the names." }
                    else { "This model is not in your account yet. Its devices would fail: upload the model first, or correct the name." }}</p>
                <ul>{unknown.into_iter().take(20).map(line).collect_view()}</ul>
            </div>
        })
    }
}

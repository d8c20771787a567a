//! The comparison with the registered devices: its progress, and the rows that will fail.

use super::{Dialog, lookup::Comparison};
use crate::format::{count, thousands};
use leptos::prelude::*;
use muster_domain::{ExpectedFailures, RowFailure};

/// How far the comparison is, then the rows that will fail. Unknown models are listed elsewhere, by name.
#[component]
pub(super) fn ComparisonView(dialog: Dialog, rows: u64) -> impl IntoView {
    let done = Memo::new(move |_| {
        dialog.comparison.with(|comparison| match comparison {
            Comparison::Pending { rows } => Some(*rows),
            Comparison::Done(_) | Comparison::Failed(_) => None,
        })
    });
    let is_asked = move || dialog.lookup.with(|lookup| !lookup.is_failed());
    let progress = move || {
        let done = done.get().filter(|_| is_asked())?;
        Some(format!("Comparing with your devices: {} of {} rows", thousands(done), thousands(rows)))
    };
    let conflicts = Memo::new(move |_| {
        dialog.comparison.with(|comparison| match comparison {
            Comparison::Done(dry_run) => {
                let is_conflict = |some: &&ExpectedFailures| some.failure != RowFailure::UnknownModel;
                dry_run.failures.iter().filter(is_conflict).cloned().collect()
            }
            Comparison::Pending { .. } | Comparison::Failed(_) => Vec::new(),
        })
    });
    view! {
        <p class="faint">{progress}</p>
        <Show when=move || conflicts.with(|conflicts| !conflicts.is_empty())>
            <div>
                <h3>"Will fail"</h3>
                <p>"Upload registers the other devices, and lists these in errors.csv. A registered device is not changed by a file."</p>
                <ul class="problems warnings" aria-label="Will fail">
                    {move || conflicts.with(|conflicts| conflicts.iter().map(failures_view).collect_view())}
                </ul>
            </div>
        </Show>
    }
    .into_any()
}

fn failures_view(ExpectedFailures { failure, rows, first }: &ExpectedFailures) -> AnyView {
    let more = rows.saturating_sub(first.len() as u64);
    let lines = first.iter().map(|(line, name)| {
        view! { <tr><td class="number">{thousands(*line)}</td><td><code>{name.to_string()}</code></td></tr> }
    });
    view! {
        <li>
            <details open=*rows <= 3>
                <summary><b>{failure.sentence()}</b>" "<span class="chip">{count(*rows, "row", "rows")}</span></summary>
                <div class="scroll" tabindex="0" role="group" aria-label="First rows that will fail">
                    <table>
                        <thead><tr><th scope="col" class="number">"Line"</th><th scope="col">"Device name"</th></tr></thead>
                        <tbody>{lines.collect_view()}</tbody>
                    </table>
                </div>
                {(more > 0).then(|| view! { <p class="faint">{format!("and {} more", thousands(more))}</p> })}
            </details>
        </li>
    }
    .into_any()
}

//! The problems and the warnings of a file, by cause, with their first places.

use super::Dialog;
use crate::format::{count, thousands};
use leptos::prelude::*;
use muster_domain::{CheckReport, ColumnNames, LeadingZeros, Problem, ProblemGroup};

/// How many names of a kind are shown: as many as a group of problems has examples.
const EXAMPLES: usize = CheckReport::GROUP_EXAMPLES;

/// The sentence for a header in other words, where its columns can be mapped.
const MAP_BELOW: &str = "The first row looks like a header, but its column names aren't Muster's. Map the columns below, or rename them in the file.";

/// What has to be changed in the file before it can be uploaded.
pub(super) fn problems_view(dialog: Dialog, report: &CheckReport) -> AnyView {
    let has_unknown = report.problem_groups.iter().any(|group| group.kind == "unknown-columns");
    let items = report.problem_groups.iter().map(|group| match group.kind.as_str() {
        "header-words" if report.mapping.is_some() => view! { <li><p class="cause">{MAP_BELOW}</p></li> }.into_any(),
        "unknown-columns" => group_view(group, "Problem", Some(ignore_columns(dialog, &report.unknown_columns))),
        // A column for the group is ignored together with the unknown ones; one button is enough.
        "group-column" if !has_unknown => group_view(group, "Problem", Some(ignore_columns(dialog, &[]))),
        _ => group_view(group, "Problem", None),
    });
    // Where the check ended early, the rows after that are unchecked.
    let bad_rows = report.rows.saturating_sub(report.devices);
    let total = (bad_rows > 0 && report.ended_by.is_none()).then(|| {
        let (rows, have) = (count(report.rows, "row", "rows"), if bad_rows == 1 { "has" } else { "have" });
        view! { <p>{format!("{} of {rows} {have} problems.", thousands(bad_rows))}</p> }
    });
    let is_of_rows =
        report.problem_groups.iter().any(|group| group.examples.iter().any(|problem| !is_of_file(problem)));
    let download = is_of_rows.then(|| {
        view! {
            <div class="row">
                <button type="button" on:click=move |_| dialog.download_problems()>"Download problems.csv"</button>
                <span class="faint" role="status">{move || dialog.listing_note.get()}</span>
            </div>
        }
    });
    view! {
        <div>
            <h3>"Problems"</h3>
            {total}
            <ul class="problems" aria-label="Problems">{items.collect_view()}</ul>
            {download}
        </div>
    }
    .into_any()
}

/// Warnings, with which a file may be uploaded all the same. Names without their leading zeros join it when the
/// server has answered.
pub(super) fn warnings_view(dialog: Dialog, report: &CheckReport) -> AnyView {
    let groups = report.warning_groups.clone();
    let has_groups = !groups.is_empty();
    let not_compared = report.numeric_name_count.saturating_sub(report.numeric_names.len() as u64);
    let zeros = Memo::new(move |_| dialog.lookup.with(|lookup| lookup.leading_zeros().to_vec()));
    let has_zeros = Memo::new(move |_| zeros.with(|zeros| !zeros.is_empty()));
    view! {
        <Show when=move || has_groups || has_zeros.get()>
            <div>
                <h3>"Warnings"</h3>
                <ul class="problems warnings" aria-label="Warnings">
                    {move || has_zeros.get().then(|| zeros.with(|zeros| leading_zeros_view(zeros, not_compared)))}
                    {groups.iter().map(|group| group_view(group, "Warning", None)).collect_view()}
                </ul>
            </div>
        </Show>
    }
    .into_any()
}

/// Whether these problems are gone when the columns that Muster does not know are ignored.
pub(super) fn is_about_columns(kind: &str) -> bool {
    matches!(kind, "unknown-columns" | "group-column")
}

/// Whether such a problem is one column's of the header.
fn is_about_header(kind: &str) -> bool {
    is_about_columns(kind) || matches!(kind, "repeated-column" | "missing-column")
}

/// A column of the header as it is listed.
pub(super) fn column_name(name: &str) -> &str {
    if name.is_empty() { "(no name)" } else { name }
}

/// The button that checks the file again without the columns that Muster does not know.
fn ignore_columns(dialog: Dialog, columns: &[String]) -> AnyView {
    let name = |column: &String| view! { <li><code>{column_name(column).to_owned()}</code></li> };
    let all = (columns.len() > ColumnNames::LISTED).then(|| {
        view! { <ul class="columns" aria-label="Unknown columns">{columns.iter().map(name).collect_view()}</ul> }
    });
    view! {
        {all}
        <button type="button" on:click=move |_| dialog.check_again(|options| options.ignore_unknown_columns = true)>"Ignore these columns"</button>
    }
    .into_any()
}

/// A cause: its only place in a sentence, or its first places in a table.
fn group_view(group: &ProblemGroup, column: &'static str, action: Option<AnyView>) -> AnyView {
    match group.examples.as_slice() {
        [problem] if group.count == 1 => only_view(problem, action),
        examples => places_view(group, examples, column, action),
    }
}

fn only_view(problem: &Problem, action: Option<AnyView>) -> AnyView {
    let sentence = problem.sentence();
    // A sentence quotes the value, if it has it: a short one is in its words by chance.
    let is_quoted = |value: &String| sentence.contains(&format!("`{value}`"));
    let value = Some(problem.value.clone()).filter(|value| !value.is_empty() && !is_quoted(value));
    let place = (!is_of_file(problem)).then(|| {
        view! {
            <p class="faint">
                {format!("Line {}, column {}", thousands(problem.line), thousands(problem.column))}
                {value.map(|value| view! { ": "<code>{value}</code> })}
            </p>
        }
    });
    view! { <li><p class="cause">{sentence}</p>{place}{action}</li> }.into_any()
}

/// Whether the problem is the whole file's or its header's, so that a place in it says nothing.
fn is_of_file(problem: &Problem) -> bool {
    (problem.cause.ends_reading() && (problem.line, problem.column) == (1, 1))
        || problem.cause.kind() == "unknown-columns"
}

fn places_view(group: &ProblemGroup, examples: &[Problem], column: &'static str, action: Option<AnyView>) -> AnyView {
    // Where every row has the sentence of the heading, it is not repeated.
    let says_more = examples.iter().any(|problem| problem.sentence() != group.heading);
    let more = group.count.saturating_sub(examples.len() as u64);
    let (one, many) = if is_about_header(&group.kind) { ("column", "columns") } else { ("row", "rows") };
    let rows = examples.iter().map(|problem| {
        view! {
            <tr>
                <td class="number">{problem.line}</td>
                <td class="number">{problem.column}</td>
                <td><code>{problem.value.clone()}</code></td>
                {says_more.then(|| view! { <td class="sentence">{problem.sentence()}</td> })}
            </tr>
        }
    });
    view! {
        <li>
            <details open=group.count <= 3>
                <summary><b>{group.heading.clone()}</b>" "<span class="chip">{count(group.count, one, many)}</span></summary>
                <div class="scroll" tabindex="0" role="group" aria-label="First places">
                    <table>
                        <thead><tr><th scope="col" class="number">"Line"</th><th scope="col" class="number">"Column"</th><th scope="col">"Value"</th>{says_more.then(|| view! { <th scope="col">{column}</th> })}</tr></thead>
                        <tbody>{rows.collect_view()}</tbody>
                    </table>
                </div>
                {(more > 0).then(|| view! { <p class="faint">{format!("and {} more", thousands(more))}</p> })}
            </details>
            {action}
        </li>
    }
    .into_any()
}

/// Names that are a registered device's without its leading zeros, which spreadsheets remove.
fn leading_zeros_view(zeros: &[LeadingZeros], not_compared: u64) -> AnyView {
    let rows = zeros.iter().take(EXAMPLES).map(|pair| {
        view! { <tr><td><code>{pair.name.to_string()}</code></td><td><code>{pair.registered.to_string()}</code></td></tr> }
    });
    let more = zeros.len().saturating_sub(EXAMPLES) as u64;
    let found = zeros.len() as u64;
    let heading = zeros.first().map(|first| {
        format!(
            "`{}` looks like the registered device `{}`: a spreadsheet may have removed leading zeros. To keep them, import the \
             column as text. If you upload the file as it is, these are registered as new devices.",
            first.name, first.registered
        )
    });
    view! {
        <li>
            <details open=found <= 3>
                <summary><b>{heading}</b>" "<span class="chip">{count(found, "row", "rows")}</span></summary>
                <div class="scroll" tabindex="0" role="group" aria-label="Names without leading zeros">
                    <table>
                        <thead><tr><th scope="col">"Name in the file"</th><th scope="col">"Registered device"</th></tr></thead>
                        <tbody>{rows.collect_view()}</tbody>
                    </table>
                </div>
                {(more > 0).then(|| view! { <p class="faint">{format!("and {} more", thousands(more))}</p> })}
                {(not_compared > 0).then(|| view! { <p class="faint">{format!("{} more of these names were not compared.", thousands(not_compared))}</p> })}
            </details>
        </li>
    }
    .into_any()
}

//! *Map columns*: a file whose header is in other words, or that a person mapped before, says which column is which field.

use super::Dialog;
use leptos::prelude::*;
use muster_domain::{Field, Mapping, MappingOffer, OfferedColumn};

/// A select for each column of the file, and the button that checks it again.
#[component]
pub(super) fn MapColumns(
    dialog: Dialog,
    offer: MappingOffer,
    /// The file cannot be read before its columns are mapped.
    is_needed: bool,
) -> impl IntoView {
    let fields = RwSignal::new(offer.columns.iter().map(|column| column.proposal).collect::<Vec<_>>());
    let is_device = RwSignal::new(!offer.first_row_is_header);
    let problem = Memo::new(move |_| fields.with(|fields| mapping_problem(fields)));
    let rows = offer.columns.into_iter().enumerate().map(|(at, column)| column_view(at, column, fields, is_device));
    let check_again = move |_| {
        if let Ok(mapping) = Mapping::new(fields.get_untracked(), !is_device.get_untracked()) {
            dialog.check_again(|options| options.mapping = Some(mapping));
        }
    };
    view! {
        <details class="mapping" open=is_needed>
            <summary>"Map columns"</summary>
            <p>"Choose what each column of the file holds."</p>
            <div class="scroll" tabindex="0" role="region" aria-label="Columns of the file">
                <table>
                    <thead><tr><th scope="col">"Column"</th><th scope="col">"Field and sample values"</th></tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            <label class="check">
                <input type="checkbox" prop:checked=is_device on:change:target=move |event| is_device.set(event.target().checked()) />
                "The first row is a device, not a header"
            </label>
            <div class="row">
                <button type="button" class:main=is_needed disabled=move || problem.with(Option::is_some) aria-describedby="mapping-why" on:click=check_again>"Check again"</button>
                <span id="mapping-why" class="faint" role="status">{problem}</span>
            </div>
        </details>
    }
    .into_any()
}

fn column_view(
    at: usize,
    column: OfferedColumn,
    fields: RwSignal<Vec<Option<Field>>>,
    is_device: RwSignal<bool>,
) -> AnyView {
    let OfferedColumn { name, samples, .. } = column;
    let number = at + 1;
    // A first row that is a device has no names, but the first values.
    let has_name = {
        let is_blank = name.is_empty();
        Memo::new(move |_| !is_blank && !is_device.get())
    };
    let (title, label) = {
        let (title, label) = (name.clone(), format!("Field of column {number} ({name})"));
        (
            move || if has_name.get() { title.clone() } else { format!("Column {number}") },
            move || if has_name.get() { label.clone() } else { format!("Field of column {number}") },
        )
    };
    let values = move || {
        let is_shown = is_device.get() && !name.is_empty() && samples.first() != Some(&name);
        let values = is_shown.then_some(&name).into_iter().chain(&samples).take(MappingOffer::SAMPLES);
        values.map(|value| view! { <li>{value.clone()}</li> }).collect_view()
    };
    let choose = move |value: String| {
        let chosen = Field::ALL.into_iter().find(|field| field.label() == value);
        fields.update(|fields| {
            if let Some(field) = fields.get_mut(at) {
                *field = chosen;
            }
        });
    };
    let option = move |field: Option<Field>| {
        let is_chosen = fields.with_untracked(|fields| fields.get(at).copied().flatten() == field);
        let label = field.map_or("Ignore", Field::label);
        view! { <option value=label selected=is_chosen>{label}</option> }
    };
    let options = Field::ALL.into_iter().map(Some).chain([None]).map(option);
    view! {
        <tr>
            <th scope="row">{title}</th>
            <td>
                <div class="row">
                    <select aria-label=label on:change:target=move |event| choose(event.target().value())>{options.collect_view()}</select>
                    <ul class="samples">{values}</ul>
                </div>
            </td>
        </tr>
    }
    .into_any()
}

/// Why a file cannot be read with this choice; a sentence.
fn mapping_problem(fields: &[Option<Field>]) -> Option<String> {
    let columns_of = |field: Field| fields.iter().filter(|&&chosen| chosen == Some(field)).count();
    if let Some(twice) = Field::ALL.into_iter().find(|field| columns_of(*field) > 1) {
        return Some(format!("{twice} is chosen for {} columns. Choose it for one.", columns_of(twice)));
    }
    let missing: Vec<_> =
        Field::REQUIRED.into_iter().filter(|field| columns_of(*field) == 0).map(Field::label).collect();
    (!missing.is_empty()).then(|| format!("Choose a column for {}.", missing.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapping_needs_each_required_field_once() {
        use Field::{Description, DeviceName, ModelName};
        let check = |fields: &[Option<Field>], expected: Option<&str>| {
            assert_eq!(mapping_problem(fields).as_deref(), expected, "{fields:?}");
            assert_eq!(Mapping::new(fields.to_vec(), true).is_err(), expected.is_some(), "{fields:?}");
        };
        check(&[Some(DeviceName), Some(ModelName)], None);
        check(&[None, Some(ModelName), None, Some(DeviceName), None], None);
        check(&[None, Some(Description)], Some("Choose a column for Device name and Model name."));
        check(&[Some(DeviceName), None], Some("Choose a column for Model name."));
        check(&[Some(ModelName)], Some("Choose a column for Device name."));
        check(
            &[Some(DeviceName), Some(ModelName), Some(ModelName)],
            Some("Model name is chosen for 2 columns. Choose it for one."),
        );
        check(
            &[Some(DeviceName), Some(ModelName), Some(Description), Some(Description), Some(Description)],
            Some("Description is chosen for 3 columns. Choose it for one."),
        );
    }
}

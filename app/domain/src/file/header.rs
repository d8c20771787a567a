//! The header: whether the first row is one, and which column is which field.

use std::borrow::Cow;

use super::field::Field;
use super::layout::Layout;
use super::problem::{Cause, ColumnNames};
use super::words::{Meaning, is_dotted, meaning};
use crate::names::{is_device_name, is_model_name};
use crate::nearest::nearest;
use crate::shown::shown;
use crate::text::is_invisible;

/// What a column of a header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Field(Field),
    /// `Line` and `Error`, which errors.csv has.
    Ignored,
}

/// What a header says.
pub(super) struct Header {
    /// The field of each column; `None` for one that is ignored or not known.
    pub(super) columns: Vec<Option<Field>>,
    /// The columns that are not known: their indexes.
    pub(super) unknown: Vec<usize>,
    /// What is wrong: the column, from 0 (as many as there are columns if one is missing), the field, the cause.
    pub(super) problems: Vec<(usize, Option<Field>, Cause)>,
}

/// Whether a row names its columns in Muster's words.
///
/// It does if one of its cells is the name of a required column, or two are names of any. So a header that lacks
/// a column or has a strange one is still recognised, and gets a sentence about that instead of being read as a
/// device. A device that is itself called `DeviceName` cannot come first in a file; one called `Line` can.
pub(super) fn is_header(cells: &[Cow<'_, str>]) -> bool {
    let mut known = 0;
    for cell in cells {
        match column(cell) {
            Some(Column::Field(field)) if Field::REQUIRED.contains(&field) => return true,
            Some(_) => known += 1,
            None => {}
        }
    }
    known >= 2
}

/// Whether a row that is no [`is_header`] names its columns in other words, such as `name,model,serial`.
///
/// `below` are some rows that follow. A right row must not be taken for a header because its device or model has a
/// name that is also a word of headers; so all of this must hold:
///
/// - At least one of its cells names a field or a group, and there are two such words in all, or the row cannot be a
///   device, or the rows below look different: in some column they all have dotted model names.
/// - These words are at least half of its cells; or the rows below look different, and one of the words is in the
///   column of the model names, or there are two.
/// - It has no dotted model name, which is never the name of a column.
/// - None of the words is also below in the same column; so it is not a model that is called `Type`.
pub(super) fn is_header_in_other_words(cells: &[Cow<'_, str>], below: &[&[Cow<'_, str>]]) -> bool {
    let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
    if !(2..=Layout::MAX_COLUMNS).contains(&filled) || cells.iter().any(|cell| is_dotted_model(cell)) {
        return false;
    }
    let meanings: Vec<Option<Meaning>> = cells.iter().map(|cell| meaning(cell)).collect();
    let words = meanings.iter().flatten().count();
    let fields = meanings.iter().flatten().filter(|it| matches!(it, Meaning::Field(..) | Meaning::Group)).count();
    let is_in_use = |index: usize| {
        let word = &cells[index];
        below.iter().any(|row| row.get(index) == Some(word))
    };
    if fields == 0 || (0..cells.len()).any(|index| meanings[index].is_some() && is_in_use(index)) {
        return false;
    }
    let model_column =
        (0..cells.len()).find(|&index| below.iter().all(|row| row.get(index).is_some_and(|it| is_dotted_model(it))));
    let model_column = model_column.filter(|_| !below.is_empty());
    let is_device = matches!(cells, [name, model, ..]
        if is_device_name(name.as_bytes()) && is_model_name(model.as_bytes()));
    if words * 2 >= filled {
        words >= 2 || !is_device || model_column.is_some()
    } else {
        model_column.is_some_and(|column| words >= 2 || meanings[column].is_some())
    }
}

/// Whether a text is a model name of several parts.
pub(super) fn is_dotted_model(text: &str) -> bool {
    is_dotted(text) && is_model_name(text.as_bytes()) && meaning(text).is_none()
}

/// The field that a column of this name is, in Muster's words.
pub(super) fn field_named(cell: &str) -> Option<Field> {
    match column(cell) {
        Some(Column::Field(field)) => Some(field),
        _ => None,
    }
}

/// Whether a row with this device and model is the header of the file once more, as where two exports were joined.
///
/// Both names are valid in a spelling without spaces, such as `DeviceName,ModelName`. A device of such a name that has
/// a real model is a device.
pub(super) fn is_header_again(device: &str, model: &str) -> bool {
    is_model_column(model) && field_named(device) == Some(Field::DeviceName)
}

/// Whether a cell is the name of the column of the models. It ends at the first letter that differs.
pub(super) fn is_model_column(cell: &str) -> bool {
    cell.len() <= MAX_NAME_BYTES && compact(cell).eq(MODEL_NAME.chars())
}

/// Whether a column of this name is ignored in every file.
pub(super) fn is_ignored(cell: &str) -> bool {
    column(cell) == Some(Column::Ignored)
}

/// Reads the cells of a header.
pub(super) fn read(cells: &[Cow<'_, str>], ignore_unknown: bool) -> Header {
    let mut header = Header { columns: Vec::with_capacity(cells.len()), unknown: Vec::new(), problems: Vec::new() };
    let mut groups = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let field = match column(cell) {
            Some(Column::Field(field)) if header.columns.contains(&Some(field)) => {
                header.problems.push((index, Some(field), Cause::RepeatedColumn));
                None
            }
            Some(Column::Field(field)) => Some(field),
            Some(Column::Ignored) => None,
            None if meaning(cell) == Some(Meaning::Group) => {
                groups.push(index);
                None
            }
            None => {
                header.unknown.push(index);
                None
            }
        };
        header.columns.push(field);
    }
    if !ignore_unknown {
        groups.iter().for_each(|&index| header.problems.push((index, None, Cause::GroupColumn)));
        if let Some(&first) = header.unknown.first() {
            let columns = ColumnNames::new(header.unknown.iter().map(|&index| cells[index].as_ref()));
            let cause = Cause::UnknownColumns { columns, suggestion: suggestion(cells, &header) };
            header.problems.push((first, None, cause));
        }
    }
    // They are as unknown, where it is asked which columns may be ignored.
    header.unknown.extend(groups);
    header.unknown.sort_unstable();
    for field in Field::REQUIRED {
        if !header.columns.contains(&Some(field)) {
            header.problems.push((cells.len(), Some(field), Cause::MissingColumn));
        }
    }
    header.problems.sort_by_key(|(index, ..)| *index);
    header
}

/// The field that an unknown column was perhaps meant to be: one whose name it resembles and that is not there.
fn suggestion(cells: &[Cow<'_, str>], header: &Header) -> Option<(String, Field)> {
    let absent = || Field::ALL.into_iter().filter(|field| !header.columns.contains(&Some(*field)));
    header.unknown.iter().find_map(|&index| {
        // No column's name is longer than this, even with typing errors; a cell may be, and comparing is slow.
        let cell = cells[index].as_ref();
        let label = nearest(cell.get(..cell.len().min(40))?, absent().map(Field::label))?;
        Some((shown(cell), absent().find(|field| field.label() == label)?))
    })
}

/// No column's name is longer than this, in any spelling; a cell may be.
const MAX_NAME_BYTES: usize = 128;

/// The model name's column as [`compact`] gives it.
const MODEL_NAME: &str = "modelname";

/// The column of this name, however it is spelt: `Device name`, `device_name` and `DeviceName` are the same, and
/// white space and characters that cannot be seen do not count.
fn column(name: &str) -> Option<Column> {
    if name.len() > MAX_NAME_BYTES {
        return None;
    }
    Some(match compact(name).collect::<String>().as_str() {
        "devicename" => Column::Field(Field::DeviceName),
        MODEL_NAME => Column::Field(Field::ModelName),
        "devicefriendlyname" | "friendlyname" => Column::Field(Field::FriendlyName),
        "description" => Column::Field(Field::Description),
        "pricingtier" => Column::Field(Field::PricingTier),
        "line" | "error" => Column::Ignored,
        _ => return None,
    })
}

/// The letters of a column's name that count, in lower case.
fn compact(name: &str) -> impl Iterator<Item = char> {
    name.chars()
        .filter(|&it| !matches!(it, '_' | '-') && !it.is_whitespace() && !is_invisible(it))
        .map(|it| it.to_ascii_lowercase())
}

//! The header: whether the first row is one, and which column is which field.

use std::borrow::Cow;

use super::field::Field;
use super::problem::Cause;
use crate::nearest::nearest;

/// What a column of a header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Field(Field),
    /// `Line` and `Error`, which errors.csv has.
    PassedOver,
}

/// What a header says.
pub(super) struct Header {
    /// The field of each column; `None` for one that is passed over or not known.
    pub(super) columns: Vec<Option<Field>>,
    /// What is wrong: the column, from 0 (as many as there are columns if one is missing), the field, the cause.
    pub(super) problems: Vec<(usize, Option<Field>, Cause)>,
}

/// Whether a file's first row names its columns.
///
/// It does if one of its cells is the name of a required column, or two are names of any. So a header that lacks
/// a column or has a strange one is still recognised, and gets a sentence about that instead of being read as a
/// device. A device that is itself called `DeviceName` cannot come first in a file; one called `Line` can.
pub(super) fn is_header(cells: &[Cow<'_, str>]) -> bool {
    let mut known = 0;
    for cell in cells {
        match column(cell) {
            Some(Column::Field(Field::DeviceName | Field::ModelName)) => return true,
            Some(_) => known += 1,
            None => {}
        }
    }
    known >= 2
}

/// Reads the cells of a header.
pub(super) fn read(cells: &[Cow<'_, str>]) -> Header {
    let mut columns: Vec<Option<Field>> = Vec::with_capacity(cells.len());
    let mut problems = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let field = match column(cell) {
            Some(Column::Field(field)) if columns.contains(&Some(field)) => {
                problems.push((index, Some(field), Cause::RepeatedColumn));
                None
            }
            Some(Column::Field(field)) => Some(field),
            Some(Column::PassedOver) => None,
            None => {
                let suggestion = nearest(cell, Field::ALL.into_iter().map(Field::label));
                let suggestion = suggestion.and_then(|label| Field::ALL.into_iter().find(|it| it.label() == label));
                problems.push((index, None, Cause::UnknownColumn { suggestion }));
                None
            }
        };
        columns.push(field);
    }
    for field in [Field::DeviceName, Field::ModelName] {
        if !columns.contains(&Some(field)) {
            problems.push((cells.len(), Some(field), Cause::MissingColumn));
        }
    }
    Header { columns, problems }
}

/// The column of this name, however it is spelt: `Device name`, `device_name` and `DeviceName` are the same.
fn column(name: &str) -> Option<Column> {
    // No column's name is longer than this, in any spelling; a cell may be.
    if name.len() > 32 {
        return None;
    }
    let folded: String =
        name.chars().filter(|it| !matches!(it, ' ' | '_' | '-')).map(|it| it.to_ascii_lowercase()).collect();
    Some(match folded.as_str() {
        "devicename" => Column::Field(Field::DeviceName),
        "modelname" => Column::Field(Field::ModelName),
        "devicefriendlyname" | "friendlyname" => Column::Field(Field::FriendlyName),
        "description" => Column::Field(Field::Description),
        "pricingtier" => Column::Field(Field::PricingTier),
        "line" | "error" => Column::PassedOver,
        _ => return None,
    })
}

//! What a person can decide about a file's columns, for a dialog that asks.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::field::Field;
use super::head_rows::HeadRow;
use super::header::{field_named, is_dotted_model, is_header, is_header_in_other_words, is_ignored};
use super::layout::Layout;
use super::options::ReadOptions;
use super::words::{Meaning, meaning};
use crate::names::{is_device_name, is_model_name};
use crate::shown::shown;
use crate::tier::PricingTier;

/// A file whose columns a person may map: what its columns are, as far as that can be seen.
///
/// A [`super::Mapping`] answers it, and the file is then checked again with that in [`super::ReadOptions`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingOffer {
    /// Whether the first row probably names the columns, rather than being the first device.
    pub first_row_is_header: bool,
    /// The columns in the order of the file: at least one, at most [`super::Layout::MAX_COLUMNS`].
    pub columns: Vec<OfferedColumn>,
}

impl MappingOffer {
    /// How many sample values a column has at most: enough to recognise what it holds.
    pub const SAMPLES: usize = 3;
}

/// A column of a file that may be mapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedColumn {
    /// What the first row says, for showing; blank if it says nothing.
    pub name: String,
    /// The field that the column probably is; `None` if no field is plausible. No field is proposed twice.
    pub proposal: Option<Field>,
    /// The first values below the first row that are not blank, for showing: at most [`MappingOffer::SAMPLES`].
    pub samples: Vec<String>,
}

/// What can be asked about the columns of a file with these first rows; `None` if there is nothing to ask.
pub(super) fn offer(rows: &[HeadRow<'_>], options: &ReadOptions) -> Option<MappingOffer> {
    let (first, below) = rows.split_first()?;
    let below: Vec<&[Cow<'_, str>]> = below.iter().map(|row| row.cells.as_slice()).collect();
    let mapping = options.mapping.as_ref();
    let is_header = is_header(&first.cells);
    let is_foreign = !is_header && is_header_in_other_words(&first.cells, &below);
    let is_understood = if is_header {
        let fields: Vec<Option<Field>> = first.cells.iter().map(|cell| field_named(cell)).collect();
        let is_known = |(cell, field): (&Cow<'_, str>, &Option<Field>)| field.is_some() || is_ignored(cell);
        Layout::check_columns(&fields).is_ok() && first.cells.iter().zip(&fields).all(is_known)
    } else {
        !is_foreign && rows.iter().filter(|row| row.is_device()).count() * 2 > rows.len()
    };
    let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    if mapping.is_none() && (is_understood || width < 2) {
        return None;
    }
    let names_columns = is_header || is_foreign;
    let first_row_is_header = mapping.map_or(names_columns, |mapping| mapping.first_row_is_header());
    let width = if first_row_is_header { first.cells.len() } else { width }.min(Layout::MAX_COLUMNS);
    let columns: Vec<Column<'_>> = (0..width)
        .map(|index| Column {
            name: first.cells.get(index).map_or("", |cell| cell),
            values: (if names_columns { &rows[1..] } else { rows })
                .iter()
                .filter_map(|row| row.cells.get(index).map(|cell| &**cell).filter(|cell| !cell.is_empty()))
                .collect(),
        })
        .collect();
    let proposals = match mapping {
        Some(mapping) => mapping.columns().to_vec(),
        None if names_columns => proposals_by_name(&columns),
        None => proposals_by_value(&columns),
    };
    let columns = columns.iter().enumerate().map(|(index, column)| OfferedColumn {
        name: shown(column.name),
        proposal: proposals.get(index).copied().flatten(),
        samples: column.values.iter().take(MappingOffer::SAMPLES).map(|value| shown(value)).collect(),
    });
    Some(MappingOffer { first_row_is_header, columns: columns.collect() })
}

/// A column of the first rows.
struct Column<'a> {
    name: &'a str,
    /// Its values that are not blank.
    values: Vec<&'a str>,
}

impl Column<'_> {
    /// How well the column would do as a field by its name: the lower, the better.
    fn rank(&self, field: Field) -> Option<u8> {
        if field_named(self.name) == Some(field) {
            return Some(0);
        }
        match meaning(self.name)? {
            Meaning::Field(named, rank) if named == field => Some(rank + 1),
            Meaning::Device if field == Field::DeviceName => Some(4),
            _ => None,
        }
    }

    /// Whether the values fit a field, as far as they are known.
    fn fits(&self, field: Field) -> bool {
        self.values.iter().all(|value| match field {
            Field::DeviceName => is_device_name(value.as_bytes()),
            Field::ModelName => is_model_name(value.as_bytes()),
            Field::PricingTier => PricingTier::nearest(value).is_some(),
            Field::FriendlyName | Field::Description => true,
        })
    }
}

/// By what the header says: for each field the column whose name fits best, of those whose values fit if there are any.
fn proposals_by_name(columns: &[Column<'_>]) -> Vec<Option<Field>> {
    let mut proposals = vec![None; columns.len()];
    for field in Field::ALL {
        let ranked = columns.iter().enumerate().filter_map(|(index, column)| {
            Some((!column.fits(field), column.rank(field)?, index)).filter(|_| proposals[index].is_none())
        });
        if let Some((_, _, index)) = ranked.min() {
            proposals[index] = Some(field);
        }
    }
    // A name that is not the device's is what people call it: `Serial,Name,Type` with names such as `Jet 1`.
    if !proposals.contains(&Some(Field::FriendlyName)) {
        let name = |(index, column): &(usize, &Column<'_>)| {
            proposals[*index].is_none() && !column.fits(Field::DeviceName) && column.rank(Field::DeviceName) == Some(2)
        };
        if let Some((index, _)) = columns.iter().enumerate().find(name) {
            proposals[index] = Some(Field::FriendlyName);
        }
    }
    proposals
}

/// Whether a column may be the one of a field.
type Rule<'r> = &'r dyn Fn(&Column<'_>) -> bool;

/// By the values of the columns: dotted model names, the first names that fit and differ, tiers.
fn proposals_by_value(columns: &[Column<'_>]) -> Vec<Option<Field>> {
    let mut proposals = vec![None; columns.len()];
    let is_model = |column: &Column<'_>| column.values.iter().all(|value| is_dotted_model(value));
    let is_name = |column: &Column<'_>| {
        let mut values = column.values.clone();
        values.sort_unstable();
        values.windows(2).all(|pair| pair[0] != pair[1]) && column.fits(Field::DeviceName)
    };
    let is_tier = |column: &Column<'_>| column.fits(Field::PricingTier);
    let rules: [(Field, Rule<'_>); 3] =
        [(Field::ModelName, &is_model), (Field::PricingTier, &is_tier), (Field::DeviceName, &is_name)];
    for (field, rule) in rules {
        let found = (0..columns.len())
            .find(|&index| proposals[index].is_none() && !columns[index].values.is_empty() && rule(&columns[index]));
        if let Some(index) = found {
            proposals[index] = Some(field);
        }
    }
    proposals
}

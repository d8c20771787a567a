//! How a file is laid out: its separator, and which column is which field.

use serde::{Deserialize, Serialize};

use super::field::{Field, Separator};

/// How the rows of a file are to be read.
///
/// The first row of a file decides it; a part of the file is read by it alone. It comes back from browsers, so
/// deserializing checks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Layout {
    separator: Separator,
    columns: Vec<Option<Field>>,
    header: bool,
}

/// A layout that no file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutProblem {
    /// More columns than [`Layout::MAX_COLUMNS`].
    #[error("a layout has at most {} columns", Layout::MAX_COLUMNS)]
    TooManyColumns,
    /// Two columns are the same field.
    #[error("two columns of the layout are the same field")]
    Repeated,
    /// Neither column is the device name, or none is the model name.
    #[error("a layout has a column for the device name and one for the model name")]
    Missing,
}

#[derive(Deserialize)]
struct Unchecked {
    separator: Separator,
    columns: Vec<Option<Field>>,
    header: bool,
}

impl TryFrom<Unchecked> for Layout {
    type Error = LayoutProblem;
    fn try_from(it: Unchecked) -> Result<Self, LayoutProblem> {
        Self::new(it.separator, it.columns, it.header)
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self::positional(Separator::Comma)
    }
}

impl Layout {
    /// The most columns a file may have: 100. Exports of other systems have some dozens, of which the five fields
    /// are taken and the rest is ignored. A layout travels with every part, and has then at most 2 kB.
    pub const MAX_COLUMNS: usize = 100;

    /// A layout of these columns; `None` is a column that is ignored.
    ///
    /// # Errors
    /// If no file can have it.
    pub fn new(separator: Separator, columns: Vec<Option<Field>>, header: bool) -> Result<Self, LayoutProblem> {
        Self::check_columns(&columns)?;
        Ok(Self { separator, columns, header })
    }

    /// Whether a file can have these columns.
    pub(super) fn check_columns(columns: &[Option<Field>]) -> Result<(), LayoutProblem> {
        if columns.len() > Self::MAX_COLUMNS {
            return Err(LayoutProblem::TooManyColumns);
        }
        let times = |field| columns.iter().filter(|&&column| column == Some(field)).count();
        if Field::ALL.into_iter().any(|field| times(field) > 1) {
            return Err(LayoutProblem::Repeated);
        }
        if Field::REQUIRED.into_iter().any(|field| times(field) == 0) {
            return Err(LayoutProblem::Missing);
        }
        Ok(())
    }

    /// The five fields in their order, without a header.
    #[must_use]
    pub fn positional(separator: Separator) -> Self {
        Self { separator, columns: Field::ALL.into_iter().map(Some).collect(), header: false }
    }

    /// What separates the fields.
    #[must_use]
    pub const fn separator(&self) -> Separator {
        self.separator
    }

    /// The field of each column; `None` for a column that is ignored.
    #[must_use]
    pub fn columns(&self) -> &[Option<Field>] {
        &self.columns
    }

    /// Whether the file's first row names its columns.
    #[must_use]
    pub const fn header(&self) -> bool {
        self.header
    }

    /// Whether the columns are the five fields in their order.
    pub(super) fn is_positional(&self) -> bool {
        self.columns.iter().copied().eq(Field::ALL.into_iter().map(Some))
    }

    /// The column of a field, from 0; `None` if the file does not have it.
    pub(super) fn column_of(&self, field: Field) -> Option<usize> {
        self.columns.iter().position(|&column| column == Some(field))
    }
}

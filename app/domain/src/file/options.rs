//! How a person wants a file to be read, where the file alone does not decide it.

use serde::{Deserialize, Serialize};

use super::field::Field;
use super::layout::{Layout, LayoutProblem};

/// What a person chose about reading a file. The default leaves everything to the file.
///
/// It travels from the page to its worker only; the server receives the [`Layout`] that results from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadOptions {
    /// The field of each column, instead of what the first row says.
    pub mapping: Option<Mapping>,
    /// Columns that the header names and Muster does not know are ignored instead of reported.
    pub ignore_unknown_columns: bool,
}

/// The columns of a file as a person mapped them: see [`super::MappingOffer`], to which it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Mapping {
    columns: Vec<Option<Field>>,
    first_row_is_header: bool,
}

#[derive(Deserialize)]
struct Unchecked {
    columns: Vec<Option<Field>>,
    first_row_is_header: bool,
}

impl TryFrom<Unchecked> for Mapping {
    type Error = LayoutProblem;
    fn try_from(it: Unchecked) -> Result<Self, LayoutProblem> {
        Self::new(it.columns, it.first_row_is_header)
    }
}

impl Mapping {
    /// Maps each column, in the order of the file, to a field; `None` ignores the column. The first row is either
    /// the header, which is then not read, or the first device.
    ///
    /// # Errors
    /// If no file can be read so: a required field without a column, a field with two columns, too many columns.
    pub fn new(columns: Vec<Option<Field>>, first_row_is_header: bool) -> Result<Self, LayoutProblem> {
        Layout::check_columns(&columns)?;
        Ok(Self { columns, first_row_is_header })
    }

    /// The field of each column; `None` for a column that is ignored.
    #[must_use]
    pub fn columns(&self) -> &[Option<Field>] {
        &self.columns
    }

    /// Whether the first row names the columns. Otherwise it is the first device.
    #[must_use]
    pub const fn first_row_is_header(&self) -> bool {
        self.first_row_is_header
    }
}

//! What a person can decide about a file's columns, for a dialog that asks.

use serde::{Deserialize, Serialize};

use super::field::Field;

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

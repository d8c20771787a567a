//! Models: the definitions of kinds of devices. The types are here; the use cases are in `definitions.rs`.

pub(crate) mod cache;
pub(crate) mod data_schema;
mod definitions;

use crate::types::Timestamp;
use muster_domain::ModelName;

/// The maximum number of models in an account: the list of names is read completely to find the one nearest to a
/// misspelt name.
pub const MAX_MODELS: u32 = 10_000;

/// The maximum length of a description in the list of models, which is read completely. Without the limit, 10,000 of
/// them could take 10 GB.
pub(crate) const LISTED_DESCRIPTION_CHARS: usize = 256;

/// The result of uploading a model definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPut {
    /// The model's name.
    pub name: ModelName,
    /// Whether the model existed.
    pub outcome: ModelOutcome,
}

/// Whether a model existed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelOutcome {
    /// It did not.
    Added,
    /// It did, with another definition, which is replaced.
    Updated,
    /// It did, with the same definition.
    Unchanged,
}

/// One row of the list of models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSummary {
    /// Its name.
    pub name: ModelName,
    /// The description in its definition, shortened.
    pub description: Option<String>,
    /// How many properties it has.
    pub properties: u32,
    /// How many events.
    pub events: u32,
    /// How many actions.
    pub actions: u32,
    /// How many devices are of this model.
    pub devices: u64,
    /// When its definition last changed.
    pub updated: Timestamp,
}

/// A model name that the account does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownModel {
    /// The unknown name.
    pub name: ModelName,
    /// The most similar name that the account has.
    pub nearest: Option<String>,
}

//! Models, as they are listed.

use crate::{ModelName, Timestamp};
use serde::{Deserialize, Serialize};

/// One row of the list of models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// The result of uploading a model definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelPut {
    /// The model's name.
    pub name: ModelName,
    /// Whether the model existed.
    pub outcome: ModelOutcome,
}

/// Whether a model existed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelOutcome {
    /// It did not.
    Added,
    /// It did, with another definition, which is replaced.
    Updated,
    /// It did, with the same definition.
    Unchanged,
}

/// A model name that the account does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownModel {
    /// The unknown name.
    pub name: ModelName,
    /// The most similar name that the account has.
    pub nearest: Option<String>,
}

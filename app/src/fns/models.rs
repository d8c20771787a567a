//! The model definitions of the account.

use super::Failure;
use leptos::prelude::*;
use muster_domain::ModelProblem;
use serde::{Deserialize, Serialize};

/// One row of the grid of models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRow {
    pub name: String,
    pub description: Option<String>,
    pub properties: u32,
    pub events: u32,
    pub actions: u32,
    pub devices: u64,
    pub updated_ms: i64,
}

/// The models, and the server's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelList {
    pub rows: Vec<ModelRow>,
    pub now_ms: i64,
}

/// What became of an uploaded model definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelUploaded {
    Added(String),
    Updated(String),
    Unchanged(String),
    /// It is not a Thing Model; nothing was changed.
    Faulty(Vec<ModelProblem>),
}

/// All models of the account, by name.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "models", input = server_fn::codec::Json, output = super::Answer)]
pub async fn models() -> Result<ModelList, Failure> {
    let viewer = super::viewer()?;
    let rows = viewer.registry.models(&viewer.actor).await?.into_iter().map(|model| ModelRow {
        name: model.name.to_string(),
        description: model.description,
        properties: model.properties,
        events: model.events,
        actions: model.actions,
        devices: model.devices,
        updated_ms: model.updated.as_ms(),
    });
    Ok(ModelList { rows: rows.collect(), now_ms: viewer.registry.now().as_ms() })
}

/// The names of all models of the account, in order.
///
/// # Errors
/// As [`models`].
#[server(prefix = "/fn", endpoint = "model-names", input = server_fn::codec::Json, output = super::Answer)]
pub async fn model_names() -> Result<Vec<String>, Failure> {
    let viewer = super::viewer()?;
    Ok(viewer.registry.model_names(&viewer.actor).await?)
}

/// Adds a model definition, or replaces the one of the same name.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], or [`Failure::Refused`] where there are too many.
#[server(prefix = "/fn", endpoint = "upload-model", input = server_fn::codec::Postcard, output = super::Answer)]
pub async fn upload_model(definition: Vec<u8>) -> Result<ModelUploaded, Failure> {
    use muster_registry::{ModelError, ModelOutcome};

    let viewer = super::viewer()?;
    match viewer.registry.put_model(&viewer.actor, &definition).await {
        Ok(put) => {
            let name = put.name.to_string();
            let was_changed = !matches!(put.outcome, ModelOutcome::Unchanged);
            if was_changed {
                let is_new = matches!(put.outcome, ModelOutcome::Added);
                super::log_action!(viewer.actor, "model uploaded", model = name.as_str(), is_new = is_new);
            }
            Ok(match put.outcome {
                ModelOutcome::Added => ModelUploaded::Added(name),
                ModelOutcome::Updated => ModelUploaded::Updated(name),
                ModelOutcome::Unchanged => ModelUploaded::Unchanged(name),
            })
        }
        Err(ModelError::Invalid(problems)) => Ok(ModelUploaded::Faulty(problems)),
        Err(ModelError::Store(error)) => Err(error.into()),
        Err(error) => {
            if error == ModelError::TooMany {
                super::log_action!(viewer.actor, "limit reached", limit = "models");
            }
            Err(Failure::refused(error))
        }
    }
}

/// Deletes a model that no device uses.
///
/// # Errors
/// [`Failure::Refused`] where devices use it, [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "delete-model", input = server_fn::codec::Json, output = super::Answer)]
pub async fn delete_model(name: String) -> Result<(), Failure> {
    use muster_registry::DeleteModelError;

    let viewer = super::viewer()?;
    let name = muster_domain::ModelName::parse(&name).map_err(Failure::refused)?;
    match viewer.registry.delete_model(&viewer.actor, &name).await {
        Ok(()) => {
            super::log_action!(viewer.actor, "model deleted", model = name.as_str());
            Ok(())
        }
        Err(DeleteModelError::Store(error)) => Err(error.into()),
        Err(error) => Err(Failure::refused(error)),
    }
}

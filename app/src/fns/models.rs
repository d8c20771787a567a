//! The model definitions of the account.

use super::{Dated, Failure};
use leptos::prelude::*;
use muster_domain::{ModelName, ModelProblem, ModelPut, ModelSummary};
use serde::{Deserialize, Serialize};

/// What became of an uploaded model definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelUploaded {
    Stored(ModelPut),
    /// It is not a Thing Model; nothing was changed.
    Faulty(Vec<ModelProblem>),
}

/// All models of the account, by name.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "models", input = server_fn::codec::Json, output = super::Answer)]
pub async fn models() -> Result<Dated<Vec<ModelSummary>>, Failure> {
    let viewer = super::viewer()?;
    let models = viewer.registry.models(&viewer.actor).await?;
    Ok(viewer.dated(models))
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

/// A report that a device of this model could send, as JSON; `None` if none can be made up.
///
/// # Errors
/// As [`models`].
#[server(prefix = "/fn", endpoint = "example-report", input = server_fn::codec::Json, output = super::Answer)]
pub async fn example_report(name: ModelName) -> Result<Option<String>, Failure> {
    let viewer = super::viewer()?;
    Ok(viewer.registry.example_report(&viewer.actor, &name).await?)
}

/// Adds a model definition, or replaces the one of the same name.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], or [`Failure::Refused`] where there are too many.
#[server(prefix = "/fn", endpoint = "upload-model", input = server_fn::codec::Postcard, output = super::Answer)]
pub async fn upload_model(definition: Vec<u8>) -> Result<ModelUploaded, Failure> {
    use muster_domain::ModelOutcome;
    use muster_registry::ModelError;

    let viewer = super::viewer()?;
    match viewer.registry.put_model(&viewer.actor, &definition).await {
        Ok(put) => {
            if put.outcome != ModelOutcome::Unchanged {
                let is_new = put.outcome == ModelOutcome::Added;
                super::log_action!(viewer.actor, "model uploaded", model = put.name.as_str(), is_new = is_new);
            }
            Ok(ModelUploaded::Stored(put))
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
pub async fn delete_model(name: ModelName) -> Result<(), Failure> {
    use muster_registry::DeleteModelError;

    let viewer = super::viewer()?;
    match viewer.registry.delete_model(&viewer.actor, &name).await {
        Ok(()) => {
            super::log_action!(viewer.actor, "model deleted", model = name.as_str());
            Ok(())
        }
        Err(DeleteModelError::Store(error)) => Err(error.into()),
        Err(error) => Err(Failure::refused(error)),
    }
}

//! Model definitions.

use crate::{
    errors::{DeleteModelError, ModelError, StoreError},
    registry::Registry,
    state,
    store::{DeletedModel, NewModel, StoredModel},
    types::{AccountId, ModelSummary, UnknownModel},
    world::new_id,
};
use muster_domain::{ModelName, ThingModel, nearest};
use std::collections::HashSet;

/// The most models of an account: its list of names is read whole, to find the one that is nearest to a misspelt one.
pub const MAX_MODELS: u32 = 10_000;

/// What became of a model definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPut {
    /// The model's name.
    pub name: ModelName,
    /// Whether it was there.
    pub outcome: ModelOutcome,
}

/// Whether a model was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelOutcome {
    /// It was not.
    Added,
    /// It was, with another definition, which is replaced.
    Updated,
    /// It was, with the same definition.
    Unchanged,
}

impl Registry {
    /// Adds a model definition (a WoT Thing Model in JSON), or replaces the one of the same name.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] with everything that is wrong with it; [`ModelError::TooMany`].
    pub async fn put_model(&self, account: AccountId, definition: &[u8]) -> Result<ModelPut, ModelError> {
        let model = ThingModel::parse(definition).map_err(ModelError::Invalid)?;
        state::validators(&model).map_err(ModelError::Invalid)?;
        let text = std::str::from_utf8(definition).map_err(|_| StoreError::Corrupt)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let count = |names: usize| i32::try_from(names).unwrap_or(i32::MAX);
        let new = NewModel {
            id: new_id(&*self.world),
            name: &model.name,
            description: model.description.as_deref(),
            definition: text,
            counts: [count(model.properties.len()), count(model.events.len()), count(model.actions.len())],
            now: self.now(),
        };
        let outcome = match self.store.put_model(account, new).await? {
            StoredModel::Added => ModelOutcome::Added,
            StoredModel::Updated => ModelOutcome::Updated,
            StoredModel::Unchanged => ModelOutcome::Unchanged,
            StoredModel::TooMany => return Err(ModelError::TooMany),
        };
        Ok(ModelPut { name: model.name.clone(), outcome })
    }

    /// All models of the account, by name; at most [`MAX_MODELS`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn models(&self, account: AccountId) -> Result<Vec<ModelSummary>, StoreError> {
        self.store.models(account).await
    }

    /// The names of all models of the account, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn model_names(&self, account: AccountId) -> Result<Vec<String>, StoreError> {
        self.store.model_names(account).await
    }

    /// The definition of a model, as it was uploaded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn model(&self, account: AccountId, name: &ModelName) -> Result<Option<String>, StoreError> {
        self.store.model_definition(account, name).await
    }

    /// Deletes a model that no device uses.
    ///
    /// # Errors
    /// [`DeleteModelError`].
    pub async fn delete_model(&self, account: AccountId, name: &ModelName) -> Result<(), DeleteModelError> {
        match self.store.delete_model(account, name).await? {
            DeletedModel::Deleted => Ok(()),
            DeletedModel::NotFound => Err(DeleteModelError::NotFound),
            DeletedModel::InUse(devices) => Err(DeleteModelError::InUse { devices }),
        }
    }

    /// Those of `names` that the account does not have, each with the name it has that is most like it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unknown_models(
        &self,
        account: AccountId,
        names: &[ModelName],
    ) -> Result<Vec<UnknownModel>, StoreError> {
        let known = self.store.model_names(account).await?;
        let set: HashSet<&str> = known.iter().map(String::as_str).collect();
        let unknown = names.iter().filter(|name| !set.contains(name.as_str()));
        Ok(unknown
            .map(|name| UnknownModel {
                name: name.clone(),
                nearest: nearest(name.as_str(), known.iter().map(String::as_str)).map(str::to_owned),
            })
            .collect())
    }
}

//! Adding, listing and deleting model definitions, and names that resemble an unknown one.

use crate::{
    actor::Actor,
    errors::{DeleteModelError, ModelError, StoreError},
    models::{
        LISTED_DESCRIPTION_CHARS,
        data_schema::{MAX_STEPS, Schemas},
    },
    registry::Registry,
    store::contract::{DeletedModel, NewModel, StoredModel},
    world::new_id,
};
use muster_domain::{
    KnownNames, ModelName, ModelOutcome, ModelProblem, ModelPut, ModelSummary, ThingModel, UnknownModel,
};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The maximum steps of finding names similar to unknown ones: 0.6 s on a busy machine. Among 10,000 models, a name
/// takes up to a million steps if all of them begin alike. So the first hundred unknown names of a file get a
/// suggestion, and the names after the last step get none.
const NEAREST_STEPS: u64 = 100_000_000;

impl Registry {
    /// Adds a model definition (a WoT Thing Model in JSON), or replaces the one of the same name.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] with all problems; [`ModelError::TooMany`].
    pub async fn put_model(&self, actor: &Actor, definition: &[u8]) -> Result<ModelPut, ModelError> {
        let text = definition.strip_prefix(b"\xef\xbb\xbf").unwrap_or(definition).to_vec();
        let read = move || {
            let model = ThingModel::parse(&text)?;
            Schemas::compile(&model)?;
            Ok::<_, Vec<ModelProblem>>((model, text))
        };
        let (model, text) = self.heavy.run(actor.account(), read).await?.map_err(ModelError::Invalid)?;
        let text = String::from_utf8(text).map_err(|_| StoreError::Corrupt)?;
        let listed_description: Option<String> =
            model.description.map(|text| text.chars().take(LISTED_DESCRIPTION_CHARS).collect());
        let count = |names: usize| i32::try_from(names).unwrap_or(i32::MAX);
        let new = NewModel {
            id: new_id(&*self.world),
            name: &model.name,
            description: listed_description.as_deref(),
            definition: &text,
            counts: [count(model.properties.len()), count(model.events.len()), count(model.actions.len())],
            now: self.now(),
        };
        let outcome = match self.store.put_model(actor.account(), new).await? {
            StoredModel::Added => ModelOutcome::Added,
            StoredModel::Updated => ModelOutcome::Updated,
            StoredModel::Unchanged => ModelOutcome::Unchanged,
            StoredModel::TooMany => return Err(ModelError::TooMany),
        };
        Ok(ModelPut { name: model.name.clone(), outcome })
    }

    /// All models of the account, by name; at most [`MAX_MODELS`](crate::MAX_MODELS).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn models(&self, actor: &Actor) -> Result<Vec<ModelSummary>, StoreError> {
        self.store.models(actor.account()).await
    }

    /// The names of all models of the account, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn model_names(&self, actor: &Actor) -> Result<Vec<String>, StoreError> {
        self.store.model_names(actor.account()).await
    }

    /// The definition of a model, as it was uploaded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn model(&self, actor: &Actor, name: &ModelName) -> Result<Option<String>, StoreError> {
        self.store.model_definition(actor.account(), name).await
    }

    /// A report that a device of this model could send: the first few properties for which a value can be made up, as JSON.
    /// `None`: the account has no such model, or no value can be made up for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn example_report(&self, actor: &Actor, name: &ModelName) -> Result<Option<String>, StoreError> {
        let Some(definition) = self.model(actor, name).await? else { return Ok(None) };
        self.heavy.run(actor.account(), move || example_of(&definition)).await
    }

    /// Deletes a model that no device uses.
    ///
    /// # Errors
    /// [`DeleteModelError`].
    pub async fn delete_model(&self, actor: &Actor, name: &ModelName) -> Result<(), DeleteModelError> {
        match self.store.delete_model(actor.account(), name).await? {
            DeletedModel::Deleted => Ok(()),
            DeletedModel::NotFound => Err(DeleteModelError::NotFound),
            DeletedModel::InUse(devices) => Err(DeleteModelError::InUse { devices }),
        }
    }

    /// The distinct names that the account does not have, each with the most similar name that it has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unknown_models(&self, actor: &Actor, names: &[ModelName]) -> Result<Vec<UnknownModel>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let (known, names) = (self.store.model_names(actor.account()).await?, names.to_vec());
        self.heavy.run(actor.account(), move || find_unknown(&known, names)).await
    }
}

/// Properties in an example of a report.
const EXAMPLE_PROPERTIES: usize = 3;

/// The maximum steps of checking the examples of a model: a tenth of a second.
const EXAMPLE_STEPS: u64 = 2_000_000;

fn example_of(definition: &str) -> Option<String> {
    let model = ThingModel::parse(definition.as_bytes()).ok()?;
    let schemas = Schemas::compile(&model).ok()?;
    let mut report = Map::new();
    let mut steps = EXAMPLE_STEPS;
    for (name, value) in model.example_values() {
        // Not every rule is followed in making it up.
        let one = Map::from_iter([(name.to_owned(), value)]);
        let Ok(taken) = schemas.check(&one, steps.min(MAX_STEPS)) else { continue };
        steps = steps.saturating_sub(taken.max(1));
        report.extend(one);
        if report.len() == EXAMPLE_PROPERTIES {
            break;
        }
    }
    (!report.is_empty()).then(|| Value::Object(report).to_string())
}

fn find_unknown(known: &[String], names: Vec<ModelName>) -> Vec<UnknownModel> {
    let mut seen: HashSet<String> = known.iter().cloned().collect();
    let known = KnownNames::new(known.iter().map(String::as_str));
    let mut steps = NEAREST_STEPS;
    let unknown = names.into_iter().filter(|name| seen.insert(name.as_str().to_owned()));
    unknown
        .map(|name| UnknownModel { nearest: known.nearest(name.as_str(), &mut steps).map(str::to_owned), name })
        .collect()
}

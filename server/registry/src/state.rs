//! A device's data: that it agrees with the model definition, and keeping the last value of each property.

use crate::{
    errors::{StateError, StoreError},
    registry::Registry,
    store::Report,
    types::AuthenticatedDevice,
};
use jsonschema::{Draft, Validator};
use muster_domain::{ModelProblem, ThingModel};
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use uuid::Uuid;

/// The largest body, and the most that is kept of one device.
pub const MAX_STATE_BYTES: usize = 256 * 1024;

/// Models whose validators are kept: about 10 kB each.
const MAX_CACHED: usize = 1_000;

/// A model's validators, by property.
type Properties = HashMap<String, Validator>;

/// The validators of the models in use. Only a cache: the version of a model's definition is part of its key.
#[derive(Default)]
pub(crate) struct Validators(Mutex<HashMap<(Uuid, i32), Arc<Properties>>>);

/// The validator of each property. A WoT `DataSchema` uses the words of JSON Schema draft 7 (TD 1.1, section 5.3.2).
pub(crate) fn validators(model: &ThingModel) -> Result<Properties, Vec<ModelProblem>> {
    let mut problems = Vec::new();
    let mut properties = Properties::new();
    for (name, schema) in &model.properties {
        match jsonschema::options().with_draft(Draft::Draft7).build(schema) {
            Ok(validator) => {
                properties.insert(name.clone(), validator);
            }
            Err(error) => problems.push(ModelProblem {
                place: format!("/properties/{}", name.replace('~', "~0").replace('/', "~1")),
                sentence: format!("This is not a data schema: {error}."),
            }),
        }
    }
    if problems.is_empty() { Ok(properties) } else { Err(problems) }
}

impl Registry {
    /// Takes a device's properties, all or some: checks them against its model, keeps the last value of each, and
    /// turns a `Registered` device `Active`.
    ///
    /// # Errors
    /// [`StateError`]; nothing is kept then.
    pub async fn record_state(&self, device: &AuthenticatedDevice, body: &[u8]) -> Result<(), StateError> {
        if body.len() > MAX_STATE_BYTES {
            return Err(StateError::TooLarge);
        }
        let given: Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| StateError::NotJson { detail: error.to_string() })?;
        let properties = self.properties_of(device).await?;
        check(&properties, &given)?;

        let merge = move |before: Option<&str>| {
            let mut state: Map<String, Value> = match before {
                Some(text) => serde_json::from_str(text).map_err(|_| StoreError::Corrupt)?,
                None => Map::new(),
            };
            // What the model has no more is not kept for ever.
            state.retain(|name, _| properties.contains_key(name));
            state.extend(given.clone());
            let text = Value::Object(state).to_string();
            if text.len() > MAX_STATE_BYTES { Err(StateError::TooLarge) } else { Ok(text) }
        };
        self.store.store_report(Report { device: device.id, merge: Box::new(merge), at: self.now() }).await
    }

    async fn properties_of(&self, device: &AuthenticatedDevice) -> Result<Arc<Properties>, StateError> {
        let key = (device.model, device.model_version);
        let cached = self.validators.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(cached) = cached {
            return Ok(cached);
        }
        let (definition, version) =
            self.store.definition_of(device.account, device.model).await?.ok_or(StateError::Gone)?;
        let model = ThingModel::parse(definition.as_bytes()).map_err(|_| StoreError::Corrupt)?;
        let made = Arc::new(validators(&model).map_err(|_| StoreError::Corrupt)?);
        let mut cache = self.validators.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        cache.insert((device.model, version), made.clone());
        Ok(made)
    }
}

/// That every property is one of the model, and its value one the model allows.
fn check(properties: &Properties, given: &Map<String, Value>) -> Result<(), StateError> {
    for (name, value) in given {
        let shown: String = name.chars().take(64).collect();
        let Some(validator) = properties.get(name) else {
            return Err(StateError::Contradicts {
                sentence: format!("The device's model has no property `{shown}`."),
                field: shown,
            });
        };
        if let Some(error) = validator.iter_errors(value).next() {
            let place = format!("{shown}{}", error.instance_path());
            let masked = error.masked().to_string();
            return Err(StateError::Contradicts {
                sentence: format!("`{place}` contradicts the model definition: {masked}."),
                field: place,
            });
        }
    }
    Ok(())
}

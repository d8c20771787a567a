//! Reports: checking them against the model definition, and storing the last value of each property.

use crate::{
    devices::AuthenticatedDevice,
    errors::{StateError, StoreError},
    models::{
        cache::CompiledModel,
        data_schema::{MAX_STEPS, Refusal, Schemas},
    },
    registry::Registry,
    store::contract::Report,
};
use muster_domain::{ModelProblem, ThingModel, shown_up_to};
use serde_json::{Map, Value, value::RawValue};
use std::{collections::BTreeMap, sync::Arc};

/// The maximum size of a report, and of the stored state of a device.
pub const MAX_STATE_BYTES: usize = 256 * 1024;

/// A report of up to this size and this many steps is read and checked on the async worker. That takes less than a
/// millisecond, and covers nearly all reports. Any other is heavy work.
const LIGHT_BYTES: usize = 4 * 1024;
const LIGHT_STEPS: u64 = 10_000;

/// The values of a report by property, as they are stored.
type Properties = BTreeMap<String, Box<RawValue>>;

impl Registry {
    /// Records a report of all or some of a device's properties: checks it against the device's model, stores the last
    /// value of each property, and turns a `Registered` device `Active`.
    ///
    /// # Errors
    /// [`StateError`]; then nothing of the report is stored, except that the device has used its token.
    pub async fn record_state(&self, device: &AuthenticatedDevice, body: &[u8]) -> Result<(), StateError> {
        let recorded = self.check_and_store(device, body).await;
        if recorded.as_ref().is_err_and(|error| !matches!(error, StateError::Store(_))) {
            self.record_token_use(device).await?;
        }
        recorded
    }

    async fn check_and_store(&self, device: &AuthenticatedDevice, body: &[u8]) -> Result<(), StateError> {
        if body.len() > MAX_STATE_BYTES {
            return Err(StateError::TooLarge);
        }
        let model = self.compiled_model(device).await?;
        let light = match usable(&model)? {
            schemas if body.len() <= LIGHT_BYTES => read_report(schemas, body, LIGHT_STEPS),
            _ => Err(ReadError::TooManySteps { field: String::new() }),
        };
        let read = match light {
            Err(ReadError::TooManySteps { .. }) => {
                let (model, body) = (model.clone(), body.to_vec());
                let read = move || Ok::<_, StateError>(read_report(usable(&model)?, &body, MAX_STEPS));
                self.heavy.run(device.account, read).await?.and_then(|read| read.map_err(StateError::from))
            }
            read => read.map_err(StateError::from),
        };
        let given = read?;
        let merge = move |before: Option<&str>| merge(usable(&model)?, before, &given);
        self.store.store_report(Report { device: device.clone(), merge: Box::new(merge), at: self.now() }).await
    }

    /// The device's model. The first report after a start or a change compiles it; others wait for that.
    async fn compiled_model(&self, device: &AuthenticatedDevice) -> Result<Arc<CompiledModel>, StateError> {
        let cell = self.models.cell(device.account, device.model, device.model_version);
        if let Some(compiled) = cell.get() {
            return Ok(compiled.clone());
        }
        let compile = || async {
            let found = self.store.definition_of(device.account, device.model).await?;
            let (definition, _) = found.ok_or(StateError::Gone)?;
            let compiled = self.heavy.run(device.account, move || Arc::new(compile_stored(&definition))).await?;
            if let Err(sentence) = &*compiled {
                tracing::warn!(account = %device.account.0, model = %device.model, "{sentence}");
            }
            self.models.charge(device.account, device.model, &cell, &compiled);
            Ok::<_, StateError>(compiled)
        };
        Ok(cell.get_or_try_init(compile).await?.clone())
    }
}

/// Compiles a stored definition. This version may reject a definition that an earlier version of Muster accepted. Then
/// every report of its devices is rejected with this sentence, until the definition is corrected.
fn compile_stored(definition: &str) -> CompiledModel {
    let compiled = ThingModel::parse(definition.as_bytes()).and_then(|model| Schemas::compile(&model));
    compiled.map_err(|problems| {
        let ModelProblem { place, sentence } = problems.into_iter().next().unwrap_or_else(|| ModelProblem {
            place: "/".to_owned(),
            sentence: "It is not a model definition.".to_owned(),
        });
        let (place, sentence) = (shown_up_to(&place, 200), shown_up_to(&sentence, 300));
        format!("This device's model definition can no longer be used and must be uploaded again. {place}: {sentence}")
    })
}

fn usable(model: &CompiledModel) -> Result<&Schemas, StateError> {
    model.as_ref().map_err(|sentence| StateError::UnusableModel { sentence: sentence.clone() })
}

/// Why a report is rejected, or cannot be checked within the steps.
enum ReadError {
    TooManySteps { field: String },
    State(StateError),
}

impl From<ReadError> for StateError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::State(error) => error,
            ReadError::TooManySteps { field } => Self::Contradicts {
                sentence: format!(
                    "`{field}` takes too long to be checked against the model definition. Send fewer values at a time, \
                     or simplify the model."
                ),
                field,
            },
        }
    }
}

/// Reads a report and checks it. The worst case takes about 0.2 s: 256 KiB of the slowest values, against the largest
/// model.
fn read_report(schemas: &Schemas, body: &[u8], max_steps: u64) -> Result<Properties, ReadError> {
    let not_json = |error: serde_json::Error| {
        // The message quotes the body.
        ReadError::State(StateError::NotJson { detail: shown_up_to(&error.to_string(), 200) })
    };
    let given: Map<String, Value> = serde_json::from_slice(body).map_err(not_json)?;
    schemas.check(&given, max_steps).map_err(|refusal| match refusal {
        Refusal::TooManySteps { field } => ReadError::TooManySteps { field },
        Refusal::Contradicts { field, sentence } => ReadError::State(StateError::Contradicts { field, sentence }),
    })?;
    let kept = given
        .into_iter()
        .map(|(name, value)| Ok::<_, serde_json::Error>((name, serde_json::value::to_raw_value(&value)?)));
    kept.collect::<Result<_, _>>().map_err(not_json)
}

/// Merges a report into the stored state. The values are copied as text, without being parsed: this happens within the
/// transaction, and takes less than a millisecond for 256 KiB.
fn merge(schemas: &Schemas, before: Option<&str>, given: &Properties) -> Result<String, StateError> {
    let mut state: BTreeMap<String, &RawValue> = match before {
        Some(text) => serde_json::from_str(text).map_err(|_| StoreError::Corrupt)?,
        None => BTreeMap::new(),
    };
    // Values of properties that the model no longer has are dropped.
    state.retain(|name, _| schemas.has(name));
    state.extend(given.iter().map(|(name, value)| (name.clone(), &**value)));
    let text = serde_json::to_string(&state).map_err(|_| StoreError::Corrupt)?;
    if text.len() > MAX_STATE_BYTES { Err(StateError::TooLarge) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use crate::{AccountName, FakeWorld, NewRegistration, PartRows};
    use muster_domain::{DeviceName, ModelName, NewDevice};
    use std::sync::mpsc;

    /// A registry, and a device in it of a model whose property `p` is a list of numbers.
    async fn registry_with_device(folder: &std::path::Path) -> (Registry, AuthenticatedDevice) {
        let url = format!("sqlite://{}", folder.join("muster.db").display());
        let registry = Registry::open(&url, Arc::new(FakeWorld::at(0))).await.unwrap();
        let actor = registry.add_account(&AccountName::parse("alpha").unwrap()).await.unwrap();
        let definition =
            br#"{"@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel", "title": "M",
            "properties": {"p": {"type": "array", "items": {"type": "number"}}}}"#;
        registry.put_model(&actor, definition).await.unwrap();
        let new = NewRegistration {
            file_name: "fleet.csv".to_owned(),
            devices: 1,
            parts: 1,
            group: None,
            idempotency_key: None,
        };
        let registration = registry.begin_registration(&actor, new).await.unwrap();
        let (name, model) = (DeviceName::parse("a").unwrap(), ModelName::parse("M").unwrap());
        let device = NewDevice { name, model, friendly_name: None, description: None, tier: None };
        let part = PartRows { number: 0, attempt: 1, devices: vec![(1, device)], ..PartRows::default() };
        let outcome = registry.register_part(&actor, registration, part).await.unwrap();
        let device = registry.authenticate(&outcome.tokens[0].1).await.unwrap();
        (registry, device)
    }

    /// On one worker: a report that is large, or takes more than a few steps, waits off the worker, while small ones
    /// are processed.
    #[tokio::test(flavor = "current_thread")]
    async fn small_reports_do_not_wait_for_large_ones() {
        let folder = tempfile::tempdir().unwrap();
        let (registry, device) = registry_with_device(folder.path()).await;
        let report = |numbers: usize| format!("{{\"p\":[{}]}}", vec!["1"; numbers].join(","));
        // The model is compiled, off the worker as well.
        registry.record_state(&device, report(1).as_bytes()).await.unwrap();

        let (end, ended) = mpsc::channel();
        let (account, heavy) = (device.account, registry.heavy.clone());
        let busy = tokio::spawn(async move { heavy.run(account, move || ended.recv().unwrap()).await });
        let start = |body: String| {
            let (registry, device) = (registry.clone(), device.clone());
            tokio::spawn(async move { registry.record_state(&device, body.as_bytes()).await })
        };
        let large = start(report(LIGHT_BYTES));
        for _ in 0..10 {
            registry.record_state(&device, report(100).as_bytes()).await.unwrap();
        }
        assert!(!large.is_finished() && !busy.is_finished());
        end.send(()).unwrap();
        busy.await.unwrap().unwrap();
        large.await.unwrap().unwrap();
    }

    #[test]
    fn light_check_stops_after_a_few_steps() {
        let definition = format!(
            r#"{{"@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel", "title": "M",
                "properties": {{"p": {{"items": {{"allOf": [{}]}}}}}}}}"#,
            vec!["{}"; 100].join(",")
        );
        let schemas = Schemas::compile(&ThingModel::parse(definition.as_bytes()).unwrap()).ok().unwrap();
        let body = format!("{{\"p\":[{}]}}", vec!["1"; 1_000].join(","));
        assert!(body.len() < LIGHT_BYTES);
        assert!(matches!(read_report(&schemas, body.as_bytes(), LIGHT_STEPS), Err(ReadError::TooManySteps { .. })));
        assert!(read_report(&schemas, body.as_bytes(), MAX_STEPS).is_ok());
    }
}

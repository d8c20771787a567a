//! Model definitions.

use crate::fixture::{Fixture, MODEL, definition, model_name, part_of, row_of};
use muster_registry::{DeleteModelError, MAX_MODELS, ModelError, ModelOutcome, StateError, UnknownModel};

pub(crate) async fn put_and_list(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let put = async |text: &str| {
        let put = registry.put_model(tenant.id, text.as_bytes()).await.unwrap();
        (put.name.to_string(), put.outcome)
    };
    let first = r#"{"@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel", "title": "Contoso.Pump", "description": "A pump",
        "properties": {"flow": {"type": "number"}, "on": {"type": "boolean"}}, "events": {"dry": {}}, "actions": {}}"#;
    assert_eq!(put(first).await, ("Contoso.Pump".to_owned(), ModelOutcome::Added));
    fixture.world.pass_ms(5);
    assert_eq!(put(first).await.1, ModelOutcome::Unchanged);
    tenant.register(&["a", "b"]).await;

    let models = registry.models(tenant.id).await.unwrap();
    let names: Vec<_> = models.iter().map(|model| (model.name.as_str(), model.devices)).collect();
    assert_eq!(names, [(MODEL, 2), ("Contoso.Pump", 0)]);
    let pump = &models[1];
    assert_eq!((pump.description.as_deref(), pump.properties, pump.events, pump.actions), (Some("A pump"), 2, 1, 0));
    let added = pump.updated;

    assert_eq!(put(&first.replace("A pump", "The pump")).await.1, ModelOutcome::Updated);
    let pump = registry.models(tenant.id).await.unwrap().remove(1);
    assert_eq!(pump.description.as_deref(), Some("The pump"));
    assert!(pump.updated > added);
    let text = registry.model(tenant.id, &model_name("Contoso.Pump")).await.unwrap();
    assert_eq!(text, Some(first.replace("A pump", "The pump")));
    assert_eq!(registry.model(tenant.id, &model_name("contoso.pump")).await.unwrap(), None);
}

pub(crate) async fn what_is_no_model(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let before = registry.models(tenant.id).await.unwrap();
    let check = async |text: &str, place: &str| match registry.put_model(tenant.id, text.as_bytes()).await {
        Err(ModelError::Invalid(problems)) => {
            assert!(problems.iter().any(|problem| problem.place == place), "{text}: {problems:?}");
            assert!(problems.iter().all(|problem| problem.sentence.len() < 500), "{problems:?}");
        }
        other => panic!("{text}: {other:?}"),
    };
    check("", "line 1, column 1").await;
    check("{", "line 1, column 1").await;
    check("[]", "line 1, column 1").await;
    check(&definition("no spaces", ""), "/title").await;
    // A pattern that cannot be compiled, one that could take for ever, and a reference to somewhere else.
    let pattern = |pattern: &str| definition("M", &format!(r#""p": {{"type": "string", "pattern": "{pattern}"}}"#));
    check(&pattern("("), "/properties/p").await;
    check(&definition("M", r#""p": {"$ref": "http://127.0.0.1:1/schema"}"#), "/properties/p").await;
    assert_eq!(registry.models(tenant.id).await.unwrap(), before, "nothing was changed");
}

pub(crate) async fn deleting(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    assert_eq!(registry.delete_model(tenant.id, &model_name("Nobody.Has")).await, Err(DeleteModelError::NotFound));
    tenant.put_model("Contoso.Pump").await;
    tenant.register(&["a", "b"]).await;
    assert_eq!(registry.delete_model(tenant.id, &model_name(MODEL)).await, Err(DeleteModelError::InUse { devices: 2 }));
    registry.delete_model(tenant.id, &model_name("Contoso.Pump")).await.unwrap();
    assert_eq!(registry.models(tenant.id).await.unwrap().len(), 1);
    assert_eq!(registry.delete_model(tenant.id, &model_name("Contoso.Pump")).await, Err(DeleteModelError::NotFound));
}

pub(crate) async fn names_nobody_has(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let names = [MODEL, "Contoso.Aircraft.AircraftModle", "Something.Else"].map(model_name);
    let unknown = registry.unknown_models(tenant.id, &names).await.unwrap();
    let expected = |name: &str, nearest: Option<&str>| UnknownModel {
        name: model_name(name),
        nearest: nearest.map(str::to_owned),
    };
    assert_eq!(unknown, [expected("Contoso.Aircraft.AircraftModle", Some(MODEL)), expected("Something.Else", None)]);
    assert_eq!(registry.unknown_models(tenant.id, &[]).await.unwrap(), []);
}

pub(crate) async fn as_many_as_allowed(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let (id, numbers) = if fixture.folder.is_some() {
        ("randomblob(16)", "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)")
    } else {
        ("gen_random_uuid()", "WITH n (i) AS (SELECT generate_series(1, 9999))")
    };
    let fill = format!(
        "INSERT INTO models (id, account, name, definition, properties, events, actions, updated_at) {numbers}
         SELECT {id}, (SELECT id FROM accounts WHERE name = 'alpha'), 'M' || i, '', 0, 0, 0, 0 FROM n"
    );
    fixture.execute(&fill).await;
    assert_eq!(registry.models(tenant.id).await.unwrap().len(), MAX_MODELS as usize);
    let one_more = registry.put_model(tenant.id, definition("OneMore", "").as_bytes()).await;
    assert_eq!(one_more.map(|_| ()), Err(ModelError::TooMany));
    let changed = registry.put_model(tenant.id, definition(MODEL, "").as_bytes()).await.unwrap();
    assert_eq!(changed.outcome, ModelOutcome::Updated, "those it has can still be changed");
    // A file that misspells a thousand names is answered all the same, in time.
    let names: Vec<_> =
        (0..1_000).map(|i| model_name(&format!("Contoso.Aircraft.AircraftModelOfTheYear{i}"))).collect();
    let begun = std::time::Instant::now();
    assert_eq!(registry.unknown_models(tenant.id, &names).await.unwrap().len(), 1_000);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// Even if the clock stands still: what was made of the old definition is not used any more.
pub(crate) async fn a_new_definition_counts_at_once(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let put = async |schema: &str| {
        registry.put_model(tenant.id, definition("M", &format!(r#""p": {schema}"#)).as_bytes()).await.unwrap();
    };
    put(r#"{"type": "number"}"#).await;
    let id = tenant.begin().await;
    let outcome = tenant.part(id, part_of(0, 1, vec![row_of(["a", "M", "", "", ""])])).await;
    let token = &outcome.tokens[0].1;
    let report = async |body: &str| {
        let device = fixture.connect(token).await;
        registry.record_state(&device, body.as_bytes()).await
    };
    assert_eq!(report(r#"{"p": 1}"#).await, Ok(()));
    put(r#"{"type": "string"}"#).await;
    assert!(matches!(report(r#"{"p": 1}"#).await, Err(StateError::Contradicts { .. })));
    assert_eq!(report(r#"{"p": "x"}"#).await, Ok(()));
    put(r#"{"type": "boolean"}"#).await;
    assert!(matches!(report(r#"{"p": "x"}"#).await, Err(StateError::Contradicts { .. })));
}

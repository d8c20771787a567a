//! Model definitions.

use crate::fixture::{Fixture, MODEL, definition, model_name, part_of, row_of};
use muster_domain::{ModelOutcome, ModelProblem, ThingModel, UnknownModel};
use muster_registry::{DeleteModelError, MAX_MODELS, ModelError, StateError};

pub(crate) async fn model_is_added_updated_and_listed(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let put = async |text: &str| {
        let put = registry.put_model(&tenant.actor, text.as_bytes()).await.unwrap();
        (put.name.to_string(), put.outcome)
    };
    let first = r#"{"@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel", "title": "Contoso.Pump", "description": "A pump",
        "properties": {"flow": {"type": "number"}, "on": {"type": "boolean"}}, "events": {"dry": {}}, "actions": {}}"#;
    assert_eq!(put(first).await, ("Contoso.Pump".to_owned(), ModelOutcome::Added));
    fixture.world.pass_ms(5);
    assert_eq!(put(first).await.1, ModelOutcome::Unchanged);
    tenant.register(&["a", "b"]).await;

    let models = registry.models(&tenant.actor).await.unwrap();
    let names: Vec<_> = models.iter().map(|model| (model.name.as_str(), model.devices)).collect();
    assert_eq!(names, [(MODEL, 2), ("Contoso.Pump", 0)]);
    let pump = &models[1];
    assert_eq!((pump.description.as_deref(), pump.properties, pump.events, pump.actions), (Some("A pump"), 2, 1, 0));
    let added = pump.updated;

    assert_eq!(put(&first.replace("A pump", "The pump")).await.1, ModelOutcome::Updated);
    let pump = registry.models(&tenant.actor).await.unwrap().remove(1);
    assert_eq!(pump.description.as_deref(), Some("The pump"));
    assert!(pump.updated > added);
    let text = registry.model(&tenant.actor, &model_name("Contoso.Pump")).await.unwrap();
    assert_eq!(text, Some(first.replace("A pump", "The pump")));
    assert_eq!(registry.model(&tenant.actor, &model_name("contoso.pump")).await.unwrap(), None);
}

pub(crate) async fn invalid_definitions_are_rejected(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let before = registry.models(&tenant.actor).await.unwrap();
    let check = async |text: &str, place: &str| match registry.put_model(&tenant.actor, text.as_bytes()).await {
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
    let pattern = |pattern: &str| definition("M", &format!(r#""p": {{"type": "string", "pattern": "{pattern}"}}"#));
    check(&pattern("("), "/properties/p/pattern").await;
    assert_eq!(registry.models(&tenant.actor).await.unwrap(), before, "nothing was changed");
}

/// Definitions that would be expensive to compile or to check against, and their problems.
pub(crate) async fn hostile_definitions_are_rejected(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let before = registry.models(&tenant.actor).await.unwrap();
    let many = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
    let doubling = |reference: &str, to: &str| {
        many(46, &|at| {
            format!(r#""d{at}": {{"allOf": [{{"{reference}": "{to}{0}"}}, {{"{reference}": "{to}{0}"}}]}}"#, at + 1)
        })
    };
    for (kind, properties, sentence) in [
        (
            "exponential references",
            format!(
                r##""p": {{"$ref": "#/definitions/d0", "definitions": {{{}, "d46": {{}}}}}}"##,
                doubling("$ref", "#/definitions/d")
            ),
            "does not follow references",
        ),
        (
            "exponential references of Thing Models",
            format!(r#"{}, "d46": {{}}"#, doubling("tm:ref", "#/properties/d")),
            "nested deeper than 32 levels",
        ),
        (
            "a reference to itself",
            r##""p": {"properties": {"p": {"$ref": "#"}}}"##.to_owned(),
            "does not follow references",
        ),
        (
            "a reference to another host",
            r#""p": {"$ref": "http://127.0.0.1:1/schema"}"#.to_owned(),
            "does not follow references",
        ),
        (
            "a reference to another model",
            r#""p": {"tm:ref": "http://127.0.0.1:1/model#/properties/p"}"#.to_owned(),
            "does not fetch other models",
        ),
        ("a reference by another draft", r##""p": {"$dynamicRef": "#p"}"##.to_owned(), "$dynamicRef"),
        (
            "equal large patterns",
            many(200, &|at| format!(r#""p{at}": {{"type": "string", "pattern": "\\p{{L}}{{180}}"}}"#)),
            "too large to be checked quickly",
        ),
        (
            "different large patterns",
            many(90, &|at| format!(r#""p{at}": {{"pattern": "\\p{{L}}{{{}}}"}}"#, at + 10)),
            "too large to be checked quickly",
        ),
        (
            "nested repetitions",
            r#""p": {"pattern": "((a{100}){100}){100}"}"#.to_owned(),
            "too large to be checked quickly",
        ),
        (
            "many patterns",
            many(101, &|at| format!(r#""p{at}": {{"pattern": "a{at}"}}"#)),
            "at most 100 different patterns",
        ),
        ("a long pattern", format!(r#""p": {{"pattern": "{}"}}"#, "a?".repeat(501)), "at most 1000 characters"),
        ("look-around", r#""p": {"pattern": "^(?=.*[0-9])"}"#.to_owned(), "look-around"),
        (
            "many choices",
            format!(r#""p": {{"oneOf": [{}]}}"#, many(5_001, &|_| "{}".to_owned())),
            "at most 5000 data schemas",
        ),
        (
            "nested choices",
            format!("\"p\": {}{{}}{}", r#"{"anyOf": [{}, "#.repeat(20), "]}".repeat(20)),
            "nested deeper than 32 levels",
        ),
        (
            "a large enum",
            format!(r#""p": {{"enum": [{}]}}"#, many(10_001, &|at| at.to_string())),
            "at most 10000 entries",
        ),
        (
            "a large list of what is required",
            format!(r#""p": {{"required": [{}]}}"#, many(10_001, &|at| format!("\"{at}\""))),
            "at most 10000 entries",
        ),
        (
            "many values",
            format!(r#""p": {{"default": [{}]}}"#, many(100_000, &|_| "{}".to_owned())),
            "at most 100000 JSON values",
        ),
        ("patterns of names", r#""p": {"patternProperties": {"^(a+)+$": {}}}"#.to_owned(), "patternProperties"),
        ("dependencies", r#""p": {"dependencies": {"a": ["b"]}}"#.to_owned(), "dependencies"),
        ("a number nobody can keep", r#""p": {"multipleOf": 1e400}"#.to_owned(), "number out of range"),
    ] {
        match registry.put_model(&tenant.actor, definition("M", &properties).as_bytes()).await {
            Err(ModelError::Invalid(problems)) => {
                assert!(problems.iter().any(|problem| problem.sentence.contains(sentence)), "{kind}: {problems:?}");
                let is_short = |problem: &ModelProblem| problem.place.len() < 2_000 && problem.sentence.len() < 500;
                assert!(
                    problems.len() <= ThingModel::MAX_PROBLEMS && problems.iter().all(is_short),
                    "{kind}: {problems:?}"
                );
            }
            other => panic!("{kind}: {other:?}"),
        }
    }
    assert_eq!(registry.models(&tenant.actor).await.unwrap(), before, "nothing was changed");
}

/// A description may be as long as a definition. The list of models shows its beginning.
pub(crate) async fn long_descriptions_are_cut_in_the_list(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let long =
        definition("M", "").replace("\"title\"", &format!("\"description\": \"{}\", \"title\"", "é".repeat(100_000)));
    registry.put_model(&tenant.actor, long.as_bytes()).await.unwrap();
    let listed = async || registry.models(&tenant.actor).await.unwrap().pop().unwrap().description;
    assert_eq!(listed().await, Some("é".repeat(256)));
    // One that an earlier version of Muster stored.
    fixture.execute(&format!("UPDATE models SET description = '{}' WHERE name = 'M'", "é".repeat(5_000))).await;
    assert_eq!(listed().await, Some("é".repeat(256)));
}

pub(crate) async fn unused_model_is_deleted(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    assert_eq!(registry.delete_model(&tenant.actor, &model_name("Nobody.Has")).await, Err(DeleteModelError::NotFound));
    tenant.put_model("Contoso.Pump").await;
    tenant.register(&["a", "b"]).await;
    assert_eq!(
        registry.delete_model(&tenant.actor, &model_name(MODEL)).await,
        Err(DeleteModelError::InUse { devices: 2 })
    );
    registry.delete_model(&tenant.actor, &model_name("Contoso.Pump")).await.unwrap();
    assert_eq!(registry.models(&tenant.actor).await.unwrap().len(), 1);
    assert_eq!(
        registry.delete_model(&tenant.actor, &model_name("Contoso.Pump")).await,
        Err(DeleteModelError::NotFound)
    );
}

pub(crate) async fn unknown_names_get_suggestions(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let names = [MODEL, "Contoso.Aircraft.AircraftModle", "Something.Else"].map(model_name);
    let unknown = registry.unknown_models(&tenant.actor, &names).await.unwrap();
    let expected = |name: &str, nearest: Option<&str>| UnknownModel {
        name: model_name(name),
        nearest: nearest.map(str::to_owned),
    };
    assert_eq!(unknown, [expected("Contoso.Aircraft.AircraftModle", Some(MODEL)), expected("Something.Else", None)]);
    assert_eq!(registry.unknown_models(&tenant.actor, &[]).await.unwrap(), []);
    let twice = ["Something.Else", MODEL, "Something.Else"].map(model_name);
    assert_eq!(registry.unknown_models(&tenant.actor, &twice).await.unwrap(), [expected("Something.Else", None)]);
}

pub(crate) async fn number_of_models_is_limited(fixture: &Fixture) {
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
    assert_eq!(registry.models(&tenant.actor).await.unwrap().len(), MAX_MODELS as usize);
    let one_more = registry.put_model(&tenant.actor, definition("OneMore", "").as_bytes()).await;
    assert_eq!(one_more.map(|_| ()), Err(ModelError::TooMany));
    let changed = registry.put_model(&tenant.actor, definition(MODEL, "").as_bytes()).await.unwrap();
    assert_eq!(changed.outcome, ModelOutcome::Updated, "those it has can still be changed");
    // A file that misspells a thousand names is answered all the same, and each that is nearly right is recognized.
    let names: Vec<_> = (0..1_000).map(|i| model_name(&format!("Contoso.Aircraft.AircraftModle_{i}"))).collect();
    let unknown = registry.unknown_models(&tenant.actor, &names).await.unwrap();
    let nearest: Vec<_> = unknown.iter().map(|model| model.nearest.as_deref()).collect();
    assert_eq!(nearest[..100], [Some(MODEL); 100], "a swap, _ and up to two digits");
    assert_eq!(nearest[100..], [None; 900]);
}

/// Even if the clock stands still, the old compiled definition is no longer used.
pub(crate) async fn new_definition_applies_immediately(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let put = async |schema: &str| {
        registry.put_model(&tenant.actor, definition("M", &format!(r#""p": {schema}"#)).as_bytes()).await.unwrap();
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

pub(crate) async fn example_report_is_accepted(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let properties = r#""a": {"type": "string", "pattern": "^A-"}, "b": {"type": "number", "minimum": 4},
        "c": {"enum": ["on", "off"]}, "d": {}, "e": {"type": "boolean"}, "f": {"type": "boolean"}"#;
    registry.put_model(&tenant.actor, definition("M", properties).as_bytes()).await.unwrap();
    let example = registry.example_report(&tenant.actor, &model_name("M")).await.unwrap().unwrap();
    assert_eq!(example, r#"{"b":4,"c":"on","e":true}"#, "what fits, and no more than three");
    let id = tenant.begin().await;
    let outcome = tenant.part(id, part_of(0, 1, vec![row_of(["a", "M", "", "", ""])])).await;
    fixture.report(&outcome.tokens[0].1, &example).await;
    for properties in ["", r#""a": {"type": "string", "pattern": "^A-"}"#] {
        registry.put_model(&tenant.actor, definition("M", properties).as_bytes()).await.unwrap();
        assert_eq!(registry.example_report(&tenant.actor, &model_name("M")).await, Ok(None), "{properties}");
    }
    assert_eq!(registry.example_report(&tenant.actor, &model_name("Nobody.Has")).await, Ok(None));
}

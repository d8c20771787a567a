//! What a device sends.

use crate::fixture::{Fixture, Tenant, definition, device_name, device_names, first_token, named, part_of, row_of};
use muster_domain::{Change, SecurityToken, Status};
use muster_registry::{MAX_STATE_BYTES, StateError};
use serde_json::{Value, json};

/// A device `a` of a model with several properties.
async fn device(fixture: &Fixture) -> (Tenant, SecurityToken) {
    let tenant = fixture.tenant("alpha").await;
    let properties = r#""n": {"type": "integer", "minimum": 0, "maximum": 100}, "s": {"type": "string"}, "e": {"enum": ["on", "off"]},
        "o": {"type": "object", "properties": {"lat": {"type": "number"}}, "required": ["lat"]},
        "p": {"type": "string", "pattern": "^(a+)+$"}"#;
    fixture.registry.put_model(&tenant.actor, definition("M", properties).as_bytes()).await.unwrap();
    let id = tenant.begin().await;
    let token = first_token(tenant.part(id, part_of(0, 1, vec![row_of(["a", "M", "", "", ""])])).await);
    (tenant, token)
}

async fn send(fixture: &Fixture, token: &SecurityToken, body: &[u8]) -> Result<(), StateError> {
    let device = fixture.connect(token).await;
    fixture.registry.record_state(&device, body).await
}

async fn stored(fixture: &Fixture, tenant: &Tenant) -> Option<Value> {
    let detail = fixture.registry.device(&tenant.actor, &device_name("a")).await.unwrap().unwrap();
    detail.state.map(|text| serde_json::from_str(&text).unwrap())
}

pub(crate) async fn first_report_activates_the_device(fixture: &Fixture) {
    let (tenant, token) = device(fixture).await;
    assert_eq!(send(fixture, &token, br#"{"n": 1}"#).await, Ok(()));
    let first = fixture.registry.now();
    let item = async || fixture.registry.device(&tenant.actor, &device_name("a")).await.unwrap().unwrap().item;
    assert_eq!((item().await.status, item().await.last_seen), (Status::Active, Some(first)));
    fixture.world.pass_ms(1_000);
    assert_eq!(send(fixture, &token, b" {} ").await, Ok(()));
    assert_eq!(item().await.last_seen, Some(fixture.registry.now()));
    fixture.world.pass_ms(1_000);
    assert!(send(fixture, &token, br#"{"n": -1}"#).await.is_err());
    assert_ne!(item().await.last_seen, Some(fixture.registry.now()), "what is refused is not seen");
}

pub(crate) async fn last_values_are_merged(fixture: &Fixture) {
    let (tenant, token) = device(fixture).await;
    assert_eq!(stored(fixture, &tenant).await, None);
    send(fixture, &token, r#"{"n": 1, "s": "é\u0000"}"#.as_bytes()).await.unwrap();
    send(fixture, &token, br#"{"n": 2, "o": {"lat": 1.5, "more": [1, null]}}"#).await.unwrap();
    send(fixture, &token, br#"{"o": {"lat": 2}}"#).await.unwrap();
    assert_eq!(stored(fixture, &tenant).await, Some(json!({"n": 2, "s": "é\u{0}", "o": {"lat": 2}})));
    // A property that the model has no more is not kept for ever.
    fixture.registry.put_model(&tenant.actor, definition("M", r#""n": {}, "new": {}"#).as_bytes()).await.unwrap();
    send(fixture, &token, br#"{"new": true}"#).await.unwrap();
    assert_eq!(stored(fixture, &tenant).await, Some(json!({"n": 2, "new": true})));
}

pub(crate) async fn contradicting_values_are_rejected(fixture: &Fixture) {
    let (tenant, token) = device(fixture).await;
    for body in ["", "{", "nul", "[]", "1", r#""n""#, "{} {}", "{\"n\": 1,}", "\u{feff}{}", &"[".repeat(100_000)] {
        assert!(matches!(send(fixture, &token, body.as_bytes()).await, Err(StateError::NotJson { .. })), "{body:.40}");
    }
    assert!(matches!(send(fixture, &token, b"{\"s\": \"\xff\"}").await, Err(StateError::NotJson { .. })));
    // What is said does not grow with what was sent.
    match send(fixture, &token, format!("\"{}\"", "x".repeat(200_000)).as_bytes()).await {
        Err(StateError::NotJson { detail }) => assert!(detail.len() < 500, "{detail}"),
        other => panic!("{other:?}"),
    }
    let check = async |body: &str, expected: &str| match send(fixture, &token, body.as_bytes()).await {
        Err(StateError::Contradicts { field, sentence }) => {
            assert_eq!(field, expected, "{body:.80}");
            assert!(sentence.len() < 500, "{sentence}");
        }
        other => panic!("{body:.80}: {other:?}"),
    };
    check(r#"{"N": 1}"#, "N").await;
    check(r#"{"n": 1.5}"#, "n").await;
    check(r#"{"n": 101}"#, "n").await;
    check(r#"{"n": null}"#, "n").await;
    check(r#"{"e": "On"}"#, "e").await;
    check(r#"{"s": "x", "e": 0}"#, "e").await;
    check(r#"{"o": {"lat": "north"}}"#, "o/lat").await;
    check(r#"{"o": {}}"#, "o").await;
    check(&format!(r#"{{"n": "{}"}}"#, "x".repeat(100_000)), "n").await;
    // This pattern takes a naive matcher longer than there is time.
    check(&format!(r#"{{"p": "{}b"}}"#, "a".repeat(50_000)), "p").await;
    assert_eq!((stored(fixture, &tenant).await, tenant.status("a").await), (None, Some(Status::Registered)));
}

/// A report that takes too long to check is rejected, and others do not wait for it.
pub(crate) async fn check_that_takes_too_long_is_rejected(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let choices = vec!["{}"; 4_000].join(",");
    let properties =
        format!(r#""p": {{"type": "array", "items": {{"allOf": [{choices}]}}}}, "n": {{"type": "number"}}"#);
    fixture.registry.put_model(&tenant.actor, definition("M", &properties).as_bytes()).await.unwrap();
    let id = tenant.begin().await;
    let token = first_token(tenant.part(id, part_of(0, 1, vec![row_of(["a", "M", "", "", ""])])).await);
    for items in [MAX_STATE_BYTES / 2 - 10, 2_000] {
        match send(fixture, &token, format!(r#"{{"n": 1, "p": [{}]}}"#, vec!["0"; items].join(",")).as_bytes()).await {
            Err(StateError::Contradicts { field, sentence }) => {
                assert_eq!(field, "p");
                assert!(sentence.starts_with("`p` takes too long to be checked"), "{sentence}");
            }
            other => panic!("{items}: {other:?}"),
        }
    }
    assert_eq!(stored(fixture, &tenant).await, None);
    // A short one has steps enough, whether they are few or more than are taken on the spot.
    for items in [1, 100] {
        let body = format!(r#"{{"n": 1, "p": [{}]}}"#, vec!["0"; items].join(","));
        assert_eq!(send(fixture, &token, body.as_bytes()).await, Ok(()), "{items}");
    }
}

/// An earlier version of Muster accepted the definition.
pub(crate) async fn model_rejected_by_this_version_is_reported(fixture: &Fixture) {
    let (tenant, token) = device(fixture).await;
    let models = async || {
        let models = fixture.registry.models(&tenant.actor).await.unwrap();
        models.into_iter().map(|model| model.name.to_string()).collect::<Vec<_>>()
    };
    let listed = models().await;
    for (stored_definition, reason) in [
        (
            definition("M", r##""n": {"$ref": "#/definitions/n"}"##),
            "/properties/n/$ref: Muster does not follow references",
        ),
        (definition("M", r#""n": {"pattern": "(?=a)"}"#), "/properties/n/pattern: This pattern cannot be used"),
        ("not a definition".to_owned(), "line 1, column 2: This isn't a JSON file"),
    ] {
        let stored_definition = stored_definition.replace('\'', "''");
        fixture
            .execute(&format!(
                "UPDATE models SET definition = '{stored_definition}', version = version + 1 WHERE name = 'M'"
            ))
            .await;
        for body in [&br#"{"n": 1}"#[..], b"{}"] {
            match send(fixture, &token, body).await {
                Err(StateError::UnusableModel { sentence }) => {
                    assert!(sentence.contains(reason) && sentence.contains("must be uploaded again"), "{sentence}");
                    assert!(sentence.len() < 1_000, "{sentence}");
                }
                other => panic!("{reason}: {other:?}"),
            }
        }
        assert_eq!(models().await, listed);
    }
    fixture.registry.put_model(&tenant.actor, definition("M", r#""n": {}"#).as_bytes()).await.unwrap();
    assert_eq!(send(fixture, &token, br#"{"n": 1}"#).await, Ok(()));
}

pub(crate) async fn too_large_report_is_rejected(fixture: &Fixture) {
    let (tenant, token) = device(fixture).await;
    let body = |bytes: usize| format!(r#"{{"s":"{}"}}"#, "x".repeat(bytes - 8)).into_bytes();
    assert_eq!(send(fixture, &token, &body(MAX_STATE_BYTES)).await, Ok(()));
    assert_eq!(send(fixture, &token, &body(MAX_STATE_BYTES + 1)).await, Err(StateError::TooLarge));
    // What is kept is bounded as well, all of it together.
    assert_eq!(send(fixture, &token, br#"{"n": 1}"#).await, Err(StateError::TooLarge));
    send(fixture, &token, br#"{"s": ""}"#).await.unwrap();
    send(fixture, &token, br#"{"n": 1}"#).await.unwrap();
    assert_eq!(stored(fixture, &tenant).await, Some(json!({"n": 1, "s": ""})));
}

/// None of many concurrent reports is lost, and none fails.
pub(crate) async fn concurrent_reports_are_all_stored(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let properties: Vec<String> = (0..40).map(|number| format!(r#""p{number}": {{"type": "integer"}}"#)).collect();
    fixture.registry.put_model(&tenant.actor, definition("M", &properties.join(",")).as_bytes()).await.unwrap();
    let id = tenant.begin().await;
    let token = first_token(tenant.part(id, part_of(0, 1, vec![row_of(["a", "M", "", "", ""])])).await);
    let device = fixture.connect(&token).await;
    let bodies: Vec<String> = (0..40).map(|number| format!(r#"{{"p{number}": {number}}}"#)).collect();
    let sent = futures_util::future::join_all(
        bodies.iter().map(|body| fixture.registry.record_state(&device, body.as_bytes())),
    )
    .await;
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    assert_eq!(stored(fixture, &tenant).await.unwrap().as_object().unwrap().len(), 40);
}

/// Reports may share a transaction. A rejected report does not affect the others.
pub(crate) async fn rejected_report_does_not_affect_others(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let names: Vec<String> = (0..30).map(|at| format!("d{at:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let tokens = tenant.register(&names).await;
    let devices = futures_util::future::join_all(tokens.iter().map(|token| fixture.connect(token))).await;
    let every_third = |from: usize| device_names(&names.iter().copied().skip(from).step_by(3).collect::<Vec<_>>());
    for (from, change) in [(1, Change::Disable), (2, Change::Delete)] {
        fixture.registry.change_devices(&tenant.actor, &named(&every_third(from)), &change).await.unwrap();
    }
    let sent = devices.iter().map(|device| fixture.registry.record_state(device, br#"{"altitude": 7}"#));
    let outcomes = futures_util::future::join_all(sent).await;
    for (at, (name, outcome)) in names.iter().zip(outcomes).enumerate() {
        let expected = match at % 3 {
            0 => (Ok(()), Some(Status::Active)),
            1 => (Err(StateError::Gone), Some(Status::Disabled)),
            _ => (Err(StateError::Gone), None),
        };
        assert_eq!((outcome, tenant.status(name).await), expected, "{name}");
    }
}

/// The device is deleted between authentication and report.
pub(crate) async fn device_deleted_meanwhile_is_rejected(fixture: &Fixture) {
    let (tenant, token) = device(fixture).await;
    let device = fixture.connect(&token).await;
    let send = async || fixture.registry.record_state(&device, br#"{"n": 1}"#).await;
    let change = async |change| {
        fixture.registry.change_devices(&tenant.actor, &named(&device_names(&["a"])), &change).await.unwrap()
    };
    change(Change::Disable).await;
    assert_eq!(send().await, Err(StateError::Gone));
    change(Change::Enable).await;
    assert_eq!((tenant.status("a").await, stored(fixture, &tenant).await), (Some(Status::Registered), None));
    assert_eq!(send().await, Ok(()));
    change(Change::Delete).await;
    assert_eq!(send().await, Err(StateError::Gone));
}

//! Security tokens of devices that are registered.

use crate::fixture::{Fixture, Tenant, device_name, device_names, named};
use muster_domain::SecurityToken;
use muster_registry::{AuthError, Change, OldTokens};

async fn generate(fixture: &Fixture, tenant: &Tenant, name: &str, old: OldTokens) -> SecurityToken {
    let made = fixture.registry.generate_tokens(tenant.id, &named(&device_names(&[name])), old).await.unwrap().0;
    assert_eq!(made.len(), 1);
    made.into_iter().next().unwrap().1
}

pub(crate) async fn kept_until_the_new_one_is_used(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let first = tenant.register(&["a"]).await.remove(0);
    fixture.world.pass_ms(1_000);
    let second = generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await;
    let detail = fixture.registry.device(tenant.id, &device_name("a")).await.unwrap().unwrap();
    assert_eq!(detail.token_made, fixture.registry.now());
    let third = generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await;
    assert!(fixture.works(&first).await && fixture.works(&second).await, "the newest was not used yet");
    assert!(fixture.works(&first).await, "using an old one ends nothing");
    assert!(fixture.works(&third).await);
    assert!(!fixture.works(&first).await && !fixture.works(&second).await);
    assert!(fixture.works(&third).await);
}

pub(crate) async fn stopped_now(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let first = tenant.register(&["a"]).await.remove(0);
    let second = generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await;
    let third = generate(fixture, &tenant, "a", OldTokens::StopNow).await;
    assert!(!fixture.works(&first).await && !fixture.works(&second).await, "before the new one is used");
    assert!(fixture.works(&third).await);
}

pub(crate) async fn as_many_as_are_kept(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let mut tokens = tenant.register(&["a"]).await;
    for _ in 0..9 {
        tokens.push(generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await);
    }
    assert!(!fixture.works(&tokens[0]).await, "eight before the newest are kept");
    for token in &tokens[1..] {
        assert!(fixture.works(token).await);
    }
    assert!(!fixture.works(&tokens[8]).await, "the newest was used");
}

pub(crate) async fn ended_tokens(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let first = tenant.register(&["a"]).await.remove(0);
    let second = generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await;
    fixture.registry.change_devices(tenant.id, &named(&device_names(&["a"])), &Change::Delete).await.unwrap();
    assert!(!fixture.works(&first).await && !fixture.works(&second).await);
    let none =
        fixture.registry.generate_tokens(tenant.id, &named(&device_names(&["a"])), OldTokens::StopNow).await.unwrap().0;
    assert!(none.is_empty());
}

pub(crate) async fn disabled_devices(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let old = tenant.register(&["a"]).await.remove(0);
    registry.change_devices(tenant.id, &named(&device_names(&["a"])), &Change::Disable).await.unwrap();
    assert_eq!(registry.authenticate(&old).await, Err(AuthError::Disabled));
    let new = generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await;
    assert_eq!(registry.authenticate(&new).await, Err(AuthError::Disabled), "it may get one, and still not connect");
    // Who does not know the token does not learn that the device is disabled.
    let forged = SecurityToken::new(old.id(), [9; 32]);
    assert_eq!(registry.authenticate(&forged).await, Err(AuthError::Unknown));
    registry.change_devices(tenant.id, &named(&device_names(&["a"])), &Change::Enable).await.unwrap();
    assert!(fixture.works(&old).await, "what was refused was no use of the new one");
    assert!(fixture.works(&new).await);
}

pub(crate) async fn names_nobody_has_either(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["b", "a", "c"]).await;
    let names = device_names(&["c", "nobody", "a", "a"]);
    let made = fixture.registry.generate_tokens(tenant.id, &named(&names), OldTokens::StopNow).await.unwrap().0;
    let names: Vec<_> = made.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "c"]);
    for (name, token) in &made {
        assert_eq!(&fixture.connect(token).await.name, name);
    }
    let many: Vec<String> = (0..10_001).map(|number| format!("d{number}")).collect();
    tenant.register(&["d10000"]).await;
    let many = device_names(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let done = fixture
        .registry
        .generate_tokens(tenant.id, &named(&many), OldTokens::StopNow)
        .await
        .map(|(made, _)| made.len());
    assert!(done.is_err() || done == Ok(1), "one too many is not quietly left out: {done:?}");
}

pub(crate) async fn a_wrong_secret(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let tokens = tenant.register(&["a", "b"]).await;
    let text = tokens[0].reveal();
    let copy = SecurityToken::parse(&text).unwrap();
    assert!(fixture.works(&copy).await);
    assert!(!fixture.works(&SecurityToken::new(tokens[0].id(), [0; 32])).await);
    assert!(!fixture.works(&SecurityToken::new(uuid::Uuid::nil(), [0; 32])).await);
}

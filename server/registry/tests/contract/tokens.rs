//! Security tokens of devices that are registered.

use crate::fixture::{Fixture, Tenant, device_name, device_names, named, new_job};
use muster_domain::{Change, OldTokens, SecurityToken, TokenJob};
use muster_registry::AuthError;

async fn generate(fixture: &Fixture, tenant: &Tenant, name: &str, old: OldTokens) -> SecurityToken {
    let made = fixture
        .registry
        .generate_tokens(&tenant.actor, &named(&device_names(&[name])), old, new_job())
        .await
        .unwrap()
        .0;
    assert_eq!(made.len(), 1);
    made.into_iter().next().unwrap().1
}

pub(crate) async fn old_tokens_are_valid_until_the_new_one_is_used(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let first = tenant.register(&["a"]).await.remove(0);
    fixture.world.pass_ms(1_000);
    let second = generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await;
    let detail = fixture.registry.device(&tenant.actor, &device_name("a")).await.unwrap().unwrap();
    assert_eq!(detail.token_made, fixture.registry.now());
    let third = generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await;
    assert!(fixture.works(&first).await && fixture.works(&second).await, "the newest was not used yet");
    assert!(fixture.works(&first).await, "using an old one ends nothing");
    assert!(fixture.works(&third).await);
    assert!(!fixture.works(&first).await && !fixture.works(&second).await);
    assert!(fixture.works(&third).await);
}

pub(crate) async fn report_uses_the_token(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let tokens = tenant.register(&["accepted", "refused"]).await;
    for (name, old, body, is_accepted) in
        [("accepted", &tokens[0], r#"{"altitude": 1}"#, true), ("refused", &tokens[1], "not JSON", false)]
    {
        let new = generate(fixture, &tenant, name, OldTokens::KeepUntilNewIsUsed).await;
        let device = registry.authenticate(&new).await.unwrap();
        assert!(registry.authenticate(old).await.is_ok(), "{name}: nothing is written before the report");
        assert_eq!(registry.record_state(&device, body.as_bytes()).await.is_ok(), is_accepted);
        assert_eq!(registry.authenticate(old).await, Err(AuthError::Unknown), "{name}");
        assert!(registry.authenticate(&new).await.is_ok());
    }
}

pub(crate) async fn old_tokens_are_revoked_now(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let first = tenant.register(&["a"]).await.remove(0);
    let second = generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await;
    let third = generate(fixture, &tenant, "a", OldTokens::RevokeNow).await;
    assert!(!fixture.works(&first).await && !fixture.works(&second).await, "before the new one is used");
    assert!(fixture.works(&third).await);
}

pub(crate) async fn ninth_old_token_revokes_the_oldest(fixture: &Fixture) {
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

pub(crate) async fn tokens_of_deleted_devices_are_rejected(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let first = tenant.register(&["a"]).await.remove(0);
    let second = generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await;
    fixture.registry.change_devices(&tenant.actor, &named(&device_names(&["a"])), &Change::Delete).await.unwrap();
    assert!(!fixture.works(&first).await && !fixture.works(&second).await);
    let none = fixture
        .registry
        .generate_tokens(&tenant.actor, &named(&device_names(&["a"])), OldTokens::RevokeNow, new_job())
        .await
        .unwrap()
        .0;
    assert!(none.is_empty());
}

pub(crate) async fn disabled_device_is_rejected(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let old = tenant.register(&["a"]).await.remove(0);
    registry.change_devices(&tenant.actor, &named(&device_names(&["a"])), &Change::Disable).await.unwrap();
    assert_eq!(registry.authenticate(&old).await, Err(AuthError::Disabled));
    let new = generate(fixture, &tenant, "a", OldTokens::KeepUntilNewIsUsed).await;
    assert_eq!(registry.authenticate(&new).await, Err(AuthError::Disabled), "it may get one, and still not connect");
    // Clients without the token do not learn that the device is disabled.
    let forged = SecurityToken::new(old.id(), [9; 32]);
    assert_eq!(registry.authenticate(&forged).await, Err(AuthError::Unknown));
    registry.change_devices(&tenant.actor, &named(&device_names(&["a"])), &Change::Enable).await.unwrap();
    assert!(fixture.works(&old).await, "what was refused was no use of the new one");
    assert!(fixture.works(&new).await);
}

pub(crate) async fn unknown_names_get_no_tokens(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["b", "a", "c"]).await;
    let names = device_names(&["c", "nobody", "a", "a"]);
    let made = fixture
        .registry
        .generate_tokens(&tenant.actor, &named(&names), OldTokens::RevokeNow, new_job())
        .await
        .unwrap()
        .0;
    let names: Vec<_> = made.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "c"]);
    for (name, token) in &made {
        assert_eq!(fixture.connect(token).await.name(), name);
    }
    let many: Vec<String> = (0..10_001).map(|number| format!("d{number}")).collect();
    tenant.register(&["d10000"]).await;
    let many = device_names(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let done = fixture
        .registry
        .generate_tokens(&tenant.actor, &named(&many), OldTokens::RevokeNow, new_job())
        .await
        .map(|(made, _)| made.len());
    assert!(done.is_err() || done == Ok(1), "one too many is not quietly left out: {done:?}");
}

pub(crate) async fn wrong_secret_is_rejected(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let tokens = tenant.register(&["a", "b"]).await;
    let text = tokens[0].reveal();
    let copy = SecurityToken::parse(&text).unwrap();
    assert!(fixture.works(&copy).await);
    assert!(!fixture.works(&SecurityToken::new(tokens[0].id(), [0; 32])).await);
    assert!(!fixture.works(&SecurityToken::new(uuid::Uuid::nil(), [0; 32])).await);
}

/// One call of a job for `a` and `b`; returns the tokens.
async fn attempt(
    fixture: &Fixture,
    tenant: &Tenant,
    job: TokenJob,
    attempt: u32,
    old: OldTokens,
) -> Vec<SecurityToken> {
    let (job, chosen) = (TokenJob { attempt, ..job }, named(&device_names(&["a", "b"])));
    let made = fixture.registry.generate_tokens(&tenant.actor, &chosen, old, job).await.unwrap().0;
    made.into_iter().map(|(_, token)| token).collect()
}

/// However often the response is lost, the token that the device uses stays valid.
pub(crate) async fn repeated_call_revokes_the_lost_token(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let used = tenant.register(&["a", "b"]).await;
    fixture.connect(&used[0]).await;
    let job = new_job();
    let mut made = Vec::new();
    for number in 1..=10 {
        made.push(attempt(fixture, &tenant, job, number, OldTokens::KeepUntilNewIsUsed).await);
    }
    assert!(made.iter().all(|tokens| tokens.len() == 2));
    for at in 0..2 {
        assert!(!fixture.works(&made[8][at]).await, "a lost one is dead");
        assert!(fixture.works(&used[at]).await);
        assert!(fixture.works(&made[9][at]).await);
        assert!(!fixture.works(&used[at]).await, "the new one was used");
    }
    // The same of old tokens that stop.
    let job = new_job();
    let lost = attempt(fixture, &tenant, job, 1, OldTokens::RevokeNow).await;
    let arrived = attempt(fixture, &tenant, job, 2, OldTokens::RevokeNow).await;
    for at in 0..2 {
        assert!(!fixture.works(&lost[at]).await && !fixture.works(&made[9][at]).await);
        assert!(fixture.works(&arrived[at]).await);
    }
}

/// A late attempt changes nothing and returns no tokens, except for devices that the later one did not reach.
pub(crate) async fn late_attempt_changes_nothing(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    for old in [OldTokens::KeepUntilNewIsUsed, OldTokens::RevokeNow] {
        tenant.register(&["a"]).await;
        let job = new_job();
        let saved = attempt(fixture, &tenant, job, 2, old).await;
        tenant.register(&["b"]).await;
        for (late, devices) in [(1, 1), (2, 1), (2, 0), (1, 0)] {
            let given = attempt(fixture, &tenant, job, late, old).await;
            assert_eq!(given.len(), devices, "the one that is new");
            assert!(given.iter().all(|token| token.id() != saved[0].id()));
        }
        assert!(fixture.works(&saved[0]).await);
        // Another job is no later attempt of this one.
        let other = attempt(fixture, &tenant, new_job(), 1, OldTokens::RevokeNow).await;
        assert!(other.len() == 2 && fixture.works(&other[0]).await && !fixture.works(&saved[0]).await);
        let all = named(&device_names(&["a", "b"]));
        fixture.registry.change_devices(&tenant.actor, &all, &Change::Delete).await.unwrap();
    }
}

/// A stopped job continues with other devices: the earlier ones keep their tokens.
pub(crate) async fn continued_job_keeps_earlier_tokens(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["a", "b"]).await;
    let job = new_job();
    let mut made = Vec::new();
    for (number, name) in [(1, "a"), (2, "b")] {
        let (job, chosen) = (TokenJob { attempt: number, ..job }, named(&device_names(&[name])));
        made.extend(
            fixture.registry.generate_tokens(&tenant.actor, &chosen, OldTokens::RevokeNow, job).await.unwrap().0,
        );
    }
    assert_eq!(made.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    for (_, token) in &made {
        assert!(fixture.works(token).await);
    }
}

//! A part whose answer was lost is sent again; its devices end up with one working token, the one that arrived.

use crate::fixture::{Fixture, device_name, device_names, first_token, named, new_job, numbers, part, tokens_of};
use muster_domain::OldTokens;
use muster_registry::RegisterError;

pub(crate) async fn lost_response_is_repeated(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin_with(2, Some("Berlin")).await;
    let lost = tokens_of(tenant.part(id, part(0, 1, &["a", "b"])).await);
    let second = tenant.part(id, part(0, 3, &["a", "b"])).await;
    assert_eq!(numbers(&second), [2, 0, 0, 0, 2], "registered, as the operator sees it");
    let arrived = tokens_of(second);
    for at in 0..2 {
        assert!(!fixture.works(&lost[at]).await, "nobody has it, and nobody may use it");
        assert!(fixture.works(&arrived[at]).await);
    }
    let summary = fixture.registry.finish_registration(&tenant.actor, id).await.unwrap();
    assert_eq!((summary.registered, summary.already, summary.failed), (2, 0, 0), "counted once");
    assert_eq!(fixture.registry.groups(&tenant.actor).await.unwrap()[0].devices, 2);
}

/// Then its token has arrived, and it is left alone. Using the token is enough, whatever the report contains.
pub(crate) async fn connected_device_keeps_its_token(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin().await;
    let tokens = tokens_of(tenant.part(id, part(0, 1, &["a", "b", "c"])).await);
    fixture.report(&tokens[0], r#"{"altitude": 1}"#).await;
    fixture.connect(&tokens[1]).await;
    let again = tenant.part(id, part(0, 2, &["a", "b", "c"])).await;
    assert_eq!(numbers(&again), [1, 2, 0, 0, 1]);
    assert!(fixture.works(&tokens[0]).await, "it has sent data with it");
    assert!(fixture.works(&tokens[1]).await, "it has shown it");
    assert!(!fixture.works(&tokens[2]).await);
}

pub(crate) async fn late_attempt_is_refused(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin().await;
    let token = first_token(tenant.part(id, part(0, 5, &["a"])).await);
    for attempt in [0, 1, 4, 5] {
        let late = fixture.registry.register_part(&tenant.actor, id, part(0, attempt, &["a", "late"])).await;
        assert_eq!(late.map(|_| ()), Err(RegisterError::Superseded));
    }
    assert!(fixture.works(&token).await);
    assert_eq!(fixture.registry.device(&tenant.actor, &device_name("late")).await.unwrap(), None);
    // Other parts, and the same part of another registration, count for themselves.
    assert_eq!(tenant.part(id, part(1, 1, &["b"])).await.registered, 1);
    let other = tenant.begin().await;
    assert_eq!(tenant.part(other, part(0, 1, &["a"])).await.already, 1);
    assert!(fixture.works(&token).await);
}

/// The operator saw the devices registered, and saved tokens for them: these must stay valid.
pub(crate) async fn tokens_generated_meanwhile_stay_valid(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin().await;
    tenant.part(id, part(0, 1, &["a", "b"])).await;
    let saved = fixture
        .registry
        .generate_tokens(&tenant.actor, &named(&device_names(&["a"])), OldTokens::RevokeNow, new_job())
        .await
        .unwrap()
        .0;
    let again = tenant.part(id, part(0, 2, &["a", "b"])).await;
    assert!(fixture.works(&saved[0].1).await, "a token that was saved works");
    let names: Vec<_> = again.tokens.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"b"));
}

/// Of two concurrent attempts, the tokens of the later one are valid in the end, whichever was faster.
pub(crate) async fn later_of_concurrent_attempts_wins(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let other = fixture.another_server().await;
    let names: Vec<String> = (0..300).map(|number| format!("d{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for _ in 0..5 {
        let id = tenant.begin().await;
        let (first, second) = tokio::join!(
            fixture.registry.register_part(&tenant.actor, id, part(0, 1, &names)),
            other.register_part(&tenant.actor, id, part(0, 2, &names)),
        );
        let second = second.unwrap();
        assert_eq!(second.registered, 300);
        match first {
            Ok(first) => {
                assert_eq!(first.registered, 300);
                assert!(!fixture.works(&first_token(first)).await);
            }
            Err(error) => assert_eq!(error, RegisterError::Superseded),
        }
        for (_, token) in &second.tokens[..10] {
            assert!(fixture.works(token).await);
        }
        let summary = fixture.registry.finish_registration(&tenant.actor, id).await.unwrap();
        assert_eq!((summary.registered, summary.already), (300, 0));
        fixture
            .registry
            .change_devices(&tenant.actor, &named(&device_names(&names)), &muster_domain::Change::Delete)
            .await
            .unwrap();
    }
}

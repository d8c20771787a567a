//! A later pass over the same file, for tokens that may have been lost with a closed tab.

use crate::fixture::{
    Fixture, MODEL, all, device_names, first_token, named, new_job, numbers, part, part_of, renewing, row, row_of,
    tokens_of,
};
use muster_domain::OldTokens;

pub(crate) async fn never_connected_devices_get_new_tokens(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let old = tenant.register(&["a", "b", "c"]).await;
    fixture.report(&old[1], r#"{"altitude": 1}"#).await;
    let id = tenant.begin().await;
    assert_eq!(numbers(&tenant.part(id, part(0, 1, &["a", "b", "c"])).await), [0, 3, 2, 0, 0]);
    let renewed = tenant.part(id, renewing(part(0, 1, &["a", "b", "c"]))).await;
    let names: Vec<_> = renewed.tokens.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "c"], "b has connected: its token was not lost");
    let new = tokens_of(renewed);
    // The old one works until the new one is first used.
    assert!(fixture.works(&old[0]).await && fixture.works(&old[0]).await);
    assert!(fixture.works(&new[0]).await);
    assert!(!fixture.works(&old[0]).await);
    assert!(fixture.works(&old[1]).await);
    assert!(fixture.works(&old[2]).await, "each device for itself");
}

/// Devices that the first pass over the file registered have their tokens in the same `tokens.csv`.
pub(crate) async fn devices_of_the_same_upload_keep_their_tokens(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["lost"]).await;
    let id = tenant.begin().await;
    let first = tenant.part(id, part(0, 1, &["lost", "new"])).await;
    assert_eq!(numbers(&first), [1, 1, 1, 0, 1]);
    let renewed = tenant.part(id, renewing(part(0, 1, &["lost", "new"]))).await;
    let names: Vec<_> = renewed.tokens.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["lost"]);
    // A third pass, by another upload, is another matter.
    let other = tenant.begin().await;
    tenant.part(other, part(0, 1, &["lost", "new"])).await;
    assert_eq!(tenant.part(other, renewing(part(0, 1, &["lost", "new"]))).await.tokens.len(), 2);
    assert!(fixture.works(&first_token(first)).await, "until the new one is first used");
}

pub(crate) async fn renewal_changes_nothing_else(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["a"]).await;
    let id = tenant.begin().await;
    let rows = || vec![row("a"), row_of(["b", "Nobody.Has", "", "", ""])];
    tenant.part(id, part_of(0, 1, rows())).await;
    let before = fixture.registry.finish_registration(&tenant.actor, id).await.unwrap();
    let errors = fixture.registry.registration_errors(&tenant.actor, id, None).await.unwrap();

    let pass = renewing(part_of(0, 1, vec![row("a"), row("new"), row_of(["a2", MODEL, "", "", ""])]));
    assert_eq!(tenant.part(id, pass).await.tokens.len(), 1);
    assert_eq!(tenant.names(all()).await, ["a"], "it registers nothing");
    assert_eq!(fixture.registry.finish_registration(&tenant.actor, id).await.unwrap(), before);
    assert_eq!(fixture.registry.registration_errors(&tenant.actor, id, None).await.unwrap(), errors);
}

/// However often the response is lost, a token that was saved before stays valid.
pub(crate) async fn repeated_renewal_keeps_the_old_token(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let saved = tenant.register(&["a"]).await;
    let id = tenant.begin().await;
    tenant.part(id, part(0, 1, &["a"])).await;
    let mut lost = Vec::new();
    for attempt in 1..=12 {
        lost.push(first_token(tenant.part(id, renewing(part(0, attempt, &["a"]))).await));
    }
    let arrived = lost.pop().unwrap();
    // Checked by what was kept, not by use, which would change it.
    assert!(!fixture.works(&lost[10]).await, "a lost one is dead");
    assert!(fixture.works(&saved[0]).await);
    assert!(fixture.works(&arrived).await);
    assert!(!fixture.works(&saved[0]).await);

    // A token that was generated after the renewal is not replaced by a late attempt, either.
    let other = tenant.register(&["b"]).await;
    let id = tenant.begin().await;
    tenant.part(id, renewing(part(0, 1, &["b"]))).await;
    let generated = fixture
        .registry
        .generate_tokens(&tenant.actor, &named(&device_names(&["b"])), OldTokens::KeepUntilNewIsUsed, new_job())
        .await
        .unwrap()
        .0;
    tenant.part(id, renewing(part(0, 2, &["b"]))).await;
    assert!(fixture.works(&generated[0].1).await);
    drop(other);
}

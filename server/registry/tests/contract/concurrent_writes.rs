//! Concurrent writes, on two servers if the database allows it.

use crate::fixture::{Fixture, device_names, named, new_job, part_of, row, until};
use futures_util::future::join_all;
use muster_domain::{Change, GroupName, OldTokens};
use muster_registry::{PartOutcome, RegisterError};

fn names(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| format!("device-{number:04}")).collect()
}

/// Every device exists once, and exactly one of its tokens is valid.
async fn check(fixture: &Fixture, outcomes: &[PartOutcome], rows: u32, devices: u32) {
    let registered: u32 = outcomes.iter().map(|outcome| outcome.registered).sum();
    let already: u32 = outcomes.iter().map(|outcome| outcome.already).sum();
    assert_eq!((registered, already), (devices, rows - devices));
    let mut seen = std::collections::HashSet::new();
    for (name, token) in outcomes.iter().flat_map(|outcome| &outcome.tokens) {
        assert!(seen.insert(name.clone()), "{name} has two tokens");
        if seen.len() % 20 == 0 {
            assert!(fixture.works(token).await);
        }
    }
    assert_eq!(seen.len(), devices as usize);
}

/// Two users upload the same file, one of them in reverse order, both into the same group.
pub(crate) async fn concurrent_identical_files(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let other = fixture.another_server().await;
    let forwards = names(0..3_000);
    let backwards: Vec<String> = forwards.iter().rev().cloned().collect();
    let rows = |names: &[String]| names.iter().map(|name| row(name)).collect();
    let (one, two) = (tenant.begin_with(1, Some("Berlin")).await, tenant.begin_with(1, Some("Berlin")).await);
    let (first, second) = tokio::join!(
        fixture.registry.register_part(&tenant.actor, one, part_of(0, 1, rows(&forwards))),
        other.register_part(&tenant.actor, two, part_of(0, 1, rows(&backwards))),
    );
    check(fixture, &[first.unwrap(), second.unwrap()], 6_000, 3_000).await;
    assert_eq!(fixture.registry.groups(&tenant.actor).await.unwrap()[0].devices, 3_000);
}

pub(crate) async fn concurrent_overlapping_parts(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin_with(8, Some("Berlin")).await;
    let parts = (0..8).map(|number| {
        let mut names = names(number * 200..number * 200 + 400);
        if number % 2 == 1 {
            names.reverse();
        }
        fixture.registry.register_part(
            &tenant.actor,
            id,
            part_of(number, 1, names.iter().map(|name| row(name)).collect()),
        )
    });
    let outcomes: Result<Vec<_>, _> = join_all(parts).await.into_iter().collect();
    check(fixture, &outcomes.unwrap(), 3_200, 1_800).await;
    let summary = fixture.registry.finish_registration(&tenant.actor, id).await.unwrap();
    assert_eq!((summary.registered, summary.already, summary.failed), (1_800, 1_400, 0));
}

/// A refused part does not affect concurrent parts.
pub(crate) async fn refused_part_does_not_affect_others(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let strangers = fixture.tenant("beta").await.begin().await;
    let id = tenant.begin_with(10, None).await;
    tenant.part(id, part_of(0, 2, vec![row("once")])).await;
    let parts = (0..10).map(|number| {
        let id = if number == 5 { strangers } else { id };
        let rows = names(number * 10..number * 10 + 10).iter().map(|name| row(name)).collect();
        fixture.registry.register_part(&tenant.actor, id, part_of(number, 1, rows))
    });
    let (stored, refused): (Vec<_>, Vec<_>) = join_all(parts).await.into_iter().partition(Result::is_ok);
    let refused: Vec<_> = refused.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused, [RegisterError::Superseded, RegisterError::UnknownRegistration]);
    let stored: Result<Vec<_>, _> = stored.into_iter().collect();
    check(fixture, &stored.unwrap(), 80, 80).await;
    assert_eq!(tenant.devices().await, 81);
}

/// Actions that change the same devices in different orders: none of them fails.
pub(crate) async fn concurrent_actions_do_not_deadlock(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let (registry, account) = (&fixture.registry, &tenant.actor);
    let texts = names(0..1_000);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    tenant.register(&texts).await;
    let forwards = device_names(&texts);
    let backwards: Vec<_> = forwards.iter().rev().cloned().collect();
    let (forwards, backwards) = (named(&forwards), named(&backwards));
    let join = Change::AddToGroup(GroupName::parse("Berlin").unwrap());
    for _ in 0..5 {
        let results = tokio::join!(
            registry.change_devices(account, &forwards, &Change::Disable),
            registry.change_devices(account, &backwards, &Change::Enable),
            registry.generate_tokens(account, &forwards, OldTokens::KeepUntilNewIsUsed, new_job()),
            registry.generate_tokens(account, &backwards, OldTokens::RevokeNow, new_job()),
            registry.change_devices(account, &backwards, &join),
            registry.change_devices(account, &forwards, &join),
        );
        assert_eq!((results.0.unwrap().devices, results.1.unwrap().devices), (1_000, 1_000));
        assert_eq!((results.2.unwrap().0.len(), results.3.unwrap().0.len()), (1_000, 1_000));
        assert!(results.4.is_ok() && results.5.is_ok());
    }
    assert_eq!(registry.groups(account).await.unwrap()[0].devices, 1_000);
}

/// While a transaction changes devices, their reports wait for it, and those of other accounts are stored.
pub(crate) async fn only_reports_of_locked_devices_wait(fixture: &Fixture) {
    let (tenant, other) = (fixture.tenant("alpha").await, fixture.tenant("beta").await);
    let texts = names(0..40);
    let locked_tokens = tenant.register(&texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let free_tokens = other.register(&["free"]).await;
    // The first use of half of the tokens is stored before. The devices with the others send something invalid.
    let mut locked = Vec::new();
    for (at, token) in locked_tokens.iter().enumerate() {
        let device = fixture.registry.authenticate(token).await.unwrap();
        locked.push(if at % 2 == 0 { (fixture.connect(token).await, "{}") } else { (device, "[]") });
    }
    let devices = "SELECT 1 FROM devices WHERE name LIKE 'device-%' FOR UPDATE";
    let Some(change) = fixture.hold_on_postgres(devices).await else { return };
    let mut waiting: Vec<_> = locked
        .into_iter()
        .map(|(device, body)| {
            let registry = fixture.registry.clone();
            tokio::spawn(async move { registry.record_state(&device, body.as_bytes()).await })
        })
        .collect();
    let waits = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(async || fixture.number(waits).await > 0).await;
    for _ in 0..10 {
        fixture.report(&free_tokens[0], "{}").await;
    }
    assert!(waiting.iter().all(|report| !report.is_finished()));
    // Devices that hang up, one after the other, leave no transactions behind that wait.
    for hung_up in waiting.drain(..20) {
        hung_up.abort();
        fixture.report(&free_tokens[0], "{}").await;
    }
    assert_eq!(fixture.number(waits).await, 1);
    drop(change);
    for (at, report) in waiting.into_iter().enumerate() {
        assert_eq!(report.await.unwrap().is_ok(), at % 2 == 0);
    }
}

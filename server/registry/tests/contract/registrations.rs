//! Registrations: beginning, finishing and listing them, and their limits.

use crate::fixture::{Fixture, Tenant, device_names, named, numbers, part, part_of, renewing, row, row_of};
use muster_domain::{Change, RegistrationId};
use muster_registry::{NewRegistration, PartRows, RegisterError};

pub(crate) async fn limits_are_enforced(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let id = tenant.begin().await;
    let names: Vec<String> = (0..10_001).map(|number| format!("device-{number:05}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    let refuse = async |rows: PartRows| registry.register_part(&tenant.actor, id, rows).await.map(|_| ());
    assert!(matches!(refuse(part(0, 1, &names)).await, Err(RegisterError::OverLimit(_))));
    assert!(
        matches!(refuse(part(3, 1, &["a"])).await, Err(RegisterError::OverLimit(_))),
        "the file has parts 0, 1 and 2"
    );
    assert_eq!(tenant.devices().await, 0, "nothing half done");
    names.pop();
    assert_eq!(numbers(&tenant.part(id, part(0, 1, &names)).await), [10_000, 0, 0, 0, 10_000]);
    assert_eq!(tenant.devices().await, 10_000);
    assert_eq!(numbers(&tenant.part(id, part(1, 1, &[])).await), [0; 5]);

    let nowhere = RegistrationId::from(uuid::Uuid::nil());
    assert_eq!(
        registry.register_part(&tenant.actor, nowhere, part(0, 1, &["a"])).await.map(|_| ()),
        Err(RegisterError::UnknownRegistration)
    );
    assert_eq!(registry.finish_registration(&tenant.actor, nowhere).await, Err(RegisterError::UnknownRegistration));
    let begin = async |devices, parts| {
        let new = NewRegistration { file_name: String::new(), devices, parts, group: None, idempotency_key: None };
        registry.begin_registration(&tenant.actor, new).await.map(|_| ())
    };
    assert_eq!(begin(1_000_000, 228).await, Ok(()));
    assert!(matches!(begin(1_000_001, 228).await, Err(RegisterError::OverLimit(_))));
    assert!(matches!(begin(1, u32::MAX).await, Err(RegisterError::OverLimit(_))));
    assert!(matches!(begin(1, 1_001).await, Err(RegisterError::OverLimit(_))));
    let many_parts = tenant.begin_with(1_000, None).await;
    assert_eq!(numbers(&tenant.part(many_parts, part(999, 1, &["last"])).await), [1, 0, 0, 0, 1]);
}

pub(crate) async fn registrations_are_counted_and_listed(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let mut ids = Vec::new();
    for number in 0..5 {
        fixture.world.pass_ms(1_000);
        let new = NewRegistration {
            file_name: format!("fleet\n{number}\0.csv"),
            devices: 7,
            parts: 2,
            group: None,
            idempotency_key: None,
        };
        ids.push(registry.begin_registration(&tenant.actor, new).await.unwrap());
    }
    let bad = || row_of(["bad", "Nobody.Has", "", "", ""]);
    tenant.part(ids[0], part_of(0, 1, vec![row("a"), row("b"), bad()])).await;
    tenant.part(ids[0], part_of(1, 1, vec![row("a"), row("c"), bad()])).await;
    let listed = registry.registrations(&tenant.actor, None, 100).await.unwrap();
    assert_eq!(
        listed.iter().map(|it| it.id).collect::<Vec<_>>(),
        ids.iter().rev().copied().collect::<Vec<_>>(),
        "newest first"
    );
    let first = listed.last().unwrap().clone();
    assert_eq!(
        (first.file_name.as_str(), first.by.as_str(), first.finished),
        ("fleet0.csv", tenant.email.as_str(), None)
    );
    assert_eq!((first.devices, first.registered, first.already, first.failed), (7, 3, 1, 2));

    let two = registry.registrations(&tenant.actor, None, 2).await.unwrap();
    assert_eq!(two.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[4], ids[3]]);
    let next = registry.registrations(&tenant.actor, Some(ids[3]), 2).await.unwrap();
    assert_eq!(next.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[2], ids[1]]);

    fixture.world.pass_ms(1_000);
    let finished = registry.finish_registration(&tenant.actor, ids[0]).await.unwrap();
    assert_eq!(finished.finished, Some(fixture.registry.now()));
    fixture.world.pass_ms(1_000);
    assert_eq!(registry.finish_registration(&tenant.actor, ids[0]).await.unwrap(), finished, "once is enough");
    registry.change_devices(&tenant.actor, &named(&device_names(&["a", "b", "c"])), &Change::Delete).await.unwrap();
    assert_eq!(
        registry.registrations(&tenant.actor, None, 100).await.unwrap().last(),
        Some(&finished),
        "history stays"
    );

    // The operator has no user.
    let operator = registry.command_line_for_user(&tenant.email).await.unwrap().unwrap();
    let new = NewRegistration { file_name: String::new(), devices: 1, parts: 1, group: None, idempotency_key: None };
    let by_operator = registry.begin_registration(&operator, new).await.unwrap();
    assert_eq!(registry.finish_registration(&operator, by_operator).await.unwrap().by, "");
}

/// The answer to the first call was lost, or is still on its way: the second begins nothing.
pub(crate) async fn repeated_call_begins_no_other_registration(fixture: &Fixture) {
    let (tenant, other) = (fixture.tenant("alpha").await, fixture.tenant("beta").await);
    let begin = async |tenant: &Tenant, key: u128| {
        let idempotency_key = Some(uuid::Uuid::from_u128(key));
        let new = NewRegistration { file_name: "a.csv".to_owned(), devices: 1, parts: 1, group: None, idempotency_key };
        fixture.registry.begin_registration(&tenant.actor, new).await.unwrap()
    };
    let (first, concurrent) = tokio::join!(begin(&tenant, 1), begin(&tenant, 1));
    assert_eq!(first, concurrent);
    tenant.part(first, part(0, 1, &["a"])).await;
    assert_eq!(begin(&tenant, 1).await, first);
    fixture.world.pass_ms(1);
    let second = begin(&tenant, 2).await;
    let listed = fixture.registry.registrations(&tenant.actor, None, 100).await.unwrap();
    assert_eq!(listed.iter().map(|it| it.id).collect::<Vec<_>>(), [second, first]);
    // Another account cannot know the key, and would not find the registration by it.
    assert_ne!(begin(&other, 1).await, first);
}

/// A registration finishes with its last part, whenever the client reports the end; a later pass does not count.
pub(crate) async fn registration_finishes_with_its_last_part(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let id = tenant.begin_with(3, None).await;
    let finished = async || {
        let summary = registry.finish_registration(&tenant.actor, id).await.unwrap();
        assert_eq!(registry.registrations(&tenant.actor, None, 1).await.unwrap()[0], summary);
        (summary.registered, summary.finished)
    };
    assert_eq!(finished().await, (0, None));
    tenant.part(id, part(0, 1, &["a"])).await;
    tenant.part(id, part(2, 1, &["c"])).await;
    tenant.part(id, part(2, 2, &["c"])).await;
    tenant.part(id, renewing(part(1, 1, &["b"]))).await;
    assert_eq!(finished().await, (2, None), "part 1 is missing");
    tenant.part(id, part(1, 1, &["b"])).await;
    assert_eq!(finished().await, (3, Some(registry.now())));
}

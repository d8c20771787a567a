//! Devices: details, changes, and groups.

use crate::fixture::{Fixture, MODEL, all, device_name, device_names, first_token, named, part_of, row_of};
use muster_domain::{Change, GroupName, PricingTier, Status};
use muster_registry::{AuthError, GroupError};

pub(crate) async fn device_has_its_details(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let id = tenant.begin().await;
    let registered = registry.now();
    let token = first_token(tenant.part(id, part_of(0, 1, vec![row_of(["a", MODEL, "Jet", "No. 9", "Large"])])).await);
    fixture.world.pass_ms(1_000);
    let seen = registry.now();
    fixture.report(&token, r#"{"altitude": 9.5}"#).await;
    for group in ["Zürich", "Berlin"] {
        registry
            .change_devices(
                &tenant.actor,
                &named(&device_names(&["a"])),
                &Change::AddToGroup(GroupName::parse(group).unwrap()),
            )
            .await
            .unwrap();
    }
    let detail = registry.device(&tenant.actor, &device_name("a")).await.unwrap().unwrap();
    assert_eq!((detail.item.name.as_str(), detail.item.model.as_str()), ("a", MODEL));
    assert_eq!((detail.item.friendly_name.as_deref(), detail.description.as_deref()), (Some("Jet"), Some("No. 9")));
    assert_eq!(
        (detail.item.tier, detail.item.status, detail.item.last_seen),
        (PricingTier::Large, Status::Active, Some(seen))
    );
    assert_eq!((detail.registered_at, detail.token_made), (registered, registered));
    assert_eq!(detail.groups, ["Berlin", "Zürich"]);
    assert_eq!(detail.state.as_deref(), Some(r#"{"altitude":9.5}"#));
    assert_eq!(registry.device(&tenant.actor, &device_name("A")).await.unwrap(), None);
}

pub(crate) async fn status_follows_reports_and_changes(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let tokens = tenant.register(&["a", "b"]).await;
    let change = async |change| {
        registry.change_devices(&tenant.actor, &named(&device_names(&["a", "b"])), &change).await.unwrap()
    };
    assert_eq!(tenant.status("a").await, Some(Status::Registered));
    fixture.connect(&tokens[0]).await;
    assert_eq!(tenant.status("a").await, Some(Status::Registered), "it has sent no data yet");
    fixture.report(&tokens[0], "{}").await;
    assert_eq!(tenant.status("a").await, Some(Status::Active));
    assert_eq!(change(Change::Disable).await.devices, 2);
    assert_eq!((tenant.status("a").await, tenant.status("b").await), (Some(Status::Disabled), Some(Status::Disabled)));
    assert_eq!(change(Change::Enable).await.devices, 2);
    assert_eq!((tenant.status("a").await, tenant.status("b").await), (Some(Status::Active), Some(Status::Registered)));
    let words = [Status::Registered, Status::Active, Status::Disabled].map(Status::as_str);
    assert_eq!(words, ["Registered", "Active", "Disabled"]);
}

pub(crate) async fn named_devices_are_changed(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    tenant.register(&["a", "b", "c"]).await;
    let names = device_names(&["a", "c", "a", "nobody"]);
    assert_eq!(
        registry
            .change_devices(&tenant.actor, &named(&names), &Change::Tier(PricingTier::Large))
            .await
            .unwrap()
            .devices,
        2
    );
    let tiers: Vec<_> =
        registry.devices(&tenant.actor, &all()).await.unwrap().items.iter().map(|item| item.tier).collect();
    assert_eq!(tiers, [PricingTier::Large, PricingTier::Small, PricingTier::Large]);
    assert_eq!(registry.change_devices(&tenant.actor, &named(&[]), &Change::Delete).await.unwrap().devices, 0);
    assert_eq!(tenant.names(all()).await, ["a", "b", "c"]);

    // As many as one call may have, and one more: it is not quietly left out.
    let many: Vec<String> = (0..10_001).map(|number| format!("d{number}")).collect();
    let many = device_names(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(
        registry.change_devices(&tenant.actor, &named(&many[..10_000]), &Change::Disable).await.unwrap().devices,
        0
    );
    tenant.register(&["d10000"]).await;
    let done = registry.change_devices(&tenant.actor, &named(&many), &Change::Disable).await;
    assert!(done.is_err() || done.as_ref().is_ok_and(|done| done.devices == 1), "{done:?}");
}

pub(crate) async fn deleted_name_can_be_registered_again(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let old = tenant.register(&["a", "b"]).await;
    fixture.report(&old[0], r#"{"altitude": 1}"#).await;
    registry
        .change_devices(
            &tenant.actor,
            &named(&device_names(&["a"])),
            &Change::AddToGroup(GroupName::parse("Berlin").unwrap()),
        )
        .await
        .unwrap();
    assert_eq!(
        registry.change_devices(&tenant.actor, &named(&device_names(&["a"])), &Change::Delete).await.unwrap().devices,
        1
    );
    assert!(!fixture.works(&old[0]).await);
    assert!(fixture.works(&old[1]).await);
    assert_eq!(registry.device(&tenant.actor, &device_name("a")).await.unwrap(), None);
    assert_eq!(registry.groups(&tenant.actor).await.unwrap()[0].devices, 0);

    // Another device: nothing of the first one is its own.
    let new = tenant.register(&["a"]).await;
    assert_ne!(old[0].id(), new[0].id());
    assert!(!fixture.works(&old[0]).await && fixture.works(&new[0]).await);
    let detail = registry.device(&tenant.actor, &device_name("a")).await.unwrap().unwrap();
    assert_eq!((detail.item.status, detail.state, detail.groups.len()), (Status::Registered, None, 0));
}

pub(crate) async fn devices_join_and_leave_groups(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let tokens = tenant.register(&["a", "b"]).await;
    let add = async |names: &[&str], group: &str| {
        registry
            .change_devices(
                &tenant.actor,
                &named(&device_names(names)),
                &Change::AddToGroup(GroupName::parse(group).unwrap()),
            )
            .await
            .unwrap()
            .devices
    };
    assert_eq!(add(&["a", "nobody"], "Berlin").await, 1);
    assert_eq!(add(&["a", "b"], "Berlin").await, 2, "one of them again");
    assert_eq!(add(&["a", "b"], "berlin").await, 2, "letter case matters");
    assert_eq!(add(&[], "Empty").await, 0, "a group that nothing joins is not made");
    assert_eq!(add(&["nobody"], "Empty").await, 0);
    let groups = registry.groups(&tenant.actor).await.unwrap();
    let groups: Vec<_> = groups.iter().map(|group| (group.name.as_str(), group.devices)).collect();
    assert_eq!(groups, [("Berlin", 2), ("berlin", 2)]);
    assert!(!matches!(registry.authenticate(&tokens[0]).await, Err(AuthError::Disabled)));
    let out = Change::RemoveFromGroup(GroupName::parse("Berlin").unwrap());
    let left = registry.change_devices(&tenant.actor, &named(&device_names(&["b", "nobody"])), &out).await.unwrap();
    assert_eq!(left.devices, 1);
    assert_eq!(registry.device(&tenant.actor, &device_name("b")).await.unwrap().unwrap().groups, ["berlin"]);
    let nowhere = Change::RemoveFromGroup(GroupName::parse("Nowhere").unwrap());
    let left = registry.change_devices(&tenant.actor, &named(&device_names(&["b"])), &nowhere).await;
    assert_eq!(left, Err(GroupError::NotFound));
    assert_eq!(registry.groups(&tenant.actor).await.unwrap().len(), 2, "leaving makes no group");
}

pub(crate) async fn groups_are_created_renamed_and_deleted(fixture: &Fixture) {
    let (tenant, other, registry) = (fixture.tenant("alpha").await, fixture.tenant("beta").await, &fixture.registry);
    tenant.register(&["a"]).await;
    let group = |name: &str| GroupName::parse(name).unwrap();
    let names = async || {
        let groups = registry.groups(&tenant.actor).await.unwrap();
        groups.iter().map(|group| format!("{} {}", group.name, group.devices)).collect::<Vec<_>>().join(", ")
    };
    registry.create_group(&tenant.actor, &group("Berlin")).await.unwrap();
    registry.create_group(&tenant.actor, &group("Paris")).await.unwrap();
    assert_eq!(registry.create_group(&tenant.actor, &group("Paris")).await, Err(GroupError::Taken));
    let join = Change::AddToGroup(group("Paris"));
    registry.change_devices(&tenant.actor, &named(&device_names(&["a"])), &join).await.unwrap();
    assert_eq!(names().await, "Berlin 0, Paris 1");

    // Somebody else's groups are their own.
    registry.create_group(&other.actor, &group("Berlin")).await.unwrap();
    assert_eq!(registry.rename_group(&other.actor, &group("Paris"), &group("Rome")).await, Err(GroupError::NotFound));
    assert_eq!(registry.delete_group(&other.actor, &group("Paris")).await, Err(GroupError::NotFound));

    assert_eq!(registry.rename_group(&tenant.actor, &group("Paris"), &group("Berlin")).await, Err(GroupError::Taken));
    registry.rename_group(&tenant.actor, &group("Paris"), &group("Rome")).await.unwrap();
    registry.rename_group(&tenant.actor, &group("Rome"), &group("Rome")).await.unwrap();
    assert_eq!(names().await, "Berlin 0, Rome 1");
    registry.delete_group(&tenant.actor, &group("Rome")).await.unwrap();
    assert_eq!(registry.delete_group(&tenant.actor, &group("Rome")).await, Err(GroupError::NotFound));
    assert_eq!(names().await, "Berlin 0");
    assert_eq!(tenant.names(all()).await, ["a"], "its devices stay");
}

//! Nothing is ever visible, or changed, across accounts: every use case that takes an account, tried with another's.

use crate::fixture::{Fixture, MODEL, all, device_name, device_names, model_name, named, new_job, part, renewing};
use muster_domain::{Change, DeviceFilter, GroupName, OldTokens, PricingTier};
use muster_registry::{DeleteModelError, GroupError, NewRegistration, RegisterError};

pub(crate) async fn no_use_case_crosses_accounts(fixture: &Fixture) {
    let registry = &fixture.registry;
    let (mine, other) = (fixture.tenant("mine").await, fixture.tenant("other").await);
    mine.put_model("Mine.Only").await;
    let berlin = GroupName::parse("Berlin").unwrap();
    let id = mine.begin_with(2, Some("Berlin")).await;
    let outcome = mine.part(id, part(0, 1, &["a", "b"])).await;
    let token = &outcome.tokens[0].1;
    let state = async || {
        (
            registry.devices(mine.id, &all()).await.unwrap(),
            registry.device(mine.id, &device_name("a")).await.unwrap(),
            registry.groups(mine.id).await.unwrap(),
            registry.models(mine.id).await.unwrap(),
            registry.registrations(mine.id, None, 100).await.unwrap(),
            registry.default_tier(mine.id).await.unwrap(),
        )
    };
    let before = state().await;
    let names = device_names(&["a", "b"]);

    // Reading: as if there were nothing.
    assert_eq!(other.devices().await, 0);
    let in_group =
        DeviceFilter { groups: vec![berlin.clone()], search: Some("a".to_owned()), ..DeviceFilter::default() };
    assert_eq!(registry.count_devices(other.id, &in_group).await.unwrap(), 0);
    assert_eq!(registry.device(other.id, &names[0]).await.unwrap(), None);
    assert!(registry.groups(other.id).await.unwrap().is_empty());
    let models: Vec<_> = registry
        .models(other.id)
        .await
        .unwrap()
        .into_iter()
        .map(|model| (model.name.to_string(), model.devices))
        .collect();
    assert_eq!(models, [(MODEL.to_owned(), 0)]);
    assert_eq!(registry.model(other.id, &model_name("Mine.Only")).await.unwrap(), None);
    let unknown = registry.unknown_models(other.id, &["Mine.Only", "Mine.Onyl"].map(model_name)).await.unwrap();
    assert!(unknown.len() == 2 && unknown.iter().all(|model| model.nearest.is_none()));
    assert!(registry.registrations(other.id, None, 100).await.unwrap().is_empty());
    assert!(registry.registrations(other.id, Some(id), 100).await.unwrap().is_empty());
    assert_eq!(registry.registration_errors(other.id, id, None).await.unwrap(), None);

    // Writing: as if there were nothing, and nothing happens.
    for change in [Change::Disable, Change::Enable, Change::Delete, Change::Tier(PricingTier::Large)] {
        assert_eq!(registry.change_devices(other.id, &named(&names), &change).await.unwrap().devices, 0);
    }
    for old in [OldTokens::KeepUntilNewIsUsed, OldTokens::RevokeNow] {
        assert!(registry.generate_tokens(other.id, &named(&names), old, new_job()).await.unwrap().0.is_empty());
    }
    let left = registry.change_devices(other.id, &named(&names), &Change::RemoveFromGroup(berlin.clone())).await;
    assert_eq!(left, Err(GroupError::NotFound));
    let joined = registry.change_devices(other.id, &named(&names), &Change::AddToGroup(berlin.clone())).await.unwrap();
    assert_eq!(joined.devices, 0);
    assert_eq!(registry.delete_model(other.id, &model_name("Mine.Only")).await, Err(DeleteModelError::NotFound));
    registry.set_default_tier(other.id, PricingTier::Large).await.unwrap();
    for rows in [part(1, 1, &["a"]), part(0, 2, &["a"]), renewing(part(0, 1, &["a"]))] {
        let refused = registry.register_part(other.id, id, rows).await.map(|_| ());
        assert_eq!(refused, Err(RegisterError::UnknownRegistration));
    }
    assert_eq!(registry.finish_registration(other.id, id).await, Err(RegisterError::UnknownRegistration));
    let new = NewRegistration { file_name: "x".to_owned(), devices: 1, parts: 1, group: None };
    assert!(registry.begin_registration(other.id, mine.user, new).await.is_err(), "one's user in another's account");
    assert_eq!(state().await, before);
    assert!(fixture.works(token).await);

    // The same names again: they are the other's own.
    let theirs = other.register(&["a", "b"]).await;
    other.put_model("Mine.Only").await;
    registry.change_devices(other.id, &named(&names), &Change::Tier(PricingTier::ExtraSmall)).await.unwrap();
    registry.generate_tokens(other.id, &named(&names), OldTokens::RevokeNow, new_job()).await.unwrap();
    let others_id = other.begin_with(1, Some("Berlin")).await;
    other.part(others_id, part(0, 1, &["a", "c"])).await;
    registry.change_devices(other.id, &named(&names), &Change::Delete).await.unwrap();
    registry.delete_model(other.id, &model_name("Mine.Only")).await.unwrap();
    assert_eq!(state().await, before);
    assert!(fixture.works(token).await && !fixture.works(&theirs[0]).await);
    assert_eq!(fixture.connect(token).await.account, mine.id);
}

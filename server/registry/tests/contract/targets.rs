//! Actions on many devices: in several calls, on matching devices, and on the devices of a registration.

use crate::fixture::{Fixture, MODEL, Tenant, all, device_name, named, new_job, part_of, row_of, tokens_of};
use muster_domain::{CallOutcome, Change, DeviceFilter, Matching, NewDevice, OldTokens, PricingTier, Status, Targets};
use muster_registry::Registry;

fn matching(registry: &Registry, filter: DeviceFilter) -> Matching {
    Matching { filter, registered_by: registry.now(), except: Vec::new(), after: None }
}

fn search(text: &str) -> DeviceFilter {
    DeviceFilter { search: Some(text.to_owned()), ..DeviceFilter::default() }
}

/// As [`Tenant::register`], for more than one part takes.
async fn register_many(tenant: &Tenant, devices: usize) {
    let id = tenant.begin_with(10, None).await;
    let rows: Vec<NewDevice> = (0..devices).map(|at| row_of([&format!("d{at:05}"), MODEL, "", "", ""])).collect();
    for (number, rows) in rows.chunks(10_000).enumerate() {
        tenant.part(id, part_of(number as u32, 1, rows.to_vec())).await;
    }
}

pub(crate) async fn large_selection_takes_several_calls(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    register_many(&tenant, 10_050).await;
    let mut chosen = matching(registry, DeviceFilter::default());
    chosen.except.push(device_name("d00007"));
    let change = Change::Tier(PricingTier::Large);
    let first = registry.change_devices(&tenant.actor, &Targets::Matching(chosen.clone()), &change).await.unwrap();
    assert_eq!(first, CallOutcome { devices: 9_999, next: Some(device_name("d09999")) });
    let again = registry.change_devices(&tenant.actor, &Targets::Matching(chosen.clone()), &change).await.unwrap();
    assert_eq!(again, first, "doing it again does no harm");
    chosen.after = first.next;
    let second = registry.change_devices(&tenant.actor, &Targets::Matching(chosen.clone()), &change).await.unwrap();
    assert_eq!(second, CallOutcome { devices: 50, next: None });
    let large = DeviceFilter { tier: Some(PricingTier::Large), ..DeviceFilter::default() };
    assert_eq!(registry.count_devices(&tenant.actor, &large).await.unwrap(), 10_049);

    // A walk over devices that stop matching while it goes misses none.
    let mut chosen = matching(registry, large.clone());
    loop {
        let change = Change::Tier(PricingTier::Small);
        let step = registry.change_devices(&tenant.actor, &Targets::Matching(chosen.clone()), &change).await.unwrap();
        let Some(next) = step.next else { break };
        chosen.after = Some(next);
    }
    assert_eq!(registry.count_devices(&tenant.actor, &large).await.unwrap(), 0);
}

pub(crate) async fn later_registered_devices_are_not_changed(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    tenant.register(&["x1", "x2", "b1"]).await;
    let chosen = Targets::Matching(matching(registry, search("X")));
    fixture.world.pass_ms(1);
    tenant.register(&["x3"]).await;
    let deleted = registry.change_devices(&tenant.actor, &chosen, &Change::Delete).await.unwrap();
    assert_eq!(deleted, CallOutcome { devices: 2, next: None });
    assert_eq!(tenant.names(all()).await, ["b1", "x3"]);
}

pub(crate) async fn matching_devices_get_tokens(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let old = tenant.register(&["a1", "a2", "b1"]).await;
    let chosen = Targets::Matching(matching(registry, search("a")));
    let everything = Targets::Matching(matching(registry, search("nothing has this")));
    assert!(
        registry
            .generate_tokens(&tenant.actor, &everything, OldTokens::RevokeNow, new_job())
            .await
            .unwrap()
            .0
            .is_empty()
    );
    let (made, next) = registry.generate_tokens(&tenant.actor, &chosen, OldTokens::RevokeNow, new_job()).await.unwrap();
    // Every device is of the model AircraftModel, which has an `a`, too.
    assert_eq!(made.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a1", "a2", "b1"]);
    assert_eq!(next, None);
    for ((_, new), old) in made.iter().zip(&old) {
        assert!(fixture.works(new).await && !fixture.works(old).await);
    }
}

pub(crate) async fn export_has_the_rows_by_name(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let rows = vec![
        row_of(["b", MODEL, "Jet, \"No. 9\"", "=1+1", "Large"]),
        row_of(["a", MODEL, "", "", ""]),
        row_of(["c", MODEL, "Ärger", "", "Medium"]),
    ];
    let id = tenant.begin().await;
    tenant.part(id, part_of(0, 1, rows.clone())).await;
    let (there, next) =
        registry.export(&tenant.actor, &Targets::Matching(matching(registry, DeviceFilter::default()))).await.unwrap();
    assert_eq!(next, None);
    let expected = [NewDevice { tier: Some(PricingTier::Small), ..rows[1].clone() }, rows[0].clone(), rows[2].clone()];
    assert_eq!(there, expected, "a blank tier is the one it got");
    let names = named(&[device_name("c"), device_name("a"), device_name("nobody"), device_name("a")]);
    let (there, _) = registry.export(&tenant.actor, &names).await.unwrap();
    assert_eq!(there, [expected[0].clone(), expected[2].clone()]);
    let other = fixture.tenant("beta").await;
    assert!(registry.export(&other.actor, &names).await.unwrap().0.is_empty());
}

pub(crate) async fn undo_deletes_devices_that_never_connected(fixture: &Fixture) {
    let (tenant, other, registry) = (fixture.tenant("alpha").await, fixture.tenant("beta").await, &fixture.registry);
    tenant.register(&["earlier"]).await;
    let id = tenant.begin().await;
    let tokens = tokens_of(
        tenant
            .part(
                id,
                part_of(
                    0,
                    1,
                    ["active", "disabled", "silent", "shown"].map(|name| row_of([name, MODEL, "", "", ""])).into(),
                ),
            )
            .await,
    );
    fixture.report(&tokens[0], "{}").await;
    // A token that was shown is somebody's, even where the data that came with it was refused.
    fixture.connect(&tokens[3]).await;
    registry.change_devices(&tenant.actor, &named(&[device_name("disabled")]), &Change::Disable).await.unwrap();

    assert_eq!(registry.undo_registration(&other.actor, id, None).await.unwrap(), CallOutcome::default());
    assert_eq!(
        registry.undo_registration(&tenant.actor, id, None).await.unwrap(),
        CallOutcome { devices: 2, next: None }
    );
    assert_eq!(tenant.names(all()).await, ["active", "earlier", "shown"]);
    let of_it = DeviceFilter { registration: Some(id), ..DeviceFilter::default() };
    assert_eq!(registry.count_devices(&tenant.actor, &of_it).await.unwrap(), 2, "the others are listed");
    assert_eq!(registry.count_devices(&other.actor, &of_it).await.unwrap(), 0);
    assert_eq!(registry.undo_registration(&tenant.actor, id, None).await.unwrap().devices, 0);
    assert_eq!(tenant.status("active").await, Some(Status::Active));
    // The names are free again.
    tenant.register(&["silent"]).await;
}

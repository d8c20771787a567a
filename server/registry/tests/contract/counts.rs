//! The numbers that are kept beside the rows: they are what counting gives, whatever was done.

use crate::fixture::{Fixture, MODEL, Tenant, device_name, device_names, matching, named, part_of, row_of};
use muster_domain::{Change, DeviceFilter, GroupName, PricingTier, Status};
use muster_registry::Registry;
use std::collections::BTreeMap;

/// Segments whose number of devices is wrong.
const WRONG: &str = "SELECT COUNT(*) FROM (
    SELECT id, SUM(devices) AS devices FROM (
        SELECT id, devices FROM segments UNION ALL SELECT segment, -COUNT(*) FROM devices GROUP BY segment
    ) AS segments_of GROUP BY id HAVING SUM(devices) <> 0
) AS wrong";

/// Checks the counts of segments and groups against the groups of each device.
async fn check(fixture: &Fixture, tenant: &Tenant, after: &str) {
    assert_eq!(fixture.number(WRONG).await, 0, "after {after}");
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for name in tenant.names(matching(DeviceFilter::default())).await {
        let detail = fixture.registry.device(&tenant.actor, &device_name(&name)).await.unwrap().unwrap();
        detail.groups.into_iter().for_each(|group| *expected.entry(group.to_string()).or_default() += 1);
    }
    let groups = fixture.registry.groups(&tenant.actor).await.unwrap();
    let counted: BTreeMap<String, u64> = groups
        .into_iter()
        .filter(|group| group.devices > 0)
        .map(|group| (group.name.to_string(), group.devices))
        .collect();
    assert_eq!(counted, expected, "after {after}");
}

fn group(name: &str) -> GroupName {
    GroupName::parse(name).unwrap()
}

/// Registers devices that join the group `Made`.
async fn register(tenant: &Tenant, names: &[String]) -> Vec<muster_domain::SecurityToken> {
    let id = tenant.begin_with(1, Some("Made")).await;
    let models = [MODEL, "Contoso.Pump"];
    let tiers = ["Small", "Large", ""];
    let rows =
        names.iter().enumerate().map(|(at, name)| row_of([name, models[at % 2], "", "", tiers[at % 3]])).collect();
    crate::fixture::tokens_of(tenant.part(id, part_of(0, 1, rows)).await)
}

pub(crate) async fn counts_are_right_after_each_change(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    tenant.put_model("Contoso.Pump").await;
    let names: Vec<String> = (0..30).map(|at| format!("d{at:02}")).collect();
    let tokens = register(&tenant, &names).await;
    check(fixture, &tenant, "registering").await;
    register(&tenant, &names).await;
    check(fixture, &tenant, "registering the same again").await;
    for token in tokens.iter().step_by(3) {
        fixture.report(token, "{}").await;
        fixture.report(token, "{}").await;
    }
    check(fixture, &tenant, "reports").await;
    let some = |step: usize| {
        let names: Vec<&str> = names.iter().step_by(step).map(String::as_str).collect();
        named(&device_names(&names))
    };
    for (chosen, change) in [
        (some(2), Change::Disable),
        (some(3), Change::Tier(PricingTier::ExtraSmall)),
        (some(4), Change::Enable),
        (some(5), Change::Tier(PricingTier::Medium)),
        (some(2), Change::AddToGroup(group("Twos"))),
        (some(3), Change::AddToGroup(group("Twos"))),
        (some(6), Change::RemoveFromGroup(group("Twos"))),
        (some(7), Change::Delete),
    ] {
        registry.change_devices(&tenant.actor, &chosen, &change).await.unwrap();
        check(fixture, &tenant, &format!("{change:?}")).await;
    }
    fixture.report(&tokens[3], "{}").await;
    fixture.report(&tokens[8], "{}").await;
    check(fixture, &tenant, "more reports").await;
    let there: u64 = registry.models(&tenant.actor).await.unwrap().iter().map(|model| model.devices).sum();
    assert_eq!(there, tenant.devices().await);
    assert_eq!(there, 25);
    registry.delete_group(&tenant.actor, &group("Twos")).await.unwrap();
    check(fixture, &tenant, "deleting a group").await;
    let groups = registry.groups(&tenant.actor).await.unwrap();
    assert_eq!(groups.iter().map(|group| (group.name.as_str(), group.devices)).collect::<Vec<_>>(), [("Made", 25)]);
}

/// Concurrent registrations, reports and changes.
pub(crate) async fn counts_are_right_after_concurrent_changes(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.put_model("Contoso.Pump").await;
    let lists: Vec<Vec<String>> = (0..6).map(|list| (0..40).map(|at| format!("d{list}-{at:02}")).collect()).collect();
    let of_one = async |names: &Vec<String>, registry: &Registry| {
        let tokens = register(&tenant, names).await;
        for token in tokens.iter().step_by(4) {
            let device = registry.authenticate(token).await.unwrap();
            registry.record_state(&device, b"{}").await.unwrap();
        }
        let some: Vec<&str> = names.iter().step_by(3).map(String::as_str).collect();
        let some = named(&device_names(&some));
        for change in [Change::Disable, Change::AddToGroup(group("Threes")), Change::Enable, Change::Delete] {
            registry.change_devices(&tenant.actor, &some, &change).await.unwrap();
        }
    };
    let other = fixture.another_server().await;
    futures_util::future::join_all(
        lists.iter().enumerate().map(|(at, names)| of_one(names, if at % 2 == 0 { &fixture.registry } else { &other })),
    )
    .await;
    check(fixture, &tenant, "all at once").await;
    assert_eq!(tenant.devices().await, 6 * 26);
    let groups = fixture.registry.groups(&tenant.actor).await.unwrap();
    let groups: Vec<_> = groups.iter().map(|group| (group.name.as_str(), group.devices)).collect();
    assert_eq!(groups, [("Made", 6 * 26), ("Threes", 0)]);
}

/// Filters by search, groups that overlap and states, each alone and together.
pub(crate) async fn count_of_every_filter(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    tenant.put_model("Contoso.Pump").await;
    let names: Vec<String> = (0..200).map(|at| format!("d{at:03}")).collect();
    let tokens = register(&tenant, &names).await;
    tenant.register(&["other", "another"]).await;
    let of_first = registry.registrations(&tenant.actor, None, 9).await.unwrap();
    let of_first = of_first.iter().find(|it| it.registered == 200).unwrap().id;
    for token in tokens.iter().skip(1).step_by(4) {
        fixture.report(token, "{}").await;
    }
    let some =
        |names: &mut dyn Iterator<Item = &String>| named(&device_names(&names.map(String::as_str).collect::<Vec<_>>()));
    for (chosen, change) in [
        (some(&mut names.iter().step_by(10)), Change::Disable),
        (some(&mut names.iter().step_by(2)), Change::AddToGroup(group("Twos"))),
        (some(&mut names.iter().step_by(3)), Change::AddToGroup(group("Threes"))),
        (some(&mut names.iter().take(7)), Change::AddToGroup(group("First"))),
    ] {
        registry.change_devices(&tenant.actor, &chosen, &change).await.unwrap();
    }

    let search = |text: &str| DeviceFilter { search: Some(text.to_owned()), ..DeviceFilter::default() };
    let with = |status, filter| DeviceFilter { status: Some(status), ..filter };
    let within =
        |groups: &[&str], filter| DeviceFilter { groups: groups.iter().map(|it| group(it)).collect(), ..filter };
    let (all, of_it) = (search("d"), DeviceFilter { registration: Some(of_first), ..DeviceFilter::default() });
    let large = DeviceFilter { tier: Some(PricingTier::Large), ..all.clone() };
    let is_silent = |at: usize| at % 4 != 1 && !at.is_multiple_of(10);
    let is_in = |at: usize| at.is_multiple_of(2) || at.is_multiple_of(3);
    let (disabled, silent) = (Status::Disabled, Status::Registered);
    type Is<'t> = &'t dyn Fn(usize) -> bool;
    let cases: [(DeviceFilter, Is<'_>); 16] = [
        (with(disabled, all.clone()), &|at| at % 10 == 0),
        (with(silent, of_it.clone()), &is_silent),
        (with(silent, search("d1")), &|at| at / 100 == 1 && is_silent(at)),
        (with(silent, search("d00")), &|at| at < 10 && is_silent(at)),
        (with(silent, large.clone()), &|at| at % 3 == 1 && is_silent(at)),
        (DeviceFilter { never_seen: true, ..of_it.clone() }, &|at| at % 4 != 1),
        (within(&["Twos", "Threes"], search("d1")), &|at| at / 100 == 1 && is_in(at)),
        (within(&["Twos", "Threes"], of_it.clone()), &is_in),
        (within(&["Twos", "Threes"], search("d00")), &|at| at < 10 && is_in(at)),
        (within(&["Twos", "Threes"], large), &|at| at % 3 == 1 && is_in(at)),
        (within(&["First"], with(disabled, all.clone())), &|at| at == 0),
        (within(&["Twos"], with(disabled, all)), &|at| at % 10 == 0),
        (within(&["Threes"], with(silent, search("d00"))), &|at| at < 10 && at % 3 == 0 && is_silent(at)),
        (within(&["Twos", "Threes"], DeviceFilter::default()), &is_in),
        (within(&["First", "Threes"], with(silent, DeviceFilter::default())), &|at| {
            (at < 7 || at % 3 == 0) && is_silent(at)
        }),
        (within(&["Twos"], with(disabled, DeviceFilter::default())), &|at| at % 10 == 0),
    ];
    for registry in [fixture.another_server().await, fixture.another_that_compacts().await] {
        let counts = cases.iter().map(|(filter, _)| registry.count_devices(&tenant.actor, filter));
        let counts = futures_util::future::join_all(counts).await;
        for ((filter, is_it), count) in cases.iter().zip(counts) {
            let expected = (0..200).filter(|at| is_it(*at)).count() as u64;
            assert_eq!(count.unwrap(), expected, "{filter:?}");
        }
    }
}

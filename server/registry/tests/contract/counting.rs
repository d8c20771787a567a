//! The numbers that are kept beside the rows: they are what counting gives, whatever was done.

use crate::fixture::{Fixture, MODEL, Tenant, device_names, named, part_of, row_of};
use muster_domain::PricingTier;
use muster_registry::{Change, GroupName, Registry};

/// Counters that differ from what counting gives: of kinds of devices, and of groups.
const WRONG: [&str; 2] = [
    "SELECT COUNT(*) FROM (
        SELECT account, model, facet, SUM(devices) AS devices FROM (
            SELECT account, model, facet, devices FROM device_counts
            UNION ALL SELECT account, model, facet, -COUNT(*) FROM devices GROUP BY account, model, facet
        ) AS kinds GROUP BY account, model, facet HAVING SUM(devices) <> 0
    ) AS wrong",
    "SELECT COUNT(*) FROM (
        SELECT device_group, SUM(devices) AS devices FROM (
            SELECT device_group, devices FROM group_counts
            UNION ALL SELECT device_group, -COUNT(*) FROM group_members GROUP BY device_group
        ) AS groups_of GROUP BY device_group HAVING SUM(devices) <> 0
    ) AS wrong",
];

async fn check(fixture: &Fixture, after: &str) {
    for wrong in WRONG {
        assert_eq!(fixture.number(wrong).await, 0, "after {after}: {wrong}");
    }
}

fn group(name: &str) -> GroupName {
    GroupName::parse(name).unwrap()
}

/// Registers these in a registration whose devices join the group `Made`.
async fn register(tenant: &Tenant, names: &[String]) -> Vec<muster_domain::SecurityToken> {
    let id = tenant.begin_with(1, Some("Made")).await;
    let models = [MODEL, "Contoso.Pump"];
    let tiers = ["Small", "Large", ""];
    let rows =
        names.iter().enumerate().map(|(at, name)| row_of([name, models[at % 2], "", "", tiers[at % 3]])).collect();
    crate::fixture::tokens_of(tenant.part(id, part_of(0, 1, rows)).await)
}

pub(crate) async fn after_each_change(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    tenant.put_model("Contoso.Pump").await;
    let names: Vec<String> = (0..30).map(|at| format!("d{at:02}")).collect();
    let tokens = register(&tenant, &names).await;
    check(fixture, "registering").await;
    register(&tenant, &names).await;
    check(fixture, "registering the same again").await;
    for token in tokens.iter().step_by(3) {
        fixture.report(token, "{}").await;
        fixture.report(token, "{}").await;
    }
    check(fixture, "reports").await;
    let some = |step: usize| {
        let names: Vec<&str> = names.iter().step_by(step).map(String::as_str).collect();
        named(&device_names(&names))
    };
    for (chosen, change) in [
        (some(2), Change::Disable),
        (some(4), Change::Enable),
        (some(5), Change::Tier(PricingTier::Medium)),
        (some(2), Change::AddToGroup(group("Twos"))),
        (some(3), Change::AddToGroup(group("Twos"))),
        (some(6), Change::RemoveFromGroup(group("Twos"))),
        (some(7), Change::Delete),
    ] {
        registry.change_devices(tenant.id, &chosen, &change).await.unwrap();
        check(fixture, &format!("{change:?}")).await;
    }
    let there: u64 = registry.models(tenant.id).await.unwrap().iter().map(|model| model.devices).sum();
    assert_eq!(there, tenant.devices().await);
    assert_eq!(there, 25);
    registry.delete_group(tenant.id, &group("Twos")).await.unwrap();
    check(fixture, "deleting a group").await;
    let groups = registry.groups(tenant.id).await.unwrap();
    assert_eq!(groups.iter().map(|group| (&group.name[..], group.devices)).collect::<Vec<_>>(), [("Made", 25)]);
}

/// Registrations, reports and changes in several transactions at once.
pub(crate) async fn at_once(fixture: &Fixture) {
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
            registry.change_devices(tenant.id, &some, &change).await.unwrap();
        }
    };
    let other = fixture.another_server().await;
    futures_util::future::join_all(
        lists.iter().enumerate().map(|(at, names)| of_one(names, if at % 2 == 0 { &fixture.registry } else { &other })),
    )
    .await;
    check(fixture, "all at once").await;
    assert_eq!(tenant.devices().await, 6 * 26);
}

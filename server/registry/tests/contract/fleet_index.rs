//! The fleet index agrees with the rows, on every server, compacted or not.

use crate::fixture::{
    Fixture, MODEL, Tenant, device_name, device_names, matching, named, part_of, row_of, tokens_of, until,
};
use muster_domain::{
    Change, DeviceDetail, DeviceFilter, DeviceQuery, GroupName, PricingTier, SecurityToken, Sort, Status,
};
use muster_registry::Registry;

const SORTS: [Sort; 5] = [Sort::Name, Sort::FriendlyName, Sort::Tier, Sort::Status, Sort::LastSeen];

/// Every filter by status, tier and whether seen.
fn filters() -> Vec<DeviceFilter> {
    let statuses = [None, Some(Status::Registered), Some(Status::Active), Some(Status::Disabled)];
    let tiers = [None, Some(PricingTier::ExtraSmall), Some(PricingTier::Large)];
    let mut filters = Vec::new();
    for status in statuses {
        for tier in tiers {
            for (never_seen, groups) in
                [(false, vec![]), (true, vec![]), (false, vec!["Twos"]), (true, vec!["Twos", "Threes"])]
            {
                let groups = groups.into_iter().map(group).collect();
                filters.push(DeviceFilter { status, tier, never_seen, groups, ..DeviceFilter::default() });
            }
        }
    }
    filters
}

fn group(name: &str) -> GroupName {
    GroupName::parse(name).unwrap()
}

/// On each of these servers, a filter finds the devices whose rows it describes, and the same ones together with a search
/// that matches every device.
async fn check(servers: &[Registry], tenant: &Tenant, after: &str) {
    let mut rows = Vec::new();
    for name in tenant.names(matching(DeviceFilter::default())).await {
        rows.push(servers[0].device(&tenant.actor, &device_name(&name)).await.unwrap().unwrap());
    }
    for filter in filters() {
        let is_match = |row: &&DeviceDetail| {
            filter.status.is_none_or(|status| row.item.status == status)
                && filter.tier.is_none_or(|tier| row.item.tier == tier)
                && !(filter.never_seen && row.item.last_seen.is_some())
                && (filter.groups.is_empty()
                    || filter.groups.iter().any(|group| row.groups.iter().any(|name| name.as_str() == group.as_str())))
        };
        let mut expected: Vec<String> = rows.iter().filter(is_match).map(|row| row.item.name.to_string()).collect();
        expected.sort_unstable();
        for registry in servers {
            let there = registry.count_devices(&tenant.actor, &filter).await.unwrap();
            assert_eq!(there, expected.len() as u64, "after {after}: {filter:?}");
            for sort in SORTS {
                let mut found = tenant.on(registry).names(DeviceQuery { sort, ..matching(filter.clone()) }).await;
                found.sort_unstable();
                assert_eq!(found, expected, "after {after}: {filter:?} by {sort:?}");
            }
        }
        let searched = DeviceFilter { search: Some("FLEET".to_owned()), ..filter.clone() };
        for (server, registry) in servers.iter().enumerate() {
            let tenant = tenant.on(registry);
            for sort in SORTS {
                let mut found = tenant.names(DeviceQuery { sort, ..matching(searched.clone()) }).await;
                if sort == Sort::Name {
                    assert_eq!(found, expected, "server {server} after {after}: {searched:?}");
                }
                found.sort_unstable();
                assert_eq!(found, expected, "server {server} after {after}: {searched:?} by {sort:?}");
            }
            let count = registry.count_devices(&tenant.actor, &searched).await.unwrap();
            assert_eq!(count, expected.len() as u64, "server {server} after {after}: {searched:?}");
        }
    }
}

async fn register(tenant: &Tenant, names: &[String]) -> Vec<SecurityToken> {
    let id = tenant.begin_with(1, Some("Threes")).await;
    let tiers = ["Small", "Large", ""];
    let rows = names
        .iter()
        .enumerate()
        .map(|(at, name)| row_of([name, MODEL, &format!("Of the fleet {}", at % 7), "", tiers[at % 3]]));
    tokens_of(tenant.part(id, part_of(0, 1, rows.collect())).await)
}

fn all_names(from: usize) -> Vec<String> {
    (from..from + 40).map(|at| format!("d{at:02}")).collect()
}

pub(crate) async fn search_agrees_with_filters_after_each_change(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    // One compacts whatever it finds, the other nothing.
    let servers = [fixture.another_that_compacts().await, fixture.another_server().await];
    let names = all_names(0);
    let tokens = register(&tenant, &names).await;
    check(&servers, &tenant, "registering").await;
    for token in tokens.iter().step_by(3) {
        fixture.report(token, "{}").await;
    }
    check(&servers, &tenant, "reports").await;
    let some = |step: usize| {
        let names: Vec<&str> = names.iter().step_by(step).map(String::as_str).collect();
        named(&device_names(&names))
    };
    for (chosen, change) in [
        (some(2), Change::AddToGroup(group("Twos"))),
        (some(3), Change::AddToGroup(group("Threes"))),
        (some(2), Change::Disable),
        (some(3), Change::Tier(PricingTier::ExtraSmall)),
        (some(7), Change::Delete),
        (some(4), Change::Enable),
        (some(8), Change::RemoveFromGroup(group("Twos"))),
        (some(5), Change::Tier(PricingTier::Large)),
    ] {
        fixture.registry.change_devices(&tenant.actor, &chosen, &change).await.unwrap();
        check(&servers, &tenant, &format!("{change:?}")).await;
    }
    let later = register(&tenant, &all_names(40)).await;
    fixture.report(&later[1], "{}").await;
    fixture.report(&tokens[1], "{}").await;
    check(&servers, &tenant, "another registration").await;
    until_compacted(fixture).await;
    check(&servers, &tenant, "compaction").await;
    fixture.registry.change_devices(&tenant.actor, &some(9), &Change::Delete).await.unwrap();
    fixture.report(&tokens[4], "{}").await;
    check(&servers, &tenant, "more after that").await;
}

/// Devices come alive while changes are compacted: no change is lost.
pub(crate) async fn concurrent_compaction_loses_no_report(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let servers = [fixture.another_that_compacts().await, fixture.another_that_compacts().await];
    let tokens = register(&tenant, &(0..200).map(|at| format!("d{at:03}")).collect::<Vec<_>>()).await;
    let reports = async {
        for token in &tokens {
            fixture.report(token, "{}").await;
        }
    };
    let searches = async {
        for _ in 0..20 {
            for registry in &servers {
                let filter = DeviceFilter { search: Some("fleet".to_owned()), ..DeviceFilter::default() };
                registry.count_devices(&tenant.actor, &filter).await.unwrap();
            }
        }
    };
    tokio::join!(reports, searches);
    check(&servers, &tenant, "all reports").await;
    until_compacted(fixture).await;
    check(&servers, &tenant, "compaction").await;
}

async fn until_compacted(fixture: &Fixture) {
    until(async || fixture.number("SELECT COUNT(*) FROM status_changes").await == 0).await;
}

/// PostgreSQL keeps deleted rows until it is told to free them, and every query would read them.
pub(crate) async fn postgres_frees_compacted_changes(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let server = fixture.another_that_compacts().await;
    let tokens = register(&tenant, &all_names(0)).await;
    fixture.report(&tokens[0], "{}").await;
    server.count_devices(&tenant.actor, &DeviceFilter::default()).await.unwrap();
    for table in ["status_changes", "last_seen_batches"] {
        let freed = format!("SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = '{table}'");
        until(async || fixture.number(&freed).await > 0).await;
    }
}

/// A server ended before it published a last-seen time: compaction finds the time with the device.
pub(crate) async fn compaction_recovers_unpublished_times(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let tokens = register(&tenant, &all_names(0)).await;
    fixture.report(&tokens[7], "{}").await;
    fixture.world.pass_ms(1);
    fixture.report(&tokens[5], "{}").await;
    until(async || fixture.number("SELECT COUNT(*) FROM last_seen_batches").await > 0).await;
    fixture.execute("DELETE FROM last_seen_batches").await;
    let server = tenant.on(&fixture.another_that_compacts().await);
    let query = DeviceQuery { sort: Sort::LastSeen, is_descending: true, ..matching(DeviceFilter::default()) };
    until(async || server.names(query.clone()).await[..2] == ["d05", "d07"]).await;
}

//! The grid: pages, search and filters.

use crate::fixture::{Fixture, MODEL, Tenant, all, device_name, device_names, model_name, part_of, row_of};
use muster_domain::PricingTier;
use muster_registry::{Change, DeviceQuery, GroupName, Status};

/// Names in the order of their bytes, whatever the database's language.
pub(crate) async fn both_ways(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let sorted = ["1", "A", "B-1", "B.1", "B1", "B:1", "B_1", "Z", "a", "b"];
    tenant.register(&["b", "B_1", "a", "Z", "B:1", "A", "B1", "1", "B.1", "B-1"]).await;
    let page = async |after: Option<&str>, before: Option<&str>, limit| {
        let query = DeviceQuery {
            after: after.map(device_name),
            before: before.map(device_name),
            limit,
            ..DeviceQuery::default()
        };
        let page = registry.devices(tenant.id, query).await.unwrap();
        assert_eq!(page.total, 10);
        let names: Vec<String> = page.items.iter().map(|item| item.name.to_string()).collect();
        (names.join(" "), page.has_previous, page.has_next)
    };
    let expected = |names: &[&str], previous, next| (names.join(" "), previous, next);
    assert_eq!(page(None, None, 500).await, expected(&sorted, false, false));
    assert_eq!(page(None, None, 4).await, expected(&sorted[..4], false, true));
    assert_eq!(page(Some("B.1"), None, 4).await, expected(&sorted[4..8], true, true));
    assert_eq!(page(Some("Z"), None, 4).await, expected(&sorted[8..], true, false));
    assert_eq!(page(None, Some("a"), 4).await, expected(&sorted[4..8], true, true));
    assert_eq!(page(None, Some("B1"), 4).await, expected(&sorted[..4], false, true));
    assert_eq!(page(None, Some("A"), 4).await, expected(&sorted[..1], false, true));
    // At the ends, and from names that are not there (any more).
    assert_eq!(page(Some("b"), None, 4).await, expected(&[], true, false));
    assert_eq!(page(None, Some("1"), 4).await, expected(&[], false, true));
    assert_eq!(page(Some("0"), None, 4).await, expected(&sorted[..4], false, true));
    assert_eq!(page(None, Some("zzz"), 4).await, expected(&sorted[6..], true, false));
    // Limits that make no sense are the nearest that do.
    assert_eq!(page(None, None, 0).await, expected(&sorted[..1], false, true));
    assert_eq!(page(None, None, u32::MAX).await, expected(&sorted, false, false));
}

async fn register_some(tenant: &Tenant) {
    tenant.put_model("Contoso.Pump").await;
    let id = tenant.begin().await;
    let rows = vec![
        row_of(["a1", MODEL, "Concorde 100% _new_", "", "Large"]),
        row_of(["a_2", MODEL, r"C:\jets", "a secret place", ""]),
        row_of(["B3", "Contoso.Pump", "Ärger in ÖLS", "", ""]),
        row_of(["b4", "Contoso.Pump", "", "", "Large"]),
    ];
    tenant.part(id, part_of(0, 1, rows)).await;
}

pub(crate) async fn what_is_found(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    register_some(&tenant).await;
    let check = async |text: &str, expected: &[&str]| {
        let page =
            fixture.registry.devices(tenant.id, DeviceQuery { search: Some(text.to_owned()), ..all() }).await.unwrap();
        let names: Vec<_> = page.items.iter().map(|item| item.name.to_string()).collect();
        assert_eq!(
            (names, page.total as usize),
            (expected.iter().map(ToString::to_string).collect(), expected.len()),
            "{text:?}"
        );
    };
    check("", &["B3", "a1", "a_2", "b4"]).await;
    check("a1", &["a1"]).await;
    check("b", &["B3", "b4"]).await;
    check("CONCORDE", &["a1"]).await;
    check("pump", &["B3", "b4"]).await;
    check("aircraftMODEL", &["a1", "a_2"]).await;
    // These three mean something to the database, and nothing to people.
    check("%", &["a1"]).await;
    check("_", &["a1", "a_2"]).await;
    check(r"\", &["a_2"]).await;
    check(r"c:\j", &["a_2"]).await;
    check("0% _N", &["a1"]).await;
    check("'; DROP TABLE devices; --", &[]).await;
    // Letter case of other letters, too, and the same on both databases.
    check("ärger", &["B3"]).await;
    check("ÄRGER IN öls", &["B3"]).await;
    check("secret", &[]).await;
    // Nothing has these, and PostgreSQL would not take the first.
    check("a\0", &[]).await;
    check("a\n1", &[]).await;
    check(&"x".repeat(100_000), &[]).await;
}

pub(crate) async fn filters(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    register_some(&tenant).await;
    registry.change_devices(tenant.id, &device_names(&["a_2", "b4"]), Change::Disable).await.unwrap();
    let group = GroupName::parse("Berlin").unwrap();
    registry.add_to_group(tenant.id, &device_names(&["a1", "b4"]), &group).await.unwrap();
    let check = async |query: DeviceQuery, expected: &[&str]| {
        assert_eq!(tenant.names(query.clone()).await, expected);
        assert_eq!(registry.devices(tenant.id, query).await.unwrap().total as usize, expected.len());
    };
    check(DeviceQuery { status: Some(Status::Disabled), ..all() }, &["a_2", "b4"]).await;
    check(DeviceQuery { status: Some(Status::Active), ..all() }, &[]).await;
    check(DeviceQuery { model: Some(model_name("Contoso.Pump")), ..all() }, &["B3", "b4"]).await;
    check(DeviceQuery { model: Some(model_name("Nobody.Has")), ..all() }, &[]).await;
    check(DeviceQuery { tier: Some(PricingTier::Large), ..all() }, &["a1", "b4"]).await;
    check(DeviceQuery { group: Some(group.clone()), ..all() }, &["a1", "b4"]).await;
    check(DeviceQuery { group: GroupName::parse("Nobody").ok(), ..all() }, &[]).await;
    let every = DeviceQuery {
        search: Some("4".to_owned()),
        status: Some(Status::Disabled),
        model: Some(model_name("Contoso.Pump")),
        tier: Some(PricingTier::Large),
        group: Some(group),
        ..all()
    };
    check(every.clone(), &["b4"]).await;
    check(DeviceQuery { after: Some(device_name("a")), ..every.clone() }, &["b4"]).await;
    assert_eq!(tenant.names(DeviceQuery { before: Some(device_name("a")), ..every }).await, [""; 0]);
}

/// A device that goes while somebody pages makes no other appear twice or not at all.
pub(crate) async fn pages_beside_changes(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["a", "b", "c", "d", "e"]).await;
    let page = DeviceQuery { limit: 2, ..DeviceQuery::default() };
    assert_eq!(tenant.names(page.clone()).await, ["a", "b"]);
    fixture.registry.change_devices(tenant.id, &device_names(&["a", "b"]), Change::Delete).await.unwrap();
    assert_eq!(tenant.names(DeviceQuery { after: Some(device_name("b")), ..page.clone() }).await, ["c", "d"]);
    let first =
        fixture.registry.devices(tenant.id, DeviceQuery { after: Some(device_name("b")), ..page }).await.unwrap();
    assert!(!first.has_previous, "what was before is gone");
}

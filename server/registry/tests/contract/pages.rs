//! The grid: pages, search and filters.

use crate::fixture::{
    Fixture, HOUR_MS, MODEL, Tenant, device_name, device_names, matching, model_name, named, part_of, row_of, until,
};
use muster_domain::{
    CallOutcome, Change, Cursor, DeviceFilter, DeviceQuery, GroupName, Matching, PagePosition, PricingTier, Sort,
    Status, Targets,
};
use muster_registry::{IndexOptions, OpenOptions, Registry, StoreError};

/// Names are in the order of their bytes, numbers by value, whatever the collation of the database.
pub(crate) async fn pages_go_both_ways(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let sorted = ["1", "A", "B-1", "B.1", "B1", "B:1", "B_1", "Z", "a", "b"];
    tenant.register(&["b", "B_1", "a", "Z", "B:1", "A", "B1", "1", "B.1", "B-1"]).await;
    let page = async |after: Option<&str>, before: Option<&str>, limit| {
        let position = match (after, before) {
            (Some(name), _) => PagePosition::After(at(name)),
            (None, Some(name)) => PagePosition::Before(at(name)),
            (None, None) => PagePosition::First,
        };
        let query = DeviceQuery { position, limit, ..DeviceQuery::default() };
        let page = registry.devices(&tenant.actor, &query).await.unwrap();
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

/// The position of a device in the list by name.
fn at(name: &str) -> Cursor {
    Cursor { name: device_name(name), key: String::new() }
}

/// In lists in both directions, from any position, and in every action that continues by name.
pub(crate) async fn numbers_in_names_are_sorted_by_value(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let sorted =
        ["7", "10", "0359", "0360", "Pump-1", "Pump-2", "Pump-02", "Pump-10", "Pump-10-9", "Pump-10-10", "Pump-100"];
    let mut shuffled = sorted;
    shuffled.sort_unstable();
    let id = tenant.begin().await;
    let rows = shuffled.map(|name| row_of([name, MODEL, &format!("Jet {}", name.len() * 7 % 12), "", ""]));
    tenant.part(id, part_of(0, 1, rows.into())).await;
    assert_eq!(tenant.names(matching(DeviceFilter::default())).await, sorted);
    for server in [registry.clone(), fixture.another_that_compacts().await] {
        for (at, name) in sorted.iter().enumerate() {
            let query = |position| DeviceQuery { position, limit: 2, ..DeviceQuery::default() };
            let server = tenant.on(&server);
            let after = server.names(query(PagePosition::After(self::at(name)))).await;
            assert_eq!(after, sorted[at + 1..].iter().take(2).copied().collect::<Vec<_>>(), "after {name}");
            let before = server.names(query(PagePosition::Before(self::at(name)))).await;
            assert_eq!(before, sorted[at.saturating_sub(2)..at], "before {name}");
        }
    }
    let query = DeviceQuery { sort: Sort::FriendlyName, ..matching(DeviceFilter::default()) };
    let page = tenant.page(query).await;
    let friendly: Vec<_> = page.items.iter().map(|item| item.friendly_name.clone().unwrap()).collect();
    let numbers = [1, 1, 2, 3, 4, 4, 6, 6, 7, 8, 10];
    assert_eq!(friendly, numbers.map(|number| format!("Jet {number}")));

    let chosen = |after: Option<&str>| {
        Targets::Matching(Matching {
            filter: DeviceFilter::default(),
            registered_by: registry.now(),
            except: Vec::new(),
            after: after.map(device_name),
        })
    };
    let exported = async |chosen| {
        let (devices, _) = registry.export(&tenant.actor, &chosen).await.unwrap();
        devices.iter().map(|device| device.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(exported(chosen(None)).await, sorted);
    assert_eq!(exported(chosen(Some("Pump-02"))).await, sorted[7..]);
    assert_eq!(exported(named(&device_names(&shuffled))).await, sorted);
}

/// Active devices that have not sent data for a while: on any server, compacted or not, in a filter and in an action.
pub(crate) async fn silent_devices_are_filtered_and_changed(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let tokens = tenant.register(&["never", "long", "lately", "again", "disabled"]).await;
    for token in &tokens[1..] {
        fixture.report(token, "{}").await;
    }
    registry.change_devices(&tenant.actor, &named(&device_names(&["disabled"])), &Change::Disable).await.unwrap();
    fixture.world.pass_ms(HOUR_MS);
    fixture.report(&tokens[2], "{}").await;
    fixture.report(&tokens[3], "{}").await;
    fixture.world.pass_ms(HOUR_MS);
    let silent_for = |hours| DeviceFilter { silent_hours: Some(hours), ..DeviceFilter::default() };
    let another = fixture.another_that_compacts().await;
    let servers = [registry, &another].map(|server| tenant.on(server));
    // Reports to one server reach another soon.
    for on_it in &servers {
        until(async || on_it.names(matching(silent_for(0))).await.len() == 3).await;
        assert_eq!(on_it.names(matching(silent_for(2))).await, [""; 0], "not longer than that");
    }
    fixture.world.pass_ms(1);
    let chosen_at = registry.now();
    for on_it in &servers {
        assert_eq!(on_it.names(matching(silent_for(2))).await, ["long"]);
        assert_eq!(on_it.names(matching(silent_for(1))).await, ["again", "lately", "long"]);
        assert_eq!(on_it.page(matching(silent_for(2))).await.total, 1);
    }
    fixture.report(&tokens[1], "{}").await;
    until(async || servers[1].names(matching(silent_for(2))).await.is_empty()).await;
    // The device that reported a moment ago falls silent before the call: it was not on the screen.
    fixture.world.pass_ms(2 * HOUR_MS);
    assert_eq!(tenant.names(matching(silent_for(1))).await, ["again", "lately", "long"]);
    let chosen = Targets::Matching(Matching {
        filter: silent_for(1),
        registered_by: chosen_at,
        except: Vec::new(),
        after: None,
    });
    let step = registry.change_devices(&tenant.actor, &chosen, &Change::Tier(PricingTier::Large)).await.unwrap();
    assert_eq!(step, CallOutcome { devices: 2, next: None });
}

/// A fleet that does not fit into the memory of the index is listed by name, and everything else is refused.
pub(crate) async fn too_large_fleet_is_only_listed_by_name(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let tokens = tenant.register(&["a", "b", "c", "d", "e"]).await;
    let index = IndexOptions { memory_bytes: 100, max_changes: 0 };
    let small = fixture.another_with(OpenOptions { index, ..OpenOptions::default() }).await;
    let page = async |position, is_descending| {
        let query = DeviceQuery { position, is_descending, limit: 2, ..DeviceQuery::default() };
        let page = small.devices(&tenant.actor, &query).await.unwrap();
        assert!(page.is_too_large);
        assert_eq!(page.total, 5);
        let names: Vec<String> = page.items.iter().map(|item| item.name.to_string()).collect();
        (names.join(" "), page.has_previous, page.has_next)
    };
    assert_eq!(page(PagePosition::First, false).await, ("a b".to_owned(), false, true));
    assert_eq!(page(PagePosition::After(at("b")), false).await, ("c d".to_owned(), true, true));
    assert_eq!(page(PagePosition::Before(at("c")), false).await, ("a b".to_owned(), false, true));
    assert_eq!(page(PagePosition::Last, false).await, ("d e".to_owned(), true, false));
    assert_eq!(page(PagePosition::After(at("d")), true).await, ("c b".to_owned(), true, true));
    let search = DeviceFilter { search: Some("a".to_owned()), ..DeviceFilter::default() };
    assert_eq!(small.count_devices(&tenant.actor, &search).await, Err(StoreError::FleetTooLarge));
    let sorted = DeviceQuery { sort: Sort::Status, ..matching(DeviceFilter::default()) };
    assert_eq!(small.devices(&tenant.actor, &sorted).await, Err(StoreError::FleetTooLarge));
    assert!(!tenant.page(matching(DeviceFilter::default())).await.is_too_large);
    // Its models are counted, and its changes are compacted.
    let models = small.models(&tenant.actor).await.unwrap();
    assert_eq!(models.iter().map(|model| model.devices).collect::<Vec<_>>(), [5]);
    fixture.report(&tokens[1], "{}").await;
    until(async || fixture.number("SELECT COUNT(*) FROM last_seen_batches").await > 0).await;
    let small = fixture.another_with(OpenOptions { index, ..OpenOptions::default() }).await;
    until(async || fixture.number("SELECT COUNT(*) FROM last_seen_batches").await == 0).await;
    small.close().await;
    assert_eq!(fixture.number("SELECT COUNT(*) FROM status_changes").await, 0);
}

/// After a start, the first page by name does not wait for the index.
pub(crate) async fn first_page_does_not_wait_for_the_index(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin_with(3, None).await;
    for number in 0..3 {
        let names: Vec<String> = (0..10_000).map(|at| format!("d{:05}", number * 10_000 + at)).collect();
        tenant.part(id, part_of(number, 1, names.iter().map(|name| row_of([name, MODEL, "", "", ""])).collect())).await;
    }
    let server = fixture.another_server().await;
    let first = DeviceQuery { limit: 3, ..DeviceQuery::default() };
    let before = server.devices(&tenant.actor, &first).await.unwrap();
    assert_eq!((before.items.len(), before.total, before.is_too_large), (3, 30_000, false));
    until(async || server.index_use().devices == 30_000).await;
    let after = server.devices(&tenant.actor, &first).await.unwrap();
    assert_eq!((after.items, after.total, after.has_next), (before.items, before.total, true));
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

pub(crate) async fn search_matches_names_models_and_friendly_names(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    register_some(&tenant).await;
    let check = async |text: &str, expected: &[&str]| {
        let filter = DeviceFilter { search: Some(text.to_owned()), ..DeviceFilter::default() };
        assert_eq!(tenant.names(matching(filter.clone())).await, expected, "{text:?}");
        let total = fixture.registry.count_devices(&tenant.actor, &filter).await.unwrap();
        assert_eq!(total as usize, expected.len(), "{text:?}");
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

pub(crate) async fn filters_combine(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    register_some(&tenant).await;
    registry.change_devices(&tenant.actor, &named(&device_names(&["a_2", "b4"])), &Change::Disable).await.unwrap();
    let group = GroupName::parse("Berlin").unwrap();
    registry
        .change_devices(&tenant.actor, &named(&device_names(&["a1", "b4"])), &Change::AddToGroup(group.clone()))
        .await
        .unwrap();
    let check = async |filter: DeviceFilter, expected: &[&str]| {
        assert_eq!(registry.count_devices(&tenant.actor, &filter).await.unwrap() as usize, expected.len());
        assert_eq!(tenant.names(matching(filter)).await, expected);
    };
    let none = DeviceFilter::default;
    check(DeviceFilter { status: Some(Status::Disabled), ..none() }, &["a_2", "b4"]).await;
    check(DeviceFilter { status: Some(Status::Active), ..none() }, &[]).await;
    check(DeviceFilter { model: Some(model_name("Contoso.Pump")), ..none() }, &["B3", "b4"]).await;
    check(DeviceFilter { model: Some(model_name("Nobody.Has")), ..none() }, &[]).await;
    check(DeviceFilter { tier: Some(PricingTier::Large), ..none() }, &["a1", "b4"]).await;
    check(DeviceFilter { groups: vec![group.clone()], ..none() }, &["a1", "b4"]).await;
    check(DeviceFilter { groups: vec![GroupName::parse("Nobody").unwrap()], ..none() }, &[]).await;
    check(DeviceFilter { groups: vec![group.clone(), group.clone()], ..none() }, &["a1", "b4"]).await;
    let every = DeviceFilter {
        search: Some("4".to_owned()),
        status: Some(Status::Disabled),
        model: Some(model_name("Contoso.Pump")),
        tier: Some(PricingTier::Large),
        groups: vec![group],
        never_seen: true,
        registration: None,
        silent_hours: None,
    };
    check(every.clone(), &["b4"]).await;
    let after = DeviceQuery { position: PagePosition::After(at("a")), ..matching(every.clone()) };
    assert_eq!(tenant.names(after).await, ["b4"]);
    let before = DeviceQuery { position: PagePosition::Before(at("a")), ..matching(every) };
    assert_eq!(tenant.names(before).await, [""; 0]);
}

/// A server caches devices: it finds changes by another server immediately, in segments of any size.
pub(crate) async fn changes_by_another_server_are_found(fixture: &Fixture) {
    let (tenant, here, there) = (fixture.tenant("alpha").await, &fixture.registry, fixture.another_server().await);
    let found = async |search: &str| {
        let filter = DeviceFilter { search: Some(search.to_owned()), ..DeviceFilter::default() };
        let page = here.devices(&tenant.actor, &matching(filter.clone())).await.unwrap();
        let names: Vec<String> = page.items.iter().map(|item| item.name.to_string()).collect();
        assert_eq!(here.count_devices(&tenant.actor, &filter).await.unwrap(), names.len() as u64);
        assert_eq!(there.devices(&tenant.actor, &matching(filter)).await.unwrap(), page);
        names.join(" ")
    };
    let delete = async |registry: &Registry, names: &[&str]| {
        registry.change_devices(&tenant.actor, &named(&device_names(names)), &Change::Delete).await.unwrap();
    };
    tenant.register(&["pump1", "pump2", "valve1"]).await;
    assert_eq!(found("pump").await, "pump1 pump2");
    tenant.register(&["pump3"]).await;
    assert_eq!(found("pump").await, "pump1 pump2 pump3");
    delete(&there, &["pump1"]).await;
    assert_eq!(found("PUMP").await, "pump2 pump3");
    delete(here, &["pump3", "pump2"]).await;
    assert_eq!((found("pump").await, found("alve").await), (String::new(), "valve1".to_owned()));
    tenant.part(tenant.begin().await, part_of(0, 1, vec![row_of(["pump1", MODEL, "Ärger", "", ""])])).await;
    assert_eq!(found("äRG").await, "pump1", "the same name again, with another friendly name");

    let large = async |search: &str| {
        let filter =
            DeviceFilter { search: Some(search.to_owned()), tier: Some(PricingTier::Large), ..DeviceFilter::default() };
        assert_eq!(
            here.count_devices(&tenant.actor, &filter).await.unwrap(),
            there.count_devices(&tenant.actor, &filter).await.unwrap()
        );
        tenant.names(matching(filter)).await
    };
    assert_eq!(large("e").await, [""; 0]);
    let one = named(&device_names(&["valve1"]));
    there.change_devices(&tenant.actor, &one, &Change::Tier(PricingTier::Large)).await.unwrap();
    assert_eq!(large("e").await, ["valve1"]);
    there.change_devices(&tenant.actor, &one, &Change::Tier(PricingTier::Medium)).await.unwrap();
    assert_eq!(large("e").await, [""; 0]);

    let many: Vec<String> = (0..1_500).map(|at| format!("big{at:04}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    tenant.register(&many).await;
    assert_eq!(found("big00").await, many[..100].join(" "));
    delete(&there, &many[2..1_498]).await;
    assert_eq!(found("big").await, "big0000 big0001 big1498 big1499");
    let segments = "SELECT COUNT(*) FROM segments";
    assert_eq!(fixture.number(segments).await, 3);
    delete(here, &["big0000", "big0001", "big1498", "big1499"]).await;
    assert_eq!((found("big").await, fixture.number(segments).await), (String::new(), 2));
}

/// A device that is deleted while a user pages makes no other device appear twice, or not at all.
pub(crate) async fn deletion_between_pages_skips_no_device(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["a", "b", "c", "d", "e"]).await;
    let page = DeviceQuery { limit: 2, ..DeviceQuery::default() };
    assert_eq!(tenant.names(page.clone()).await, ["a", "b"]);
    fixture.registry.change_devices(&tenant.actor, &named(&device_names(&["a", "b"])), &Change::Delete).await.unwrap();
    assert_eq!(tenant.names(DeviceQuery { position: PagePosition::After(at("b")), ..page.clone() }).await, ["c", "d"]);
    let first = DeviceQuery { position: PagePosition::After(at("b")), ..page };
    let first = fixture.registry.devices(&tenant.actor, &first).await.unwrap();
    assert!(!first.has_previous, "what was before is gone");
}

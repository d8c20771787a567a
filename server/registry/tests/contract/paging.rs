//! The grid: pages, search and filters.

use crate::fixture::{Fixture, MODEL, Tenant, device_name, device_names, matching, model_name, named, part_of, row_of};
use muster_domain::PricingTier;
use muster_registry::{
    AccountId, Change, Cursor, DeviceFilter, DeviceItem, DeviceQuery, GroupName, Place, Registry, Sort, Status,
};
use std::cmp::Ordering;

/// Names in the order of their bytes, whatever the database's language.
pub(crate) async fn both_ways(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let sorted = ["1", "A", "B-1", "B.1", "B1", "B:1", "B_1", "Z", "a", "b"];
    tenant.register(&["b", "B_1", "a", "Z", "B:1", "A", "B1", "1", "B.1", "B-1"]).await;
    let page = async |after: Option<&str>, before: Option<&str>, limit| {
        let place = match (after, before) {
            (Some(name), _) => Place::After(at(name)),
            (None, Some(name)) => Place::Before(at(name)),
            (None, None) => Place::First,
        };
        let query = DeviceQuery { place, limit, ..DeviceQuery::default() };
        let page = registry.devices(tenant.id, &query).await.unwrap();
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

/// The place of a device in the list by name.
fn at(name: &str) -> Cursor {
    Cursor { name: device_name(name), key: String::new() }
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
        let filter = DeviceFilter { search: Some(text.to_owned()), ..DeviceFilter::default() };
        assert_eq!(tenant.names(matching(filter.clone())).await, expected, "{text:?}");
        let total = fixture.registry.count_devices(tenant.id, &filter).await.unwrap();
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

pub(crate) async fn filters(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    register_some(&tenant).await;
    registry.change_devices(tenant.id, &named(&device_names(&["a_2", "b4"])), &Change::Disable).await.unwrap();
    let group = GroupName::parse("Berlin").unwrap();
    registry
        .change_devices(tenant.id, &named(&device_names(&["a1", "b4"])), &Change::AddToGroup(group.clone()))
        .await
        .unwrap();
    let check = async |filter: DeviceFilter, expected: &[&str]| {
        assert_eq!(registry.count_devices(tenant.id, &filter).await.unwrap() as usize, expected.len());
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
    };
    check(every.clone(), &["b4"]).await;
    let after = DeviceQuery { place: Place::After(at("a")), ..matching(every.clone()) };
    assert_eq!(tenant.names(after).await, ["b4"]);
    let before = DeviceQuery { place: Place::Before(at("a")), ..matching(every) };
    assert_eq!(tenant.names(before).await, [""; 0]);
}

/// Every sort of every selection, forwards and backwards, beside what a sort in memory gives: fetched and sorted,
/// walked, and where each is done to some.
pub(crate) async fn every_order(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let models = ["Contoso.Pump", MODEL, "Fabrikam.Valve"];
    tenant.put_model(models[0]).await;
    tenant.put_model(models[2]).await;
    let tiers = ["Small", "ExtraSmall", "Large", "Medium"];
    let friendly = ["", "beta", "Alpha", "Ärger", "alpha"];
    let rows = (0..60).map(|at: usize| {
        let name = format!("{}{:02}", if at.is_multiple_of(3) { "D" } else { "d" }, at * 37 % 60);
        row_of([&name, models[at % 3], friendly[at % 5], "", tiers[at * 5 % 4]])
    });
    let (first, others): (Vec<_>, Vec<_>) = rows.enumerate().partition(|(at, _)| *at < 40);
    let mut tokens = Vec::new();
    let mut registrations = Vec::new();
    for some in [first, others] {
        let id = tenant.begin().await;
        let made = tenant.part(id, part_of(0, 1, some.into_iter().map(|(_, row)| row).collect())).await;
        tokens.extend(made.tokens);
        registrations.push(id);
    }
    for (at, (_, token)) in tokens.iter().enumerate().filter(|(at, _)| at % 4 == 1) {
        fixture.world.pass_ms(if at % 8 == 1 { 0 } else { 1_000 });
        fixture.report(token, "{}").await;
    }
    let some = |step: usize| tokens.iter().step_by(step).map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let group = |name: &str| GroupName::parse(name).unwrap();
    registry.change_devices(tenant.id, &named(&some(5)), &Change::Disable).await.unwrap();
    registry.change_devices(tenant.id, &named(&some(2)), &Change::AddToGroup(group("Twos"))).await.unwrap();
    registry.change_devices(tenant.id, &named(&some(3)), &Change::AddToGroup(group("Threes"))).await.unwrap();

    let mut many_groups = vec![group("Twos"), group("Threes")];
    for name in (0..20).map(|at| group(&format!("Of one {at}"))) {
        registry.change_devices(tenant.id, &named(&some(60)), &Change::AddToGroup(name.clone())).await.unwrap();
        many_groups.push(name);
    }

    let none = DeviceFilter::default;
    let filters = [
        none(),
        DeviceFilter { status: Some(Status::Disabled), ..none() },
        DeviceFilter { status: Some(Status::Active), model: Some(model_name(MODEL)), ..none() },
        DeviceFilter { model: Some(model_name("Contoso.Pump")), ..none() },
        DeviceFilter { tier: Some(PricingTier::Small), never_seen: true, ..none() },
        DeviceFilter { groups: many_groups.clone(), ..none() },
        DeviceFilter { groups: many_groups, tier: Some(PricingTier::Medium), ..none() },
        DeviceFilter { groups: vec![group("Twos")], ..none() },
        DeviceFilter { groups: vec![group("Twos"), group("Threes")], status: Some(Status::Registered), ..none() },
        DeviceFilter { search: Some("d1".to_owned()), ..none() },
        DeviceFilter { search: Some("ALPHA".to_owned()), tier: Some(PricingTier::Large), ..none() },
        DeviceFilter { search: Some("pump".to_owned()), groups: vec![group("Threes")], ..none() },
        DeviceFilter { search: Some("valve".to_owned()), never_seen: true, ..none() },
        DeviceFilter { registration: Some(registrations[1]), ..none() },
        DeviceFilter { registration: Some(registrations[0]), search: Some("alpha".to_owned()), ..none() },
        DeviceFilter { registration: Some(registrations[0]), groups: vec![group("Twos"), group("Threes")], ..none() },
        DeviceFilter { search: Some("Valve".to_owned()), status: Some(Status::Active), ..none() },
        // Much is found, and the states and groups have fewer.
        DeviceFilter { search: Some("d".to_owned()), status: Some(Status::Disabled), ..none() },
        DeviceFilter { search: Some("d".to_owned()), groups: vec![group("Threes")], ..none() },
        DeviceFilter {
            search: Some("d".to_owned()),
            groups: vec![group("Twos"), group("Threes")],
            status: Some(Status::Registered),
            ..none()
        },
        DeviceFilter { search: Some("nothing has this".to_owned()), ..none() },
    ];
    let fetched = fixture.another_with(u64::MAX).await;
    let mut expected = Vec::new();
    for filter in &filters {
        expected.push(fetched.devices(tenant.id, &matching(filter.clone())).await.unwrap().items);
    }
    for few in [u64::MAX, 12, 0] {
        check_every_order(&fixture.another_with(few).await, tenant.id, &filters, &expected).await;
    }
}

/// Whether a device matches a filter, as far as the device itself tells.
fn matches(item: &DeviceItem, filter: &DeviceFilter) -> bool {
    let texts = [item.name.as_str(), item.friendly_name.as_deref().unwrap_or_default(), item.model.as_str()];
    let search = filter.search.as_deref().unwrap_or_default().to_lowercase();
    texts.iter().any(|text| text.to_lowercase().contains(&search))
        && filter.status.is_none_or(|status| item.status == status)
        && filter.tier.is_none_or(|tier| item.tier == tier)
        && filter.model.as_ref().is_none_or(|model| item.model == *model)
        && !(filter.never_seen && item.last_seen.is_some())
}

async fn check_every_order(
    registry: &Registry,
    account: AccountId,
    filters: &[DeviceFilter],
    expected: &[Vec<DeviceItem>],
) {
    let sorts = [Sort::Name, Sort::Model, Sort::FriendlyName, Sort::Tier, Sort::Status, Sort::LastSeen];
    let everything = registry.devices(account, &matching(DeviceFilter::default())).await.unwrap().items;
    for (filter, fetched) in filters.iter().zip(expected) {
        let all = registry.devices(account, &matching(filter.clone())).await.unwrap().items;
        let of_items: Vec<_> = everything.iter().filter(|item| matches(item, filter)).cloned().collect();
        assert_eq!(&all, fetched, "{filter:?}");
        if filter.groups.is_empty() && filter.registration.is_none() {
            assert_eq!(all, of_items, "{filter:?}");
        }
        assert!(all.iter().all(|item| of_items.contains(item)), "{filter:?}");
        assert_eq!(registry.count_devices(account, filter).await.unwrap(), all.len() as u64, "{filter:?}");
        for (sort, is_descending) in sorts.into_iter().flat_map(|sort| [(sort, false), (sort, true)]) {
            check_order(registry, account, filter, &all, sort, is_descending, 7).await;
        }
    }
}

/// One order of these devices, a page of so many after the other, and back.
async fn check_order(
    registry: &Registry,
    account: AccountId,
    filter: &DeviceFilter,
    all: &[DeviceItem],
    sort: Sort,
    is_descending: bool,
    limit: u32,
) {
    let mut expected = all.to_vec();
    expected.sort_by(|a, b| {
        let by_key = match sort {
            Sort::Name => Ordering::Equal,
            Sort::Model | Sort::FriendlyName => a.sort_key(sort).cmp(&b.sort_key(sort)),
            Sort::Tier => a.tier.cmp(&b.tier),
            Sort::Status => a.sort_key(sort).cmp(&b.sort_key(sort)),
            Sort::LastSeen => a.last_seen.cmp(&b.last_seen),
        };
        by_key.then_with(|| a.name.cmp(&b.name))
    });
    if is_descending {
        expected.reverse();
    }
    let query = DeviceQuery { filter: filter.clone(), sort, is_descending, place: Place::First, limit };
    let cursor = |item: &DeviceItem| Cursor { name: item.name.clone(), key: item.sort_key(sort) };
    let mut there = Vec::new();
    let mut place = Place::First;
    loop {
        let page = registry.devices(account, &DeviceQuery { place, ..query.clone() }).await.unwrap();
        assert_eq!(page.has_previous, !there.is_empty(), "{query:?}");
        there.extend(page.items);
        if !page.has_next {
            break;
        }
        place = Place::After(cursor(there.last().unwrap()));
    }
    assert_eq!(there, expected, "{query:?}");
    let mut back = Vec::new();
    let mut place = Place::Last;
    loop {
        let page = registry.devices(account, &DeviceQuery { place, ..query.clone() }).await.unwrap();
        assert_eq!(page.has_next, !back.is_empty(), "{query:?}");
        back.splice(0..0, page.items);
        if !page.has_previous {
            break;
        }
        place = Place::Before(cursor(&back[0]));
    }
    assert_eq!(back, expected, "backwards: {query:?}");
}

/// Those that have sent data stand by when, kind by kind: what a filter asks for is found among any number of others.
pub(crate) async fn last_seen_of_kinds(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let (models, tiers) = (["Contoso.Pump", MODEL, "Fabrikam.Valve"], ["Small", "Large", "ExtraSmall", "Medium"]);
    tenant.put_model(models[0]).await;
    tenant.put_model(models[2]).await;
    let rows =
        (0..200).map(|at: usize| row_of([&format!("d{:03}", at * 77 % 200), models[at % 3], "", "", tiers[at % 4]]));
    let made = tenant.part(tenant.begin().await, part_of(0, 1, rows.collect())).await;
    for (at, (_, token)) in made.tokens.iter().enumerate().filter(|(at, _)| !at.is_multiple_of(9)) {
        // Some at the same time.
        fixture.world.pass_ms((at % 3) as i64);
        fixture.report(token, "{}").await;
    }
    let some = |step: usize| named(&made.tokens.iter().step_by(step).map(|(name, _)| name.clone()).collect::<Vec<_>>());
    registry.change_devices(tenant.id, &some(4), &Change::Disable).await.unwrap();
    registry.change_devices(tenant.id, &some(5), &Change::Tier(PricingTier::Large)).await.unwrap();
    registry.change_devices(tenant.id, &some(16), &Change::Enable).await.unwrap();
    for (at, (_, token)) in made.tokens.iter().enumerate().filter(|(at, _)| at % 11 == 3 && at % 4 != 0) {
        fixture.world.pass_ms(at as i64);
        fixture.report(token, "{}").await;
    }
    let none = DeviceFilter::default;
    let filters = [
        DeviceFilter { status: Some(Status::Disabled), ..none() },
        DeviceFilter { status: Some(Status::Active), ..none() },
        DeviceFilter { status: Some(Status::Active), tier: Some(PricingTier::Large), ..none() },
        DeviceFilter { model: Some(model_name(MODEL)), ..none() },
        DeviceFilter { search: Some("d1".to_owned()), status: Some(Status::Disabled), ..none() },
        none(),
    ];
    let walking = fixture.another_with(0).await;
    let everything = registry.devices(tenant.id, &matching(none())).await.unwrap().items;
    for filter in &filters {
        let all: Vec<_> = everything.iter().filter(|item| matches(item, filter)).cloned().collect();
        assert!(all.len() > 10, "{filter:?}");
        for (is_descending, limit) in [(false, 3), (true, 3), (false, 50), (true, 50)] {
            check_order(&walking, tenant.id, filter, &all, Sort::LastSeen, is_descending, limit).await;
        }
    }
}

/// More kinds than are walked side by side.
pub(crate) async fn many_models(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, fixture.another_with(0).await);
    let (models, tiers) = (263, ["ExtraSmall", "Small", "Medium", "Large"]);
    let mut rows = Vec::new();
    for at in 0..models {
        let model = format!("M{:03}", at * 7 % models);
        tenant.put_model(&model).await;
        rows.extend(tiers.map(|tier| row_of([&format!("d{at:03}{tier}"), &model, "", "", tier])));
    }
    let made = tenant.part(tenant.begin().await, part_of(0, 1, rows)).await;
    for (at, (_, token)) in made.tokens.iter().enumerate().filter(|(at, _)| at % 50 == 7) {
        fixture.world.pass_ms(at as i64);
        fixture.report(token, "{}").await;
    }
    let silent = DeviceFilter { never_seen: true, search: Some("small".to_owned()), ..DeviceFilter::default() };
    let is_silent = |at: &usize| at % 4 < 2 && at % 50 != 7;
    for registry in [&registry, &fixture.registry] {
        let there = registry.count_devices(tenant.id, &silent).await.unwrap();
        assert_eq!(there as usize, (0..4 * models).filter(is_silent).count());
        assert_eq!(registry.devices(tenant.id, &matching(silent.clone())).await.unwrap().items.len(), 500);
    }
    for sort in [Sort::Name, Sort::Model, Sort::FriendlyName, Sort::Tier, Sort::Status, Sort::LastSeen] {
        for is_descending in [false, true] {
            let query = |place| DeviceQuery { sort, is_descending, place, limit: 500, ..DeviceQuery::default() };
            let (mut there, mut place) = (Vec::new(), Place::First);
            loop {
                let page = registry.devices(tenant.id, &query(place)).await.unwrap();
                there.extend(page.items);
                let Some(last) = there.last().filter(|_| page.has_next) else { break };
                place = Place::After(Cursor { name: last.name.clone(), key: last.sort_key(sort) });
            }
            let key = |item: &DeviceItem| {
                let number = item.sort_key(sort).parse::<i64>().unwrap_or_default();
                (number, if number == 0 { item.sort_key(sort) } else { String::new() }, item.name.clone())
            };
            let mut expected = there.clone();
            expected.sort_by_key(key);
            if is_descending {
                expected.reverse();
            }
            assert_eq!(there.len(), 4 * models, "{sort:?}");
            assert!(there == expected, "{sort:?}, descending: {is_descending}");
        }
    }
}

/// A server keeps in memory what searches look into: another's changes count at once, in blocks of any size.
pub(crate) async fn what_another_server_changed_is_found(fixture: &Fixture) {
    let (tenant, here, there) = (fixture.tenant("alpha").await, &fixture.registry, fixture.another_server().await);
    let found = async |search: &str| {
        let filter = DeviceFilter { search: Some(search.to_owned()), ..DeviceFilter::default() };
        let page = here.devices(tenant.id, &matching(filter.clone())).await.unwrap();
        let names: Vec<String> = page.items.iter().map(|item| item.name.to_string()).collect();
        assert_eq!(here.count_devices(tenant.id, &filter).await.unwrap(), names.len() as u64);
        assert_eq!(there.devices(tenant.id, &matching(filter)).await.unwrap(), page);
        names.join(" ")
    };
    let delete = async |registry: &Registry, names: &[&str]| {
        registry.change_devices(tenant.id, &named(&device_names(names)), &Change::Delete).await.unwrap();
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
            here.count_devices(tenant.id, &filter).await.unwrap(),
            there.count_devices(tenant.id, &filter).await.unwrap()
        );
        tenant.names(matching(filter)).await
    };
    assert_eq!(large("e").await, [""; 0]);
    let one = named(&device_names(&["valve1"]));
    there.change_devices(tenant.id, &one, &Change::Tier(PricingTier::Large)).await.unwrap();
    assert_eq!(large("e").await, ["valve1"]);
    there.change_devices(tenant.id, &one, &Change::Tier(PricingTier::Medium)).await.unwrap();
    assert_eq!(large("e").await, [""; 0]);

    let many: Vec<String> = (0..1_500).map(|at| format!("big{at:04}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    tenant.register(&many).await;
    assert_eq!(found("big00").await, many[..100].join(" "));
    delete(&there, &many[2..1_498]).await;
    assert_eq!(found("big").await, "big0000 big0001 big1498 big1499");
    let blocks = "SELECT COUNT(*) FROM text_blocks";
    assert_eq!(fixture.number(blocks).await, 3);
    delete(here, &["big0000", "big0001", "big1498", "big1499"]).await;
    assert_eq!((found("big").await, fixture.number(blocks).await), (String::new(), 2));
}

/// A device that goes while somebody pages makes no other appear twice or not at all.
pub(crate) async fn pages_beside_changes(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["a", "b", "c", "d", "e"]).await;
    let page = DeviceQuery { limit: 2, ..DeviceQuery::default() };
    assert_eq!(tenant.names(page.clone()).await, ["a", "b"]);
    fixture.registry.change_devices(tenant.id, &named(&device_names(&["a", "b"])), &Change::Delete).await.unwrap();
    assert_eq!(tenant.names(DeviceQuery { place: Place::After(at("b")), ..page.clone() }).await, ["c", "d"]);
    let first = DeviceQuery { place: Place::After(at("b")), ..page };
    let first = fixture.registry.devices(tenant.id, &first).await.unwrap();
    assert!(!first.has_previous, "what was before is gone");
}

//! The orders of the list of devices, whatever it is filtered by.

use crate::fixture::{Fixture, MODEL, matching, model_name, named, part_of, row_of, until};
use muster_domain::{
    Change, Cursor, DeviceFilter, DeviceItem, DeviceQuery, GroupName, PagePosition, PricingTier, Sort, Status,
};
use muster_registry::{Actor, Registry};
use std::cmp::Ordering;

/// Every sort of every selection, forwards and backwards, agrees with a plain sort.
pub(crate) async fn every_order_agrees_with_a_plain_sort(fixture: &Fixture) {
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
    registry.change_devices(&tenant.actor, &named(&some(5)), &Change::Disable).await.unwrap();
    registry.change_devices(&tenant.actor, &named(&some(2)), &Change::AddToGroup(group("Twos"))).await.unwrap();
    registry.change_devices(&tenant.actor, &named(&some(3)), &Change::AddToGroup(group("Threes"))).await.unwrap();

    let mut many_groups = vec![group("Twos"), group("Threes")];
    for name in (0..20).map(|at| group(&format!("Of one {at}"))) {
        registry.change_devices(&tenant.actor, &named(&some(60)), &Change::AddToGroup(name.clone())).await.unwrap();
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
    let fetched = fixture.another_server().await;
    let mut expected = Vec::new();
    for filter in &filters {
        expected.push(fetched.devices(&tenant.actor, &matching(filter.clone())).await.unwrap().items);
    }
    for server in [fixture.another_server().await, fixture.another_that_compacts().await] {
        until_it_knows_of_reports(fixture, &server, &tenant.actor).await;
        check_every_order(&server, &tenant.actor, &filters, &expected).await;
    }
}

/// Reports to one server reach another soon.
async fn until_it_knows_of_reports(fixture: &Fixture, server: &Registry, actor: &Actor) {
    let query = DeviceQuery { sort: Sort::LastSeen, is_descending: true, ..matching(DeviceFilter::default()) };
    let here = fixture.registry.devices(actor, &query).await.unwrap();
    until(async || server.devices(actor, &query).await.unwrap() == here).await;
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

async fn check_every_order(registry: &Registry, actor: &Actor, filters: &[DeviceFilter], expected: &[Vec<DeviceItem>]) {
    let sorts = [Sort::Name, Sort::Model, Sort::FriendlyName, Sort::Tier, Sort::Status, Sort::LastSeen];
    let everything = registry.devices(actor, &matching(DeviceFilter::default())).await.unwrap().items;
    for (filter, fetched) in filters.iter().zip(expected) {
        let all = registry.devices(actor, &matching(filter.clone())).await.unwrap().items;
        let of_items: Vec<_> = everything.iter().filter(|item| matches(item, filter)).cloned().collect();
        assert_eq!(&all, fetched, "{filter:?}");
        if filter.groups.is_empty() && filter.registration.is_none() {
            assert_eq!(all, of_items, "{filter:?}");
        }
        assert!(all.iter().all(|item| of_items.contains(item)), "{filter:?}");
        assert_eq!(registry.count_devices(actor, filter).await.unwrap(), all.len() as u64, "{filter:?}");
        for (sort, is_descending) in sorts.into_iter().flat_map(|sort| [(sort, false), (sort, true)]) {
            check_order(registry, actor, filter, &all, sort, is_descending, 7).await;
        }
    }
}

/// One order of these devices, page by page with this page size, forwards and back.
async fn check_order(
    registry: &Registry,
    actor: &Actor,
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
    let query = DeviceQuery { filter: filter.clone(), sort, is_descending, position: PagePosition::First, limit };
    let cursor = |item: &DeviceItem| Cursor { name: item.name.clone(), key: item.sort_key(sort) };
    let mut there = Vec::new();
    let mut position = PagePosition::First;
    loop {
        let page = registry.devices(actor, &DeviceQuery { position, ..query.clone() }).await.unwrap();
        assert_eq!(page.has_previous, !there.is_empty(), "{query:?}");
        there.extend(page.items);
        if !page.has_next {
            break;
        }
        position = PagePosition::After(cursor(there.last().unwrap()));
    }
    assert_eq!(there, expected, "{query:?}");
    let mut back = Vec::new();
    let mut position = PagePosition::Last;
    loop {
        let page = registry.devices(actor, &DeviceQuery { position, ..query.clone() }).await.unwrap();
        assert_eq!(page.has_next, !back.is_empty(), "{query:?}");
        back.splice(0..0, page.items);
        if !page.has_previous {
            break;
        }
        position = PagePosition::Before(cursor(&back[0]));
    }
    assert_eq!(back, expected, "backwards: {query:?}");
}

/// Devices that have sent data are sorted by time, among any number of others.
pub(crate) async fn order_by_last_seen(fixture: &Fixture) {
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
    registry.change_devices(&tenant.actor, &some(4), &Change::Disable).await.unwrap();
    registry.change_devices(&tenant.actor, &some(5), &Change::Tier(PricingTier::Large)).await.unwrap();
    registry.change_devices(&tenant.actor, &some(16), &Change::Enable).await.unwrap();
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
    let another = fixture.another_that_compacts().await;
    until_it_knows_of_reports(fixture, &another, &tenant.actor).await;
    let everything = registry.devices(&tenant.actor, &matching(none())).await.unwrap().items;
    for filter in &filters {
        let all: Vec<_> = everything.iter().filter(|item| matches(item, filter)).cloned().collect();
        assert!(all.len() > 10, "{filter:?}");
        for (is_descending, limit) in [(false, 3), (true, 3), (false, 50), (true, 50)] {
            check_order(&another, &tenant.actor, filter, &all, Sort::LastSeen, is_descending, limit).await;
        }
    }
}

/// Many models, each with few devices.
pub(crate) async fn order_by_many_models(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, fixture.another_that_compacts().await);
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
    until_it_knows_of_reports(fixture, &registry, &tenant.actor).await;
    let silent = DeviceFilter { never_seen: true, search: Some("small".to_owned()), ..DeviceFilter::default() };
    let is_silent = |at: &usize| at % 4 < 2 && at % 50 != 7;
    for registry in [&registry, &fixture.registry] {
        let there = registry.count_devices(&tenant.actor, &silent).await.unwrap();
        assert_eq!(there as usize, (0..4 * models).filter(is_silent).count());
        assert_eq!(registry.devices(&tenant.actor, &matching(silent.clone())).await.unwrap().items.len(), 500);
    }
    for sort in [Sort::Name, Sort::Model, Sort::FriendlyName, Sort::Tier, Sort::Status, Sort::LastSeen] {
        for is_descending in [false, true] {
            let query = |position| DeviceQuery { sort, is_descending, position, limit: 500, ..DeviceQuery::default() };
            let (mut there, mut position) = (Vec::new(), PagePosition::First);
            loop {
                let page = registry.devices(&tenant.actor, &query(position)).await.unwrap();
                there.extend(page.items);
                let Some(last) = there.last().filter(|_| page.has_next) else { break };
                position = PagePosition::After(Cursor { name: last.name.clone(), key: last.sort_key(sort) });
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

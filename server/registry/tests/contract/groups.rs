//! Device groups: how devices join them with a registration, and who is in them.

use crate::fixture::{
    Fixture, MODEL, Tenant, all, device_name, device_names, matching, named, numbers, part, part_of, row, row_of,
};
use muster_domain::{Change, DeviceFilter, GroupName, GroupNameProblem};
use muster_registry::{GroupError, IndexOptions, MAX_GROUPS, NewRegistration, OpenOptions, RegisterError};

pub(crate) async fn devices_join_the_group(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["old"]).await;
    let id = tenant.begin_with(2, Some(" Berlin ")).await;
    let rows = vec![row("new"), row("old"), row_of(["bad", "Nobody.Has", "", "", ""])];
    tenant.part(id, part_of(0, 1, rows)).await;
    let groups = async || fixture.registry.groups(&tenant.actor).await.unwrap();
    assert_eq!(
        groups().await.iter().map(|group| (group.name.to_string(), group.devices)).collect::<Vec<_>>(),
        [("Berlin".to_owned(), 2)]
    );
    let in_group =
        matching(DeviceFilter { groups: vec![GroupName::parse("Berlin").unwrap()], ..DeviceFilter::default() });
    assert_eq!(tenant.names(in_group.clone()).await, ["new", "old"]);
    // The group is the one of that name, and joining again changes nothing.
    let again = tenant.begin_with(1, Some("Berlin")).await;
    tenant.part(again, part(0, 1, &["old", "third"])).await;
    assert_eq!(tenant.names(in_group).await, ["new", "old", "third"]);
    assert_eq!(groups().await.len(), 1);
    let detail = fixture.registry.device(&tenant.actor, &device_name("old")).await.unwrap().unwrap();
    assert_eq!(detail.groups, ["Berlin"]);
}

async fn groups_of(fixture: &Fixture, tenant: &Tenant) -> Vec<(String, u64)> {
    let groups = fixture.registry.groups(&tenant.actor).await.unwrap();
    groups.into_iter().map(|group| (group.name.to_string(), group.devices)).collect()
}

pub(crate) async fn group_is_created_with_the_first_device_that_joins(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["old"]).await;
    let id = tenant.begin_with(4, Some("Berlin")).await;
    assert_eq!(groups_of(fixture, &tenant).await, [], "nothing has joined yet");
    let bad = vec![row_of(["bad", "Nobody.Has", "", "", ""]), row_of(["old", MODEL, "Another name", "", ""])];
    let outcome = tenant.part(id, part_of(0, 1, bad)).await;
    assert_eq!(numbers(&outcome), [0, 0, 0, 2, 0]);
    tenant.part(id, part(1, 1, &[])).await;
    assert_eq!(groups_of(fixture, &tenant).await, [], "every row failed");
    tenant.part(id, part(2, 1, &["old"])).await;
    assert_eq!(
        groups_of(fixture, &tenant).await,
        [("Berlin".to_owned(), 1)],
        "one that was registered before joins, too"
    );
    tenant.part(id, part(3, 1, &["new"])).await;
    assert_eq!(groups_of(fixture, &tenant).await, [("Berlin".to_owned(), 2)]);
}

pub(crate) async fn concurrent_parts_create_one_group(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let other_server = tenant.on(&fixture.another_server().await);
    let (id, another) = (tenant.begin_with(8, Some("Berlin")).await, tenant.begin_with(8, Some("Berlin")).await);
    let names: Vec<String> = (0..16).flat_map(|number| (0..50).map(move |at| format!("d{number:02}-{at}"))).collect();
    let parts = names.chunks(50).zip(0..).map(|(names, number)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let rows = part(number / 2, 1, &names);
        let (tenant, id) = if number % 4 < 2 { (&tenant, id) } else { (&other_server, id) };
        tenant.part(if number % 2 == 0 { id } else { another }, rows)
    });
    futures_util::future::join_all(parts).await;
    assert_eq!(groups_of(fixture, &tenant).await, [("Berlin".to_owned(), 800)]);
}

pub(crate) async fn renamed_group_is_followed_and_deleted_group_stays_deleted(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let group = |name: &str| GroupName::parse(name).unwrap();
    let id = tenant.begin_with(4, Some("Berlin")).await;
    // Somebody else makes one of that name before the first device joins.
    registry.create_group(&tenant.actor, &group("Berlin")).await.unwrap();
    tenant.part(id, part(0, 1, &["a"])).await;
    registry.rename_group(&tenant.actor, &group("Berlin"), &group("Rome")).await.unwrap();
    tenant.part(id, part(1, 1, &["b"])).await;
    assert_eq!(groups_of(fixture, &tenant).await, [("Rome".to_owned(), 2)]);
    registry.delete_group(&tenant.actor, &group("Rome")).await.unwrap();
    assert_eq!(numbers(&tenant.part(id, part(2, 1, &["c"])).await), [1, 0, 0, 0, 1]);
    assert_eq!(groups_of(fixture, &tenant).await, []);
    // A later upload of the same file makes it anew: all join it.
    let again = tenant.begin_with(1, Some("Berlin")).await;
    tenant.part(again, part(0, 1, &["a", "b", "c"])).await;
    assert_eq!(groups_of(fixture, &tenant).await, [("Berlin".to_owned(), 3)]);
}

pub(crate) async fn group_over_the_limit_is_refused_before_registering(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let (id, without) = (tenant.begin_with(2, Some("Berlin")).await, tenant.begin_with(2, None).await);
    let new_id = if fixture.url.starts_with("sqlite") { "randomblob(16)" } else { "gen_random_uuid()" };
    let others = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MAX_GROUPS})
         INSERT INTO device_groups (id, account, name) SELECT {new_id}, a.id, 'g' || i FROM n, accounts a WHERE a.name = 'alpha'"
    );
    fixture.execute(&others).await;
    let too_many = RegisterError::Group(GroupError::TooMany);
    let new = |group: &str| {
        let group = Some(GroupName::parse(group).unwrap());
        NewRegistration { file_name: "fleet.csv".to_owned(), devices: 1, parts: 1, group, idempotency_key: None }
    };
    assert_eq!(registry.begin_registration(&tenant.actor, new("Paris")).await, Err(too_many.clone()));
    // Parts that are stored in one transaction with it are none of its business.
    let refused = registry.register_part(&tenant.actor, id, part(0, 1, &["a"]));
    let (refused, other) = tokio::join!(refused, tenant.part(without, part(0, 1, &["b"])));
    assert_eq!((refused.map(|_| ()), other.registered), (Err(too_many), 1));
    assert_eq!(tenant.names(all()).await, ["b"]);
    let there = registry.begin_registration(&tenant.actor, new("g7")).await.unwrap();
    tenant.part(there, part(0, 1, &["a", "b"])).await;
    // Where there is room again, sending the same part again is enough.
    registry.delete_group(&tenant.actor, &GroupName::parse("g1").unwrap()).await.unwrap();
    assert_eq!(numbers(&tenant.part(id, part(0, 2, &["a"])).await)[..2], [0, 1]);
    let detail = registry.device(&tenant.actor, &device_name("a")).await.unwrap().unwrap();
    assert_eq!(detail.groups, ["Berlin", "g7"]);
}

/// Two registrations let the same devices, all of one segment, join two groups, through two servers.
pub(crate) async fn concurrent_parts_lose_no_member(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let other_server = tenant.on(&fixture.another_server().await);
    let names: Vec<String> = (0..80).map(|at| format!("d{at:02}")).collect();
    tenant.register(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (berlin, rome) = (tenant.begin_with(8, Some("Berlin")).await, tenant.begin_with(8, Some("Rome")).await);
    let parts = (0..16).map(|at| {
        // Every eighth device: each part changes the whole segment.
        let some: Vec<&str> = names.iter().skip(at / 2).step_by(8).map(String::as_str).collect();
        let (tenant, id) = if at % 2 == 0 { (&tenant, berlin) } else { (&other_server, rome) };
        tenant.part(id, part(at as u32 / 2, 1, &some))
    });
    futures_util::future::join_all(parts).await;
    assert_eq!(groups_of(fixture, &tenant).await, [("Berlin".to_owned(), 80), ("Rome".to_owned(), 80)]);
}

/// Devices of one segment are deleted: the lines of the others change, and their groups must not.
pub(crate) async fn members_stay_when_others_are_deleted(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let other_server = tenant.on(&fixture.another_server().await);
    tenant.register(&["a", "b", "c", "d", "e", "f"]).await;
    let change = async |names: &[&str], change: Change| {
        fixture.registry.change_devices(&tenant.actor, &named(&device_names(names)), &change).await.unwrap();
    };
    let group = |name: &str| GroupName::parse(name).unwrap();
    change(&["b", "d", "f"], Change::AddToGroup(group("Berlin"))).await;
    change(&["a", "b", "e"], Change::AddToGroup(group("Rome"))).await;
    let members = async |tenant: &Tenant, name: &str| {
        tenant.names(matching(DeviceFilter { groups: vec![group(name)], ..DeviceFilter::default() })).await.join(" ")
    };
    assert_eq!(members(&other_server, "Berlin").await, "b d f", "the other server has cached them");
    change(&["a", "d"], Change::Delete).await;
    for server in [&tenant, &other_server] {
        assert_eq!((members(server, "Berlin").await, members(server, "Rome").await), ("b f".into(), "b e".into()));
    }
    let detail = fixture.registry.device(&tenant.actor, &device_name("b")).await.unwrap().unwrap();
    assert_eq!(detail.groups, ["Berlin", "Rome"]);
    // A later device of this name is another device.
    tenant.register(&["a", "d"]).await;
    assert_eq!(members(&other_server, "Rome").await, "b e");
    change(&["b", "e"], Change::Delete).await;
    assert_eq!(groups_of(fixture, &tenant).await, [("Berlin".to_owned(), 1), ("Rome".to_owned(), 0)]);
}

/// Of a fleet that does not fit into the index, the groups are still counted and listed.
pub(crate) async fn members_are_counted_without_the_index(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let index = IndexOptions { memory_bytes: 0, ..IndexOptions::default() };
    let server = fixture.another_with(OpenOptions { index, ..OpenOptions::default() }).await;
    let id = tenant.begin_with(1, Some("Berlin")).await;
    tenant.part(id, part(0, 1, &["a", "b"])).await;
    let groups = server.groups(&tenant.actor).await.unwrap();
    assert_eq!(groups.iter().map(|group| (group.name.as_str(), group.devices)).collect::<Vec<_>>(), [("Berlin", 2)]);
    let detail = server.device(&tenant.actor, &device_name("b")).await.unwrap().unwrap();
    assert_eq!(detail.groups, ["Berlin"]);
}

/// However a name was typed, it is the group that looks like it; and a name that cannot be seen is none.
pub(crate) async fn names_that_look_the_same_are_one_group(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    tenant.register(&["a", "b", "c"]).await;
    // As names arrive.
    let typed = |name: &str| GroupName::existing(name).unwrap();
    let (composed, decomposed, odd) = ("Caf\u{e9}", "Cafe\u{301}", "\u{200b}Caf\u{e9}\u{ad}");
    let blank = typed(&"\u{200b}".repeat(10));
    let add = async |name: &str, group: &GroupName| {
        let change = Change::AddToGroup(group.clone());
        registry
            .change_devices(&tenant.actor, &named(&device_names(&[name])), &change)
            .await
            .map(|outcome| outcome.devices)
    };
    let problem = GroupError::Name(GroupNameProblem);
    assert_eq!(problem.to_string(), "A device group's name is 1 to 128 characters, without line breaks.");
    assert_eq!(registry.create_group(&tenant.actor, &blank).await, Err(problem.clone()));
    assert_eq!(add("a", &blank).await, Err(problem.clone()));
    let new = |group: &str| NewRegistration {
        file_name: "\u{202e}fle\u{300}et.csv ".to_owned(),
        devices: 1,
        parts: 1,
        group: Some(typed(group)),
        idempotency_key: None,
    };
    let begun = registry.begin_registration(&tenant.actor, new(blank.as_str())).await;
    assert_eq!(begun, Err(RegisterError::Group(problem.clone())));
    assert_eq!(groups_of(fixture, &tenant).await, []);

    registry.create_group(&tenant.actor, &typed(decomposed)).await.unwrap();
    for name in [composed, decomposed, odd] {
        assert_eq!(registry.create_group(&tenant.actor, &typed(name)).await, Err(GroupError::Taken), "{name:?}");
    }
    assert_eq!((add("a", &typed(composed)).await, add("b", &typed(odd)).await), (Ok(1), Ok(1)));
    let id = registry.begin_registration(&tenant.actor, new(odd)).await.unwrap();
    tenant.part(id, part(0, 1, &["c"])).await;
    assert_eq!(groups_of(fixture, &tenant).await, [(composed.to_owned(), 3)]);
    let listed = registry.registrations(&tenant.actor, None, 9).await.unwrap();
    let file_name = listed.iter().find(|summary| summary.id == id).map(|summary| summary.file_name.as_str());
    assert_eq!(file_name, Some("fl\u{e8}et.csv"));
    // A filter has the exact name, so that an action on what it finds reaches no group that only looks alike.
    for (name, expected) in [(composed, "a b c"), (decomposed, ""), (odd, "")] {
        let filter = DeviceFilter { groups: vec![typed(name)], ..DeviceFilter::default() };
        assert_eq!(tenant.names(matching(filter)).await.join(" "), expected, "{name:?}");
    }
    assert_eq!(registry.rename_group(&tenant.actor, &typed(decomposed), &blank).await, Err(problem));
    let zurich = typed("Z\u{200b}u\u{308}rich");
    assert_eq!(registry.rename_group(&tenant.actor, &typed(odd), &zurich).await, Err(GroupError::NotFound));
    registry.rename_group(&tenant.actor, &typed(composed), &zurich).await.unwrap();
    assert_eq!(groups_of(fixture, &tenant).await, [("Z\u{fc}rich".to_owned(), 3)]);
    assert_eq!(registry.delete_group(&tenant.actor, &zurich).await, Err(GroupError::NotFound));
    registry.delete_group(&tenant.actor, &typed("Z\u{fc}rich")).await.unwrap();
    assert_eq!(groups_of(fixture, &tenant).await, []);
}

/// Names that an earlier version of Muster stored as they were typed.
pub(crate) async fn groups_with_odd_names_stay_usable(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    tenant.register(&["a", "b"]).await;
    let typed = |name: &str| GroupName::existing(name).unwrap();
    let blank = "\u{200b}".repeat(10);
    for (name, odd) in [("first", &*blank), ("second", "Cafe\u{301}"), ("third", "Caf\u{e9}")] {
        registry.create_group(&tenant.actor, &typed(name)).await.unwrap();
        fixture.execute(&format!("UPDATE device_groups SET name = '{odd}' WHERE name = '{name}'")).await;
    }
    // A registration that the earlier version began.
    let begun = tenant.begin_with(1, Some("Later")).await;
    fixture.execute("UPDATE registrations SET new_group = '\u{2060}' WHERE new_group = 'Later'").await;
    tenant.part(begun, part(0, 1, &["b"])).await;
    // The exact name comes first, although another looks the same.
    for (device, group) in [("a", &*blank), ("a", "Cafe\u{301}"), ("b", "Caf\u{e9}")] {
        let join = Change::AddToGroup(typed(group));
        registry.change_devices(&tenant.actor, &named(&device_names(&[device])), &join).await.unwrap();
    }
    let mut listed = groups_of(fixture, &tenant).await;
    listed.sort();
    let expected = [("Cafe\u{301}", 1), ("Caf\u{e9}", 1), (&*blank, 1), ("\u{2060}", 1)];
    assert_eq!(listed, expected.map(|(name, devices)| (name.to_owned(), devices)));
    let members = async |group: &str| {
        tenant.names(matching(DeviceFilter { groups: vec![typed(group)], ..DeviceFilter::default() })).await.join(" ")
    };
    assert_eq!(
        (members(&blank).await, members("Cafe\u{301}").await, members("Caf\u{e9}").await),
        ("a".into(), "a".into(), "b".into())
    );
    registry.rename_group(&tenant.actor, &typed(&blank), &typed("Seen")).await.unwrap();
    assert_eq!(members("Seen").await, "a");
    let taken = registry.rename_group(&tenant.actor, &typed("Cafe\u{301}"), &typed("Cafe\u{301}")).await;
    assert_eq!(taken, Err(GroupError::Taken), "cleaned, it is the name of the other");
    for name in ["Cafe\u{301}", "\u{2060}"] {
        registry.delete_group(&tenant.actor, &typed(name)).await.unwrap();
    }
    // The request is repeated, since the response was lost.
    let again = registry.delete_group(&tenant.actor, &typed("Cafe\u{301}")).await;
    assert_eq!(again, Err(GroupError::NotFound), "not the one that looks like it");
    assert_eq!(members("Cafe\u{301}").await, "");
    let renamed = registry.rename_group(&tenant.actor, &typed("Cafe\u{301}"), &typed("Other")).await;
    assert_eq!(renamed, Err(GroupError::NotFound));
    assert_eq!(groups_of(fixture, &tenant).await, [("Caf\u{e9}".to_owned(), 1), ("Seen".to_owned(), 1)]);
}

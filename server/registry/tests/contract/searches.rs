//! What a search finds: a text however it is written, a MAC address in any notation, and a list of device names.

use crate::fixture::{Fixture, MODEL, Tenant, device_name, device_names, matching, named, part_of, row, row_of};
use muster_domain::{
    CallOutcome, Change, DeviceFilter, DeviceQuery, GroupName, LeadingZeros, MAX_SEARCHED_NAMES, Matching, PricingTier,
    Sort, Targets,
};

fn search(text: &str) -> DeviceFilter {
    DeviceFilter { search: Some(text.to_owned()), ..DeviceFilter::default() }
}

async fn register(tenant: &Tenant, names: &[&str]) {
    let id = tenant.begin().await;
    tenant.part(id, part_of(0, 1, names.iter().map(|name| row(name)).collect())).await;
}

pub(crate) async fn search_ignores_unicode_composition(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let id = tenant.begin().await;
    let rows = [("new", "Jet Z\u{fc}rich"), ("old", "Jet Rome"), ("other", "Jet Zurich")];
    let rows = rows.map(|(name, friendly_name)| row_of([name, MODEL, friendly_name, "", ""]));
    tenant.part(id, part_of(0, 1, rows.into())).await;
    // As an earlier version of Muster stored it.
    let old = "Z\u{75}\u{308}\u{200b}rich";
    fixture.execute(&format!("UPDATE devices SET friendly_name = 'Jet {old}' WHERE name = 'old'")).await;
    fixture.execute(&format!("UPDATE segments SET text = REPLACE(text, 'Rome', '{old}'), version = version + 1")).await;
    for text in ["z\u{fc}rich", "ZU\u{308}RICH", "jet Z\u{dc}r", "\u{fc}", "u\u{308}r"] {
        assert_eq!(tenant.names(matching(search(text))).await, ["new", "old"], "{text:?}");
    }
    assert_eq!(tenant.names(matching(search("rich"))).await, ["new", "old", "other"]);
}

pub(crate) async fn mac_address_is_found_in_any_notation(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let names = [
        "70-B3-D5-49-95-85",
        "70:B3:D5:49:95:85",
        "70:b3:d5:49:95:85",
        "70B3.D549.9585",
        "70B3D5499585",
        "70B3D5499586",
        "gateway-70b3d5499585",
    ];
    register(&tenant, &names).await;
    let id = tenant.begin().await;
    tenant.part(id, part_of(0, 1, vec![row_of(["sensor", MODEL, "Gateway (70 B3 D5 49 95 85)", "", ""])])).await;
    let expected = [&names[..5], &["gateway-70b3d5499585", "sensor"]].concat();
    for text in [
        "70:B3:D5:49:95:85",
        "70-b3-d5-49-95-85",
        "70b3.d549.9585",
        "70B3D5499585",
        " 70 B3 D5 49 95 85",
        "70B3D5-499585",
    ] {
        assert_eq!(tenant.names(matching(search(text))).await, expected, "{text}");
    }
    // In a list, an address that is a name finds only that; another finds each of its notations.
    let listed = tenant.names(matching(search("70:B3:D5:49:95:85\n70-B3-D5-49-95-86\n"))).await;
    assert_eq!(listed, ["70:B3:D5:49:95:85", "70B3D5499586"]);
}

pub(crate) async fn list_finds_exactly_its_devices(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    register(&tenant, &["Pump-1", "Pump-10", "Pump-2", "pump-2", "Jet"]).await;
    let id = tenant.begin().await;
    tenant.part(id, part_of(0, 1, vec![row_of(["x", MODEL, "Jet no; 9", "", ""])])).await;
    let check = async |text: &str, expected: &[&str], not_found: &[&str]| {
        let page = tenant.page(matching(search(text))).await;
        let found: Vec<_> = page.items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(
            (found.as_slice(), page.names_not_found.first.iter().map(String::as_str).collect::<Vec<_>>()),
            (expected, not_found.to_vec()),
            "{text:?}"
        );
        assert_eq!(
            fixture.registry.count_devices(&tenant.actor, &search(text)).await.unwrap() as usize,
            expected.len()
        );
    };
    for separator in ["\n", "\r\n", ",", ", ", ";", "\t", " ", "\n\n", "\",\""] {
        check(&["Pump-1", "Pump-2"].join(separator), &["Pump-1", "Pump-2"], &[]).await;
        check(&["Pump-2", "Pump-9", "Pump-1", "Pump-2", "A"].join(separator), &["Pump-1", "Pump-2"], &["Pump-9", "A"])
            .await;
    }
    check("\"Pump-1\"\n\"Pump-2\"\n", &["Pump-1", "Pump-2"], &[]).await;
    check("Pump-1,", &["Pump-1"], &[]).await;
    check("Pump-7\nPump-8", &[], &["Pump-7", "Pump-8"]).await;
    check("Pump-7;Pump-8", &[], &["Pump-7", "Pump-8"]).await;
    check("Z\u{fc}rich\nPump-1", &["Pump-1"], &["Z\u{fc}rich"]).await;
    // One word is a text, and so are words that occur in a device's text.
    check("Pump-1", &["Pump-1", "Pump-10"], &[]).await;
    check("Jet no", &["x"], &[]).await;
    check("jet no; 9", &["x"], &[]).await;
    check("no such words", &[], &[]).await;
}

/// It combines with other filters, every order, paging, and actions on all matches.
pub(crate) async fn list_combines_with_other_filters(fixture: &Fixture) {
    let (tenant, other, registry) = (fixture.tenant("alpha").await, fixture.tenant("beta").await, &fixture.registry);
    let tiers = ["Small", "Large", "Medium"];
    let rows = (0..60)
        .map(|at: usize| row_of([&format!("d{at:02}"), MODEL, &format!("n{}", at * 37 % 60), "", tiers[at % 3]]));
    let (first, second): (Vec<_>, Vec<_>) = rows.enumerate().partition(|(at, _)| at % 2 == 0);
    let mut tokens = Vec::new();
    for some in [first, second] {
        let id = tenant.begin().await;
        tokens.extend(tenant.part(id, part_of(0, 1, some.into_iter().map(|(_, row)| row).collect())).await.tokens);
    }
    for (_, token) in tokens.iter().step_by(4) {
        fixture.world.pass_ms(1_000);
        fixture.report(token, "{}").await;
    }
    register(&other, &["d00", "d01", "theirs"]).await;
    let listed: Vec<String> = (0..60).step_by(3).map(|at| format!("d{at:02}")).collect();
    let list = format!("{}\ntheirs\nnobody", listed.join("\n"));
    let group = GroupName::parse("Berlin").unwrap();
    let members = device_names(&["d00", "d01", "d03", "d04"]);
    registry.change_devices(&tenant.actor, &named(&members), &Change::AddToGroup(group.clone())).await.unwrap();
    let everything = registry.devices(&tenant.actor, &matching(DeviceFilter::default())).await.unwrap().items;

    for server in [fixture.another_server().await, fixture.another_that_compacts().await] {
        for sort in [Sort::Name, Sort::Model, Sort::FriendlyName, Sort::Tier, Sort::Status, Sort::LastSeen] {
            for is_descending in [false, true] {
                let query =
                    DeviceQuery { sort, is_descending, limit: 500, filter: search(&list), ..DeviceQuery::default() };
                let found = server.devices(&tenant.actor, &query).await.unwrap();
                let query = DeviceQuery { filter: DeviceFilter::default(), ..query };
                let mut expected = server.devices(&tenant.actor, &query).await.unwrap().items;
                expected.retain(|item| listed.contains(&item.name.to_string()));
                assert_eq!(found.items, expected, "{sort:?} {is_descending}");
                assert_eq!(found.names_not_found.first, ["theirs", "nobody"]);
            }
        }
        let of_group = DeviceFilter { groups: vec![group.clone()], ..search(&list) };
        assert_eq!(tenant.on(&server).names(matching(of_group.clone())).await, ["d00", "d03"]);
        assert_eq!(server.count_devices(&tenant.actor, &of_group).await.unwrap(), 2);
        let large = DeviceFilter { tier: Some(PricingTier::Large), ..search("d01 d02 d04") };
        assert_eq!(tenant.on(&server).names(matching(large)).await, ["d01", "d04"]);
    }

    let chosen = Matching {
        filter: search(&list),
        registered_by: registry.now(),
        except: vec![device_name("d00")],
        after: None,
    };
    let deleted = registry.change_devices(&tenant.actor, &Targets::Matching(chosen), &Change::Delete).await.unwrap();
    assert_eq!(deleted, CallOutcome { devices: 19, next: None });
    assert_eq!(tenant.devices().await as usize, everything.len() - 19);
    assert_eq!(tenant.names(matching(search(&list))).await, ["d00"]);
    assert_eq!(other.devices().await, 3);
}

pub(crate) async fn length_of_list_is_limited(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let long = |at: usize| format!("{at:0>128}");
    let names: Vec<String> = (0..MAX_SEARCHED_NAMES).map(long).collect();
    register(&tenant, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let list = names.join("\n");
    assert_eq!(fixture.registry.count_devices(&tenant.actor, &search(&list)).await.unwrap(), 1_000);
    assert!(!muster_registry::has_too_many_names(&list));
    let longer = format!("{list}\none-more");
    assert!(muster_registry::has_too_many_names(&longer));
    assert_eq!(fixture.registry.count_devices(&tenant.actor, &search(&longer)).await.unwrap(), 0);
}

/// A spreadsheet makes `12345` of `0012345`.
pub(crate) async fn names_without_their_leading_zeros_are_recognized(fixture: &Fixture) {
    let (tenant, other) = (fixture.tenant("alpha").await, fixture.tenant("beta").await);
    let (long, padded) = ("9".repeat(126), format!("00{}", "9".repeat(126)));
    let zeros = format!("{}7", "0".repeat(20));
    let too_many = format!("{}8", "0".repeat(21));
    register(&tenant, &["0012345", "012345", "00777", "777", "05", "0", "0x9", "0012-3", &padded, &zeros, &too_many])
        .await;
    register(&other, &["00444"]).await;
    let asked = ["12345", "777", "444", "5", "0012345", "x9", "12-3", "99", &long, "7", "8"];
    let found = fixture.registry.registered_with_leading_zeros(&tenant.actor, &device_names(&asked)).await.unwrap();
    let found: Vec<_> = found.iter().map(|pair| (pair.name.as_str(), pair.registered.as_str())).collect();
    assert_eq!(found, [("12345", "012345"), ("5", "05"), (&*long, &*padded), ("7", &*zeros)]);
    let found = fixture.registry.registered_with_leading_zeros(&other.actor, &device_names(&asked)).await.unwrap();
    assert_eq!(found, [LeadingZeros { name: device_name("444"), registered: device_name("00444") }]);
    let many: Vec<String> = (1..=1_000).map(|at| format!("{at}")).collect();
    let many = device_names(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(fixture.registry.registered_with_leading_zeros(&tenant.actor, &many).await.unwrap().len(), 2);
}

/// After a search in a group that nothing can match, the group is not taken for empty.
pub(crate) async fn impossible_search_in_a_group_finds_nothing(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    register(&tenant, &["a", "b"]).await;
    let berlin = GroupName::parse("Berlin").unwrap();
    let join = Change::AddToGroup(berlin.clone());
    fixture.registry.change_devices(&tenant.actor, &named(&device_names(&["a"])), &join).await.unwrap();
    let in_group = |filter| DeviceFilter { groups: vec![berlin.clone()], ..filter };
    for text in ["a\0", &"x".repeat(2_000)] {
        assert_eq!(tenant.names(matching(in_group(search(text)))).await, [""; 0]);
    }
    assert_eq!(tenant.names(matching(in_group(DeviceFilter::default()))).await, ["a"]);
}

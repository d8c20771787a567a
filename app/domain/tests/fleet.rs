//! The types of the fleet as they travel: their JSON, what is refused, and their limits.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use muster_domain::{
    Change, Cursor, DeviceFilter, DeviceItem, DeviceName, DeviceQuery, GroupName, Matching, NamesNotFound,
    PagePosition, PricingTier, Sort, Status, Targets, Timestamp, rejection_in,
};
use serde_json::{Value, json};

fn device(text: &str) -> DeviceName {
    DeviceName::parse(text).unwrap()
}

#[test]
fn query_travels_as_json() {
    let all = json!({ "search": null, "status": null, "model": null, "tier": null, "groups": [], "never_seen": false,
        "registration": null, "silent_hours": null });
    let check = |query: DeviceQuery, expected: Value| {
        assert_eq!(serde_json::to_value(&query).unwrap(), expected);
        assert_eq!(serde_json::from_value::<DeviceQuery>(expected).unwrap(), query);
    };
    check(
        DeviceQuery::default(),
        json!({ "filter": all, "sort": "Name", "is_descending": false, "position": "First", "limit": 100 }),
    );
    let position = PagePosition::After(Cursor { name: device("d1"), key: "a~b".to_owned() });
    check(
        DeviceQuery { sort: Sort::Model, position, limit: 7, ..DeviceQuery::default() },
        json!({ "filter": all, "sort": "Model", "is_descending": false, "position": { "After": "d1~a~b" }, "limit": 7 }),
    );
    let without_limit = json!({ "filter": all, "sort": "Name", "is_descending": false, "position": "First" });
    assert_eq!(serde_json::from_value::<DeviceQuery>(without_limit).unwrap(), DeviceQuery::default());
}

#[test]
fn name_that_breaks_its_rule_is_refused_with_its_sentence() {
    let check = |input: &str, expected: Option<&str>| {
        let error = serde_json::from_str::<(Targets, Change)>(input).unwrap_err().to_string();
        assert_eq!(rejection_in(&error), expected, "{error}");
    };
    let long = format!(r#"[{{"Named": ["{}"]}}, "Delete"]"#, "x".repeat(129));
    check(&long, Some("A device name has at most 128 characters, and this one has 129"));
    check(
        r#"[{"Named": ["a b"]}, "Delete"]"#,
        Some("A device name cannot contain a space. The letters A-Z and a-z, digits, and . _ : - are allowed"),
    );
    check(
        r#"[{"Named": []}, {"AddToGroup": ""}]"#,
        Some("A device group's name is 1 to 128 characters, without line breaks."),
    );
    // Another shape than the type has: no person typed that.
    for input in
        ["", "[", "[7]", r#"[{"Named": [7]}, "Delete"]"#, r#"[{"Named": []}, "rejected: x"]"#, r#"[{"named": []}, 1]"#]
    {
        check(input, None);
    }
    let cursor = serde_json::from_str::<PagePosition>(r#"{"After": "~7"}"#).unwrap_err().to_string();
    assert_eq!(rejection_in(&cursor), Some("The device name is missing. Every device needs one"));
}

#[test]
fn cursor_is_the_place_of_a_device() {
    let item = DeviceItem {
        name: device("d1"),
        model: "Contoso.Pump".parse().unwrap(),
        friendly_name: Some("Jet ÄB".to_owned()),
        tier: PricingTier::Large,
        status: Status::Disabled,
        last_seen: Some(Timestamp::from_ms(-5)),
    };
    let check = |sort: Sort, expected: &str| {
        let cursor = item.cursor(sort);
        assert_eq!(cursor.to_string(), expected);
        assert_eq!(Cursor::parse(expected).unwrap(), cursor);
    };
    check(Sort::Name, "d1");
    check(Sort::Model, "d1~Contoso.Pump");
    check(Sort::FriendlyName, "d1~jet Äb");
    check(Sort::Tier, "d1~3");
    check(Sort::Status, "d1~2");
    check(Sort::LastSeen, "d1~-5");
}

#[test]
fn hours_of_silence_are_counted_from_when_devices_were_chosen() {
    let hour = 3_600_000;
    let filter = |silent_hours| DeviceFilter { silent_hours, ..DeviceFilter::default() };
    let check = |hours: Option<u32>, registered_by_ms: i64, now_ms: i64, expected: Option<i64>| {
        let registered_by = Timestamp::from_ms(registered_by_ms);
        let matching = Matching { filter: filter(hours), registered_by, except: Vec::new(), after: None };
        assert_eq!(matching.silent_since(Timestamp::from_ms(now_ms)).map(Timestamp::as_ms), expected);
    };
    check(None, 9 * hour, 10 * hour, None);
    check(Some(2), 9 * hour, 10 * hour, Some(7 * hour));
    check(Some(2), i64::MAX, 10 * hour, Some(8 * hour));
    check(Some(2), i64::MIN, 10 * hour, Some(i64::MIN));
    check(Some(u32::MAX), 0, 0, Some(-87_600 * hour));
}

#[test]
fn lists_are_limited() {
    let names = |count: usize| vec![device("d"); count];
    let groups =
        |count: usize| DeviceFilter { groups: vec![GroupName::parse("g").unwrap(); count], ..DeviceFilter::default() };
    let matching = |filter: DeviceFilter, except: usize| {
        Targets::Matching(Matching { filter, registered_by: Timestamp::default(), except: names(except), after: None })
    };
    let check = |targets: Targets, expected: Option<&str>| {
        assert_eq!(targets.check().err().map(|problem| problem.to_string()).as_deref(), expected);
    };
    let (many_names, many_groups) =
        ("At most 10,000 devices can be named in one call.", "At most 1,000 device groups can be chosen at once.");
    check(Targets::Named(names(10_000)), None);
    check(Targets::Named(names(10_001)), Some(many_names));
    check(matching(groups(1_000), 10_000), None);
    check(matching(groups(0), 10_001), Some(many_names));
    check(matching(groups(1_001), 0), Some(many_groups));
    let not_found = NamesNotFound::of((0..7).map(|at| at.to_string()).collect());
    assert_eq!((not_found.count, not_found.first.join(" ")), (7, "0 1 2 3 4".to_owned()));
}

#[test]
fn long_cursor_is_cut() {
    let key = |text: &str| Cursor::parse(text).unwrap().key;
    assert_eq!(key("d1~a~b"), "a~b");
    assert_eq!(key(&format!("d1~{}", "é".repeat(512))), "é".repeat(512));
    assert_eq!(key(&format!("d1~{}", "é".repeat(100_000))), "é".repeat(512));
}

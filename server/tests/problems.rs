//! Whatever a program asks for, a refusal is a problem (RFC 9457) with a sentence.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

mod support;

use support::Place;

#[test]
fn a_method_that_an_address_does_not_take_is_a_problem() {
    let place = Place::new();
    let server = place.serve();
    let cookie = server.sign_in();
    let origin = format!("http://{}", server.address);
    let headers = [("origin", origin.as_str()), ("cookie", cookie.as_str())];
    for (method, path, allowed) in [
        ("POST", "/healthz", "GET,HEAD"),
        ("DELETE", "/readyz", "GET,HEAD"),
        ("POST", "/metrics", "GET,HEAD"),
        ("PUT", "/assets/0/muster.css", "GET,HEAD"),
        ("GET", "/fn/me", "POST"),
    ] {
        let refused = server.ask(method, path, &headers, b"");
        assert_eq!((refused.status, refused.header("allow")), (405, allowed), "{method} {path}: {refused:?}");
        assert_eq!(refused.header("content-type"), "application/problem+json", "{method} {path}");
        let problem: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
        assert!(problem["detail"].as_str().unwrap().ends_with('.'), "{problem}");
    }
}

/// What would fail again is no temporary failure: browsers and devices must not retry it.
#[test]
fn damaged_data_is_an_internal_error() {
    let place = Place::new();
    let server = place.serve();
    let cookie = server.sign_in();
    assert_eq!(server.call_json("default-tier", &cookie, "{}").status, 200);
    let database = rusqlite::Connection::open(place.database()).unwrap();
    database.execute("UPDATE accounts SET default_tier = 9", []).unwrap();
    let failed = server.call_json("default-tier", &cookie, "{}");
    assert_eq!((failed.status, failed.body.as_str(), failed.header("retry-after")), (500, "\"Internal\"", ""));
}

/// The arguments of server functions are typed: a name is parsed before the function is called.
#[test]
fn wrong_name_in_a_request_is_refused_with_its_sentence() {
    let place = Place::new();
    let server = place.serve();
    let cookie = server.sign_in();
    let group = "A device group's name is 1 to 128 characters, without line breaks.";
    let device = "A device name cannot contain a space. The letters A-Z and a-z, digits, and . _ : - are allowed";
    let many_groups = "At most 1,000 device groups can be chosen at once.";
    let many_devices = "At most 10,000 devices can be named in one call.";
    let other_version = "Muster was updated. Reload the page.";
    let zero_width = "\u{200b}".repeat(10);
    let filter = |groups: Vec<&str>| serde_json::json!({ "groups": groups, "never_seen": false });
    for (function, body, sentence) in [
        ("make-group", serde_json::json!({ "name": "" }), group),
        ("make-group", serde_json::json!({ "name": "a\nb" }), group),
        ("make-group", serde_json::json!({ "name": zero_width }), group),
        ("delete-group", serde_json::json!({ "name": "x".repeat(129) }), group),
        (
            "delete-model",
            serde_json::json!({ "name": "A." }),
            "A model name has exactly one dot between its parts, and none at its ends",
        ),
        ("change-devices", serde_json::json!({ "targets": { "Named": ["a", "b c"] }, "change": "Disable" }), device),
        (
            "change-devices",
            serde_json::json!({ "targets": { "Named": vec!["a"; 10_001] }, "change": "Disable" }),
            many_devices,
        ),
        ("change-devices", serde_json::json!({ "targets": { "Named": [] }, "change": "Refused" }), other_version),
        ("count-devices", serde_json::json!({ "filter": filter(vec!["a"; 1_001]) }), many_groups),
        ("count-devices", serde_json::json!({ "filter": 7 }), other_version),
    ] {
        let refused = server.call_json(function, &cookie, &body.to_string());
        let expected = serde_json::json!({ "Refused": sentence });
        assert_eq!((refused.status, refused.body), (422, expected.to_string()), "{function}");
    }
    let absent = server.call_json("device", &cookie, &serde_json::json!({ "name": "b c" }).to_string());
    assert_eq!((absent.status, absent.body.as_str()), (200, "null"), "an address of no device");
}

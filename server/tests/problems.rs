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

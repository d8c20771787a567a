//! `GET /metrics`: what it counts, and which clients may read it.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

mod support;

use std::{io::Write, process::Stdio};
use support::{Answer, Place};

/// The value of a series; `None`: it is not there.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find(|line| line.rsplit_once(' ').is_some_and(|(name, _)| name == series))?;
    line.rsplit_once(' ').unwrap().1.parse().ok()
}

#[test]
fn requests_and_registrations_are_counted() {
    let place = Place::new();
    let server = place.serve();
    let read = || server.get("/metrics").body;
    assert_eq!(value(&read(), "muster_registrations_total"), Some(0.0), "a counter is there before it counts");
    let cookie = server.sign_in();
    let begin = serde_json::json!({ "file_name": "a.csv", "devices": 1, "parts": 1, "group": null });
    assert_eq!(server.call_json("begin-registration", &cookie, &begin.to_string()).status, 200);
    for _ in 0..3 {
        server.ask("POST", "/device/v1/state", &[("authorization", "Bearer mst_none")], b"{}");
    }
    server.get("/devices/one?q=secret");
    server.get("/devices/some-unit");
    server.call_json("no-such-function", &cookie, "{}");
    server.ask("BREW", "/no/such/page", &[], b"");

    let metrics = read();
    for (series, expected) in [
        ("muster_registrations_total", 1.0),
        (r#"muster_http_requests_total{method="POST",route="/fn/sign-in",status="200"}"#, 1.0),
        (r#"muster_http_requests_total{method="POST",route="/device/v1/state",status="401"}"#, 3.0),
        (r#"muster_http_requests_total{method="POST",route="/fn/{*function}",status="404"}"#, 1.0),
        (r#"muster_http_request_duration_seconds_count{method="POST",route="/device/v1/state"}"#, 3.0),
        (r#"muster_device_reports_total{outcome="stored"}"#, 0.0),
        ("muster_index_unpublished_age_seconds", 0.0),
        (r#"muster_database_connections{pool="writer",state="used"}"#, 0.0),
    ] {
        assert_eq!(value(&metrics, series), Some(expected), "{series} in:\n{metrics}");
    }
    assert!(value(&metrics, "muster_connections").unwrap() >= 1.0, "{metrics}");
    for word in ["secret", "some-unit", "no-such", "BREW", "example.com"] {
        assert!(!metrics.contains(word), "{word} in:\n{metrics}");
    }
    expect_no_complaint(&metrics);
}

/// Runs Prometheus' own check, `promtool check metrics`. Without it, the check is skipped with a message.
fn expect_no_complaint(metrics: &str) {
    let promtool = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        assert!(std::env::var_os("CI").is_none(), "promtool is missing: run scripts/install test");
        eprintln!("promtool is missing: the format of the metrics is not checked");
        return;
    };
    promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(said.status.success() && words.is_empty(), "{words}\n{metrics}");
}

#[test]
fn clients_outside_the_private_network_get_404() {
    let place = Place::new();
    let behind_proxy = place.serve_with(&[("MUSTER_TRUSTED_PROXIES", "127.0.0.1")]);
    for (server, header, value, expected) in [
        (&behind_proxy, "x-forwarded-for", "203.0.113.7", 404),
        (&behind_proxy, "forwarded", "for=203.0.113.7", 404),
        (&behind_proxy, "x-forwarded-for", "10.0.0.7", 200),
        (&behind_proxy, "", "", 200),
        // An unknown proxy on this machine may forward requests from anywhere.
        (&Place::new().serve(), "x-forwarded-for", "10.0.0.7", 404),
    ] {
        let headers = [(header, value)];
        let headers = if header.is_empty() { &[][..] } else { &headers };
        let answer = server.ask("GET", "/metrics", headers, b"");
        assert_eq!(answer.status, expected, "{header}: {value}: {answer:?}");
    }
}

#[test]
fn a_separate_listener_replaces_the_route_of_the_portal() {
    let place = Place::new();
    let server = place.serve_with(&[("MUSTER_METRICS_LISTEN", "127.0.0.1:0")]);
    let line = server.wait_for("metrics are served");
    let address = line.rsplit_once("address=").unwrap().1;
    let mut connection = std::net::TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let metrics = Answer::read(connection);
    assert_eq!((metrics.status, metrics.body.contains("muster_build_info")), (200, true), "{metrics:?}");
    let on_the_portal = server.get("/metrics");
    assert!(!on_the_portal.body.contains("muster_build_info"), "{on_the_portal:?}");
    server.stop();
}

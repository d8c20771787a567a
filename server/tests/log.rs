//! What an operator who has only the log can say afterwards: who did what, from where. And no secret is in it.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

mod support;

use muster_app::fns::registrations::Part;
use std::{io::Write, process::Stdio};
use support::{EMAIL, PASSWORD, Place, Server};

const MODEL: &str = r#"{"@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "tm:ThingModel",
    "title": "Contoso.Pump", "properties": {"pressure": {"type": "number"}}}"#;

/// The tokens in an answer.
fn tokens(answer: &str) -> Vec<String> {
    let is_part = |letter: &char| letter.is_ascii_alphanumeric();
    answer.match_indices("mst_").map(|(at, _)| answer[at + 4..].chars().take_while(is_part).collect()).collect()
}

/// The arguments of a server function that takes bytes.
fn bytes_of(argument: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_allocvec(argument).unwrap()
}

/// Registers one device, and gives its token.
fn register_device(server: &Server, cookie: &str) -> String {
    let postcard = |function: &str, body: &[u8]| {
        let answer = server.call(function, cookie, "application/x-postcard", body);
        assert_eq!(answer.status, 200, "{function}: {answer:?}");
        answer.body
    };
    postcard("upload-model", &bytes_of(&MODEL.as_bytes()));
    let begin = serde_json::json!({ "file_name": "fleet.csv", "devices": 1, "parts": 1, "group": null });
    let begun = server.call_json("begin-registration", cookie, &begin.to_string());
    let registration = serde_json::from_str(&begun.body).unwrap();
    let part = part(registration, b"a,Contoso.Pump\n");
    tokens(&postcard("register-part", &bytes_of(&part))).remove(0)
}

/// The first part of a file.
fn part(registration: uuid::Uuid, bytes: &[u8]) -> Part {
    Part {
        registration,
        number: 0,
        attempt: 1,
        renew: false,
        slice: muster_app::fns::registrations::FileSlice {
            layout: muster_domain::Layout::default(),
            missing_fields: muster_domain::FieldSet::default(),
            first_line: 1,
            bytes: bytes.to_vec(),
        },
    }
}

#[test]
fn every_change_is_in_the_log_and_no_secret_is() {
    let place = Place::new();
    let server = place.serve_with(&[("MUSTER_LOG", "debug")]);
    let wrong = "wrong-guess-at-a-password";
    let typed_into_the_wrong_box = "my-secret-password@home";
    assert_eq!(server.try_sign_in(EMAIL, wrong).status, 422);
    assert_eq!(server.try_sign_in(typed_into_the_wrong_box, wrong).status, 422);
    let cookie = server.sign_in();
    let json = |function: &str, body: serde_json::Value| {
        let answer = server.call_json(function, &cookie, &body.to_string());
        assert_eq!(answer.status, 200, "{function}: {answer:?}");
        answer.body
    };
    let postcard = |function: &str, body: Vec<u8>| {
        let answer = server.call(function, &cookie, "application/x-postcard", &body);
        assert_eq!(answer.status, 200, "{function}: {answer:?}");
        answer.body
    };
    postcard("upload-model", bytes_of(&MODEL.as_bytes()));
    let forged = "fleet.csv\nINFO signed in account=\"main\" user=\"forged\u{1b}[31m\"";
    json("begin-registration", serde_json::json!({ "file_name": forged, "devices": 3, "parts": 1, "group": "Berlin" }));
    let begun = server.wait_for("registration begun");
    let id: uuid::Uuid = begun.split("registration=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let part = part(id, b"a,Contoso.Pump\nb,Contoso.Pump\nc,Contoso.Valve\n");
    let mut secrets = tokens(&postcard("register-part", bytes_of(&part)));
    assert_eq!(secrets.len(), 2);
    json("finish-registration", serde_json::json!({ "registration": id }));
    let both = serde_json::json!({ "Named": ["a", "b"] });
    let made = json(
        "generate-tokens",
        serde_json::json!({ "targets": both, "old": "RevokeNow", "job": { "id": id, "attempt": 1 } }),
    );
    secrets.extend(tokens(&made));
    assert_eq!(secrets.len(), 4);
    for change in [
        serde_json::json!("Disable"),
        serde_json::json!({ "Tier": "Large" }),
        serde_json::json!({ "AddToGroup": "Paris" }),
        serde_json::json!({ "RemoveFromGroup": "Paris" }),
    ] {
        json("change-devices", serde_json::json!({ "targets": both, "change": change }));
    }
    json("rename-group", serde_json::json!({ "from": "Paris", "to": "Roma" }));
    json("make-group", serde_json::json!({ "name": "Wien" }));
    json("delete-group", serde_json::json!({ "name": "Wien" }));
    json("set-default-tier", serde_json::json!({ "tier": "Medium" }));
    json("change-devices", serde_json::json!({ "targets": { "Named": ["b"] }, "change": "Delete" }));
    json("undo-registration", serde_json::json!({ "registration": id, "after": null }));
    json("delete-model", serde_json::json!({ "name": "Contoso.Pump" }));
    json("sign-out", serde_json::json!({}));

    let by_admin = format!("account=\"main\" user=\"{EMAIL}\" address=\"127.0.0.1\"");
    for words in [
        "sign-in failed",
        "signed in",
        "model uploaded",
        "registration begun",
        "registration finished",
        "tokens generated",
        "devices changed",
        "device group renamed",
        "device group created",
        "device group deleted",
        "default pricing tier changed",
        "registration undone",
        "model deleted",
        "signed out",
    ] {
        let line = server.wait_for(words);
        assert!(line.contains(" INFO ") && line.contains(&by_admin), "{words}: {line}");
    }
    for words in [
        "sign-in failed account=\"unknown\" user=\"unknown\" address=\"127.0.0.1\" limit_reached=false",
        "model=\"Contoso.Pump\" is_new=true",
        "devices=3 group=\"Berlin\"",
        "registered=2 already=0 failed=1",
        "devices=2 ends_old_tokens=true",
        "change=\"disabled\" to=\"\" devices=2",
        "change=\"pricing tier\" to=\"Large\" devices=2",
        "change=\"added to group\" to=\"Paris\" devices=2",
        "change=\"removed from group\" to=\"Paris\" devices=2",
        "change=\"deleted\" to=\"\" devices=1",
        "group=\"Paris\" new_name=\"Roma\"",
        "tier=\"Medium\"",
        "devices=1",
    ] {
        server.wait_for(words);
    }
    // Ten wrong guesses, of which one was above.
    for _ in 0..9 {
        server.try_sign_in("colleague@example.com", wrong);
    }
    for _ in 0..2 {
        server.try_sign_in("colleague@example.com", wrong);
    }
    server.wait_for("limit_reached=true");
    let log = server.stop();
    assert!(!log.lines().any(|line| line.contains("INFO signed in") && line.starts_with("INFO")), "a forged line");
    assert!(!log.contains('\u{1b}'), "nothing steers a terminal");

    // The commands say it, too.
    let mut all = log;
    for (args, input, words) in [
        (&["account", "add", "beta"][..], "", "account added account=\"beta\" by=\"the command line\""),
        (
            &["user", "add", "eve@example.com", "--account", "beta"],
            "first-password-1\n",
            "user added account=\"beta\" user=\"eve@example.com\" by=\"the command line\"",
        ),
        (
            &["user", "password", "eve@example.com"],
            "second-password-2\n",
            "password changed, sessions ended account=\"beta\" user=\"eve@example.com\" by=\"the command line\"",
        ),
    ] {
        let mut command = place.command(&[], args);
        command.env("MUSTER_LOG", "debug").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && said.contains(words), "{said}");
        all += &said;
    }
    let session = cookie.split_once('=').unwrap().1;
    let others = [wrong, typed_into_the_wrong_box, PASSWORD, session, "first-password-1", "second-password-2"];
    for secret in secrets.iter().map(String::as_str).chain(others) {
        assert!(!all.contains(secret), "{secret} in:\n{all}");
    }
}

#[test]
fn a_request_is_found_in_the_log_by_the_id_in_its_response() {
    for format in ["text", "json"] {
        let place = Place::new();
        let server = place.serve_with(&[("MUSTER_LOG_FORMAT", format), ("MUSTER_LOG", "debug,sqlx=warn")]);
        let cookie = server.sign_in();
        let seen = server.call_json("me", &cookie, "{}");
        assert_eq!(seen.status, 200, "{seen:?}");
        let line = server.wait_for_all(&[seen.header("x-request-id"), "a response was sent"]);
        if format == "json" {
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            let span = &line["span"];
            assert_eq!(line["level"], "DEBUG", "{line}");
            assert_eq!(line["status"], "200 OK", "{line}");
            assert_eq!(
                (&span["method"], &span["path"], &span["account"]),
                (&"POST".into(), &"/fn/me".into(), &"main".into())
            );
            // The lines on standard output are for a person; all others must be readable by a program.
            let log = server.log();
            let lines = log.lines().filter(|line| !line.starts_with("Muster is at") && !line.starts_with("Sign in as"));
            for line in lines {
                serde_json::from_str::<serde_json::Value>(line).unwrap();
            }
        } else {
            for words in ["method=POST path=\"/fn/me\"", "account=\"main\"", "status=200"] {
                assert!(line.contains(words), "{words}: {line}");
            }
        }
        // A request of a device is found by its account, too.
        let token = register_device(&server, &cookie);
        let bearer = format!("Bearer mst_{token}");
        let stored = server.ask("POST", "/device/v1/state", &[("authorization", &bearer)], br#"{"pressure": 1}"#);
        assert_eq!(stored.status, 204, "{stored:?}");
        let line = server.wait_for_all(&[stored.header("x-request-id"), "a response was sent"]);
        if format == "json" {
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            let span = &line["span"];
            assert_eq!(
                (&span["method"], &span["path"], &span["account"]),
                (&"POST".into(), &"/device/v1/state".into(), &"main".into())
            );
            assert!(span["device"].is_string(), "{line}");
        } else {
            for words in ["method=POST path=\"/device/v1/state\"", "account=\"main\" device=", "status=204"] {
                assert!(line.contains(words), "{words}: {line}");
            }
        }
        // A problem's body has it as well, because clients log bodies rather than headers.
        let refused = server.ask("POST", "/device/v1/state", &[("x-request-id", "forged")], b"");
        let problem: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!(problem["request_id"], refused.header("x-request-id"), "{refused:?}");
        assert_ne!(problem["request_id"], "forged");
    }
}

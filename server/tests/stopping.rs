//! The end of `muster serve` and of the other commands: what is under way is finished, and the database is one file.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use support::{Answer, PASSWORD, Place, Server};

/// A sign-in that the server has begun with, and of which one byte is still to come.
fn unfinished_sign_in(server: &Server) -> TcpStream {
    let body = serde_json::json!({ "email": support::EMAIL, "password": PASSWORD, "to": "/" }).to_string();
    let origin = format!("http://{}", server.address);
    let headers = [("origin", origin.as_str()), ("content-type", "application/json"), ("expect", "100-continue")];
    let mut connection = server.connect();
    let head = server.head("POST", "/fn/sign-in", &headers, body.len()).replace("HTTP/1.0", "HTTP/1.1");
    connection.write_all(head.as_bytes()).unwrap();
    // The server asks for the body once it wants to read it.
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(&body.as_bytes()[..body.len() - 1]).unwrap();
    connection
}

#[test]
fn requests_under_way_are_finished_and_the_database_is_one_file() {
    for signal in ["TERM", "INT"] {
        let place = Place::new();
        let mut server = place.serve();
        assert_eq!(server.get("/readyz").status, 200);
        server.sign_in();
        assert!(place.files().len() > 1, "the write-ahead log is in use: {:?}", place.files());
        let mut connection = unfinished_sign_in(&server);
        server.signal(signal);
        server.wait_for("stopping");

        let (ready, health) = (server.get("/readyz"), server.get("/healthz"));
        assert_eq!((ready.status, health.status), (503, 200), "{ready:?}");
        assert_eq!(server.get("/sign-in").status, 503, "what is new is for another server");
        connection.write_all(b"}").unwrap();
        let answer = Answer::read(connection);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(server.ended().success());
        assert_eq!(place.files(), ["muster.db"], "{}", server.log());
        assert_eq!(server.complaints(), [""; 0]);

        // The file alone is the whole database.
        let copy = Place::new();
        fs::create_dir(copy.data()).unwrap();
        fs::copy(place.database(), copy.database()).unwrap();
        copy.serve().sign_in();
    }
}

#[test]
fn request_that_never_ends_is_cut_off() {
    let place = Place::new();
    let mut server = place.serve();
    server.sign_in();
    let _connection = unfinished_sign_in(&server);
    server.signal("TERM");
    assert!(server.ended().success());
    assert!(server.log().contains("cut off"), "{}", server.log());
    assert_eq!(place.files(), ["muster.db"]);
}

#[test]
fn second_signal_ends_the_process_immediately() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let place = Place::new();
        let mut server = place.serve();
        let _connection = unfinished_sign_in(&server);
        server.signal("TERM");
        server.wait_for("stopping");
        let begun = Instant::now();
        server.signal(signal);
        let status = server.ended();
        assert_eq!((status.code(), status.signal()), (Some(code), None));
        assert!(!server.log().contains("cut off") && begun.elapsed() < Duration::from_secs(5), "{}", server.log());
        // What was there is there at the next start.
        place.serve().sign_in();
    }
}

#[test]
fn signals_are_heard_at_the_prompt_of_a_command() {
    let place = Place::new();
    place.serve().stop();
    let mut command = place.command(&[], &["user", "password", support::EMAIL]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The prompt comes when the database is open.
    let mut prompt = [0; 8];
    child.stderr.as_mut().unwrap().read_exact(&mut prompt).unwrap();
    assert_eq!(&prompt, b"Password");
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    // Nobody types anything, nor closes the input.
    let input = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(input);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("stopped before it was done"), "{stderr}");
    assert_eq!(place.files(), ["muster.db"]);
    place.serve().sign_in();
}

//! Who may read the data folder and what is in it; and what becomes of a database that may only be read.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use std::{fs, process::Command};
use support::{Answer, Place, Server, mode, set_mode};

#[test]
fn the_data_folder_is_its_owners() {
    let place = Place::new();
    let server = place.serve();
    server.sign_in();
    assert_eq!(mode(&place.data()), 0o700);
    let files = place.files();
    assert!(files.len() > 1);
    for file in files {
        assert_eq!(mode(&place.data().join(&file)), 0o600, "{file}");
    }
}

#[test]
fn files_that_others_can_read_are_tightened_at_the_start() {
    let place = Place::new();
    let mut server = place.serve();
    server.sign_in();
    server.signal("KILL");
    server.ended();
    let files = place.files();
    assert!(files.len() > 1, "{files:?}");
    for file in &files {
        set_mode(&place.data().join(file), 0o644);
    }
    set_mode(&place.data(), 0o755);

    let server = place.serve();
    assert_eq!(mode(&place.data()), 0o700);
    for file in place.files() {
        assert_eq!(mode(&place.data().join(&file)), 0o600, "{file}");
    }
    let tightened = server.log().lines().filter(|line| line.contains("now its owner alone can")).count();
    assert_eq!(tightened, files.len() + 1, "{}", server.log());
    server.sign_in();
}

/// A server as a user who has no rights but those that the files give: root has to give up what it has beyond them.
fn serve_without_privileges(place: &Place) -> Server {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let through: &[&str] = if is_root { &["setpriv", "--bounding-set=-dac_override,-dac_read_search"] } else { &[] };
    Server::start(place.command(through, &["serve", "--listen", "127.0.0.1:0"]))
}

#[test]
fn database_that_may_only_be_read_shows_its_pages() {
    let place = Place::new();
    let server = place.serve();
    let cookie = server.sign_in();
    server.stop();
    set_mode(&place.database(), 0o400);
    set_mode(&place.data(), 0o500);

    let server = serve_without_privileges(&place);
    let ready = server.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("read-only"), "{ready:?}");
    assert_eq!(server.get("/healthz").status, 200);
    let page = server.ask("GET", "/devices", &[("cookie", &cookie)], b"");
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains(support::EMAIL), "{page:?}");
    let check = |answer: Answer| {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.body.contains("The database is read-only now"), "{answer:?}");
    };
    check(server.call_json("make-group", &cookie, r#"{"name": "Berlin"}"#));
    check(server.try_sign_in(support::EMAIL, support::PASSWORD));
    let complaints = server.complaints();
    let [opened, ready] = complaints.as_slice() else { panic!("{complaints:?}") };
    assert!(opened.contains("can only be read") && ready.contains("read-only"));
    server.stop();
    set_mode(&place.data(), 0o700);
    assert_eq!(place.files(), ["muster.db"]);
}

#[test]
fn full_disk_is_not_ready() {
    let place = Place::new();
    // A file that may not grow any more is what a full disk is to SQLite.
    let through = ["env", "--ignore-signal=XFSZ"];
    let server = Server::start(place.command(&through, &["serve", "--listen", "127.0.0.1:0"]));
    server.sign_in();
    let cookie = server.sign_in();
    let log = place.data().join("muster.db-wal");
    let limit = format!("--fsize={}", fs::metadata(log).unwrap().len());
    assert!(Command::new("prlimit").args(["--pid", &server.pid(), &limit]).status().unwrap().success());
    let ready = server.get("/readyz");
    assert_eq!(ready.status, 503, "{ready:?}");
    let page = server.ask("GET", "/devices", &[("cookie", &cookie)], b"");
    assert_eq!(page.status, 200, "people still see their pages: {page:?}");
}

//! `muster backup FILE`: a copy that is consistent and private, also while a server writes; and what it refuses.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

mod support;

use std::{
    fs,
    process::Output,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};
use support::{PATIENCE, Place, Server, mode};

fn group_name(at: usize) -> String {
    format!("group-{at:04}")
}

fn add_group(server: &Server, cookie: &str, at: usize) {
    let answer = server.call_json("make-group", cookie, &format!(r#"{{"name": "{}"}}"#, group_name(at)));
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// How many of the groups the page of a server shows; those are the first of them, without a gap.
fn groups(server: &Server, cookie: &str) -> usize {
    let page = server.ask("GET", "/groups", &[("cookie", cookie)], b"");
    assert_eq!(page.status, 200);
    let count = (0..).take_while(|at| page.body.contains(&group_name(*at))).count();
    assert!(!(count..count + 1_000).any(|at| page.body.contains(&group_name(at))), "a gap after {count}");
    count
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn backup_of_a_server_that_writes_is_of_one_moment() {
    let place = Place::new();
    let server = place.serve();
    let cookie = server.sign_in();
    let (written, is_done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let begun = std::time::Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::SeqCst) && begun.elapsed() < PATIENCE {
                add_group(&server, &cookie, written.load(Ordering::SeqCst));
                written.fetch_add(1, Ordering::SeqCst);
            }
        });
        for number in 0..3 {
            while written.load(Ordering::SeqCst) < number * 5 + 2 {
                assert!(begun.elapsed() < PATIENCE);
                thread::yield_now();
            }
            let file = place.folder.path().join(format!("backup-{number}.db"));
            let before = written.load(Ordering::SeqCst);
            let output = place.run(&["backup", file.to_str().unwrap()]);
            // One more may have been stored, and not counted yet.
            let after = written.load(Ordering::SeqCst) + 1;
            assert!(output.status.success(), "{}", stderr(&output));
            assert!(String::from_utf8_lossy(&output.stdout).starts_with("Copied the database to "));
            assert_eq!(mode(&file), 0o600);

            let restored = Place::new();
            fs::create_dir(restored.data()).unwrap();
            fs::copy(&file, restored.database()).unwrap();
            let copy = restored.serve();
            // The session is in the copy, too.
            let there = groups(&copy, &cookie);
            assert!((before..=after).contains(&there), "{before} ≤ {there} ≤ {after}");
        }
        is_done.store(true, Ordering::SeqCst);
    });
    assert_eq!(groups(&server, &cookie), written.load(Ordering::SeqCst), "the server went on");
    server.stop();
    assert_eq!(place.files(), ["muster.db"]);

    // And of one that has been stopped, which leaves nothing beside it either.
    let output = place.run(&["backup", "stopped.db"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(place.files(), ["muster.db"]);
}

#[test]
fn refusals_say_why_and_leave_nothing_behind() {
    let place = Place::new();
    let nothing = Place::new();
    place.serve().stop();
    let folder = place.folder.path();
    fs::write(folder.join("taken.db"), "mine").unwrap();
    std::os::unix::fs::symlink(place.database(), folder.join("link.db")).unwrap();
    let before = fs::read(place.database()).unwrap();
    let check = |place: &Place, args: &[&str], expected: &str| {
        let output = place.run(&[&["backup"], args].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("muster: ") && said.contains(expected), "{said}");
    };
    check(&place, &["taken.db"], "taken.db already exists, and a backup never replaces a file");
    check(&place, &["data/muster.db"], "is the database itself");
    check(&place, &["link.db"], "is the database itself");
    check(&place, &["missing/backup.db"], "there is no folder missing");
    check(&place, &["data"], "already exists");
    check(&place, &[".."], "already exists");
    check(&place, &["/proc/backup.db"], "cannot be written");
    check(&nothing, &["backup.db"], "there is no database");
    check(&place, &["backup.db", "--database-url", "postgres://me:s3cret@127.0.0.1:1/muster"], "pg_dump");
    check(&place, &["backup.db", "--database-url", "mysql://me:s3cret@127.0.0.1/muster"], "must begin with");
    assert_eq!(fs::read(folder.join("taken.db")).unwrap(), b"mine");
    assert_eq!(fs::read(place.database()).unwrap(), before);
    let mut left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["data", "link.db", "taken.db"]);
    assert!(!nothing.data().exists(), "a backup begins no installation");
}

#[test]
fn full_disk_is_said_so_and_leaves_nothing_behind() {
    let place = Place::new();
    place.serve().stop();
    // A file of 64 KiB at most is a disk with so much room.
    let through = ["prlimit", "--fsize=65536", "env", "--ignore-signal=XFSZ"];
    let output = place.command(&through, &["backup", "backup.db"]).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("not enough space") || said.contains("cannot be copied"), "{said}");
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 1);
}

//! The dry run against a server and a clock that the test controls.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

mod common;

use common::{Failure, NEVER_MS, Server};
use muster_client::dry_run;
use muster_domain::DryRun;
use std::cell::{Cell, RefCell};

/// What the dry run gave, and the progress that it reported.
fn run(server: &Server) -> (Result<Option<DryRun>, Failure>, Vec<u64>) {
    let progress = RefCell::new(Vec::new());
    let outcome =
        server.clock.block_on(dry_run(&server, &server.report, || false, |rows| progress.borrow_mut().push(rows)));
    (outcome, progress.into_inner())
}

#[test]
fn answers_add_up_in_the_order_of_the_file() {
    let server = Server::new(30, |part, _| (1_000 - part * 10, None));
    let (outcome, progress) = run(&server);
    let whole = outcome.unwrap().unwrap();
    assert_eq!((whole.new, whole.already, whole.failed()), (30, 0, 30));
    let lines: Vec<u64> = whole.failures[0].first.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, (1..=10).map(|at| 2 * at).collect::<Vec<u64>>());
    assert_eq!(progress, (1..=30).map(|at| 2 * at).collect::<Vec<u64>>());
    assert_eq!(server.most_under_way.get(), 2);
    assert!(server.begun.borrow().is_empty(), "nothing is registered");
}

#[test]
fn part_without_an_answer_is_sent_again() {
    let server = Server::new(3, |part, attempt| (10, (part == 1 && attempt < 3).then_some(Failure::Lost)));
    let (outcome, _) = run(&server);
    assert_eq!(outcome.unwrap().unwrap().new, 3);
    assert_eq!(server.times_of(1).len(), 3);
    let silent = Server::new(1, |_, attempt| (if attempt == 1 { NEVER_MS } else { 10 }, None));
    assert_eq!(run(&silent).0.unwrap().unwrap().new, 1);
}

#[test]
fn failure_of_a_part_is_that_of_the_file() {
    let refused = Failure::Refused("No.".to_owned());
    let check = |failure: &Failure, attempts: usize| {
        let failure = failure.clone();
        let expected = failure.clone();
        let server = Server::new(5, move |part, _| (10, (part == 2).then(|| failure.clone())));
        assert_eq!(run(&server).0, Err(expected));
        assert_eq!(server.times_of(2).len(), attempts);
    };
    check(&refused, 1);
    check(&Failure::SignedOut, 1);
    check(&Failure::Lost, 8);
}

#[test]
fn file_that_changed_is_refused() {
    let server = Server::new(2, |_, _| (10, None));
    server.file.borrow_mut().fill(b'\n');
    assert_eq!(run(&server).0, Err(Failure::Refused("Changed.".to_owned())));
    assert!(server.attempts.borrow().is_empty());
    server.readable_bytes.set(1);
    assert_eq!(run(&server).0, Err(Failure::Refused("Unreadable.".to_owned())));
}

#[test]
fn no_more_parts_are_sent_after_giving_up() {
    let server = Server::new(100, |_, _| (10, None));
    let seen = Cell::new(0);
    let has_given_up = || {
        seen.set(seen.get() + 1);
        seen.get() > 10
    };
    let outcome = server.clock.block_on(dry_run(&&server, &server.report, has_given_up, |_| {}));
    assert_eq!(outcome, Ok(None));
    assert!(server.attempts.borrow().len() <= 10);
}

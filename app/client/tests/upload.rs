//! The upload against a server, a file and a clock that the test controls.

mod common;

use common::{Answer, Collected, Failure, NEVER_MS, Server};
use futures_util::future::join;
use muster_client::{Clock, NewRegistration, Pass, Stopped, UNAVAILABLE, Upload};

const KEPT: &str = "Devices already registered are kept.";
const FINISH_LATER: &str = "Upload the same file to continue; devices already registered are kept.";

/// The server registers every part, in a second.
fn registers(_: u32, _: usize) -> Answer {
    (1_000, None)
}

/// Uploads the file in one pass, and acts once after this time.
fn run_and<'a>(
    server: &'a Server,
    after_ms: u32,
    act: impl FnOnce(&Upload<&'a Server, &'a Collected>),
) -> &'a Collected {
    let upload = server.upload();
    let action = async {
        server.clock.sleep_ms(after_ms).await;
        act(&upload);
    };
    server.clock.block_on(join(upload.run(Pass::Register), action));
    &server.collected
}

fn run(server: &Server) -> &Collected {
    run_and(server, 0, |_| {})
}

/// The names of the devices in these rows, as `Collected::tokens` has them.
fn devices(rows: impl IntoIterator<Item = u32>) -> String {
    rows.into_iter().map(|row| format!("d{row} ")).collect()
}

/// The rows of `errors.csv` for these rows of the file, which fail with this sentence.
fn failed(rows: impl IntoIterator<Item = u32>, sentence: &str) -> Vec<(String, u64, String)> {
    rows.into_iter().map(|row| (format!("d{row}"), u64::from(row) + 1, sentence.to_owned())).collect()
}

#[test]
fn results_come_in_file_order_although_answers_do_not() {
    let server = Server::new(20, |part, _| (1_000 - part * 40, None));
    let collected = run(&server);
    assert_eq!(collected.tokens(), devices(0..40));
    assert_eq!(collected.totals(), (40, 20, 0, None));
    assert_eq!(collected.progress().tokens, 40);
    assert_eq!(server.most_under_way.get(), 6);
    let begun =
        NewRegistration { file_name: "devices.csv".to_owned(), devices: 40, parts: 20, group: "Pumps".parse().ok() };
    assert_eq!(*server.begun.borrow(), [begun]);
    assert_eq!(server.finished.borrow().len(), 1);
}

#[test]
fn lost_answer_is_retried_with_a_higher_attempt_number() {
    let check = |lost: Answer, sent_again_ms: u64| {
        let server =
            Server::new(3, move |part, attempt| if (part, attempt) == (1, 1) { lost.clone() } else { (10, None) });
        let collected = run(&server);
        assert_eq!((collected.tokens(), collected.totals()), (devices(0..6), (6, 3, 0, None)));
        assert_eq!(collected.waiting(), ["Can't reach Muster. Retrying in 1 s…"]);
        assert_eq!(collected.progress().waiting, None);
        let attempts = server.attempts.borrow();
        let of_part: Vec<_> = attempts.iter().filter(|attempt| attempt.part == 1).collect();
        assert_eq!(of_part.len(), 2);
        assert!(of_part[0].attempt < of_part[1].attempt);
        assert_eq!(of_part[1].at_ms, sent_again_ms);
    };
    // The pause of 375 ms ends at the next look at the clock.
    check((10, Some(Failure::Lost)), 410);
    // An answer that never comes is lost after 70 s.
    check((NEVER_MS, None), 70_400);
}

#[test]
fn busy_server_is_left_alone_for_as_long_as_it_asks() {
    let check = |retry_after_ms: u32, expected_ms: u64, waiting: &str| {
        let busy = Some(Failure::Busy { retry_after_ms });
        let server = Server::new(1, move |_, attempt| if attempt == 1 { (0, busy.clone()) } else { (0, None) });
        let collected = run(&server);
        assert_eq!(collected.totals(), (2, 1, 0, None));
        assert_eq!(server.times_of(0), [0, expected_ms]);
        assert_eq!(collected.waiting(), [waiting]);
    };
    check(0, 400, "Muster is busy. Retrying in 1 s…");
    check(3_000, 3_400, "Muster is busy. Retrying in 4 s…");
    check(600_000, 60_400, "Muster is busy. Retrying in 61 s…");
}

#[test]
fn upload_is_given_up_after_eight_attempts_and_the_remaining_rows_fail() {
    let check = |failure: Failure, note: &str| {
        let server = Server::new(20, move |part, _| if part == 2 { (10, Some(failure.clone())) } else { (10, None) });
        let collected = run(&server);
        assert_eq!(server.times_of(2).len(), 8);
        // Two parts are ahead of it, and five more were under way with it.
        assert_eq!(server.parts_sent(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(collected.tokens(), devices((0..4).chain(6..16)));
        assert_eq!(collected.errors(), failed((4..6).chain(16..40), UNAVAILABLE));
        assert_eq!(collected.totals(), (40, 7, 26, Some(Stopped::GivenUp)));
        let progress = collected.progress();
        assert_eq!((progress.note.as_deref(), progress.waiting), (Some(note), None));
        assert!(server.finished.borrow().is_empty());
    };
    check(Failure::Lost, &format!("Lost. {FINISH_LATER}"));
    check(Failure::Busy { retry_after_ms: 0 }, &format!("Busy {{ retry_after_ms: 0 }}. {FINISH_LATER}"));
}

#[test]
fn permanent_failure_is_not_retried_and_the_remaining_rows_fail_with_it() {
    let check = |failure: Failure, sentence: &str, next: &str| {
        let server = Server::new(20, move |part, _| (10, Some(failure.clone()).filter(|_| part == 0)));
        let collected = run(&server);
        assert_eq!(server.attempts.borrow().len(), 6);
        assert_eq!(collected.tokens(), devices(2..12));
        assert_eq!(collected.errors(), failed((0..2).chain(12..40), sentence));
        assert_eq!(collected.totals(), (40, 5, 30, Some(Stopped::GivenUp)));
        assert_eq!(collected.progress().note, Some(format!("{sentence} {next}")));
    };
    check(Failure::SignedOut, "SignedOut.", FINISH_LATER);
    check(Failure::Fault, "Fault.", KEPT);
}

#[test]
fn refused_part_fails_only_its_rows() {
    let server = Server::new(9, |part, _| (10, (part == 3).then(|| Failure::Refused("No.".to_owned()))));
    let collected = run(&server);
    assert_eq!(collected.tokens(), devices((0..6).chain(8..18)));
    assert_eq!(collected.errors(), failed(6..8, "No."));
    assert_eq!(collected.totals(), (18, 8, 2, None));
    assert_eq!(collected.progress().note, None);
    assert_eq!((server.times_of(3).len(), server.finished.borrow().len()), (1, 1));
}

#[test]
fn cancelled_upload_keeps_the_parts_that_are_under_way() {
    let server = Server::new(20, registers);
    let collected = run_and(&server, 1_500, Upload::cancel);
    assert_eq!(server.attempts.borrow().len(), 12);
    assert_eq!((collected.tokens(), collected.errors()), (devices(0..24), Vec::new()));
    assert_eq!(collected.totals(), (24, 12, 0, Some(Stopped::Cancelled)));
    assert_eq!(collected.progress().note, Some(format!("Stopped. {FINISH_LATER}")));
    assert!(server.finished.borrow().is_empty());
    assert_eq!(server.clock.now_ms(), 2_000);
}

#[test]
fn cancelled_upload_ends_its_pauses_and_fails_no_rows() {
    let server = Server::new(2, |_, _| (0, Some(Failure::Busy { retry_after_ms: 60_000 })));
    let collected = run_and(&server, 1_050, Upload::cancel);
    assert_eq!(collected.errors(), Vec::new());
    assert_eq!(collected.totals(), (0, 0, 0, Some(Stopped::Cancelled)));
    assert_eq!(collected.progress().waiting, None);
    assert_eq!(server.clock.now_ms(), 1_100);
}

#[test]
fn cancelled_beginning_sends_nothing() {
    let server = Server::new(2, registers);
    server.begin_failures.replace(vec![Failure::Lost]);
    let collected = run_and(&server, 50, Upload::cancel);
    assert_eq!((server.attempts.borrow().len(), server.begun.borrow().len()), (0, 1));
    assert_eq!((collected.errors(), collected.totals()), (Vec::new(), (0, 0, 0, Some(Stopped::Cancelled))));
}

#[test]
fn paused_upload_holds_the_parts_that_were_not_sent() {
    let server = Server::new(12, registers);
    let upload = server.upload();
    let actions = async {
        server.clock.sleep_ms(500).await;
        upload.pause(true);
        server.clock.sleep_ms(60_000).await;
        assert_eq!((server.collected.tokens(), server.collected.progress().is_paused), (devices(0..12), true));
        upload.pause(false);
    };
    server.clock.block_on(join(upload.run(Pass::Register), actions));
    let (before, after): (Vec<_>, Vec<_>) =
        server.attempts.borrow().iter().map(|attempt| attempt.at_ms).partition(|at_ms| *at_ms < 60_500);
    assert_eq!((before, after.len()), (vec![0; 6], 6));
    assert_eq!(server.collected.tokens(), devices(0..24));
    assert!(!server.collected.progress().is_paused);
}

/// Pressed when the last parts are already under way, the pause has nothing to hold, and must not hold the next pass.
#[test]
fn pause_ends_with_its_pass() {
    let server = Server::new(2, registers);
    let upload = server.upload();
    let actions = async {
        server.clock.sleep_ms(1).await;
        upload.pause(true);
    };
    server.clock.block_on(join(upload.run(Pass::Register), actions));
    let check = async {
        server.clock.sleep_ms(10_000).await;
        assert!(!server.collected.progress().is_paused);
    };
    server.clock.block_on(join(upload.run(Pass::Renew), check));
    assert_eq!(server.attempts.borrow().len(), 4);
}

#[test]
fn paused_upload_that_stops_holds_nothing() {
    let check = |failure: Option<Failure>, stop: fn(&Upload<&Server, &Collected>), totals| {
        let server = Server::new(12, move |part, _| (1_000, failure.clone().filter(|_| part == 0)));
        let collected = run_and(&server, 500, |upload| {
            upload.pause(true);
            stop(upload);
        });
        assert_eq!(collected.totals(), totals);
        assert_eq!((server.attempts.borrow().len(), server.clock.now_ms() <= 1_100), (6, true));
    };
    check(None, |upload| upload.cancel(), (12, 6, 0, Some(Stopped::Cancelled)));
    check(Some(Failure::SignedOut), |_| {}, (24, 5, 14, Some(Stopped::GivenUp)));
    // What became of it is not reported.
    check(None, |upload| upload.abandon(), (0, 0, 0, None));
}

#[test]
fn second_pass_belongs_to_the_same_registration() {
    // In the second pass, one part is refused: it has no rows in errors.csv, since its devices are registered.
    let server =
        Server::new(3, |part, attempt| (10, ((part, attempt) == (2, 2)).then(|| Failure::Refused("No.".to_owned()))));
    let upload = server.upload();
    server.clock.block_on(upload.run(Pass::Register));
    assert_eq!(server.collected.progress().already_never_connected, 3);
    server.clock.block_on(upload.run(Pass::Renew));
    let progress = server.collected.progress();
    assert_eq!((progress.rows_done, progress.registered, progress.already, progress.failed), (6, 3, 3, 0));
    assert_eq!((progress.already_never_connected, progress.tokens), (1, 8));
    assert_eq!(server.collected.tokens(), devices((0..6).chain(0..4)));
    assert_eq!((server.collected.errors(), server.collected.commits.get()), (Vec::new(), 2));
    assert_eq!((server.begun.borrow().len(), server.finished.borrow().len()), (1, 1));
    let attempts = server.attempts.borrow();
    let sent: Vec<_> = attempts.iter().map(|attempt| (attempt.part, attempt.attempt, attempt.renew)).collect();
    assert_eq!(sent, [(0, 1, false), (1, 2, false), (2, 3, false), (0, 4, true), (1, 5, true), (2, 6, true)]);
    assert!(attempts.iter().all(|attempt| attempt.registration == attempts[0].registration));
}

#[test]
fn failed_pass_can_be_run_again() {
    let server = Server::new(1, |_, attempt| (10, (attempt == 1).then_some(Failure::SignedOut)));
    let upload = server.upload();
    server.clock.block_on(upload.run(Pass::Register));
    assert_eq!(server.collected.totals(), (2, 0, 2, Some(Stopped::GivenUp)));
    server.clock.block_on(upload.run(Pass::Renew));
    assert_eq!((server.collected.progress().stopped, server.collected.progress().note), (None, None));
    assert_eq!(server.begun.borrow().len(), 1);
}

#[test]
fn unreadable_file_stops_the_upload() {
    let check = |has_copy: bool| {
        let server = Server::new(20, registers);
        server.copy.replace(has_copy.then(|| server.file.borrow().clone()));
        server.readable_bytes.set(server.report.parts[2].start);
        let collected = run(&server);
        assert_eq!(server.parts_sent(), [0, 1]);
        assert_eq!(collected.tokens(), devices(0..4));
        let expected = failed(4..40, "Unreadable.");
        // Without a copy, the names are no longer known.
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(name, line, why)| (if has_copy { name } else { String::new() }, line, why))
            .collect();
        assert_eq!(collected.errors(), expected);
        assert_eq!(collected.totals(), (40, 2, 36, Some(Stopped::GivenUp)));
        assert_eq!(collected.progress().note, Some(format!("Unreadable. {KEPT}")));
    };
    check(true);
    check(false);
}

#[test]
fn changed_file_stops_the_upload() {
    let server = Server::new(4, registers);
    let changed_at = server.report.parts[1].start as usize;
    server.file.borrow_mut()[changed_at] = b'!';
    let collected = run(&server);
    assert_eq!((server.parts_sent(), collected.tokens()), (vec![0], devices(0..2)));
    let mut expected = failed(2..8, "Changed.");
    // These rows are no longer those that were checked, so nothing is said of their content.
    expected[0].0.clear();
    expected[1].0.clear();
    assert_eq!(collected.errors(), expected);
    assert_eq!(collected.totals(), (8, 1, 6, Some(Stopped::GivenUp)));
}

#[test]
fn registration_that_cannot_begin_fails_all_rows() {
    let check = |failures: Vec<Failure>, attempts: usize, sentence: &str| {
        let server = Server::new(2, registers);
        server.begin_failures.replace(failures);
        let collected = run(&server);
        assert_eq!((server.begun.borrow().len(), server.attempts.borrow().len()), (attempts, 0));
        assert_eq!(collected.errors(), failed(0..4, sentence));
        assert_eq!(collected.totals(), (4, 0, 4, Some(Stopped::GivenUp)));
    };
    check(vec![Failure::Refused("No group.".to_owned())], 1, "No group.");
    check(vec![Failure::Lost; 8], 8, UNAVAILABLE);
}

#[test]
fn beginning_is_retried() {
    let server = Server::new(2, registers);
    server.begin_failures.replace(vec![Failure::Lost, Failure::Busy { retry_after_ms: 1_000 }]);
    let collected = run(&server);
    assert_eq!((server.begun.borrow().len(), collected.totals()), (3, (4, 2, 0, None)));
}

#[test]
fn abandoned_upload_drops_its_results_and_reports_nothing() {
    let server = Server::new(20, registers);
    let collected = run_and(&server, 500, |upload| {
        server.collected.reports.borrow_mut().clear();
        upload.abandon();
        upload.pause(true);
        upload.cancel();
        assert!(upload.is_abandoned());
    });
    assert_eq!(server.attempts.borrow().len(), 6);
    assert_eq!(
        (collected.tokens(), collected.errors(), collected.reports.borrow().len()),
        (String::new(), Vec::new(), 0)
    );
    assert!(server.finished.borrow().is_empty());
}

#[test]
fn upload_that_was_abandoned_before_it_ran_sends_nothing() {
    let server = Server::new(2, registers);
    let upload = server.upload();
    upload.abandon();
    server.clock.block_on(upload.run(Pass::Register));
    assert!(upload.is_abandoned() && server.begun.borrow().is_empty());
}

#[test]
fn tokens_that_cannot_be_stored_stop_the_upload() {
    let server = Server::new(20, registers);
    let upload = server.upload();
    server.collected.tokens_problem.replace(Some("Full.".to_owned()));
    server.clock.block_on(upload.run(Pass::Register));
    let results = &server.collected;
    assert_eq!(results.progress().tokens, 0);
    assert_eq!(results.progress().note, Some(format!("Full. {KEPT}")));
    // The first answer stops it: the others that were under way are counted, and the remaining rows fail.
    assert_eq!((server.attempts.borrow().len(), results.totals()), (6, (40, 6, 28, Some(Stopped::GivenUp))));
    assert_eq!(results.errors(), failed(12..40, "Full."));
}

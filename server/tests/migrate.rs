//! `muster migrate`, and the commands that must not migrate.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

mod support;

use std::process::Output;
use support::Place;

/// Makes the database look as if the last migration were still to be applied.
fn forget_the_last_migration(place: &Place) {
    let database = rusqlite::Connection::open(place.database()).unwrap();
    let last = "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    assert_eq!(database.execute(last, []).unwrap(), 1);
}

fn message(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn only_serve_and_migrate_change_a_schema() {
    let place = Place::new();
    let made = place.run(&["migrate"]);
    assert_eq!(String::from_utf8(made.stdout).unwrap(), "The database is up to date.\n");
    assert!(place.run(&["account", "add", "beta"]).status.success());
    forget_the_last_migration(&place);
    for refused in [&["account", "add", "gamma"][..], &["serve", "--no-migrate", "--listen", "127.0.0.1:0"]] {
        let output = place.run(refused);
        assert!(!output.status.success() && message(&output).contains("`muster migrate`"), "{refused:?}: {output:?}");
    }
}

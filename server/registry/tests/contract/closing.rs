//! The end: what was answered is stored, and a SQLite file is complete by itself.

use crate::fixture::{Fixture, START_MS, matching};
use futures_util::future::join_all;
use muster_domain::{DeviceFilter, DeviceQuery, Sort};
use muster_registry::{FakeWorld, Registry, StateError, StoreError};
use std::sync::Arc;

/// The names in the folder of the SQLite file.
fn files(fixture: &Fixture) -> Vec<String> {
    let folder = fixture.folder.as_ref().unwrap().join("made/on/the/way");
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Devices report while the registry closes: acknowledged reports are stored, and no others.
pub(crate) async fn acknowledged_reports_are_stored(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let names: Vec<String> = (0..50).map(|at| format!("d{at:02}")).collect();
    let tokens = tenant.register(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let server = fixture.another_server().await;
    let devices = join_all(tokens.iter().map(|token| fixture.connect(token))).await;
    let report = async |at: usize| {
        if at == 25 {
            server.close().await;
        }
        server.record_state(&devices[at], br#"{"altitude": 1}"#).await
    };
    let outcomes = join_all((0..50).map(report)).await;
    let mut acknowledged = 0;
    for (outcome, name) in outcomes.iter().zip(&names) {
        match outcome {
            Ok(()) => acknowledged += 1,
            Err(error) => assert_eq!(*error, StateError::Store(StoreError::Unavailable)),
        }
        let status = tenant.status(name).await.unwrap();
        assert_eq!(outcome.is_ok(), status == muster_domain::Status::Active, "{name}");
    }
    assert!(acknowledged < 50, "the one that closed the registry came too late");
}

pub(crate) async fn calls_after_closing_fail(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let server = fixture.another_server().await;
    server.close().await;
    server.close().await;
    assert_eq!(server.has_users().await, Err(StoreError::Unavailable));
    let query = DeviceQuery::default();
    assert!(server.devices(&tenant.actor, &query).await.is_err());
    assert_eq!(server.groups(&tenant.actor).await, Err(StoreError::Unavailable));
    assert!(fixture.registry.has_users().await.unwrap(), "another server is no matter of this one");
}

pub(crate) async fn sqlite_is_one_file_after_closing(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    tenant.register(&["a", "b"]).await;
    assert!(files(fixture).len() > 1, "the write-ahead log is in use");
    fixture.registry.close().await;
    assert_eq!(files(fixture), ["muster.db"]);

    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("muster.db");
    std::fs::copy(fixture.folder.as_ref().unwrap().join("made/on/the/way/muster.db"), &copy).unwrap();
    let url = format!("sqlite://{}", copy.display());
    let restored = Registry::open(&url, Arc::new(FakeWorld::at(START_MS))).await.unwrap();
    assert_eq!(tenant.on(&restored).devices().await, 2);
}

/// The next server knows the last-seen times immediately.
pub(crate) async fn closing_publishes_last_seen(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let server = fixture.another_server().await;
    let tokens = tenant.register(&["a", "b", "c", "d"]).await;
    for at in [2, 0, 3, 0] {
        fixture.world.pass_ms(1);
        let device = server.authenticate(&tokens[at]).await.unwrap();
        server.record_state(&device, b"{}").await.unwrap();
    }
    server.close().await;
    let next = tenant.on(&fixture.another_server().await);
    let query = DeviceQuery { sort: Sort::LastSeen, ..matching(DeviceFilter::default()) };
    assert_eq!(next.names(query).await, ["b", "c", "d", "a"]);
}

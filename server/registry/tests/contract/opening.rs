//! Opening the registry: what is made, what is brought up to date, and the sentences for what cannot be opened.

use crate::fixture::{Fixture, START_MS};
use muster_registry::{AccountName, FakeWorld, Registry};
use std::sync::Arc;

pub(crate) async fn opened_twice(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let again = fixture.another_server().await;
    let found = again.account_named(&AccountName::parse("alpha").unwrap()).await.unwrap();
    assert_eq!(found, Some(tenant.id));
}

pub(crate) async fn two_servers_on_one_database(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let other = fixture.another_server().await;
    let tokens = tenant.register(&["a"]).await;
    let device = other.authenticate(&tokens[0]).await.unwrap();
    other.record_state(&device, br#"{"altitude": 1}"#).await.unwrap();
    assert_eq!(tenant.status("a").await.unwrap().as_str(), "Active");
}

pub(crate) async fn ready(fixture: &Fixture) {
    fixture.registry.ready().await.unwrap();
    assert_eq!(fixture.registry.now().as_ms(), START_MS);
}

#[tokio::test]
#[cfg(unix)]
async fn the_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data/muster.db");
    let url = format!("sqlite://{}", file.display());
    let registry = Registry::open(&url, Arc::new(FakeWorld::at(START_MS))).await.unwrap();
    registry.add_account(&AccountName::parse("alpha").unwrap()).await.unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        seen += 1;
    }
    assert!(seen >= 2, "the database and its journal");
}

#[tokio::test]
async fn what_cannot_be_opened() {
    let check = async |url: &str, expected: &str| {
        let opened = Registry::open(url, Arc::new(FakeWorld::at(START_MS))).await;
        // Where it is opened all the same, it must not stay behind in the source tree.
        let _ = std::fs::remove_file(":memory:");
        let error = opened.unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    };
    check("mysql://me:s3cret@host/db", "must begin with").await;
    check("muster.db", "must begin with").await;
    check("sqlite:///proc/nobody/may/write/muster.db", "cannot be made").await;
    check("sqlite::memory:", "file").await;
    check("sqlite://", "file").await;
    check("postgres://me:s3cret@127.0.0.1:1/db", "cannot be reached").await;
}

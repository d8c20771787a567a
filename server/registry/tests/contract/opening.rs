//! Opening the registry: what is made, what is brought up to date, and the sentences for what cannot be opened.

use crate::fixture::{Fixture, MINUTE_MS, PASSWORD, START_MS, office, password};
use muster_domain::{DeviceQuery, GroupName};
use muster_registry::{AccountName, FakeWorld, GroupError, NotReady, Registry, SignInError, StateError, StoreError};
use std::sync::Arc;

pub(crate) async fn reopened_database_keeps_its_data(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let again = fixture.another_server().await;
    let found = again.command_line(&AccountName::parse("alpha").unwrap()).await.unwrap();
    assert_eq!(found.map(|actor| actor.account()), Some(tenant.actor.account()));
}

pub(crate) async fn two_servers_share_a_database(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let other = fixture.another_server().await;
    let tokens = tenant.register(&["a"]).await;
    let device = other.authenticate(&tokens[0]).await.unwrap();
    other.record_state(&device, br#"{"altitude": 1}"#).await.unwrap();
    assert_eq!(tenant.status("a").await.unwrap().as_str(), "Active");
}

pub(crate) async fn open_registry_is_ready(fixture: &Fixture) {
    fixture.registry.ready().await.unwrap();
    assert_eq!(fixture.registry.now().as_ms(), START_MS);
}

/// A running server notices that another version of Muster migrated the database, and a starting server reports it.
pub(crate) async fn database_of_another_version_is_reported(fixture: &Fixture) {
    let notes = "version, description, success, checksum, execution_time, installed_on";
    fixture.execute("CREATE TABLE saved AS SELECT * FROM _sqlx_migrations").await;
    let check = async |change: &str, expected: NotReady, at_start: Option<&str>| {
        // Each with an answer of its own, since that is used again for a second.
        let running = fixture.another_server().await;
        fixture.execute(change).await;
        assert_eq!(running.ready().await, Err(expected), "{change}");
        assert_eq!(running.ready().await, Err(expected), "the answer is used again");
        if let Some(sentence) = at_start {
            let error = Registry::open(&fixture.url, fixture.world.clone()).await.unwrap_err().to_string();
            assert!(error.contains(sentence), "{error}");
        }
        fixture.execute("DELETE FROM _sqlx_migrations; INSERT INTO _sqlx_migrations SELECT * FROM saved").await;
    };
    let newer = format!(
        "INSERT INTO _sqlx_migrations ({notes})
         SELECT 999, description, success, checksum, execution_time, installed_on FROM saved WHERE version = 1"
    );
    check(&newer, NotReady::SchemaIsNewer, Some("a later version of Muster: it has migration 999")).await;
    let older = "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM saved)";
    check(older, NotReady::SchemaIsOlder, None).await;
    let altered =
        "UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM saved WHERE version = 2) WHERE version = 1";
    check(altered, NotReady::SchemaIsNewer, Some("a different build of Muster")).await;
    fixture.another_server().await.ready().await.unwrap();
}

/// On a read-only database, pages are shown, changes are refused with the reason, and a server starts.
pub(crate) async fn read_only_postgres(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let tokens = tenant.register(&["a"]).await;
    let (key, actor) = fixture.registry.sign_in(&tenant.email, office(), &password(PASSWORD)).await.unwrap();
    let name = fixture.url.rsplit_once('/').unwrap().1;
    // Later than when the next note is due that the session was used.
    fixture.world.pass_ms(6 * MINUTE_MS);
    fixture.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;

    let server = fixture.another_server().await;
    assert_eq!(server.ready().await, Err(NotReady::ReadOnly));
    assert_eq!(server.session(&key).await.unwrap(), Some(actor));
    assert_eq!(tenant.on(&server).devices().await, 1);
    assert_eq!(tenant.on(&server).names(DeviceQuery { limit: 10, ..DeviceQuery::default() }).await, ["a"]);
    let refused = server.create_group(&tenant.actor, &GroupName::parse("Berlin").unwrap()).await;
    assert_eq!(refused, Err(GroupError::Store(StoreError::ReadOnly)));
    let refused = server.sign_in(&tenant.email, office(), &password(PASSWORD)).await.unwrap_err();
    assert_eq!(refused, SignInError::Store(StoreError::ReadOnly));
    assert!(refused.to_string().contains("read-only"), "{refused}");
    let device = server.authenticate(&tokens[0]).await.unwrap();
    let refused = server.record_state(&device, br#"{"altitude": 1}"#).await;
    assert_eq!(refused, Err(StateError::Store(StoreError::ReadOnly)));

    // One that is not up to date cannot be brought there.
    let reset = "BEGIN; SET TRANSACTION READ WRITE; DELETE FROM _sqlx_migrations WHERE version = 8; COMMIT";
    fixture.execute(reset).await;
    let error = Registry::open(&fixture.url, fixture.world.clone()).await.unwrap_err().to_string();
    assert!(error.contains("brought up to date") && error.contains("read-only"), "{error}");
}

#[tokio::test]
#[cfg(unix)]
async fn only_the_owner_may_read_the_file() {
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
async fn unusable_databases_are_refused() {
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
    check("sqlite:///proc/nobody/may/write/muster.db", "cannot be created").await;
    check("sqlite::memory:", "file").await;
    check("sqlite://", "file").await;
    check("postgres://me:s3cret@127.0.0.1:1/db", "cannot be reached").await;
}

/// What is at the path of the database, and the resulting error. `None`: it is opened.
#[tokio::test]
async fn lost_file_is_not_a_new_installation() {
    let check = async |files: &[(&str, &[u8])], expected: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let url = format!("sqlite://{}", folder.path().join("muster.db").display());
        let opened = Registry::open(&url, Arc::new(FakeWorld::at(START_MS))).await;
        match (opened, expected) {
            (Ok(registry), None) => registry.close().await,
            (Err(error), Some(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (Ok(_), Some(expected)) => panic!("{expected:?} was opened"),
            (Err(error), None) => panic!("{error}"),
        }
    };
    // What SQLite writes when it opens a new file in WAL mode, and all that a copy of a young database had.
    let folder = tempfile::tempdir().unwrap();
    let (header, other) = (folder.path().join("header.db"), folder.path().join("other.db"));
    for (file, sql) in [(&header, "PRAGMA journal_mode = WAL"), (&other, "CREATE TABLE recipes (name TEXT)")] {
        rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
    }
    let (header, other) = (std::fs::read(header).unwrap(), std::fs::read(other).unwrap());
    assert!(!header.is_empty());

    check(&[], None).await;
    check(&[("muster.db-wal", b"")], None).await;
    check(&[("muster.db", b"")], Some("holds nothing")).await;
    check(&[("muster.db", &header)], Some("holds nothing")).await;
    check(&[("muster.db-wal", b"pages")], Some("but not the database")).await;
    check(&[("muster.db", &other)], Some("that Muster did not make")).await;
    check(&[("muster.db", b"Device name,Model name\n")], Some("file is not a database")).await;
}

/// Two servers that start concurrently without a database create one.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_first_starts_create_one_database() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("data/muster.db").display());
    let world = || Arc::new(muster_registry::SystemWorld);
    let opened = futures_util::future::join_all((0..4).map(|_| Registry::open(&url, world()))).await;
    let opened: Vec<Registry> = opened.into_iter().map(Result::unwrap).collect();
    let name = AccountName::parse("alpha").unwrap();
    let actor = opened[0].add_account(&name).await.unwrap();
    for registry in &opened {
        assert_eq!(registry.command_line(&name).await.unwrap().as_ref(), Some(&actor));
        registry.close().await;
    }
    assert_eq!(std::fs::read_dir(folder.path().join("data")).unwrap().count(), 1);
}

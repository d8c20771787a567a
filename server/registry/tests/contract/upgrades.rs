//! A database of an earlier Muster, with devices in it, is brought up to date with everything there.

use crate::{
    fixture::{Fixture, PASSWORD, START_MS, all, device_name, device_names, named, office, password},
    isolation::check_use_cases,
};
use muster_domain::{Change, Cursor, DeviceFilter, DeviceQuery, GroupName, PagePosition, Sort, Status};
use muster_registry::{AccountName, FakeWorld, IndexOptions, OpenOptions, Registry};
use sqlx::migrate::Migrator;
use std::{path::Path, sync::Arc};

/// Two servers are upgraded one after the other: the one that still runs uses the schema that the later release expanded.
/// So does one that is started again.
pub(crate) async fn previous_release_runs_on_the_next_schema(fixture: &Fixture) {
    let compacting = fixture.another_that_compacts().await;
    let tenant = fixture.tenant("alpha").await;
    let token = &tenant.register(&["a"]).await[0];
    let (key, _) = fixture.registry.sign_in(&tenant.email, office(), &password(PASSWORD)).await.unwrap();
    let check_reports_and_sessions = async || {
        fixture.report(token, "{}").await;
        assert!(fixture.registry.session(&key).await.unwrap().is_some());
        assert_eq!(compacting.devices(&tenant.actor, &all()).await.unwrap().total, 1);
        assert_eq!(tenant.page(all()).await.items[0].status, Status::Active);
    };
    // So that all statements are prepared before the schema changes.
    check_reports_and_sessions().await;
    check_use_cases(fixture, ["mine", "other"]).await;
    let tables = fixture.texts(fixture.by_database(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
        "SELECT relname::TEXT FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    ));
    for table in tables.await.iter().filter(|table| *table != "_sqlx_migrations") {
        fixture.execute(&format!("ALTER TABLE {table} ADD COLUMN added_later TEXT")).await;
    }
    fixture.execute(&format!("CREATE TABLE added_later (id INTEGER); {NEXT_RELEASE}")).await;
    check_reports_and_sessions().await;
    check_use_cases(fixture, ["mine2", "other2"]).await;
    fixture.registry.ready().await.unwrap();
    let restarted = Fixture { registry: fixture.another_server().await, ..fixture.clone() };
    restarted.registry.ready().await.unwrap();
    check_use_cases(&restarted, ["mine3", "other3"]).await;
}

/// An account, two models, four devices in one registration, two of them seen, a group of two.
const ROWS: &str = r#"
INSERT INTO accounts (id, name, default_tier, made_at) VALUES (ID1, 'alpha', 1, 1);
INSERT INTO models (id, account, name, definition, properties, events, actions, updated_at)
    VALUES (ID2, ID1, 'Contoso.Pump', '{}', 0, 0, 0, 1), (ID3, ID1, 'Contoso.Valve', '{}', 0, 0, 0, 1);
INSERT INTO device_groups (id, account, name) VALUES (ID4, ID1, 'Berlin');
INSERT INTO registrations (id, account, file_name, devices, parts, begun_at) VALUES (ID5, ID1, 'fleet.csv', 3, 1, 1);
INSERT INTO devices (id, account, name, model, friendly_name, description, tier, status, registered_at, last_seen,
    token_hash, old_token_hashes, token_made_at, registration, search) VALUES
    (ID6, ID1, 'a', ID2, 'Ärger', 'far away', 1, 1, 1, 1795391999000, HASH, HASH, 1, ID5, 'a ärger'),
    (ID7, ID1, 'b', ID2, NULL, NULL, 3, 0, 2, NULL, HASH, HASH, 2, ID5, 'b'),
    (ID8, ID1, 'c', ID3, 'Concorde', NULL, 1, 2, 3, NULL, HASH, HASH, 3, ID5, 'c concorde'),
    (ID9, ID1, 'd', ID3, NULL, NULL, 1, 2, 4, 1795391998000, HASH, HASH, 4, ID5, 'd');
INSERT INTO device_states (device, state) VALUES (ID6, '{"altitude": 7}');
INSERT INTO group_members (device_group, device) VALUES (ID4, ID6), (ID4, ID8);
"#;

/// The rows in a database's own words: ids and hashes are hexadecimal, between `before` and `after`.
fn rows(before: &str, after: &str, uuid_before: &str) -> String {
    (1..=9)
        .fold(ROWS.to_owned(), |rows, id| {
            rows.replace(&format!("ID{id}"), &format!("{uuid_before}0190000000007000800000000000000{id}'"))
        })
        .replace("HASH", &format!("{before}{}{after}", "ab".repeat(32)))
}

/// What release 8 kept beside that: the facets of the four devices, compacted.
const COMPACTED: &str = "
INSERT INTO block_marks (block, version, marks) SELECT id, 1, MARKS FROM text_blocks;
DELETE FROM new_marks;
";

/// The status bytes of the devices (status * 8 + tier * 2 + seen), in the order of the lines. On SQLite, the lines are
/// in the order of the rows.
const FACETS_ON_SQLITE: &str = "X'0b061213'";
const FACETS_ON_POSTGRES: &str = r"(SELECT string_agg(
    decode(lpad(to_hex(d.facet::int), 2, '0'), 'hex'), ''::bytea
    ORDER BY position(E'\n' || d.name || E'\t' IN E'\n' || texts)
) FROM devices d WHERE d.block = text_blocks.id)";

/// The migration to release 10 was interrupted when it had written members, but not dropped the table of earlier releases.
const INTERRUPTED: &str = "UPDATE segment_states SET version = 2, members = status_bytes";

/// A later release has migrated the database, or was quicker when both started on an older one.
const NEXT_RELEASE: &str = "
INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    SELECT 999, 'next release since 10', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";

pub(crate) async fn sqlite(fixture: &Fixture) {
    for release in [1, 8, 9] {
        let url = format!("sqlite://{}", fixture.folder.as_ref().unwrap().join(format!("{release}.db")).display());
        let earlier = Fixture { url: format!("{url}?mode=rwc"), ..fixture.clone() };
        let pool = sqlx::SqlitePool::connect(&earlier.url).await.unwrap();
        up_to("sqlite", 1).await.run(&pool).await.unwrap();
        earlier.execute(&rows("X'", "'", "X'")).await;
        if release >= 8 {
            up_to("sqlite", 8).await.run(&pool).await.unwrap();
            earlier.execute(&COMPACTED.replace("MARKS", FACETS_ON_SQLITE)).await;
            if release == 9 {
                up_to("sqlite", 9).await.run(&pool).await.unwrap();
                earlier.execute(INTERRUPTED).await;
            }
        }
        earlier.execute(NEXT_RELEASE).await;
        pool.close().await;
        everything_is_there(&url).await;
    }
}

pub(crate) async fn postgres(fixture: &Fixture) {
    let name = fixture.url.rsplit_once('/').unwrap().1;
    for release in [1, 8, 9] {
        fixture.execute(&format!("CREATE DATABASE {name}_{release}")).await;
        let url = format!("{}_{release}", fixture.url);
        let earlier = Fixture { url: url.clone(), ..fixture.clone() };
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        up_to("postgres", 1).await.run(&pool).await.unwrap();
        earlier.execute(&rows("'\\x", "'", "'")).await;
        if release >= 8 {
            up_to("postgres", 8).await.run(&pool).await.unwrap();
            earlier.execute(&COMPACTED.replace("MARKS", FACETS_ON_POSTGRES)).await;
            if release == 9 {
                up_to("postgres", 9).await.run(&pool).await.unwrap();
                earlier.execute(INTERRUPTED).await;
            }
        }
        earlier.execute(NEXT_RELEASE).await;
        pool.close().await;
        everything_is_there(&url).await;
        fixture.execute(&format!("DROP DATABASE {name}_{release} WITH (FORCE)")).await;
    }
}

/// The migrations of a folder up to this one, read by sqlx itself: what it notes of them must be what the registry expects
/// there.
async fn up_to(database: &str, last: i64) -> Migrator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    let all = Migrator::new(folder).await.unwrap();
    Migrator::with_migrations(all.iter().filter(|one| one.version <= last).cloned().collect())
}

/// A server that may not migrate refuses the database, and leaves it as it is.
async fn refused_without_migration(url: &str) {
    let options = OpenOptions { may_migrate: false, ..OpenOptions::default() };
    let refused = Registry::open_with(url, Arc::new(FakeWorld::at(START_MS)), options).await.unwrap_err();
    assert!(refused.to_string().contains("`muster migrate`"), "{refused}");
}

async fn everything_is_there(url: &str) {
    refused_without_migration(url).await;
    let registry = Registry::open(url, Arc::new(FakeWorld::at(START_MS))).await.unwrap();
    let actor = registry.command_line(&AccountName::parse("alpha").unwrap()).await.unwrap().unwrap();
    let detail = registry.device(&actor, &device_name("a")).await.unwrap().unwrap();
    assert_eq!(detail.state.as_deref(), Some(r#"{"altitude": 7}"#));
    assert_eq!(detail.item.last_seen.map(|at| at.as_ms()), Some(1_795_391_999_000));
    assert_eq!(
        (detail.groups, detail.description.as_deref()),
        (vec![GroupName::parse("Berlin").unwrap()], Some("far away"))
    );
    let names = async |query: DeviceQuery| {
        let page = registry.devices(&actor, &DeviceQuery { limit: 10, ..query }).await.unwrap();
        page.items.iter().map(|item| item.name.to_string()).collect::<Vec<_>>().join(" ")
    };
    let by = async |sort| names(DeviceQuery { sort, ..DeviceQuery::default() }).await;
    assert_eq!(by(Sort::Name).await, "a b c d");
    assert_eq!(by(Sort::FriendlyName).await, "b d c a");
    assert_eq!(by(Sort::LastSeen).await, "b c d a");
    assert_eq!(by(Sort::Status).await, "b a c d");
    let of = async |filter: DeviceFilter| {
        let there = names(DeviceQuery { filter: filter.clone(), ..DeviceQuery::default() }).await;
        assert_eq!(registry.count_devices(&actor, &filter).await.unwrap() as usize, there.split(' ').count());
        there
    };
    let none = DeviceFilter::default;
    assert_eq!(of(DeviceFilter { search: Some("ärger".to_owned()), ..none() }).await, "a");
    assert_eq!(of(DeviceFilter { search: Some("ONCORD".to_owned()), ..none() }).await, "c");
    let large = Some(muster_domain::PricingTier::Large);
    assert_eq!(of(DeviceFilter { search: Some("contoso".to_owned()), tier: large, ..none() }).await, "b");
    assert_eq!(of(DeviceFilter { never_seen: true, ..none() }).await, "b c");
    assert_eq!(of(DeviceFilter { groups: vec![GroupName::parse("Berlin").unwrap()], ..none() }).await, "a c");
    let registration = registry.registrations(&actor, None, 1).await.unwrap()[0].id;
    assert_eq!(of(DeviceFilter { registration: Some(registration), ..none() }).await, "a b c d");
    let models: Vec<u64> = registry.models(&actor).await.unwrap().iter().map(|model| model.devices).collect();
    assert_eq!((models, registry.groups(&actor).await.unwrap()[0].devices), (vec![2, 2], 2));
    let position = PagePosition::After(Cursor { name: device_name("a"), key: String::new() });
    assert_eq!(names(DeviceQuery { position, ..DeviceQuery::default() }).await, "b c d");

    // What was seen before is known to a server that compacts, too, and follows its device.
    let index = IndexOptions { max_changes: 0, ..IndexOptions::default() };
    let options = OpenOptions { index, ..OpenOptions::default() };
    let another = Registry::open_with(url, Arc::new(FakeWorld::at(START_MS)), options).await.unwrap();
    let disabled = async || {
        let filter = DeviceFilter { status: Some(Status::Disabled), ..none() };
        let query =
            DeviceQuery { filter, sort: Sort::LastSeen, is_descending: true, limit: 10, ..DeviceQuery::default() };
        let page = another.devices(&actor, &query).await.unwrap();
        page.items.iter().map(|item| item.name.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(disabled().await, "d c");
    registry.change_devices(&actor, &named(&device_names(&["a", "b"])), &Change::Disable).await.unwrap();
    assert_eq!(disabled().await, "a d c b");
}

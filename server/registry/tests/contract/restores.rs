//! A backup is restored while servers run: what they have cached since is not taken for what was stored after it. A test
//! puts rows back as they were, which is what a restore does.

use crate::fixture::{Fixture, MODEL, Tenant, definition, device_names, matching, named, part, tokens_of};
use muster_domain::{Change, DeviceFilter, GroupName};
use muster_registry::{Registry, StateError};

async fn found(tenant: &Tenant, registry: &Registry, filter: DeviceFilter) -> Vec<String> {
    tenant.on(registry).names(matching(filter)).await
}

fn with_text(text: &str) -> DeviceFilter {
    DeviceFilter { search: Some(text.to_owned()), ..DeviceFilter::default() }
}

/// There are as many changes after the backup as before the restore: a counter would have the same value.
pub(crate) async fn search_shows_the_restored_devices(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let servers = [fixture.registry.clone(), fixture.another_server().await];
    let id = tenant.begin_with(9, None).await;
    tenant.part(id, part(0, 1, &["fleet-one"])).await;
    fixture.execute("CREATE TABLE saved AS SELECT * FROM segments").await;
    tenant.part(id, part(1, 1, &["fleet-two"])).await;
    for server in &servers {
        assert_eq!(found(&tenant, server, with_text("two")).await, ["fleet-two"]);
    }

    fixture
        .execute(
            "DELETE FROM devices WHERE name = 'fleet-two';
             DELETE FROM registration_parts WHERE number = 1;
             UPDATE segments SET (version, devices, text) =
                (SELECT version, devices, text FROM saved WHERE saved.id = segments.id)",
        )
        .await;
    tenant.part(id, part(1, 1, &["fleet-new"])).await;
    for server in &servers {
        assert_eq!(found(&tenant, server, with_text("two")).await, [""; 0]);
        assert_eq!(found(&tenant, server, with_text("new")).await, ["fleet-new"]);
        assert_eq!(found(&tenant, server, with_text("fleet")).await, ["fleet-new", "fleet-one"]);
    }
}

pub(crate) async fn groups_show_the_restored_members(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    // Looks into the texts whatever the number of devices.
    let servers = [fixture.another_that_compacts().await, fixture.another_that_compacts().await];
    tenant.register(&["fleet-a", "fleet-b", "fleet-c"]).await;
    let group = GroupName::parse("Berlin").unwrap();
    let join = async |name: &str| {
        let change = Change::AddToGroup(group.clone());
        fixture.registry.change_devices(&tenant.actor, &named(&device_names(&[name])), &change).await.unwrap();
    };
    let filter = || DeviceFilter { groups: vec![group.clone()], ..with_text("fleet") };
    join("fleet-a").await;
    fixture.execute("CREATE TABLE saved AS SELECT * FROM segment_states").await;
    join("fleet-b").await;
    for server in &servers {
        assert_eq!(found(&tenant, server, filter()).await, ["fleet-a", "fleet-b"]);
    }

    fixture
        .execute(
            "UPDATE segment_states SET (version, members) =
                (SELECT version, members FROM saved WHERE saved.segment = segment_states.segment)",
        )
        .await;
    join("fleet-c").await;
    for server in &servers {
        assert_eq!(found(&tenant, server, filter()).await, ["fleet-a", "fleet-c"]);
    }
}

pub(crate) async fn reports_are_checked_by_the_restored_model(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let servers = [fixture.registry.clone(), fixture.another_server().await];
    let token = tokens_of(tenant.part(tenant.begin().await, part(0, 1, &["a"])).await).remove(0);
    let put = async |kind: &str| {
        let definition = definition(MODEL, &format!(r#""altitude": {{"type": "{kind}"}}"#));
        fixture.registry.put_model(&tenant.actor, definition.as_bytes()).await.unwrap();
    };
    let takes = async |server: &Registry, body: &str| {
        let device = server.authenticate(&token).await.unwrap();
        match server.record_state(&device, body.as_bytes()).await {
            Ok(()) => true,
            Err(StateError::Contradicts { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    };
    fixture.execute("CREATE TABLE saved AS SELECT * FROM models").await;
    put("string").await;
    for server in &servers {
        assert!(takes(server, r#"{"altitude": "high"}"#).await);
    }

    fixture
        .execute(
            "UPDATE models SET (version, definition) =
                (SELECT version, definition FROM saved WHERE saved.id = models.id)",
        )
        .await;
    put("boolean").await;
    for server in &servers {
        assert!(!takes(server, r#"{"altitude": "high"}"#).await);
        assert!(takes(server, r#"{"altitude": true}"#).await);
    }
}

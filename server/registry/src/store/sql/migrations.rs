//! Comparing and migrating the schema of the database.

use super::{Connection, HAS_MIGRATIONS, migrator, segments::members};
use crate::store::schema::{Applied, MEMBERS_IN_SEGMENTS, SchemaState, before, compare};
use sqlx::{
    Connection as _,
    migrate::{Migrate, MigrateError},
    query_as, query_scalar,
};

/// How the schema of the database compares with this program's.
pub(crate) async fn schema_state(connection: &mut Connection) -> Result<SchemaState, sqlx::Error> {
    let tables: i64 = query_scalar(HAS_MIGRATIONS).fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Ok(SchemaState::Empty);
    }
    let rows: Vec<(i64, String, Vec<u8>)> =
        query_as("SELECT version, description, checksum FROM _sqlx_migrations WHERE success")
            .fetch_all(connection)
            .await?;
    let applied = |(version, description, checksum)| Applied { version, description, checksum };
    let applied: Vec<_> = rows.into_iter().map(applied).collect();
    Ok(compare(migrator(), &applied))
}

/// Migrates the tables.
pub(crate) async fn migrate(connection: &mut Connection) -> Result<(), MigrateError> {
    // On PostgreSQL, concurrently starting servers migrate one after the other. sqlx takes the same lock, but not
    // between two runs.
    connection.lock().await?;
    let migrated = migrate_locked(connection).await;
    connection.unlock().await?;
    migrated
}

async fn migrate_locked(connection: &mut Connection) -> Result<(), MigrateError> {
    // Another server may have migrated while this one waited for the lock.
    match schema_state(connection).await? {
        SchemaState::Empty | SchemaState::Older => {}
        SchemaState::Current => return Ok(()),
        SchemaState::Newer(version) => return Err(MigrateError::VersionMissing(version)),
        SchemaState::Altered(version) => return Err(MigrateError::VersionMismatch(version)),
    }
    before(migrator(), MEMBERS_IN_SEGMENTS).run(&mut *connection).await?;
    let moved: i64 = query_scalar("SELECT COUNT(*) FROM _sqlx_migrations WHERE version = $1")
        .bind(MEMBERS_IN_SEGMENTS)
        .fetch_one(&mut *connection)
        .await?;
    if moved == 0 {
        // SQL cannot write bitmaps. If this is interrupted, it is repeated: the next migration drops the old table.
        let mut tx = connection.begin().await?;
        members::move_to_segments(&mut tx).await?;
        tx.commit().await?;
    }
    migrator().run(connection).await
}

//! The schema of the database: the embedded migrations, and how a database compares with them.

use crate::errors::OpenError;
use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use std::{collections::HashMap, sync::LazyLock};

/// Number, name and SQL of a migration.
pub(crate) type Embedded = (i64, &'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

pub(crate) static FOR_SQLITE: LazyLock<Migrator> = LazyLock::new(|| migrator(SQLITE));
pub(crate) static FOR_POSTGRES: LazyLock<Migrator> = LazyLock::new(|| migrator(POSTGRES));

/// The embedded migrations for sqlx. It stores the number, name and SQL hash of each in the database.
fn migrator(embedded: &[Embedded]) -> Migrator {
    let migration = |(version, name, sql): &Embedded| {
        let needs_no_transaction = sql.starts_with("-- no-transaction");
        Migration::new(*version, (*name).into(), MigrationType::Simple, (*sql).into_sql_str(), needs_no_transaction)
    };
    Migrator::with_migrations(embedded.iter().map(migration).collect())
}

/// The migration before which the members of groups are moved into the segments.
pub(crate) const MEMBERS_IN_SEGMENTS: i64 = 10;

/// The migrations before one. On a database that has later ones, they change nothing.
pub(crate) fn before(all: &Migrator, version: i64) -> Migrator {
    let mut earlier = Migrator::with_migrations(all.iter().filter(|one| one.version < version).cloned().collect());
    earlier.set_ignore_missing(true);
    earlier
}

/// How the schema of a database compares with this program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaState {
    /// No migration was ever applied.
    Empty,
    /// Some of this program's migrations are still to be applied.
    Older,
    /// All migrations are applied.
    Current,
    /// It has this migration, which this program does not know: a later version of Muster migrated it.
    Newer(i64),
    /// The SQL of this migration differed when it was applied.
    Altered(i64),
}

/// Compares the migrations that were applied, by their numbers and hashes.
pub(crate) fn compare(known: &Migrator, applied: &[(i64, Vec<u8>)]) -> SchemaState {
    let hashes: HashMap<i64, &[u8]> =
        known.iter().map(|migration| (migration.version, migration.checksum.as_ref())).collect();
    for (version, hash) in applied {
        match hashes.get(version) {
            None => return SchemaState::Newer(*version),
            Some(known) if known != hash => return SchemaState::Altered(*version),
            Some(_) => {}
        }
    }
    match applied.len() {
        0 => SchemaState::Empty,
        count if count < hashes.len() => SchemaState::Older,
        _ => SchemaState::Current,
    }
}

impl SchemaState {
    /// Whether to run the migrations.
    ///
    /// # Errors
    /// A sentence about `database` if a later or altered version of Muster migrated it, or if it is of an earlier
    /// version and may not be migrated.
    pub(crate) fn needs_migration(self, database: &str, may_migrate: bool) -> Result<bool, OpenError> {
        match self {
            Self::Older if !may_migrate => Err(OpenError(format!(
                "{database} belongs to an earlier version of Muster. Bring it up to date with `muster migrate` first"
            ))),
            Self::Empty | Self::Older => Ok(true),
            Self::Current => Ok(false),
            Self::Newer(version) => Err(OpenError(format!(
                "{database} belongs to a later version of Muster: it has migration {version}, which this one does not \
                 know. Start that version, or restore a backup made before the upgrade"
            ))),
            Self::Altered(version) => Err(OpenError(format!(
                "{database} was made by a different build of Muster: its migration {version} is another one. Start \
                 the build that made it"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applied_migrations_are_compared_by_number_and_hash() {
        let known = migrator(&[(1, "first", "SELECT 1"), (2, "second", "SELECT 2"), (4, "fourth", "SELECT 4")]);
        let hash_of =
            |version: i64| known.iter().find(|migration| migration.version == version).map(|one| one.checksum.to_vec());
        let check = |applied: &[i64], expected: SchemaState| {
            let applied: Vec<_> =
                applied.iter().map(|&version| (version, hash_of(version).unwrap_or_default())).collect();
            assert_eq!(compare(&known, &applied), expected, "{applied:?}");
        };
        check(&[], SchemaState::Empty);
        check(&[1], SchemaState::Older);
        check(&[1, 4], SchemaState::Older);
        check(&[1, 2, 4], SchemaState::Current);
        check(&[1, 2, 3, 4], SchemaState::Newer(3));
        check(&[1, 2, 4, 5], SchemaState::Newer(5));
        assert_eq!(compare(&known, &[(1, vec![0])]), SchemaState::Altered(1));
    }
}

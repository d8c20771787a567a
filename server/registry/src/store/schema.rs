//! The schema of the database: the embedded migrations, and how a database compares with them.

use crate::errors::OpenError;
use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use std::{collections::BTreeMap, sync::LazyLock};

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
    let mut migrator = Migrator::with_migrations(embedded.iter().map(migration).collect());
    // `compare` judges the migrations of later versions.
    migrator.set_ignore_missing(true);
    migrator
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
    /// All known migrations are applied; any others support this program.
    Current,
    /// It has this migration, which this program does not know, and which does not support it.
    Newer(i64),
    /// The SQL of this migration differed when it was applied.
    Altered(i64),
}

/// A migration that was applied to a database.
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) description: String,
    pub(crate) checksum: Vec<u8>,
}

impl Applied {
    /// Whether a program whose last migration is `last_known` can use the schema after this migration. The file name
    /// says so: `0012_token_expiry_since_0011.sql` supports programs whose last migration is 11 or a later one.
    fn supports(&self, last_known: i64) -> bool {
        let since = self.description.rsplit_once(" since ").and_then(|(_, version)| version.parse::<i64>().ok());
        since.is_some_and(|since| since <= last_known && last_known < self.version)
    }
}

/// Compares the migrations that were applied, by their numbers and hashes.
pub(crate) fn compare(known: &Migrator, applied: &[Applied]) -> SchemaState {
    let hashes: BTreeMap<i64, &[u8]> =
        known.iter().map(|migration| (migration.version, migration.checksum.as_ref())).collect();
    let last_known = hashes.last_key_value().map_or(0, |(version, _)| *version);
    let mut matching = 0;
    for migration in applied {
        match hashes.get(&migration.version) {
            None if migration.supports(last_known) => {}
            None => return SchemaState::Newer(migration.version),
            Some(known) if *known != migration.checksum => return SchemaState::Altered(migration.version),
            Some(_) => matching += 1,
        }
    }
    match matching {
        0 => SchemaState::Empty,
        _ if matching < hashes.len() => SchemaState::Older,
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
        let applied = |version: i64, description: &str| {
            let checksum = known.iter().find(|one| one.version == version).map(|one| one.checksum.to_vec());
            Applied { version, description: description.to_owned(), checksum: checksum.unwrap_or_default() }
        };
        let check = |versions: &[(i64, &str)], expected: SchemaState| {
            let all: Vec<_> = versions.iter().map(|&(version, description)| applied(version, description)).collect();
            assert_eq!(compare(&known, &all), expected, "{versions:?}");
        };
        let (first, second, fourth) = ((1, "first"), (2, "second"), (4, "fourth"));
        check(&[], SchemaState::Empty);
        check(&[first], SchemaState::Older);
        check(&[first, fourth], SchemaState::Older);
        check(&[first, second, fourth], SchemaState::Current);
        check(&[first, second, (3, "third"), fourth], SchemaState::Newer(3));
        check(&[first, second, (3, "third since 2"), fourth], SchemaState::Newer(3));
        check(&[first, second, fourth, (5, "fifth")], SchemaState::Newer(5));
        for compatible in ["fifth since 4", "fifth since 3", "what was there since 1 since 2"] {
            check(&[first, second, fourth, (5, compatible)], SchemaState::Current);
            check(&[first, fourth, (5, compatible)], SchemaState::Older);
        }
        for incompatible in ["fifth since 5", "fifth since", "fifth since 4 or so", "fifth since 99999999999999999999"]
        {
            check(&[first, second, fourth, (5, incompatible)], SchemaState::Newer(5));
        }
        check(&[first, second, fourth, (5, "fifth since 4"), (6, "sixth since 5")], SchemaState::Newer(6));
        let altered = Applied { checksum: vec![0], ..applied(1, "first") };
        assert_eq!(compare(&known, &[altered]), SchemaState::Altered(1));
    }

    /// So that servers can be upgraded one after the other.
    #[test]
    fn new_migrations_support_the_previous_release() {
        /// The last migration of the previous release.
        const LAST_OF_PREVIOUS_RELEASE: i64 = 10;
        for migrations in [SQLITE, POSTGRES] {
            for (version, name, _) in migrations.iter().filter(|(version, ..)| *version > LAST_OF_PREVIOUS_RELEASE) {
                let applied = Applied { version: *version, description: (*name).to_owned(), checksum: vec![] };
                assert!(
                    applied.supports(LAST_OF_PREVIOUS_RELEASE),
                    "{version} {name}: its file is called NUMBER_NAME_since_NUMBER.sql"
                );
            }
        }
    }
}

//! The schema of the database: the migrations that this program carries.

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

/// Number, name and SQL of a migration.
pub(crate) type Embedded = (i64, &'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// Runs these migrations. A number, a name and the hash of the SQL are what sqlx notes in the database of each.
pub(crate) fn migrator(embedded: &[Embedded]) -> Migrator {
    let migration = |(version, name, sql): &Embedded| {
        let needs_no_transaction = sql.starts_with("-- no-transaction");
        Migration::new(*version, (*name).into(), MigrationType::Simple, (*sql).into_sql_str(), needs_no_transaction)
    };
    Migrator::with_migrations(embedded.iter().map(migration).collect())
}

//! The SQL that both databases share. This folder is compiled twice, below `sqlite` and below `postgres`, each time
//! with that database's types and dialect. What must differ is in `sqlite/dialect.rs` and `postgres/dialect.rs`.

/// Declares a struct whose fields are the columns of a row, and reads them by name. sqlx can derive this, but its macros
/// build sqlx, tokio and SQLite a second time, for the host.
macro_rules! row {
    ($(#[$attribute:meta])* $visibility:vis struct $row:ident { $($column:ident: $type:ty,)+ }) => {
        $(#[$attribute])*
        $visibility struct $row {
            $($visibility $column: $type,)+
        }

        impl sqlx::FromRow<'_, <super::Database as sqlx::Database>::Row> for $row {
            fn from_row(row: &<super::Database as sqlx::Database>::Row) -> Result<Self, sqlx::Error> {
                Ok(Self { $($column: sqlx::Row::try_get(row, stringify!($column))?,)+ })
            }
        }
    };
}

mod accounts;
mod actions;
mod columns;
mod devices;
mod dry_run;
mod fleet;
mod groups;
mod leading_zeros;
pub(super) mod migrations;
mod models;
mod new_devices;
pub(super) mod register_part;
mod registrations;
pub(super) mod reports;
mod searched_names;
pub(super) mod segments;
mod selection;
mod sessions;
mod statements;
mod tokens;
mod upkeep;
mod users;

use super::{
    db::Db,
    dialect::{
        Connection, DEVICE_NAMED, DEVICE_OF_NAME, Database, FOR_NO_KEY_UPDATE, FOR_NO_KEY_UPDATE_SKIP_LOCKED,
        FOR_UPDATE_OF_D, HAS_MIGRATIONS, NAMES, NEW_SHORT_VERSION, NEW_VERSION, Pool, begin, free_compacted, lock,
        migrator,
    },
};

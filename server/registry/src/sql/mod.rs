//! The SQL that both databases share. This folder is compiled twice, below `sqlite` and below `postgres`, each time
//! with that database's types; what must differ stands in those two files.

pub(crate) mod compaction;
pub(crate) mod devices;
mod fleet;
mod groups;
pub(crate) mod last_seen;
mod leading_zeros;
pub(crate) mod members;
mod models;
mod people;
pub(crate) mod register_part;
mod registrations;
pub(crate) mod segments;
mod selection;
mod tokens;
pub(crate) mod upkeep;

pub(crate) use super::{
    Connection, DEVICE_NAMED, DEVICE_OF_NAME, Database, Db, FOR_NO_KEY_UPDATE, FOR_UPDATE_OF_D, FOR_UPDATE_SKIP_LOCKED,
    HAS_MIGRATIONS, NAMES, NEW_SHORT_VERSION, NEW_VERSION, Pool, begin, lock, migrator,
};

use crate::{
    errors::StoreError,
    store::Store,
    types::{Status, tier_of},
};
use muster_domain::{DeviceName, ModelName, PricingTier};
use sqlx::QueryBuilder;

impl Store for Db {}

/// Values in one statement. SQLite takes 32,766 and PostgreSQL 65,535, and a row of devices has 12.
const ROWS_AT_ONCE: usize = 2_000;

/// Begins a statement.
fn sql(text: &'static str) -> QueryBuilder<Database> {
    QueryBuilder::new(text)
}

/// The names as a JSON array, for [`NAMES`]: so a statement is one text for any number of names.
fn json_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    serde_json::Value::from_iter(names).to_string()
}

fn device_name(text: &str) -> Result<DeviceName, StoreError> {
    DeviceName::parse(text).map_err(|_| StoreError::Corrupt)
}

fn model_name(text: &str) -> Result<ModelName, StoreError> {
    ModelName::parse(text).map_err(|_| StoreError::Corrupt)
}

fn tier(code: i16) -> Result<PricingTier, StoreError> {
    tier_of(code).ok_or(StoreError::Corrupt)
}

fn status(code: i16) -> Result<Status, StoreError> {
    Status::from_code(code).ok_or(StoreError::Corrupt)
}

/// A count, which databases give with a sign.
fn count(number: i64) -> u64 {
    number.max(0).cast_unsigned()
}

/// Whether it failed because there is such a row already.
fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

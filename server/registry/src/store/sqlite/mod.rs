//! The registry on SQLite.

mod db;
pub(super) mod dialect;
mod group_commit;
mod opening;

#[path = "../sql/mod.rs"]
mod sql;

pub(super) use db::Db;

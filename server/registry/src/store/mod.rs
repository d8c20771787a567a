//! Storage: the contract (`contract.rs`), the SQL of both databases (`sql/`), and what differs between them (`sqlite/`,
//! `postgres/`).

mod address;
mod background;
mod backup;
pub(crate) mod contract;
mod failure;
mod files;
mod group_commit;
pub(crate) mod opening;
mod postgres;
mod schema;
mod sqlite;

pub use address::OpenOptions;
pub use backup::backup;
pub use contract::PoolUse;
pub use files::create_private_folder;

//! Models: the definitions of kinds of devices. The use cases are in `definitions.rs`.

pub(crate) mod cache;
pub(crate) mod data_schema;
mod definitions;

/// The maximum number of models in an account: the list of names is read completely to find the one nearest to a
/// misspelt name.
pub const MAX_MODELS: u32 = 10_000;

/// The maximum length of a description in the list of models, which is read completely. Without the limit, 10,000 of
/// them could take 10 GB.
pub(crate) const LISTED_DESCRIPTION_CHARS: usize = 256;

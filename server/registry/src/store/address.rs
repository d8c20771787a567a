//! Which database to open, and how.

use crate::{errors::OpenError, index::IndexOptions};

/// The parsed address of a database.
pub(crate) enum Address<'u> {
    /// A `postgres://` address.
    Postgres(&'u str),
    /// A file.
    Sqlite(&'u str),
}

impl<'u> Address<'u> {
    pub(crate) fn parse(url: &'u str) -> Result<Self, OpenError> {
        match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url)),
            Some(("sqlite", file)) => match file.strip_prefix("//").unwrap_or(file) {
                "" | ":memory:" => Err(OpenError(
                    "the database's address must name a file, such as sqlite://data/muster.db".to_owned(),
                )),
                file => Ok(Self::Sqlite(file)),
            },
            // The address may contain a password: do not repeat it.
            _ => Err(OpenError("the database's address must begin with postgres:// or sqlite://".to_owned())),
        }
    }
}

/// The options of opening a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Whether a database of an earlier version may be migrated. A new database is created in any case.
    pub may_migrate: bool,
    /// The options of the fleet index.
    pub index: IndexOptions,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { may_migrate: true, index: IndexOptions::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_names_a_sqlite_file() {
        let check = |url: &str, expected: Option<&str>| match Address::parse(url) {
            Ok(Address::Sqlite(file)) => assert_eq!(Some(file), expected, "{url}"),
            _ => assert_eq!(None, expected, "{url}"),
        };
        check("sqlite://muster.db", Some("muster.db"));
        check("sqlite:muster.db", Some("muster.db"));
        check("sqlite:///var/lib/muster.db", Some("/var/lib/muster.db"));
        // As other programs write an absolute path.
        check("sqlite:////var/lib/muster.db", Some("//var/lib/muster.db"));
        check("sqlite://", None);
    }
}

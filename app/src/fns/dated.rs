//! Answers with the server's clock.

use muster_domain::Timestamp;
use serde::{Deserialize, Serialize};

/// A value, and the time by the server's clock at which it was read: "2 minutes ago" is counted from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    pub value: T,
    pub now: Timestamp,
}

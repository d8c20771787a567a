//! New tokens for devices.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What happens to the old tokens of a device that gets a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OldTokens {
    /// They are valid until the new one is first used.
    #[default]
    KeepUntilNewIsUsed,
    /// They are revoked immediately.
    RevokeNow,
}

/// One press of **Generate**, and how often it was tried. A device remembers which job created its newest token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenJob {
    /// Random, drawn by the browser once for each job.
    pub id: Uuid,
    /// Counts the calls of the job from 1, including those that are sent again: no two have the same number. So a call
    /// that comes late cannot end the tokens that a later one made.
    pub attempt: u32,
}

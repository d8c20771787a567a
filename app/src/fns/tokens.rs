//! New tokens for devices that are registered already.

use super::{
    Failure,
    devices::{Chosen, Step},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What becomes of the tokens that a device has when it is given a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OldTokens {
    /// They work until the new one is first used.
    #[default]
    KeepUntilNewIsUsed,
    /// They stop now.
    StopNow,
}

/// New tokens: rows of `tokens.csv` without its header, and how far they go.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTokens {
    pub rows: Vec<u8>,
    pub step: Step,
}

/// Which opening of the dialog asks, and how often it has: each call has a higher number than those before it, so that
/// one that comes late cannot end the tokens that a later one made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenJobId {
    pub id: Uuid,
    pub attempt: u32,
}

/// Makes a new token for each of the chosen devices, by name, as far as one call goes. Sent again after an answer
/// that was lost, with a higher attempt, it makes others: nobody has those.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], or [`Failure::Refused`] for a choice that cannot be.
#[server(prefix = "/fn", endpoint = "generate-tokens", input = server_fn::codec::Json, output = server_fn::codec::Postcard)]
pub async fn generate_tokens(chosen: Chosen, old: OldTokens, job: TokenJobId) -> Result<NewTokens, Failure> {
    use muster_registry as registry;

    let viewer = super::viewer()?;
    let chosen = super::devices::server::chosen(chosen, &viewer)?;
    let old = match old {
        OldTokens::KeepUntilNewIsUsed => registry::OldTokens::KeepUntilNewIsUsed,
        OldTokens::StopNow => registry::OldTokens::RevokeNow,
    };
    let job = registry::TokenJob { id: job.id, attempt: job.attempt };
    let (tokens, next) = viewer.registry.generate_tokens(&viewer.actor, &chosen, old, job).await?;
    let ends_old = old == registry::OldTokens::RevokeNow;
    super::log_action!(viewer.actor, "tokens generated", devices = tokens.len(), ends_old_tokens = ends_old);
    let mut rows = Vec::new();
    for (name, token) in &tokens {
        muster_domain::tokens_csv::push_row(&mut rows, name, token);
    }
    let step = Step { devices: tokens.len() as u64, next: next.map(|name| name.to_string()) };
    Ok(NewTokens { rows, step })
}

//! New tokens for devices that are registered already.

use super::Failure;
use leptos::prelude::*;
use muster_domain::{CallOutcome, OldTokens, Targets, TokenJob};
use serde::{Deserialize, Serialize};

/// New tokens: rows of `tokens.csv` without its header, and how far they go.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTokens {
    pub rows: Vec<u8>,
    pub outcome: CallOutcome,
}

/// Makes a new token for each of the devices, by name, as far as one call goes. Sent again after an answer
/// that was lost, with a higher attempt, it makes others: nobody has those.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], or [`Failure::Refused`] for a choice that cannot be.
#[server(prefix = "/fn", endpoint = "generate-tokens", input = server_fn::codec::Json, output = server_fn::codec::Postcard)]
pub async fn generate_tokens(targets: Targets, old: OldTokens, job: TokenJob) -> Result<NewTokens, Failure> {
    let viewer = super::viewer()?;
    super::devices::server::check_targets(&targets)?;
    let (tokens, next) = viewer.registry.generate_tokens(&viewer.actor, &targets, old, job).await?;
    let ends_old = old == OldTokens::RevokeNow;
    super::log_action!(viewer.actor, "tokens generated", devices = tokens.len(), ends_old_tokens = ends_old);
    let mut rows = Vec::new();
    for (name, token) in &tokens {
        muster_domain::tokens_csv::push_row(&mut rows, name, token);
    }
    Ok(NewTokens { rows, outcome: CallOutcome { devices: tokens.len() as u64, next } })
}

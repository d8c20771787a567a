//! New tokens for devices that are registered already.

use super::Failure;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// Devices in one call. A selection that is larger takes several.
pub const DEVICES_PER_CALL: usize = 2_000;

/// What becomes of the tokens that a device has when it is given a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OldTokens {
    /// They work until the new one is first used.
    #[default]
    KeepUntilNewIsUsed,
    /// They stop now.
    StopNow,
}

/// New tokens: rows of `tokens.csv` without its header, and how many.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTokens {
    pub rows: Vec<u8>,
    pub devices: u64,
}

/// Makes a new token for each of the named devices.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], or [`Failure::Refused`] for more than
/// [`DEVICES_PER_CALL`] names or what is no device name.
#[server(prefix = "/fn", endpoint = "generate-tokens", input = server_fn::codec::Json, output = server_fn::codec::Postcard)]
pub async fn generate_tokens(names: Vec<String>, old: OldTokens) -> Result<NewTokens, Failure> {
    use muster_registry as registry;

    let viewer = super::viewer()?;
    if names.len() > DEVICES_PER_CALL {
        return Err(Failure::refused(format!("At most {DEVICES_PER_CALL} devices can be given tokens in one call.")));
    }
    let names = super::devices::server::names(&names)?;
    let old = match old {
        OldTokens::KeepUntilNewIsUsed => registry::OldTokens::KeepUntilNewIsUsed,
        OldTokens::StopNow => registry::OldTokens::StopNow,
    };
    let tokens = viewer.registry.generate_tokens(viewer.account(), &names, old).await?;
    let mut rows = Vec::new();
    for (name, token) in &tokens {
        muster_domain::tokens_csv::push_row(&mut rows, name, token);
    }
    Ok(NewTokens { rows, devices: tokens.len() as u64 })
}

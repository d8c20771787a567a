//! The settings of the account.

use super::Failure;
use leptos::prelude::*;
use muster_domain::PricingTier;

/// The tier that a device gets where its row leaves it blank.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "default-tier", input = server_fn::codec::Json, output = super::Answer)]
pub async fn default_tier() -> Result<PricingTier, Failure> {
    let viewer = super::viewer()?;
    Ok(viewer.registry.default_tier(&viewer.actor).await?)
}

/// Changes that tier, for devices registered from now on.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "set-default-tier", input = server_fn::codec::Json, output = super::Answer)]
pub async fn set_default_tier(tier: PricingTier) -> Result<(), Failure> {
    let viewer = super::viewer()?;
    viewer.registry.set_default_tier(&viewer.actor, tier).await?;
    super::log_action!(viewer.actor, "default pricing tier changed", tier = tier.as_str());
    Ok(())
}

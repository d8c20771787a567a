//! Accounts: adding them, and their default pricing tiers.

use crate::{
    accounts::AccountName,
    actor::Actor,
    errors::{AccountError, StoreError},
    registry::Registry,
    types::AccountId,
    world::new_id,
};
use muster_domain::PricingTier;

impl Registry {
    /// Adds an account; its default pricing tier is `Small`. Only the command line does: so this returns the operator,
    /// in the new account.
    ///
    /// # Errors
    /// [`AccountError`] if the name is taken.
    pub async fn add_account(&self, name: &AccountName) -> Result<Actor, AccountError> {
        let id = AccountId(new_id(&*self.world));
        self.store.add_account(id, name, self.now()).await?;
        Ok(Actor::at_command_line(id, name.to_string()))
    }

    /// The tier of devices whose row has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn default_tier(&self, actor: &Actor) -> Result<PricingTier, StoreError> {
        self.store.default_tier(actor.account()).await
    }

    /// Changes the default tier, for devices that are registered from now on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_default_tier(&self, actor: &Actor, tier: PricingTier) -> Result<(), StoreError> {
        self.store.set_default_tier(actor.account(), tier).await
    }
}

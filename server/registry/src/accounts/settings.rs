//! Accounts: adding and finding them, and their default pricing tiers.

use crate::{
    accounts::AccountName,
    errors::{AccountError, StoreError},
    registry::Registry,
    types::AccountId,
    world::new_id,
};
use muster_domain::PricingTier;

impl Registry {
    /// Adds an account; its default pricing tier is `Small`.
    ///
    /// # Errors
    /// [`AccountError`] if the name is taken.
    pub async fn add_account(&self, name: &AccountName) -> Result<AccountId, AccountError> {
        let id = AccountId(new_id(&*self.world));
        self.store.add_account(id, name, self.now()).await?;
        Ok(id)
    }

    /// The account of that name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_named(&self, name: &AccountName) -> Result<Option<AccountId>, StoreError> {
        self.store.account_named(name).await
    }

    /// The tier of devices whose row has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn default_tier(&self, account: AccountId) -> Result<PricingTier, StoreError> {
        self.store.default_tier(account).await
    }

    /// Changes the default tier, for devices that are registered from now on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_default_tier(&self, account: AccountId, tier: PricingTier) -> Result<(), StoreError> {
        self.store.set_default_tier(account, tier).await
    }
}

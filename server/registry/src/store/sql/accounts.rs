//! Accounts and their settings.

use super::{Db, columns::tier, statements::is_unique_violation};
use crate::{
    accounts::AccountName,
    errors::{AccountError, StoreError},
    store::contract::Accounts,
    types::{AccountId, tier_code},
};
use async_trait::async_trait;
use muster_domain::{PricingTier, Timestamp};
use sqlx::{query, query_scalar};
use uuid::Uuid;

#[async_trait]
impl Accounts for Db {
    async fn add_account(&self, id: AccountId, name: &AccountName, now: Timestamp) -> Result<(), AccountError> {
        let mut tx = self.write().await?;
        let added = query("INSERT INTO accounts (id, name, default_tier, made_at) VALUES ($1, $2, $3, $4)")
            .bind(id.0)
            .bind(name.as_str())
            .bind(tier_code(PricingTier::Small))
            .bind(now.as_ms())
            .execute(&mut *tx)
            .await;
        match added {
            Ok(_) => Ok(tx.commit().await.map_err(StoreError::from)?),
            Err(error) if is_unique_violation(&error) => Err(AccountError::Taken),
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    async fn account_named(&self, name: &AccountName) -> Result<Option<AccountId>, StoreError> {
        let id: Option<Uuid> = query_scalar("SELECT id FROM accounts WHERE name = $1")
            .bind(name.as_str())
            .fetch_optional(self.reader())
            .await?;
        Ok(id.map(AccountId))
    }

    async fn default_tier(&self, account: AccountId) -> Result<PricingTier, StoreError> {
        tier(
            query_scalar("SELECT default_tier FROM accounts WHERE id = $1")
                .bind(account.0)
                .fetch_one(self.reader())
                .await?,
        )
    }

    async fn set_default_tier(&self, account: AccountId, tier: PricingTier) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        query("UPDATE accounts SET default_tier = $2 WHERE id = $1")
            .bind(account.0)
            .bind(tier_code(tier))
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}

//! The users of accounts.

use super::{Db, lock, statements::is_unique_violation};
use crate::{
    accounts::{AccountName, User},
    errors::{StoreError, UserError},
    store::contract::{Credentials, Lock, Users},
    types::{AccountId, UserId, tier_code},
};
use async_trait::async_trait;
use muster_domain::{PricingTier, Timestamp};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

row! {
    struct CredentialsRow {
        id: Uuid,
        account: Uuid,
        account_name: String,
        email: String,
        password_hash: String,
    }
}

#[async_trait]
impl Users for Db {
    async fn has_users(&self) -> Result<bool, StoreError> {
        Ok(query("SELECT 1 FROM people LIMIT 1").fetch_optional(self.reader()).await?.is_some())
    }

    async fn add_user(
        &self,
        id: UserId,
        account: AccountId,
        email: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), UserError> {
        let mut tx = self.write().await?;
        let added =
            query("INSERT INTO people (id, account, email, password_hash, made_at) VALUES ($1, $2, $3, $4, $5)")
                .bind(id.0)
                .bind(account.0)
                .bind(email)
                .bind(hash)
                .bind(now.as_ms())
                .execute(&mut *tx)
                .await;
        match added {
            Ok(_) => Ok(tx.commit().await.map_err(StoreError::from)?),
            Err(error) if is_unique_violation(&error) => Err(UserError::Taken),
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    async fn set_password(
        &self,
        account: AccountId,
        email: &str,
        email_hash: Uuid,
        hash: &str,
    ) -> Result<(), UserError> {
        let mut tx = self.write().await?;
        let user: Option<Uuid> =
            query_scalar("UPDATE people SET password_hash = $3 WHERE account = $1 AND email = $2 RETURNING id")
                .bind(account.0)
                .bind(email)
                .bind(hash)
                .fetch_optional(&mut *tx)
                .await
                .map_err(StoreError::from)?;
        let user = user.ok_or(UserError::Unknown)?;
        query("DELETE FROM sessions WHERE person = $1").bind(user).execute(&mut *tx).await.map_err(StoreError::from)?;
        // Also the attempts of the same sources for other addresses: these may delay this user.
        query(
            "DELETE FROM wrong_passwords
             WHERE source_hash IN (SELECT source_hash FROM wrong_passwords WHERE email_hash = $1)",
        )
        .bind(email_hash)
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
        Ok(tx.commit().await.map_err(StoreError::from)?)
    }

    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError> {
        let row: Option<CredentialsRow> = query_as(
            "SELECT p.id, p.account, a.name AS account_name, p.email, p.password_hash
             FROM people p JOIN accounts a ON a.id = p.account WHERE p.email = $1",
        )
        .bind(email)
        .fetch_optional(self.reader())
        .await?;
        Ok(row.map(|row| Credentials {
            user: User {
                id: UserId(row.id),
                account: AccountId(row.account),
                account_name: row.account_name,
                email: row.email,
            },
            password_hash: row.password_hash,
        }))
    }

    async fn add_first_user(
        &self,
        account: AccountId,
        name: &AccountName,
        id: UserId,
        email: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        lock(&mut tx, Uuid::nil(), Lock::Exclusive).await?;
        if query("SELECT 1 FROM people LIMIT 1").fetch_optional(&mut *tx).await?.is_some() {
            return Ok(false);
        }
        query("INSERT INTO accounts (id, name, default_tier, made_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING")
            .bind(account.0)
            .bind(name.as_str())
            .bind(tier_code(PricingTier::Small))
            .bind(now.as_ms())
            .execute(&mut *tx)
            .await?;
        query(
            "INSERT INTO people (id, account, email, password_hash, made_at)
             SELECT $1, id, $3, $4, $5 FROM accounts WHERE name = $2",
        )
        .bind(id.0)
        .bind(name.as_str())
        .bind(email)
        .bind(hash)
        .bind(now.as_ms())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }
}

//! Accounts, people and sessions.

use super::{Db, is_taken, lock, tier};
use crate::{
    errors::{AccountError, PersonError, StoreError},
    store::{Credentials, Lock, People, StoredSession},
    types::{AccountId, AccountName, Person, PersonId, Timestamp, tier_code},
};
use async_trait::async_trait;
use muster_domain::{PricingTier, SecretHash};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

#[async_trait]
impl People for Db {
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
            Err(error) if is_taken(&error) => Err(AccountError::Taken),
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

    async fn has_people(&self) -> Result<bool, StoreError> {
        Ok(query("SELECT 1 FROM people LIMIT 1").fetch_optional(self.reader()).await?.is_some())
    }

    async fn add_person(
        &self,
        id: PersonId,
        account: AccountId,
        email: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), PersonError> {
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
            Err(error) if is_taken(&error) => Err(PersonError::Taken),
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    async fn set_password(&self, email: &str, hash: &str) -> Result<(), PersonError> {
        let mut tx = self.write().await?;
        let person: Option<Uuid> = query_scalar("UPDATE people SET password_hash = $2 WHERE email = $1 RETURNING id")
            .bind(email)
            .bind(hash)
            .fetch_optional(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        let person = person.ok_or(PersonError::Unknown)?;
        query("DELETE FROM sessions WHERE person = $1")
            .bind(person)
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        Ok(tx.commit().await.map_err(StoreError::from)?)
    }

    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError> {
        let row: Option<(Uuid, Uuid, String, String, String)> = query_as(
            "SELECT p.id, p.account, a.name, p.email, p.password_hash
             FROM people p JOIN accounts a ON a.id = p.account WHERE p.email = $1",
        )
        .bind(email)
        .fetch_optional(self.reader())
        .await?;
        Ok(row.map(|(id, account, account_name, email, password_hash)| Credentials {
            person: Person { id: PersonId(id), account: AccountId(account), account_name, email },
            password_hash,
        }))
    }

    async fn add_first_person(
        &self,
        account: AccountId,
        name: &AccountName,
        id: PersonId,
        email: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        lock(&mut tx, Uuid::nil(), Lock::Alone).await?;
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

    async fn guess(
        &self,
        address_hash: &[u8; 32],
        now: Timestamp,
        since: Timestamp,
        limit: u32,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut tx = self.write().await?;
        // One at a time for an address, so that guesses at once do not all see the same count.
        let (address, _) = address_hash.split_at(16);
        lock(&mut tx, Uuid::from_slice(address).map_err(|_| StoreError::Corrupt)?, Lock::Alone).await?;
        query("DELETE FROM sign_in_failures WHERE failed_at <= $1").bind(since.as_ms()).execute(&mut *tx).await?;
        let moments: Vec<i64> = query_scalar(
            "SELECT failed_at FROM sign_in_failures WHERE address_hash = $1 ORDER BY failed_at DESC LIMIT $2",
        )
        .bind(address_hash.as_slice())
        .bind(i64::from(limit))
        .fetch_all(&mut *tx)
        .await?;
        if moments.len() >= limit as usize {
            return Ok(moments.last().copied().map(Timestamp::from_ms));
        }
        query("INSERT INTO sign_in_failures (address_hash, failed_at) VALUES ($1, $2)")
            .bind(address_hash.as_slice())
            .bind(now.as_ms())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(None)
    }

    async fn forget_failures(&self, address_hash: &[u8; 32]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        query("DELETE FROM sign_in_failures WHERE address_hash = $1")
            .bind(address_hash.as_slice())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn add_session(
        &self,
        id: Uuid,
        person: &Person,
        hash: &SecretHash,
        now: Timestamp,
        idle_since: Timestamp,
        absolute_since: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        query("DELETE FROM sessions WHERE seen_at <= $1 OR made_at <= $2")
            .bind(idle_since.as_ms())
            .bind(absolute_since.as_ms())
            .execute(&mut *tx)
            .await?;
        query("INSERT INTO sessions (id, person, secret_hash, made_at, seen_at) VALUES ($1, $2, $3, $4, $4)")
            .bind(id)
            .bind(person.id.0)
            .bind(hash.as_bytes().as_slice())
            .bind(now.as_ms())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn session(&self, id: Uuid) -> Result<Option<StoredSession>, StoreError> {
        type SessionRow = (Uuid, Uuid, String, String, Vec<u8>, i64, i64);
        let row: Option<SessionRow> = query_as(
            "SELECT p.id, p.account, a.name, p.email, s.secret_hash, s.made_at, s.seen_at
             FROM sessions s JOIN people p ON p.id = s.person JOIN accounts a ON a.id = p.account WHERE s.id = $1",
        )
        .bind(id)
        .fetch_optional(self.reader())
        .await?;
        let Some((person, account, account_name, email, hash, made, seen)) = row else { return Ok(None) };
        Ok(Some(StoredSession {
            person: Person { id: PersonId(person), account: AccountId(account), account_name, email },
            secret_hash: SecretHash::from_bytes(&hash).ok_or(StoreError::Corrupt)?,
            made: Timestamp::from_ms(made),
            seen: Timestamp::from_ms(seen),
        }))
    }

    async fn see_session(&self, id: Uuid, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        query("UPDATE sessions SET seen_at = $2 WHERE id = $1").bind(id).bind(now.as_ms()).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    async fn end_session(&self, id: Uuid) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        query("DELETE FROM sessions WHERE id = $1").bind(id).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

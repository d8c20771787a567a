//! Accounts, people and sessions.

use super::{Db, FOR_UPDATE_SKIP_LOCKED, is_taken, lock, tier};
use crate::{
    errors::{AccountError, PersonError, StoreError},
    sign_in_limits::{GUESSES_WITHIN_MS, Guesses},
    store::{Credentials, Lock, NewGuess, NewSession, People, StoredSession},
    types::{AccountId, AccountName, Person, PersonId, Timestamp, tier_code},
};
use async_trait::async_trait;
use muster_domain::{PricingTier, SecretHash};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
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

    async fn set_password(&self, email: &str, email_hash: Uuid, hash: &str) -> Result<(), PersonError> {
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
        // Also what the same sources tried for others: it may be that which makes this person wait.
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

    async fn guess(&self, guess: NewGuess) -> Result<Option<i64>, StoreError> {
        let NewGuess { id, email_hash, source_hash, now } = guess;
        let now_ms = now.as_ms();
        let mut tx = self.write().await?;
        // One at a time for a source, so that concurrent guesses do not all see the same count.
        lock(&mut tx, source_hash, Lock::Alone).await?;
        // Rows that another server deletes at the moment are left to it: two of them could wait for each other.
        query(AssertSqlSafe(format!(
            "DELETE FROM wrong_passwords WHERE id IN (SELECT id FROM wrong_passwords
             WHERE tried_at <= $1 OR tried_at > $2 LIMIT 1000{FOR_UPDATE_SKIP_LOCKED})"
        )))
        .bind(now_ms - GUESSES_WITHIN_MS)
        .bind(now_ms + GUESSES_WITHIN_MS)
        .execute(&mut *tx)
        .await?;
        // The clock was set back.
        query("UPDATE wrong_passwords SET tried_at = $2 WHERE source_hash = $1 AND tried_at > $2")
            .bind(source_hash)
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
        let (source, source_last_ms, pair, pair_last_ms): (i64, i64, i64, i64) = query_as(
            "SELECT COUNT(*), COALESCE(MAX(tried_at), 0), COUNT(CASE WHEN email_hash = $2 THEN 1 END),
                    COALESCE(MAX(CASE WHEN email_hash = $2 THEN tried_at END), 0)
             FROM wrong_passwords WHERE source_hash = $1 AND tried_at > $3",
        )
        .bind(source_hash)
        .bind(email_hash)
        .bind(now_ms - GUESSES_WITHIN_MS)
        .fetch_one(&mut *tx)
        .await?;
        let number = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        let guesses = Guesses { pair: number(pair), pair_last_ms, source: number(source), source_last_ms };
        let wait_ms = guesses.wait_ms(now_ms);
        if wait_ms == 0 {
            query("INSERT INTO wrong_passwords (id, email_hash, source_hash, tried_at) VALUES ($1, $2, $3, $4)")
                .bind(id)
                .bind(email_hash)
                .bind(source_hash)
                .bind(now_ms)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok((wait_ms > 0).then_some(wait_ms))
    }

    async fn add_session(&self, new: NewSession) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        lock(&mut tx, new.source_hash, Lock::Alone).await?;
        query("DELETE FROM wrong_passwords WHERE source_hash = $1 AND email_hash = $2")
            .bind(new.source_hash)
            .bind(new.email_hash)
            .execute(&mut *tx)
            .await?;
        query("DELETE FROM sessions WHERE seen_at <= $1 OR made_at <= $2")
            .bind(new.idle_since.as_ms())
            .bind(new.absolute_since.as_ms())
            .execute(&mut *tx)
            .await?;
        query("INSERT INTO sessions (id, person, secret_hash, made_at, seen_at) VALUES ($1, $2, $3, $4, $4)")
            .bind(new.id)
            .bind(new.person.0)
            .bind(new.secret_hash.as_bytes().as_slice())
            .bind(new.now.as_ms())
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

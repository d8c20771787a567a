//! Signing in, and sessions.

use super::{Db, FOR_NO_KEY_UPDATE_SKIP_LOCKED, lock};
use crate::{
    accounts::{
        User,
        sign_in_limits::{WRONG_PASSWORD_WINDOW_MS, WrongPasswords},
    },
    errors::StoreError,
    store::contract::{Lock, NewSession, NewSignInAttempt, Sessions, StoredSession},
    types::{AccountId, UserId},
};
use async_trait::async_trait;
use muster_domain::{SecretHash, Timestamp};
use sqlx::{AssertSqlSafe, query, query_as};
use uuid::Uuid;

row! {
    struct WrongPasswordsRow {
        source: i64,
        source_last_ms: i64,
        pair: i64,
        pair_last_ms: i64,
    }
}

row! {
    struct SessionRow {
        user_id: Uuid,
        account: Uuid,
        account_name: String,
        email: String,
        secret_hash: Vec<u8>,
        made_at: i64,
        seen_at: i64,
    }
}

#[async_trait]
impl Sessions for Db {
    async fn record_attempt(&self, attempt: NewSignInAttempt) -> Result<Option<i64>, StoreError> {
        let NewSignInAttempt { id, email_hash, source_hash, now } = attempt;
        let now_ms = now.as_ms();
        let mut tx = self.write().await?;
        // Attempts of one source run one after the other. Otherwise, concurrent ones would all see the same count.
        lock(&mut tx, source_hash, Lock::Exclusive).await?;
        // Rows that another server is deleting are skipped: two servers could wait for each other.
        query(AssertSqlSafe(format!(
            "DELETE FROM wrong_passwords WHERE id IN (SELECT id FROM wrong_passwords
             WHERE tried_at <= $1 OR tried_at > $2 LIMIT 1000{FOR_NO_KEY_UPDATE_SKIP_LOCKED})"
        )))
        .bind(now_ms - WRONG_PASSWORD_WINDOW_MS)
        .bind(now_ms + WRONG_PASSWORD_WINDOW_MS)
        .execute(&mut *tx)
        .await?;
        // The clock was set back.
        query("UPDATE wrong_passwords SET tried_at = $2 WHERE source_hash = $1 AND tried_at > $2")
            .bind(source_hash)
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
        let row: WrongPasswordsRow = query_as(
            "SELECT COUNT(*) AS source, COALESCE(MAX(tried_at), 0) AS source_last_ms,
                    COUNT(CASE WHEN email_hash = $2 THEN 1 END) AS pair,
                    COALESCE(MAX(CASE WHEN email_hash = $2 THEN tried_at END), 0) AS pair_last_ms
             FROM wrong_passwords WHERE source_hash = $1 AND tried_at > $3",
        )
        .bind(source_hash)
        .bind(email_hash)
        .bind(now_ms - WRONG_PASSWORD_WINDOW_MS)
        .fetch_one(&mut *tx)
        .await?;
        let number = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        let wrong_passwords = WrongPasswords {
            pair: number(row.pair),
            pair_last_ms: row.pair_last_ms,
            source: number(row.source),
            source_last_ms: row.source_last_ms,
        };
        let wait_ms = wrong_passwords.wait_ms(now_ms);
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
        lock(&mut tx, new.source_hash, Lock::Exclusive).await?;
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
            .bind(new.user.0)
            .bind(new.secret_hash.as_bytes().as_slice())
            .bind(new.now.as_ms())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn session(&self, id: Uuid) -> Result<Option<StoredSession>, StoreError> {
        let row: Option<SessionRow> = query_as(
            "SELECT p.id AS user_id, p.account, a.name AS account_name, p.email, s.secret_hash, s.made_at, s.seen_at
             FROM sessions s JOIN people p ON p.id = s.person JOIN accounts a ON a.id = p.account WHERE s.id = $1",
        )
        .bind(id)
        .fetch_optional(self.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(StoredSession {
            user: User {
                id: UserId(row.user_id),
                account: AccountId(row.account),
                account_name: row.account_name,
                email: row.email,
            },
            secret_hash: SecretHash::from_bytes(&row.secret_hash).ok_or(StoreError::Corrupt)?,
            made: Timestamp::from_ms(row.made_at),
            seen: Timestamp::from_ms(row.seen_at),
        }))
    }

    async fn touch_session(&self, id: Uuid, now: Timestamp) -> Result<(), StoreError> {
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

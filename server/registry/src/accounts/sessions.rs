//! Signing in and out, and the sessions between.

use crate::{
    accounts::{
        password::Password,
        sign_in_limits::{Source, email_hash},
        users::address,
    },
    actor::Actor,
    errors::{SignInError, StoreError},
    registry::Registry,
    store::contract::{NewSession, NewSignInAttempt},
    world::new_id,
};
use muster_domain::{SessionKey, Timestamp};
use std::{sync::atomic::Ordering, time::Duration};

/// A session expires if it is not used for 12 hours.
pub const SESSION_IDLE_MS: i64 = 12 * 3_600_000;
/// A session expires 30 days after sign-in, however much it is used.
pub const SESSION_ABSOLUTE_MS: i64 = 30 * 86_400_000;
/// How often the last use of a session is stored: rarely enough that reading pages hardly ever writes.
const TOUCH_INTERVAL_MS: i64 = 5 * 60_000;
/// A page waits at most this long for that write.
const TOUCH_TIMEOUT: Duration = Duration::from_secs(1);
/// After a write that took longer, pages skip it for this long: a large upload keeps the writer busy.
const TOUCH_PAUSE_MS: i64 = 15_000;

impl Registry {
    /// Signs a user in, and returns the key of a new session with its actor. After a few wrong passwords from the same
    /// source, the next attempt has to wait (`sign_in_limits.rs`). Whether the address belongs to a user makes no
    /// difference in the answer, and none in its time beside the verification of a password.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(
        &self,
        email: &str,
        source: Source,
        password: &Password,
    ) -> Result<(SessionKey, Actor), SignInError> {
        let Ok(address) = address(email) else { return Err(SignInError::Wrong) };
        let now = self.now();
        let (email_hash, source_hash) = (email_hash(&address), source.hash());
        // Counted before it is verified, so that concurrent attempts are counted, too.
        let attempt = NewSignInAttempt { id: new_id(&*self.world), email_hash, source_hash, now };
        if let Some(wait_ms) = self.store.record_attempt(attempt).await? {
            let retry_after_s = u32::try_from(wait_ms.max(1).cast_unsigned().div_ceil(1_000)).unwrap_or(u32::MAX);
            return Err(SignInError::TooMany { retry_after_s });
        }
        let found = self.credentials(email).await?;
        let hash = found.as_ref().map(|found| found.password_hash.clone());
        let given = password.clone();
        let is_right = self.hashing(move || given.verify(hash.as_deref())).await?;
        let Some(found) = found.filter(|_| is_right) else { return Err(SignInError::Wrong) };

        let key = SessionKey::new(new_id(&*self.world), self.random());
        let idle_since = Timestamp::from_ms(now.as_ms() - SESSION_IDLE_MS);
        let absolute_since = Timestamp::from_ms(now.as_ms() - SESSION_ABSOLUTE_MS);
        let session = NewSession {
            id: key.id(),
            user: found.user.id,
            secret_hash: key.hash(),
            now,
            idle_since,
            absolute_since,
            email_hash,
            source_hash,
        };
        self.store.add_session(session).await?;
        Ok((key, Actor::in_session(found.user)))
    }

    /// The actor of a session: its user. `None` unless the session exists and has not expired.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(&self, key: &SessionKey) -> Result<Option<Actor>, StoreError> {
        let Some(session) = self.store.session(key.id()).await? else { return Ok(None) };
        let now = self.now().as_ms();
        let is_over =
            now - session.seen.as_ms() >= SESSION_IDLE_MS || now - session.made.as_ms() >= SESSION_ABSOLUTE_MS;
        if is_over || !session.secret_hash.matches(key) {
            return Ok(None);
        }
        // A time in the future was stored before the clock was set back. It would make the session last longer.
        if (now - session.seen.as_ms()).abs() >= TOUCH_INTERVAL_MS {
            self.touch_session(key, now).await;
        }
        Ok(Some(Actor::in_session(session.user)))
    }

    /// Stores that a session is in use. A database that is read-only or busy can still show its pages: so the wait is
    /// short, and after a timeout there is no other attempt for a while.
    async fn touch_session(&self, key: &SessionKey, now_ms: i64) {
        let failed_ms = self.touch_failed_ms.load(Ordering::Relaxed);
        if (now_ms - failed_ms).abs() < TOUCH_PAUSE_MS {
            return;
        }
        let seen = self.store.touch_session(key.id(), Timestamp::from_ms(now_ms));
        if tokio::time::timeout(TOUCH_TIMEOUT, seen).await.is_err() {
            self.touch_failed_ms.store(now_ms, Ordering::Relaxed);
        }
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_out(&self, key: &SessionKey) -> Result<(), StoreError> {
        match self.store.session(key.id()).await? {
            Some(session) if session.secret_hash.matches(key) => self.store.end_session(key.id()).await,
            _ => Ok(()),
        }
    }
}

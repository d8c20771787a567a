//! Accounts, people, and their sessions.

use crate::{
    errors::{AccountError, PersonError, SignInError, StoreError},
    heavy::run_blocking,
    password::Password,
    registry::Registry,
    sign_in_limits::{Source, email_hash},
    store::{NewGuess, NewSession},
    types::{AccountId, AccountName, Person, PersonId, Timestamp},
    world::new_id,
};
use muster_domain::{PricingTier, SessionKey};
use std::{sync::atomic::Ordering, time::Duration};

/// A session ends when it was not used for 12 hours.
pub const SESSION_IDLE_MS: i64 = 12 * 3_600_000;
/// And 30 days after it was made, however much it was used.
pub const SESSION_ABSOLUTE_MS: i64 = 30 * 86_400_000;
/// How often it is noted that a session was used: seldom enough that reading pages hardly ever writes.
const SEEN_EVERY_MS: i64 = 5 * 60_000;
/// A page does not wait longer than this for that note.
const SEE_WITHIN: Duration = Duration::from_secs(1);
/// After a note that took longer, pages do without for this long: a large upload keeps the writer busy.
const SEE_PAUSE_MS: i64 = 15_000;
/// The longest email address (RFC 5321, as corrected).
const MAX_EMAIL_BYTES: usize = 254;

/// The form an address is kept and compared in.
fn address(email: &str) -> Result<String, PersonError> {
    let email = email.trim().to_lowercase();
    let is_address = email.len() <= MAX_EMAIL_BYTES
        && email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !email.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    if is_address { Ok(email) } else { Err(PersonError::NotAnAddress) }
}

impl Registry {
    /// Makes an account; its default pricing tier is `Small`.
    ///
    /// # Errors
    /// [`AccountError`], where there is one of that name.
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

    /// The tier of a device whose row names none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn default_tier(&self, account: AccountId) -> Result<PricingTier, StoreError> {
        self.store.default_tier(account).await
    }

    /// Changes it, for devices registered from now on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_default_tier(&self, account: AccountId, tier: PricingTier) -> Result<(), StoreError> {
        self.store.set_default_tier(account, tier).await
    }

    /// Whether anybody can sign in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_people(&self) -> Result<bool, StoreError> {
        self.store.has_people().await
    }

    /// A password that nobody guesses: 100 random bits in letters and digits that are not mistaken for each other.
    #[must_use]
    pub fn random_password(&self) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut text = String::with_capacity(23);
        for (at, byte) in self.random::<20>().into_iter().enumerate() {
            if at > 0 && at % 5 == 0 {
                text.push('-');
            }
            text.push(char::from(LETTERS[usize::from(byte % 32)]));
        }
        text
    }

    /// Where nobody can sign in yet: makes the account `main` and its first person. Gives whether it did.
    ///
    /// # Errors
    /// [`PersonError`].
    pub async fn ensure_first_start(&self, email: &str, password: &Password) -> Result<bool, PersonError> {
        if self.has_people().await? {
            return Ok(false);
        }
        let name = AccountName::parse("main").map_err(|_| StoreError::Corrupt)?;
        let email = address(email)?;
        let hash = self.hash(password).await?;
        let (account, person) = (AccountId(new_id(&*self.world)), PersonId(new_id(&*self.world)));
        Ok(self.store.add_first_person(account, &name, person, &email, &hash, self.now()).await?)
    }

    /// Adds a person to an account. Letter case of the address does not matter.
    ///
    /// # Errors
    /// [`PersonError`], where the address is none, or taken.
    pub async fn add_person(
        &self,
        email: &str,
        account: AccountId,
        password: &Password,
    ) -> Result<PersonId, PersonError> {
        let email = address(email)?;
        let hash = self.hash(password).await?;
        let id = PersonId(new_id(&*self.world));
        self.store.add_person(id, account, &email, &hash, self.now()).await?;
        Ok(id)
    }

    /// Changes a person's password, ends their sessions, and lifts what makes them wait after wrong passwords.
    ///
    /// # Errors
    /// [`PersonError`], where nobody signs in with that address.
    pub async fn set_password(&self, email: &str, password: &Password) -> Result<(), PersonError> {
        let email = address(email)?;
        let hash = self.hash(password).await?;
        self.store.set_password(&email, email_hash(&email), &hash).await
    }

    /// Signs a person in: gives the key of a new session. After a few wrong passwords from the same source, the next has to
    /// wait (`sign_in_limits.rs`); whether the address is anybody's makes no difference, in words or in time.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(
        &self,
        email: &str,
        source: Source,
        password: &Password,
    ) -> Result<(SessionKey, Person), SignInError> {
        let Ok(email) = address(email) else { return Err(SignInError::Wrong) };
        let now = self.now();
        let (email_hash, source_hash) = (email_hash(&email), source.hash());
        // Counted before it is tried, so that concurrent guesses are counted, too.
        let guess = NewGuess { id: new_id(&*self.world), email_hash, source_hash, now };
        if let Some(wait_ms) = self.store.guess(guess).await? {
            let retry_after_s = u32::try_from(wait_ms.max(1).cast_unsigned().div_ceil(1_000)).unwrap_or(u32::MAX);
            return Err(SignInError::TooMany { retry_after_s });
        }
        let found = self.store.credentials(&email).await?;
        let hash = found.as_ref().map(|found| found.password_hash.clone());
        let given = password.clone();
        let is_right = self.hashing(move || given.verify(hash.as_deref())).await?;
        let Some(found) = found.filter(|_| is_right) else { return Err(SignInError::Wrong) };

        let key = SessionKey::new(new_id(&*self.world), self.random());
        let idle_since = Timestamp::from_ms(now.as_ms() - SESSION_IDLE_MS);
        let absolute_since = Timestamp::from_ms(now.as_ms() - SESSION_ABSOLUTE_MS);
        let session = NewSession {
            id: key.id(),
            person: found.person.id,
            secret_hash: key.hash(),
            now,
            idle_since,
            absolute_since,
            email_hash,
            source_hash,
        };
        self.store.add_session(session).await?;
        Ok((key, found.person))
    }

    /// The person who signs in with this address.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn person_with_email(&self, email: &str) -> Result<Option<Person>, StoreError> {
        let Ok(email) = address(email) else { return Ok(None) };
        Ok(self.store.credentials(&email).await?.map(|found| found.person))
    }

    /// The person of a session, where it is one and has not ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(&self, key: &SessionKey) -> Result<Option<Person>, StoreError> {
        let Some(session) = self.store.session(key.id()).await? else { return Ok(None) };
        let now = self.now().as_ms();
        let is_over =
            now - session.seen.as_ms() >= SESSION_IDLE_MS || now - session.made.as_ms() >= SESSION_ABSOLUTE_MS;
        if is_over || !session.secret_hash.matches(key) {
            return Ok(None);
        }
        // A time in the future is one before the clock was set back, and would make the session last longer.
        if (now - session.seen.as_ms()).abs() >= SEEN_EVERY_MS {
            self.see_session(key, now).await;
        }
        Ok(Some(session.person))
    }

    /// Notes that a session is in use. A database that takes no changes, or not now, can still show its pages: so the wait is
    /// short, and after one that timed out this is not tried again for a while.
    async fn see_session(&self, key: &SessionKey, now_ms: i64) {
        let failed_ms = self.seeing_failed_ms.load(Ordering::Relaxed);
        if (now_ms - failed_ms).abs() < SEE_PAUSE_MS {
            return;
        }
        let seen = self.store.see_session(key.id(), Timestamp::from_ms(now_ms));
        if tokio::time::timeout(SEE_WITHIN, seen).await.is_err() {
            self.seeing_failed_ms.store(now_ms, Ordering::Relaxed);
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

    async fn hash(&self, password: &Password) -> Result<String, StoreError> {
        let (password, salt) = (password.clone(), self.random());
        self.hashing(move || password.hash(salt)).await?.ok_or(StoreError::Unavailable)
    }

    /// Hashes off the async threads, a few at a time.
    async fn hashing<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
        let turn = self.hashing.clone().acquire_owned().await.map_err(|_| StoreError::Unavailable)?;
        run_blocking(turn, work).await
    }
}

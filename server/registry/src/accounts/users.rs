//! The users of accounts, and their passwords.

use crate::{
    accounts::{AccountName, User, password::Password, sign_in_limits::email_hash},
    actor::Actor,
    errors::{StoreError, UserError},
    heavy::run_blocking,
    registry::Registry,
    store::contract::Credentials,
    types::{AccountId, UserId},
    world::new_id,
};
use muster_domain::normalized;

/// The maximum length of an email address (RFC 5321, as corrected).
const MAX_EMAIL_BYTES: usize = 254;

/// An email address in the form that is stored and compared: addresses that look the same are the same.
pub(super) fn address(email: &str) -> Result<String, UserError> {
    checked(normalized(&email.to_lowercase()).into_owned())
}

/// An email address as earlier versions of Muster stored it.
fn address_as_typed(email: &str) -> Result<String, UserError> {
    checked(email.trim().to_lowercase())
}

fn checked(email: String) -> Result<String, UserError> {
    let is_address = email.len() <= MAX_EMAIL_BYTES
        && email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !email.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    if is_address { Ok(email) } else { Err(UserError::NotAnAddress) }
}

impl Registry {
    /// Whether there are any users.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        self.store.has_users().await
    }

    /// A random password of 100 bits, in letters and digits that are not mistaken for each other.
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

    /// If there are no users yet, adds the account `main` and its first user. Returns whether it did.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn ensure_first_start(&self, email: &str, password: &Password) -> Result<bool, UserError> {
        if self.has_users().await? {
            return Ok(false);
        }
        let name = AccountName::parse("main").map_err(|_| StoreError::Corrupt)?;
        let email = address(email)?;
        let hash = self.hash(password).await?;
        let (account, user) = (AccountId(new_id(&*self.world)), UserId(new_id(&*self.world)));
        Ok(self.store.add_first_user(account, &name, user, &email, &hash, self.now()).await?)
    }

    /// Adds a user to the account. Letter case of the address does not matter.
    ///
    /// # Errors
    /// [`UserError`] if the address is malformed or taken.
    pub async fn add_user(&self, actor: &Actor, email: &str, password: &Password) -> Result<UserId, UserError> {
        let email = address(email)?;
        if self.credentials(&email).await?.is_some() {
            return Err(UserError::Taken);
        }
        let hash = self.hash(password).await?;
        let id = UserId(new_id(&*self.world));
        self.store.add_user(id, actor.account(), &email, &hash, self.now()).await?;
        Ok(id)
    }

    /// Changes the password of a user of the account, ends the user's sessions, and clears the delays after wrong
    /// passwords.
    ///
    /// # Errors
    /// [`UserError`] if no user of the account has this address.
    pub async fn set_password(&self, actor: &Actor, email: &str, password: &Password) -> Result<(), UserError> {
        let address = address(email)?;
        let stored = self.credentials(email).await?.ok_or(UserError::Unknown)?.user.email;
        let hash = self.hash(password).await?;
        self.store.set_password(actor.account(), &stored, email_hash(&address), &hash).await
    }

    /// The user with this email address, of any account. For use before there is an actor.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_with_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        Ok(self.credentials(email).await?.map(|found| found.user))
    }

    /// The user whose address an earlier version stored as it is typed here, or else the one with the cleaned address.
    pub(super) async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError> {
        let Ok(address) = address(email) else { return Ok(None) };
        match address_as_typed(email) {
            Ok(as_typed) if as_typed != address => match self.store.credentials(&as_typed).await? {
                None => self.store.credentials(&address).await,
                found => Ok(found),
            },
            _ => self.store.credentials(&address).await,
        }
    }

    async fn hash(&self, password: &Password) -> Result<String, StoreError> {
        let (password, salt) = (password.clone(), self.random());
        self.hashing(move || password.hash(salt)).await?.ok_or(StoreError::Unavailable)
    }

    /// Hashes off the async workers, a few passwords at a time.
    pub(super) async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.hashing.clone().acquire_owned().await.map_err(|_| StoreError::Unavailable)?;
        run_blocking(permit, work).await
    }
}

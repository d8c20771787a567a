//! Authenticating devices by their security tokens.

use crate::{
    devices::{AuthenticatedDevice, TokenUse},
    errors::{AuthError, StoreError},
    registry::Registry,
};
use muster_domain::{SecretHash, SecurityToken, Status};

impl Registry {
    /// The device of a token. This writes nothing: see [`Registry::record_token_use`].
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn authenticate(&self, token: &SecurityToken) -> Result<AuthenticatedDevice, AuthError> {
        let row = self.store.token_row(token.id()).await?.ok_or(AuthError::Unknown)?;
        // Every hash is compared, and each in constant time.
        let is_newest = row.token_hash.matches(token);
        let is_old = row
            .old_token_hashes
            .chunks_exact(32)
            .filter_map(SecretHash::from_bytes)
            .fold(false, |found, hash| hash.matches(token) | found);
        if !is_newest && !is_old {
            return Err(AuthError::Unknown);
        }
        if row.status == Status::Disabled {
            return Err(AuthError::Disabled);
        }
        let newest = (is_newest && !row.old_token_hashes.is_empty()).then_some(row.token_hash);
        let changes_something = !row.is_used || newest.is_some();
        let token_use = changes_something.then(|| TokenUse { device: token.id(), newest, at: self.now() });
        Ok(AuthenticatedDevice {
            account: row.account,
            account_name: row.account_name,
            id: token.id(),
            name: row.name,
            model: row.model,
            model_version: row.model_version,
            segment: row.segment,
            token_use,
        })
    }

    /// Records that a device has used its token. The first use of the newest token revokes the older ones. Storing a
    /// report does this as well, in the same transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_token_use(&self, device: &AuthenticatedDevice) -> Result<(), StoreError> {
        match device.token_use {
            Some(token_use) => self.store.record_token_use(token_use).await,
            None => Ok(()),
        }
    }
}

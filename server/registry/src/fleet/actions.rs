//! Actions on many devices, in calls of up to 10,000 each.

use crate::{
    actor::Actor,
    errors::{GroupError, StoreError},
    registry::Registry,
    store::contract::NewToken,
    world::new_id,
};
use metrics::counter;
use muster_domain::{
    CallOutcome, Change, DeviceName, NewDevice, OldTokens, RegistrationId, SecurityToken, Targets, TokenJob,
};
use std::collections::HashSet;

impl Registry {
    /// Changes the next devices of the targets, all of them or none: at most
    /// [`MAX_DEVICES_PER_CALL`](muster_domain::MAX_DEVICES_PER_CALL). A repeated call is harmless.
    ///
    /// # Errors
    /// [`GroupError`]; [`GroupError::TooMany`] and [`GroupError::Name`] only if a group is to be created, and
    /// [`GroupError::NotFound`] only if the devices are to leave a group that the account does not have.
    pub async fn change_devices(
        &self,
        actor: &Actor,
        targets: &Targets,
        change: &Change,
    ) -> Result<CallOutcome, GroupError> {
        self.store.change_devices(actor.account(), targets, change, new_id(&*self.world), self.now()).await
    }

    /// The next devices of the targets as rows of a registration file, by name, and the name to continue after.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export(
        &self,
        actor: &Actor,
        targets: &Targets,
    ) -> Result<(Vec<NewDevice>, Option<DeviceName>), StoreError> {
        self.store.export(actor.account(), targets, self.now()).await
    }

    /// Creates a new token for each of the next devices of the targets, all of them or none. Returns the tokens by
    /// device name, and the name to continue after.
    ///
    /// If the response was lost, the call may be repeated with a higher attempt. This revokes the tokens of the lost
    /// response, since nobody has them. A call that arrives after a later one of its job leaves the devices alone whose
    /// tokens are from the later one, and does not return them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn generate_tokens(
        &self,
        actor: &Actor,
        targets: &Targets,
        old: OldTokens,
        job: TokenJob,
    ) -> Result<(Vec<(DeviceName, SecurityToken)>, Option<DeviceName>), StoreError> {
        let (devices, next) = self.store.select_targets(actor.account(), targets, self.now()).await?;
        let tokens: Vec<_> =
            devices.into_iter().map(|(id, name)| (name, SecurityToken::new(id, self.random()))).collect();
        let hashes: Vec<_> =
            tokens.iter().map(|(_, token)| NewToken { device: token.id(), hash: token.hash() }).collect();
        let replaced: HashSet<_> =
            self.store.replace_tokens(actor.account(), &hashes, old, job, self.now()).await?.into_iter().collect();
        let issued: Vec<_> = tokens.into_iter().filter(|(_, token)| replaced.contains(&token.id())).collect();
        counter!("muster_tokens_issued_total").increment(issued.len() as u64);
        Ok((issued, next))
    }

    /// Deletes the next devices of a registration that never connected, that is, never used a token. If the account has
    /// no such registration, nothing is deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn undo_registration(
        &self,
        actor: &Actor,
        id: RegistrationId,
        after: Option<&DeviceName>,
    ) -> Result<CallOutcome, StoreError> {
        self.store.undo_registration(actor.account(), id, after).await
    }
}

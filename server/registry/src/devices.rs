//! One device and its token; groups; and registrations.

use crate::{
    errors::{AuthError, GroupError, RegisterError, StoreError},
    fleet::Step,
    registering::{ErrorsPage, MAX_FILE_NAME_CHARS, MAX_PART_ROWS, MAX_PARTS, NewRegistration, PartOutcome, PartRows},
    registry::Registry,
    store::NewPart,
    types::{
        AccountId, AuthenticatedDevice, DeviceDetail, GroupName, GroupSummary, PersonId, RegistrationId,
        RegistrationSummary, Status, TokenUse,
    },
    world::new_id,
};
use metrics::counter;
use muster_domain::{DeviceName, SecretHash, SecurityToken};

/// The most registrations that are listed at once.
const MAX_REGISTRATIONS: u32 = 500;

impl Registry {
    /// One device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn device(&self, account: AccountId, name: &DeviceName) -> Result<Option<DeviceDetail>, StoreError> {
        self.store.device(account, name).await
    }

    /// The device of a token. Nothing is written: see [`Registry::note_token_use`].
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
        let changes_something = !row.is_used || (is_newest && !row.old_token_hashes.is_empty());
        let newest = is_newest.then_some(row.token_hash);
        let token_use = changes_something.then(|| TokenUse { device: token.id(), newest, at: self.now() });
        Ok(AuthenticatedDevice {
            account: row.account,
            id: token.id(),
            name: row.name,
            model: row.model,
            model_version: row.model_version,
            segment: row.segment,
            token_use,
        })
    }

    /// Notes that a device has used its token: its newest token, when it is first used, ends those before it. Storing a
    /// report does this as well, in the same transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_token_use(&self, device: &AuthenticatedDevice) -> Result<(), StoreError> {
        match device.token_use {
            Some(token_use) => self.store.token_used(token_use).await,
            None => Ok(()),
        }
    }

    /// All groups of the account, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups(&self, account: AccountId) -> Result<Vec<GroupSummary>, StoreError> {
        self.store.groups(account).await
    }

    /// Makes a group that nothing is in.
    ///
    /// # Errors
    /// [`GroupError`].
    pub async fn make_group(&self, account: AccountId, name: &GroupName) -> Result<(), GroupError> {
        self.store.make_group(account, new_id(&*self.world), name).await
    }

    /// Gives a group another name.
    ///
    /// # Errors
    /// [`GroupError`].
    pub async fn rename_group(&self, account: AccountId, from: &GroupName, to: &GroupName) -> Result<(), GroupError> {
        self.store.rename_group(account, from, to).await
    }

    /// Deletes a group. Its devices stay.
    ///
    /// # Errors
    /// [`GroupError::NotFound`], [`GroupError::Store`].
    pub async fn delete_group(&self, account: AccountId, name: &GroupName) -> Result<(), GroupError> {
        if self.store.delete_group(account, name).await? { Ok(()) } else { Err(GroupError::NotFound) }
    }

    /// Begins a registration. If there is no group of the name that it gives, the group is made with the first device
    /// that joins it: see [`Registry::register_part`].
    ///
    /// # Errors
    /// [`RegisterError::OverLimit`] for more devices or parts than a file has; [`RegisterError::Group`] if the account
    /// has as many groups as it may.
    pub async fn begin_registration(
        &self,
        account: AccountId,
        person: PersonId,
        mut new: NewRegistration,
    ) -> Result<RegistrationId, RegisterError> {
        if new.devices > muster_domain::MAX_DEVICES || new.parts > MAX_PARTS {
            return Err(RegisterError::OverLimit(
                "A file may have at most 1,000,000 devices. Split it into several files.",
            ));
        }
        new.file_name = new.file_name.chars().filter(|letter| !letter.is_control()).take(MAX_FILE_NAME_CHARS).collect();
        let id = RegistrationId(new_id(&*self.world));
        self.store.begin_registration(account, person, id, &new, self.now()).await?;
        counter!("muster_registrations_total").increment(1);
        Ok(id)
    }

    /// Registers the rows of one part of a file, all or none of them: see [`PartRows`] for what happens to each.
    ///
    /// Devices that are registered, now or before, join the registration's group. It follows a group that is renamed
    /// meanwhile; one that is deleted meanwhile stays deleted, and the devices that come later join none.
    ///
    /// The same part may be sent again with a higher attempt number, after an answer that was lost: the devices
    /// that it made then, and that have not connected since, get another token, and the lost one ends.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub async fn register_part(
        &self,
        account: AccountId,
        id: RegistrationId,
        part: PartRows,
    ) -> Result<PartOutcome, RegisterError> {
        if part.devices.len() + part.refused.len() > MAX_PART_ROWS || part.number >= MAX_PARTS {
            return Err(RegisterError::OverLimit(
                "A part of a file may have at most 10,000 rows. Reload the page and upload the file again.",
            ));
        }
        let world = self.world.clone();
        let outcome = self.store.register_part(NewPart { account, registration: id, rows: part, world }).await?;
        counter!("muster_devices_registered_total").increment(outcome.registered.into());
        counter!("muster_tokens_issued_total").increment(outcome.tokens.len() as u64);
        Ok(outcome)
    }

    /// Marks a registration as done, if all its parts are there. Of one that lacks some, what is there is told all the
    /// same: it is not [`finished`](RegistrationSummary::finished), and a later call may find it so.
    ///
    /// # Errors
    /// [`RegisterError::UnknownRegistration`].
    pub async fn finish_registration(
        &self,
        account: AccountId,
        id: RegistrationId,
    ) -> Result<RegistrationSummary, RegisterError> {
        if !self.store.finish_registration(account, id, self.now()).await? {
            return Err(RegisterError::UnknownRegistration);
        }
        let found = self.store.registrations(account, Some(id), None, 1).await?;
        found.into_iter().next().ok_or(RegisterError::UnknownRegistration)
    }

    /// The registrations of the account, newest first: those before the one given, or the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registrations(
        &self,
        account: AccountId,
        before: Option<RegistrationId>,
        limit: u32,
    ) -> Result<Vec<RegistrationSummary>, StoreError> {
        self.store.registrations(account, None, before, limit.min(MAX_REGISTRATIONS)).await
    }

    /// Deletes those devices of a registration that never connected, which is, that never showed a token, as far as
    /// one call goes. Where an account has no such registration, there is nothing to delete.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn undo_registration(
        &self,
        account: AccountId,
        id: RegistrationId,
        after: Option<&DeviceName>,
    ) -> Result<Step, StoreError> {
        self.store.undo_registration(account, id, after).await
    }

    /// The `errors.csv` of a registration, part by part: as many parts behind the one of this number as fit about 2 MiB,
    /// and at least one, if there are any. `None`: the account has no such registration.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registration_errors(
        &self,
        account: AccountId,
        id: RegistrationId,
        after: Option<u32>,
    ) -> Result<Option<ErrorsPage>, StoreError> {
        self.store.errors_csv(account, id, after).await
    }
}

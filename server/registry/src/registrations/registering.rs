//! Registering a file in parts, and the history of registrations.

use crate::{
    actor::Actor,
    errors::{RegisterError, StoreError},
    registrations::{
        ErrorsPage, MAX_FILE_NAME_CHARS, MAX_PART_ROWS, MAX_PARTS, NewRegistration, PartOutcome, PartRows,
    },
    registry::Registry,
    store::contract::NewPart,
    world::new_id,
};
use metrics::counter;
use muster_domain::{DryRun, FieldSet, NewDevice, RegistrationId, RegistrationSummary, looks_empty, normalized};

/// For a file whose name cannot be seen.
const NO_FILE_NAME: &str = "(no name)";

/// The maximum number of registrations on a page.
const MAX_REGISTRATIONS: u32 = 500;

const TOO_MANY_ROWS: RegisterError = RegisterError::OverLimit(
    "A part of a file may have at most 10,000 rows. Reload the page and upload the file again.",
);

/// A file's name for display.
fn shown_file_name(name: &str) -> String {
    let name: String = normalized(name).chars().filter(|it| !it.is_control()).take(MAX_FILE_NAME_CHARS).collect();
    if looks_empty(&name) { NO_FILE_NAME.to_owned() } else { name }
}

impl Registry {
    /// Begins a registration, or returns the one that an earlier call with the same key began. If its group does not
    /// exist, the group is created with the first device that joins: see [`Registry::register_part`].
    ///
    /// # Errors
    /// [`RegisterError::OverLimit`] if the file has too many devices or parts; [`RegisterError::Group`] if the account
    /// has the maximum number of groups.
    pub async fn begin_registration(
        &self,
        actor: &Actor,
        mut new: NewRegistration,
    ) -> Result<RegistrationId, RegisterError> {
        if new.devices > muster_domain::MAX_DEVICES || new.parts > MAX_PARTS {
            return Err(RegisterError::OverLimit(
                "A file may have at most 1,000,000 devices. Split it into several files.",
            ));
        }
        new.file_name = shown_file_name(&new.file_name);
        let id = RegistrationId::from(new_id(&*self.world));
        let begun = self.store.begin_registration(actor.account(), actor.user(), id, &new, self.now()).await?;
        counter!("muster_registrations_total").increment(u64::from(begun == id));
        Ok(begun)
    }

    /// Registers the rows of one part of a file, all of them or none: see [`PartRows`] for what happens to each.
    ///
    /// All its devices, newly or already registered, join the registration's group, even if it was renamed meanwhile.
    /// If the group was deleted meanwhile, it stays deleted, and later devices join none.
    ///
    /// If the response was lost, the part may be sent again with a higher attempt number. Its devices that have not
    /// connected since get another token, which revokes the lost one.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub async fn register_part(
        &self,
        actor: &Actor,
        id: RegistrationId,
        part: PartRows,
    ) -> Result<PartOutcome, RegisterError> {
        if part.devices.len() + part.refused.len() > MAX_PART_ROWS || part.number >= MAX_PARTS {
            return Err(TOO_MANY_ROWS);
        }
        let world = self.world.clone();
        let outcome =
            self.store.register_part(NewPart { account: actor.account(), registration: id, rows: part, world }).await?;
        counter!("muster_devices_registered_total").increment(outcome.registered.into());
        counter!("muster_tokens_issued_total").increment(outcome.tokens.len() as u64);
        Ok(outcome)
    }

    /// The outcome of rows of a file, each with its line, if they were registered now. Nothing is changed. Fields in
    /// `missing_fields` have no value in any row of the file: see [`PartRows::missing_fields`].
    ///
    /// # Errors
    /// [`RegisterError::OverLimit`] for more rows than a part may have; [`RegisterError::Store`].
    pub async fn dry_run(
        &self,
        actor: &Actor,
        rows: &[(u64, NewDevice)],
        missing_fields: FieldSet,
    ) -> Result<DryRun, RegisterError> {
        if rows.len() > MAX_PART_ROWS {
            return Err(TOO_MANY_ROWS);
        }
        Ok(self.store.dry_run(actor.account(), rows, missing_fields).await?)
    }

    /// Marks a registration as finished if all its parts are registered, and returns its summary in any case. If parts
    /// are missing, it is not [`finished`](RegistrationSummary::finished); a later call may finish it.
    ///
    /// # Errors
    /// [`RegisterError::UnknownRegistration`].
    pub async fn finish_registration(
        &self,
        actor: &Actor,
        id: RegistrationId,
    ) -> Result<RegistrationSummary, RegisterError> {
        if !self.store.finish_registration(actor.account(), id, self.now()).await? {
            return Err(RegisterError::UnknownRegistration);
        }
        let found = self.store.registrations(actor.account(), Some(id), None, 1).await?;
        found.into_iter().next().ok_or(RegisterError::UnknownRegistration)
    }

    /// The registrations of the account, newest first: the newest, or those before the given one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registrations(
        &self,
        actor: &Actor,
        before: Option<RegistrationId>,
        limit: u32,
    ) -> Result<Vec<RegistrationSummary>, StoreError> {
        self.store.registrations(actor.account(), None, before, limit.min(MAX_REGISTRATIONS)).await
    }

    /// A page of the `errors.csv` of a registration: the parts after the given number, as many as fit into about 2 MiB,
    /// and at least one if there are any. `None`: the account has no such registration.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registration_errors(
        &self,
        actor: &Actor,
        id: RegistrationId,
        after: Option<u32>,
    ) -> Result<Option<ErrorsPage>, StoreError> {
        self.store.errors_csv(actor.account(), id, after).await
    }
}

//! Device groups.

use crate::{
    errors::{GroupError, StoreError},
    registry::Registry,
    types::AccountId,
    world::new_id,
};
use muster_domain::{GroupName, GroupSummary};

impl Registry {
    /// All groups of the account, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups(&self, account: AccountId) -> Result<Vec<GroupSummary>, StoreError> {
        self.store.groups(account).await
    }

    /// Creates an empty group of the cleaned name: see [`GroupName::cleaned`].
    ///
    /// # Errors
    /// [`GroupError`].
    pub async fn create_group(&self, account: AccountId, name: &GroupName) -> Result<(), GroupError> {
        self.store.create_group(account, new_id(&*self.world), &name.cleaned()?).await
    }

    /// Renames a group, to the cleaned name.
    ///
    /// # Errors
    /// [`GroupError`].
    pub async fn rename_group(&self, account: AccountId, from: &GroupName, to: &GroupName) -> Result<(), GroupError> {
        self.store.rename_group(account, from, &to.cleaned()?).await
    }

    /// Deletes a group. Its devices stay.
    ///
    /// # Errors
    /// [`GroupError::NotFound`], [`GroupError::Store`].
    pub async fn delete_group(&self, account: AccountId, name: &GroupName) -> Result<(), GroupError> {
        if self.store.delete_group(account, name).await? { Ok(()) } else { Err(GroupError::NotFound) }
    }
}

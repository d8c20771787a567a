//! Device groups.

use crate::{
    actor::Actor,
    errors::{GroupError, StoreError},
    registry::Registry,
    world::new_id,
};
use muster_domain::{GroupName, GroupSummary};

impl Registry {
    /// All groups of the account, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups(&self, actor: &Actor) -> Result<Vec<GroupSummary>, StoreError> {
        self.store.groups(actor.account()).await
    }

    /// Creates an empty group of the cleaned name: see [`GroupName::cleaned`].
    ///
    /// # Errors
    /// [`GroupError`].
    pub async fn create_group(&self, actor: &Actor, name: &GroupName) -> Result<(), GroupError> {
        self.store.create_group(actor.account(), new_id(&*self.world), &name.cleaned()?).await
    }

    /// Renames a group, to the cleaned name.
    ///
    /// # Errors
    /// [`GroupError`].
    pub async fn rename_group(&self, actor: &Actor, from: &GroupName, to: &GroupName) -> Result<(), GroupError> {
        self.store.rename_group(actor.account(), from, &to.cleaned()?).await
    }

    /// Deletes a group. Its devices stay.
    ///
    /// # Errors
    /// [`GroupError::NotFound`], [`GroupError::Store`].
    pub async fn delete_group(&self, actor: &Actor, name: &GroupName) -> Result<(), GroupError> {
        if self.store.delete_group(actor.account(), name).await? { Ok(()) } else { Err(GroupError::NotFound) }
    }
}

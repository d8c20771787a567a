//! Pages of devices, and how many there are.

use crate::{actor::Actor, errors::StoreError, fleet::MAX_NUMERIC_NAMES, registry::Registry};
use muster_domain::{DeviceFilter, DeviceName, DevicePage, DeviceQuery, LeadingZeros};

impl Registry {
    /// A page of the devices that match.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn devices(&self, actor: &Actor, query: &DeviceQuery) -> Result<DevicePage, StoreError> {
        self.store.devices(actor.account(), query, self.now()).await
    }

    /// How many devices match.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_devices(&self, actor: &Actor, filter: &DeviceFilter) -> Result<u64, StoreError> {
        self.store.count_devices(actor.account(), filter, self.now()).await
    }

    /// For the names (at most [`MAX_NUMERIC_NAMES`]) that no device has: the registered device whose name differs only
    /// by leading zeros, if there is one. A spreadsheet may have removed them from the file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registered_with_leading_zeros(
        &self,
        actor: &Actor,
        names: &[DeviceName],
    ) -> Result<Vec<LeadingZeros>, StoreError> {
        let names = &names[..names.len().min(MAX_NUMERIC_NAMES)];
        self.store.registered_with_leading_zeros(actor.account(), names).await
    }
}

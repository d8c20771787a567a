//! The details of one device.

use crate::{actor::Actor, devices::DeviceDetail, errors::StoreError, registry::Registry};
use muster_domain::DeviceName;

impl Registry {
    /// The details of a device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn device(&self, actor: &Actor, name: &DeviceName) -> Result<Option<DeviceDetail>, StoreError> {
        self.store.device(actor.account(), name).await
    }
}

//! The details of one device.

use crate::{actor::Actor, errors::StoreError, registry::Registry};
use muster_domain::{DeviceDetail, DeviceName};

impl Registry {
    /// The details of a device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn device(&self, actor: &Actor, name: &DeviceName) -> Result<Option<DeviceDetail>, StoreError> {
        self.store.device(actor.account(), name).await
    }
}

//! The details of one device.

use crate::{errors::StoreError, registry::Registry, types::AccountId};
use muster_domain::{DeviceDetail, DeviceName};

impl Registry {
    /// The details of a device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn device(&self, account: AccountId, name: &DeviceName) -> Result<Option<DeviceDetail>, StoreError> {
        self.store.device(account, name).await
    }
}

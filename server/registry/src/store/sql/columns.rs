//! Converting the values of columns.

use crate::{
    errors::StoreError,
    types::{status_of, tier_of},
};
use muster_domain::{DeviceName, GroupName, ModelName, PricingTier, Status};

pub(super) fn device_name(text: &str) -> Result<DeviceName, StoreError> {
    DeviceName::parse(text).map_err(|_| StoreError::Corrupt)
}

pub(super) fn model_name(text: &str) -> Result<ModelName, StoreError> {
    ModelName::parse(text).map_err(|_| StoreError::Corrupt)
}

/// Earlier versions stored names as they were typed.
pub(super) fn group_name(text: &str) -> Result<GroupName, StoreError> {
    GroupName::existing(text).map_err(|_| StoreError::Corrupt)
}

pub(super) fn tier(code: i16) -> Result<PricingTier, StoreError> {
    tier_of(code).ok_or(StoreError::Corrupt)
}

pub(super) fn status(code: i16) -> Result<Status, StoreError> {
    status_of(code).ok_or(StoreError::Corrupt)
}

/// A count; databases return signed numbers.
pub(super) fn count(number: i64) -> u64 {
    number.max(0).cast_unsigned()
}

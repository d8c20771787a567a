//! Registrations, as they are listed.

use crate::{DeviceName, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// The id of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RegistrationId(pub Uuid);

impl From<Uuid> for RegistrationId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<RegistrationId> for Uuid {
    fn from(id: RegistrationId) -> Self {
        id.0
    }
}

impl fmt::Display for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RegistrationId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// A registration: one file that was or is being registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationSummary {
    /// Its id.
    pub id: RegistrationId,
    /// The file's name.
    pub file_name: String,
    /// The email address of the user who uploaded it.
    pub by: String,
    /// When it began.
    pub begun: Timestamp,
    /// When its last part was registered, if all were.
    pub finished: Option<Timestamp>,
    /// The number of devices in the file.
    pub devices: u64,
    /// How many were registered.
    pub registered: u64,
    /// How many were registered already.
    pub already: u64,
    /// How many failed.
    pub failed: u64,
}

/// A device name of a file, and the registered device that differs from it by leading zeros only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadingZeros {
    /// The name in the file.
    pub name: DeviceName,
    /// The name of the registered device.
    pub registered: DeviceName,
}

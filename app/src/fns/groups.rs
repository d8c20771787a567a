//! The device groups of the account.

use super::Failure;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// One row of the grid of groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    pub name: String,
    pub devices: u64,
}

/// The groups, and the server's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupList {
    pub rows: Vec<GroupRow>,
    pub now_ms: i64,
}

/// All groups of the account, by name.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "groups", input = server_fn::codec::Json, output = super::Answer)]
pub async fn groups() -> Result<GroupList, Failure> {
    let viewer = super::viewer()?;
    let groups = viewer.registry.groups(&viewer.actor).await?;
    let rows = groups.into_iter().map(|group| GroupRow { name: group.name, devices: group.devices });
    Ok(GroupList { rows: rows.collect(), now_ms: viewer.registry.now().as_ms() })
}

/// Makes a group that no device is in yet.
///
/// # Errors
/// [`Failure::Refused`] for what is no name, or is taken, or one group too many; as [`groups`].
#[server(prefix = "/fn", endpoint = "make-group", input = server_fn::codec::Json, output = super::Answer)]
pub async fn make_group(name: String) -> Result<(), Failure> {
    let viewer = super::viewer()?;
    let name = super::devices::server::group(name)?;
    viewer.registry.create_group(&viewer.actor, &name).await.map_err(|error| server::failure(error, &viewer))?;
    super::log_action!(viewer.actor, "device group created", group = name.as_str());
    Ok(())
}

/// Gives a group another name.
///
/// # Errors
/// [`Failure::Refused`] for what is no name, or is taken, or a group the account does not have; as [`groups`].
#[server(prefix = "/fn", endpoint = "rename-group", input = server_fn::codec::Json, output = super::Answer)]
pub async fn rename_group(from: String, to: String) -> Result<(), Failure> {
    let viewer = super::viewer()?;
    let (from, to) = (super::devices::server::group(from)?, super::devices::server::group(to)?);
    let renamed = viewer.registry.rename_group(&viewer.actor, &from, &to).await;
    renamed.map_err(|error| server::failure(error, &viewer))?;
    super::log_action!(viewer.actor, "device group renamed", group = from.as_str(), new_name = to.as_str());
    Ok(())
}

/// Deletes a group. Its devices stay.
///
/// # Errors
/// [`Failure::Refused`] for a group the account does not have; as [`groups`].
#[server(prefix = "/fn", endpoint = "delete-group", input = server_fn::codec::Json, output = super::Answer)]
pub async fn delete_group(name: String) -> Result<(), Failure> {
    let viewer = super::viewer()?;
    let name = super::devices::server::group(name)?;
    viewer.registry.delete_group(&viewer.actor, &name).await.map_err(|error| server::failure(error, &viewer))?;
    super::log_action!(viewer.actor, "device group deleted", group = name.as_str());
    Ok(())
}

#[cfg(feature = "ssr")]
pub(super) mod server {
    use super::Failure;
    use crate::fns::{log_action, viewer::Viewer};
    use muster_registry::GroupError;

    pub(crate) fn failure(error: GroupError, viewer: &Viewer) -> Failure {
        match error {
            GroupError::Store(error) => error.into(),
            error => {
                if error == GroupError::TooMany {
                    log_action!(viewer.actor, "limit reached", limit = "device groups");
                }
                Failure::refused(error)
            }
        }
    }
}

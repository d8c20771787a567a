//! The device groups of the account.

use super::{Dated, Failure};
use leptos::prelude::*;
use muster_domain::{GroupName, GroupSummary};

/// All groups of the account, by name.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "groups", input = server_fn::codec::Json, output = super::Answer)]
pub async fn groups() -> Result<Dated<Vec<GroupSummary>>, Failure> {
    let viewer = super::viewer()?;
    let groups = viewer.registry.groups(&viewer.actor).await?;
    Ok(viewer.dated(groups))
}

/// Creates an empty group.
///
/// # Errors
/// [`Failure::Refused`] if the name is invalid or taken, or the account has the maximum number of groups; as [`groups`].
#[server(prefix = "/fn", endpoint = "make-group", input = server_fn::codec::Json, output = super::Answer)]
pub async fn make_group(name: GroupName) -> Result<(), Failure> {
    let viewer = super::viewer()?;
    let made = viewer.registry.create_group(&viewer.actor, &name).await;
    made.map_err(|error| viewer.group_failure(error))?;
    super::log_action!(viewer.actor, "device group created", group = name.cleaned().unwrap_or(name).as_str());
    Ok(())
}

/// Renames a group.
///
/// # Errors
/// [`Failure::Refused`] if the new name is invalid or taken, or the account does not have the group; as [`groups`].
#[server(prefix = "/fn", endpoint = "rename-group", input = server_fn::codec::Json, output = super::Answer)]
pub async fn rename_group(from: GroupName, to: GroupName) -> Result<(), Failure> {
    let viewer = super::viewer()?;
    let renamed = viewer.registry.rename_group(&viewer.actor, &from, &to).await;
    renamed.map_err(|error| viewer.group_failure(error))?;
    let to = to.cleaned().unwrap_or(to);
    super::log_action!(viewer.actor, "device group renamed", group = from.as_str(), new_name = to.as_str());
    Ok(())
}

/// Deletes a group. Its devices stay.
///
/// # Errors
/// [`Failure::Refused`] if the account does not have the group; as [`groups`].
#[server(prefix = "/fn", endpoint = "delete-group", input = server_fn::codec::Json, output = super::Answer)]
pub async fn delete_group(name: GroupName) -> Result<(), Failure> {
    let viewer = super::viewer()?;
    let deleted = viewer.registry.delete_group(&viewer.actor, &name).await;
    deleted.map_err(|error| viewer.group_failure(error))?;
    super::log_action!(viewer.actor, "device group deleted", group = name.as_str());
    Ok(())
}

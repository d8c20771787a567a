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

/// All groups of the account, by name.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "groups", input = server_fn::codec::Json)]
pub async fn groups() -> Result<Vec<GroupRow>, Failure> {
    let viewer = super::viewer()?;
    let groups = viewer.registry.groups(viewer.account()).await?;
    Ok(groups.into_iter().map(|group| GroupRow { name: group.name.to_string(), devices: group.devices }).collect())
}

/// Puts the named devices, at most 10,000 at a time, into a group, which is made if there is none of that name.
///
/// # Errors
/// [`Failure::Refused`] for what is no name, [`Failure::SignedOut`], [`Failure::Unavailable`].
#[server(prefix = "/fn", endpoint = "add-to-group", input = server_fn::codec::Json)]
pub async fn add_to_group(names: Vec<String>, group: String) -> Result<u64, Failure> {
    let viewer = super::viewer()?;
    let names = super::devices::server::names(&names)?;
    let group = muster_registry::GroupName::parse(&group).map_err(Failure::refused)?;
    Ok(viewer.registry.add_to_group(viewer.account(), &names, &group).await?)
}

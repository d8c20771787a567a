//! The devices of the account: a page of them, one of them, and changes to the selected ones.

use super::{Dated, Failure};
use leptos::prelude::*;
use muster_domain::{CallOutcome, Change, DeviceDetail, DeviceFilter, DevicePage, DeviceQuery, Targets};
use serde::{Deserialize, Serialize};

/// Rows of a registration file, without its header, and how far they go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    pub rows: Vec<u8>,
    pub outcome: CallOutcome,
    /// Device names in the rows that a spreadsheet would change.
    pub fragile_names: u32,
}

/// One page of the devices that match.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], or [`Failure::Refused`] for a query that cannot be.
#[server(prefix = "/fn", endpoint = "devices", input = server_fn::codec::Json, output = super::Answer)]
pub async fn devices(query: DeviceQuery) -> Result<Dated<DevicePage>, Failure> {
    let viewer = super::viewer()?;
    server::check(&query.filter)?;
    let page = viewer.registry.devices(&viewer.actor, &query).await?;
    Ok(viewer.dated(page))
}

/// How many devices match.
///
/// # Errors
/// As [`devices`].
#[server(prefix = "/fn", endpoint = "count-devices", input = server_fn::codec::Json, output = super::Answer)]
pub async fn count_devices(filter: DeviceFilter) -> Result<u64, Failure> {
    let viewer = super::viewer()?;
    server::check(&filter)?;
    Ok(viewer.registry.count_devices(&viewer.actor, &filter).await?)
}

/// One device by its name.
///
/// # Errors
/// As [`devices`]. A name that no device has, or can have, gives `None`: the name is part of an address.
#[server(prefix = "/fn", endpoint = "device", input = server_fn::codec::Json, output = super::Answer)]
pub async fn device(name: String) -> Result<Option<Dated<DeviceDetail>>, Failure> {
    let viewer = super::viewer()?;
    let Ok(name) = muster_domain::DeviceName::parse(&name) else { return Ok(None) };
    let detail = viewer.registry.device(&viewer.actor, &name).await?;
    Ok(detail.map(|detail| viewer.dated(detail)))
}

/// Changes the devices, as far as one call goes. It may be sent again.
///
/// # Errors
/// As [`devices`], or [`Failure::Refused`] if the group cannot be created.
#[server(prefix = "/fn", endpoint = "change-devices", input = server_fn::codec::Json, output = super::Answer)]
pub async fn change_devices(targets: Targets, change: Change) -> Result<CallOutcome, Failure> {
    let viewer = super::viewer()?;
    server::check_targets(&targets)?;
    let outcome = viewer.registry.change_devices(&viewer.actor, &targets, &change).await;
    let outcome = outcome.map_err(|error| viewer.group_failure(error))?;
    let (what, to) = server::change_in_words(&change);
    super::log_action!(viewer.actor, "devices changed", change = what, to = to, devices = outcome.devices);
    Ok(outcome)
}

/// The devices as rows of a registration file, by name, as far as one call goes.
///
/// # Errors
/// As [`devices`].
#[server(prefix = "/fn", endpoint = "export-devices", input = server_fn::codec::Json, output = server_fn::codec::Postcard)]
pub async fn export_devices(targets: Targets) -> Result<Exported, Failure> {
    let viewer = super::viewer()?;
    server::check_targets(&targets)?;
    let (devices, next) = viewer.registry.export(&viewer.actor, &targets).await?;
    let mut rows = Vec::new();
    for device in &devices {
        muster_domain::registration_csv::push_row(&mut rows, device);
    }
    let fragile = devices.iter().filter(|device| muster_domain::spreadsheet_would_change(device.name.as_str()));
    let fragile_names = fragile.count() as u32;
    Ok(Exported { rows, outcome: CallOutcome { devices: devices.len() as u64, next }, fragile_names })
}

#[cfg(feature = "ssr")]
pub(super) mod server {
    use super::{Change, DeviceFilter, Failure, Targets};
    use crate::query;

    /// Refuses a filter that is over a limit.
    pub(super) fn check(filter: &DeviceFilter) -> Result<(), Failure> {
        filter.check().map_err(Failure::refused)?;
        if filter.search.as_deref().is_some_and(query::is_search_too_long) {
            return Err(Failure::refused(query::SEARCH_TOO_LONG));
        }
        if filter.search.as_deref().is_some_and(muster_registry::has_too_many_names) {
            return Err(Failure::refused("Search for at most 1,000 device names at a time."));
        }
        Ok(())
    }

    /// Refuses targets that are over a limit.
    pub(crate) fn check_targets(targets: &Targets) -> Result<(), Failure> {
        targets.check().map_err(Failure::refused)?;
        match targets {
            Targets::Named(_) => Ok(()),
            Targets::Matching(matching) => check(&matching.filter),
        }
    }

    /// A change as the log names it: what, and the group or tier that it is about.
    pub(super) fn change_in_words(change: &Change) -> (&'static str, &str) {
        match change {
            Change::Disable => ("disabled", ""),
            Change::Enable => ("enabled", ""),
            Change::Delete => ("deleted", ""),
            Change::Tier(tier) => ("pricing tier", tier.as_str()),
            Change::AddToGroup(group) => ("added to group", group.as_str()),
            Change::RemoveFromGroup(group) => ("removed from group", group.as_str()),
        }
    }
}

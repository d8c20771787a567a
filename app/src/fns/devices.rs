//! The devices of the account: a page of them, one of them, and changes to the selected ones.

use super::Failure;
use leptos::prelude::*;
use muster_domain::PricingTier;
use serde::{Deserialize, Serialize};

/// Devices on one page of the grid.
pub const PAGE_DEVICES: u32 = 100;

/// Whether a device may connect and has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// It has never sent data.
    Registered,
    /// It has sent data.
    Active,
    /// It may not connect.
    Disabled,
}

impl Status {
    /// All of them, in the order the filter shows.
    pub const ALL: [Self; 3] = [Self::Registered, Self::Active, Self::Disabled];

    /// The word on the screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "Registered",
            Self::Active => "Active",
            Self::Disabled => "Disabled",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// What the grid is asked to show: all of it stands in the page's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// Part of a device name, friendly name or model; any letter case.
    pub search: Option<String>,
    /// Only devices of this status.
    pub status: Option<Status>,
    /// Only devices of this group.
    pub group: Option<String>,
    /// The page after this device name.
    pub after: Option<String>,
    /// The page before this device name.
    pub before: Option<String>,
}

/// One row of the grid. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRow {
    pub name: String,
    pub model: String,
    pub friendly_name: Option<String>,
    pub tier: PricingTier,
    pub status: Status,
    pub last_seen_ms: Option<i64>,
}

/// One page of the grid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicePage {
    pub rows: Vec<DeviceRow>,
    /// Devices that match, on all pages.
    pub total: u64,
    /// Devices that the account has at all; so that an empty grid can say what to do next.
    pub in_account: u64,
    pub has_previous: bool,
    pub has_next: bool,
    /// The server's clock, which "2 minutes ago" is counted from.
    pub now_ms: i64,
}

/// One device, whole. Never a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceDetail {
    pub row: DeviceRow,
    pub description: Option<String>,
    pub groups: Vec<String>,
    pub registered_ms: i64,
    pub token_made_ms: i64,
    /// The last value of each property, as JSON.
    pub state: Option<String>,
    pub now_ms: i64,
}

/// What is done to the selected devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceChange {
    Disable,
    Enable,
    Delete,
    Tier(PricingTier),
}

/// One page of the devices that match.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], or [`Failure::Refused`] for a view that cannot be.
#[server(prefix = "/fn", endpoint = "devices", input = server_fn::codec::Json)]
pub async fn devices(view: DeviceView) -> Result<DevicePage, Failure> {
    let viewer = super::viewer()?;
    let account = viewer.account();
    let unfiltered = view.search.is_none() && view.status.is_none() && view.group.is_none();
    let page = viewer.registry.devices(account, server::query(view)?).await?;
    let in_account = if unfiltered || page.total > 0 {
        page.total
    } else {
        viewer.registry.devices(account, muster_registry::DeviceQuery { limit: 1, ..Default::default() }).await?.total
    };
    Ok(DevicePage {
        rows: page.items.into_iter().map(server::row).collect(),
        total: page.total,
        in_account,
        has_previous: page.has_previous,
        has_next: page.has_next,
        now_ms: viewer.registry.now().as_ms(),
    })
}

/// One device by its name.
///
/// # Errors
/// As [`devices`]. A name the account does not have gives `None`.
#[server(prefix = "/fn", endpoint = "device", input = server_fn::codec::Json)]
pub async fn device(name: String) -> Result<Option<DeviceDetail>, Failure> {
    let viewer = super::viewer()?;
    let Ok(name) = muster_domain::DeviceName::parse(&name) else { return Ok(None) };
    let detail = viewer.registry.device(viewer.account(), &name).await?;
    Ok(detail.map(|detail| server::detail(detail, viewer.registry.now())))
}

/// Changes the named devices, at most 10,000 at a time; gives how many there were.
///
/// # Errors
/// As [`devices`].
#[server(prefix = "/fn", endpoint = "change-devices", input = server_fn::codec::Json)]
pub async fn change_devices(names: Vec<String>, change: DeviceChange) -> Result<u64, Failure> {
    let viewer = super::viewer()?;
    let names = server::names(&names)?;
    Ok(viewer.registry.change_devices(viewer.account(), &names, server::change(change)).await?)
}

#[cfg(feature = "ssr")]
pub(super) mod server {
    //! Between the registry's types and those that travel.

    use super::{DeviceChange, DeviceDetail, DeviceRow, DeviceView, Failure, PAGE_DEVICES, Status};
    use muster_domain::DeviceName;
    use muster_registry as registry;

    pub(crate) fn names(names: &[String]) -> Result<Vec<DeviceName>, Failure> {
        if names.len() > registry::MAX_DEVICES_PER_CALL {
            return Err(Failure::refused("At most 10,000 devices can be changed in one call."));
        }
        names.iter().map(|name| DeviceName::parse(name).map_err(Failure::refused)).collect()
    }

    pub(super) fn query(view: DeviceView) -> Result<registry::DeviceQuery, Failure> {
        let name =
            |text: Option<String>| text.map(|text| DeviceName::parse(&text).map_err(Failure::refused)).transpose();
        Ok(registry::DeviceQuery {
            search: view.search,
            status: view.status.map(to_registry),
            group: view.group.map(|group| registry::GroupName::parse(&group).map_err(Failure::refused)).transpose()?,
            after: name(view.after)?,
            before: name(view.before)?,
            limit: PAGE_DEVICES,
            ..Default::default()
        })
    }

    pub(super) fn row(item: registry::DeviceItem) -> DeviceRow {
        DeviceRow {
            name: item.name.to_string(),
            model: item.model.to_string(),
            friendly_name: item.friendly_name,
            tier: item.tier,
            status: match item.status {
                registry::Status::Registered => Status::Registered,
                registry::Status::Active => Status::Active,
                registry::Status::Disabled => Status::Disabled,
            },
            last_seen_ms: item.last_seen.map(registry::Timestamp::as_ms),
        }
    }

    pub(super) fn detail(detail: registry::DeviceDetail, now: registry::Timestamp) -> DeviceDetail {
        DeviceDetail {
            row: row(detail.item),
            description: detail.description,
            groups: detail.groups.iter().map(ToString::to_string).collect(),
            registered_ms: detail.registered_at.as_ms(),
            token_made_ms: detail.token_made.as_ms(),
            state: detail.state,
            now_ms: now.as_ms(),
        }
    }

    pub(super) fn change(change: DeviceChange) -> registry::Change {
        match change {
            DeviceChange::Disable => registry::Change::Disable,
            DeviceChange::Enable => registry::Change::Enable,
            DeviceChange::Delete => registry::Change::Delete,
            DeviceChange::Tier(tier) => registry::Change::Tier(tier),
        }
    }

    fn to_registry(status: Status) -> registry::Status {
        match status {
            Status::Registered => registry::Status::Registered,
            Status::Active => registry::Status::Active,
            Status::Disabled => registry::Status::Disabled,
        }
    }
}

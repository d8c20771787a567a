//! The devices of the account: a page of them, one of them, and changes to the selected ones.

use super::Failure;
use leptos::prelude::*;
use muster_domain::PricingTier;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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

/// Which devices: those that meet every condition there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFilter {
    /// Part of a device name, friendly name or model, in any letter case; a MAC address in any notation; or a list of
    /// device names, which finds those devices.
    pub search: Option<String>,
    /// Only devices of this status.
    pub status: Option<Status>,
    /// Only devices of this model.
    pub model: Option<String>,
    /// Only devices of this tier.
    pub tier: Option<PricingTier>,
    /// Only devices of any of these groups, where there are some.
    pub groups: Vec<String>,
    /// Only devices that have never sent data.
    pub never_seen: bool,
    /// Only devices that this registration made.
    pub registration: Option<Uuid>,
    /// Only devices that are silent for so many hours: active, but not seen since. At most [`MAX_SILENT_HOURS`].
    pub silent_hours: Option<u32>,
}

/// Ten years.
pub const MAX_SILENT_HOURS: u32 = 10 * 365 * 24;

/// What the grid is sorted by; then by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sort {
    #[default]
    Name,
    Model,
    FriendlyName,
    Tier,
    Status,
    LastSeen,
}

impl Sort {
    /// All of them, in the order of the grid's columns.
    pub const ALL: [Self; 6] = [Self::Name, Self::Model, Self::FriendlyName, Self::Tier, Self::Status, Self::LastSeen];

    /// The column's name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Device name",
            Self::Model => "Model",
            Self::FriendlyName => "Friendly name",
            Self::Tier => "Pricing tier",
            Self::Status => "Status",
            Self::LastSeen => "Last seen",
        }
    }
}

/// What the grid is asked to show: all of it stands in the page's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    pub filter: DeviceFilter,
    pub sort: Sort,
    /// The last first.
    pub is_descending: bool,
    pub place: Place,
}

/// Which page: a [`DeviceRow::cursor`] says where it begins or ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    #[default]
    First,
    After(String),
    Before(String),
    Last,
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
    /// Its place in the grid as it is sorted: `NAME`, or `NAME~WHAT IT IS SORTED BY`.
    pub cursor: String,
}

/// One page of the grid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicePage {
    pub rows: Vec<DeviceRow>,
    /// How many devices match, on all pages.
    pub total: u64,
    /// The fleet is too large for the memory of the server's index: only this list by name is there.
    pub is_too_large: bool,
    pub has_previous: bool,
    pub has_next: bool,
    /// The device names of a list that were not found; `None`: all were, or the search is not a list.
    pub not_found: Option<NotFound>,
    /// The server's clock, which "2 minutes ago" is counted from.
    pub now_ms: i64,
}

/// The device names of a list that the account does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotFound {
    pub count: u32,
    /// The first [`NotFound::SHOWN`] of them.
    pub first: Vec<String>,
}

impl NotFound {
    /// Names that are listed: as many as fit a line.
    pub const SHOWN: usize = 5;
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

/// The devices that something is done to, by one call of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chosen {
    /// Those with these names, at most [`DEVICES_PER_CALL`].
    Named(Vec<String>),
    /// The first [`DEVICES_PER_CALL`] of those that match, by name: however many those are, no name of them is sent.
    Matching {
        filter: DeviceFilter,
        /// Only those registered by then, by the server's clock: others were not on the screen.
        registered_by_ms: i64,
        /// All but these, at most [`DEVICES_PER_CALL`].
        except: Vec<String>,
        /// Only those behind this name: where the call before stopped.
        after: Option<String>,
    },
}

/// The most devices of one call.
pub const DEVICES_PER_CALL: usize = 10_000;

/// How far one call came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The devices that it was done to.
    pub devices: u64,
    /// Where the next call goes on; `None`: all is done.
    pub next: Option<String>,
}

/// What is done to the chosen devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceChange {
    Disable,
    Enable,
    Delete,
    Tier(PricingTier),
    /// The group is made if there is none of that name.
    AddToGroup(String),
    RemoveFromGroup(String),
}

/// Rows of a registration file, without its header, and how far they go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    pub rows: Vec<u8>,
    pub step: Step,
    /// Device names in the rows that a spreadsheet would change.
    pub fragile_names: u32,
}

/// One page of the devices that match.
///
/// # Errors
/// [`Failure::SignedOut`], [`Failure::Unavailable`], or [`Failure::Refused`] for a view that cannot be.
#[server(prefix = "/fn", endpoint = "devices", input = server_fn::codec::Json, output = super::Answer)]
pub async fn devices(view: DeviceView) -> Result<DevicePage, Failure> {
    let viewer = super::viewer()?;
    let query = server::query(view, &viewer)?;
    let page = viewer.registry.devices(&viewer.actor, &query).await?;
    Ok(DevicePage {
        rows: page.items.into_iter().map(|item| server::row(item, query.sort)).collect(),
        total: page.total,
        is_too_large: page.is_too_large,
        has_previous: page.has_previous,
        has_next: page.has_next,
        not_found: server::not_found(page.names_not_found),
        now_ms: viewer.registry.now().as_ms(),
    })
}

/// How many devices match.
///
/// # Errors
/// As [`devices`].
#[server(prefix = "/fn", endpoint = "count-devices", input = server_fn::codec::Json, output = super::Answer)]
pub async fn count_devices(filter: DeviceFilter) -> Result<u64, Failure> {
    let viewer = super::viewer()?;
    Ok(viewer.registry.count_devices(&viewer.actor, &server::filter(filter, viewer.registry.now().as_ms())?).await?)
}

/// One device by its name.
///
/// # Errors
/// As [`devices`]. A name the account does not have gives `None`.
#[server(prefix = "/fn", endpoint = "device", input = server_fn::codec::Json, output = super::Answer)]
pub async fn device(name: String) -> Result<Option<DeviceDetail>, Failure> {
    let viewer = super::viewer()?;
    let Ok(name) = muster_domain::DeviceName::parse(&name) else { return Ok(None) };
    let detail = viewer.registry.device(&viewer.actor, &name).await?;
    Ok(detail.map(|detail| server::detail(detail, viewer.registry.now())))
}

/// Changes the chosen devices, as far as one call goes. It may be sent again.
///
/// # Errors
/// As [`devices`], or [`Failure::Refused`] where one group more cannot be.
#[server(prefix = "/fn", endpoint = "change-devices", input = server_fn::codec::Json, output = super::Answer)]
pub async fn change_devices(chosen: Chosen, change: DeviceChange) -> Result<Step, Failure> {
    let viewer = super::viewer()?;
    let (chosen, change) = (server::chosen(chosen, &viewer)?, server::change(change)?);
    let step = viewer.registry.change_devices(&viewer.actor, &chosen, &change).await;
    let step = step.map_err(|error| super::groups::server::failure(error, &viewer))?;
    let (what, to) = server::change_in_words(&change);
    super::log_action!(viewer.actor, "devices changed", change = what, to = to, devices = step.devices);
    Ok(server::step(step))
}

/// The chosen devices as rows of a registration file, by name, as far as one call goes.
///
/// # Errors
/// As [`devices`].
#[server(prefix = "/fn", endpoint = "export-devices", input = server_fn::codec::Json, output = server_fn::codec::Postcard)]
pub async fn export_devices(chosen: Chosen) -> Result<Exported, Failure> {
    let viewer = super::viewer()?;
    let (devices, next) = viewer.registry.export(&viewer.actor, &server::chosen(chosen, &viewer)?).await?;
    let mut rows = Vec::new();
    for device in &devices {
        muster_domain::registration_csv::push_row(&mut rows, device);
    }
    let fragile = devices.iter().filter(|device| muster_domain::spreadsheet_would_change(device.name.as_str()));
    let step = Step { devices: devices.len() as u64, next: next.map(|name| name.to_string()) };
    Ok(Exported { rows, step, fragile_names: fragile.count() as u32 })
}

#[cfg(feature = "ssr")]
pub(super) mod server {
    //! Between the registry's types and those that travel.

    use super::{
        Chosen, DEVICES_PER_CALL, DeviceChange, DeviceDetail, DeviceFilter, DeviceRow, DeviceView, Failure,
        MAX_SILENT_HOURS, NotFound, PAGE_DEVICES, Place, Sort, Status, Step,
    };
    use crate::{fns::viewer::Viewer, query};
    use muster_domain::{DeviceName, ModelName};
    use muster_registry as registry;

    fn name(text: String) -> Result<DeviceName, Failure> {
        DeviceName::parse(&text).map_err(Failure::refused)
    }

    pub(crate) fn names(names: Vec<String>) -> Result<Vec<DeviceName>, Failure> {
        if names.len() > DEVICES_PER_CALL {
            return Err(Failure::refused("At most 10,000 devices can be named in one call."));
        }
        names.into_iter().map(name).collect()
    }

    pub(crate) fn group(text: String) -> Result<registry::GroupName, Failure> {
        registry::GroupName::parse(&text).map_err(Failure::refused)
    }

    pub(crate) fn chosen(chosen: Chosen, viewer: &Viewer) -> Result<registry::Targets, Failure> {
        Ok(match chosen {
            Chosen::Named(some) => registry::Targets::Named(names(some)?),
            Chosen::Matching { filter: which, registered_by_ms, except, after } => {
                registry::Targets::Matching(registry::Matching {
                    // Silent when they were chosen: a device that fell silent later was not on the screen.
                    filter: filter(which, registered_by_ms.min(viewer.registry.now().as_ms()))?,
                    registered_by: registry::Timestamp::from_ms(registered_by_ms),
                    except: names(except)?,
                    after: after.map(name).transpose()?,
                })
            }
        })
    }

    pub(crate) fn step(step: registry::CallOutcome) -> Step {
        Step { devices: step.devices, next: step.next.map(|name| name.to_string()) }
    }

    pub(super) fn not_found(mut names: Vec<String>) -> Option<NotFound> {
        let count = names.len() as u32;
        names.truncate(NotFound::SHOWN);
        (count > 0).then_some(NotFound { count, first: names })
    }

    /// The most groups that a filter names.
    const MAX_FILTER_GROUPS: usize = 1_000;

    /// Hours of silence are counted back from `now_ms`.
    pub(super) fn filter(filter: DeviceFilter, now_ms: i64) -> Result<registry::DeviceFilter, Failure> {
        if filter.groups.len() > MAX_FILTER_GROUPS {
            return Err(Failure::refused("At most 1,000 device groups can be chosen at once."));
        }
        if filter.search.as_deref().is_some_and(query::is_search_too_long) {
            return Err(Failure::refused(query::SEARCH_TOO_LONG));
        }
        if filter.search.as_deref().is_some_and(registry::has_too_many_names) {
            return Err(Failure::refused("Search for at most 1,000 device names at a time."));
        }
        let model = |text: String| ModelName::parse(&text).map_err(Failure::refused);
        Ok(registry::DeviceFilter {
            search: filter.search,
            status: filter.status.map(to_registry),
            model: filter.model.map(model).transpose()?,
            tier: filter.tier,
            groups: filter.groups.into_iter().map(group).collect::<Result<_, _>>()?,
            never_seen: filter.never_seen,
            registration: filter.registration.map(Into::into),
            silent_since: filter.silent_hours.map(|hours| {
                let hours = i64::from(hours.min(MAX_SILENT_HOURS));
                registry::Timestamp::from_ms(now_ms.saturating_sub(hours * 3_600_000))
            }),
        })
    }

    pub(super) fn query(view: DeviceView, viewer: &Viewer) -> Result<registry::DeviceQuery, Failure> {
        let cursor = |text: String| {
            let (before, key) = text.split_once('~').unwrap_or((&text, ""));
            Ok::<_, Failure>(registry::Cursor { name: name(before.to_owned())?, key: key.to_owned() })
        };
        let sort = match view.sort {
            Sort::Name => registry::Sort::Name,
            Sort::Model => registry::Sort::Model,
            Sort::FriendlyName => registry::Sort::FriendlyName,
            Sort::Tier => registry::Sort::Tier,
            Sort::Status => registry::Sort::Status,
            Sort::LastSeen => registry::Sort::LastSeen,
        };
        let position = match view.place {
            Place::First => registry::PagePosition::First,
            Place::After(text) => registry::PagePosition::After(cursor(text)?),
            Place::Before(text) => registry::PagePosition::Before(cursor(text)?),
            Place::Last => registry::PagePosition::Last,
        };
        let filter = filter(view.filter, viewer.registry.now().as_ms())?;
        Ok(registry::DeviceQuery { filter, sort, is_descending: view.is_descending, position, limit: PAGE_DEVICES })
    }

    pub(super) fn row(item: registry::DeviceItem, sort: registry::Sort) -> DeviceRow {
        let key = item.sort_key(sort);
        let cursor = if key.is_empty() { item.name.to_string() } else { format!("{}~{key}", item.name) };
        DeviceRow {
            cursor,
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
            row: row(detail.item, registry::Sort::Name),
            description: detail.description,
            groups: detail.groups.iter().map(ToString::to_string).collect(),
            registered_ms: detail.registered_at.as_ms(),
            token_made_ms: detail.token_made.as_ms(),
            state: detail.state,
            now_ms: now.as_ms(),
        }
    }

    pub(super) fn change(change: DeviceChange) -> Result<registry::Change, Failure> {
        Ok(match change {
            DeviceChange::Disable => registry::Change::Disable,
            DeviceChange::Enable => registry::Change::Enable,
            DeviceChange::Delete => registry::Change::Delete,
            DeviceChange::Tier(tier) => registry::Change::Tier(tier),
            DeviceChange::AddToGroup(name) => registry::Change::AddToGroup(group(name)?),
            DeviceChange::RemoveFromGroup(name) => registry::Change::RemoveFromGroup(group(name)?),
        })
    }

    /// A change as the log names it: what, and the group or tier that it is about.
    pub(super) fn change_in_words(change: &registry::Change) -> (&'static str, &str) {
        match change {
            registry::Change::Disable => ("disabled", ""),
            registry::Change::Enable => ("enabled", ""),
            registry::Change::Delete => ("deleted", ""),
            registry::Change::Tier(tier) => ("pricing tier", tier.as_str()),
            registry::Change::AddToGroup(group) => ("added to group", group.as_str()),
            registry::Change::RemoveFromGroup(group) => ("removed from group", group.as_str()),
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

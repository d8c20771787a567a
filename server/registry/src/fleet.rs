//! The devices of an account, many at once: which of them, a page of them, and what is done to those chosen.

use crate::{
    errors::{GroupError, StoreError},
    registry::Registry,
    store::NewToken,
    types::{AccountId, GroupName, OldTokens, RegistrationId, Status, Timestamp, TokenJob, tier_code},
    world::new_id,
};
use metrics::counter;
use muster_domain::{DeviceName, ModelName, NewDevice, PricingTier, SecurityToken};
use std::collections::HashSet;

/// The most devices that a page has.
pub const MAX_PAGE_DEVICES: u32 = 500;

/// The most devices that one call should change or give tokens to: one transaction does all of them. Who takes names
/// from outside holds to it.
pub const MAX_DEVICES_PER_CALL: usize = 10_000;

/// The most names that one call looks up with leading zeros: some 20,000 index look-ups.
pub const MAX_NUMERIC_NAMES: usize = 1_000;

/// Which devices: those that meet every condition there is. The default is all of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    /// Part of the name, friendly name or model, in any letter case; a MAC address in any notation; or a list of at most
    /// [`MAX_SEARCHED_NAMES`](crate::MAX_SEARCHED_NAMES) device names, which finds those devices.
    pub search: Option<String>,
    /// Only of this status.
    pub status: Option<Status>,
    /// Only of this model.
    pub model: Option<ModelName>,
    /// Only of this tier.
    pub tier: Option<PricingTier>,
    /// Only of any of these groups; of any or none, if there are none here.
    pub groups: Vec<GroupName>,
    /// Only those that have never sent data.
    pub never_seen: bool,
    /// Only those that this registration made.
    pub registration: Option<RegistrationId>,
    /// Only those that are silent: `Active`, but not seen since then.
    pub silent_since: Option<Timestamp>,
}

/// What a page of devices is sorted by. Devices that are alike in it are sorted by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By name, in natural order: by its bytes, but numbers by value.
    #[default]
    Name,
    /// By the model's name.
    Model,
    /// By friendly name, in natural order with A–Z as a–z; those without one are first.
    FriendlyName,
    /// By tier, the smallest first.
    Tier,
    /// Registered, Active, Disabled.
    Status,
    /// By when they last sent data; those that never have are first.
    LastSeen,
}

/// A device's place in a sorted list. The device need not be there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Its name.
    pub name: DeviceName,
    /// What it is sorted by, as [`DeviceItem::sort_key`] gives it. Nothing, where that is the name.
    pub key: String,
}

/// Where a page begins or ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The first page.
    #[default]
    First,
    /// The page after this place.
    After(Cursor),
    /// The page before this place.
    Before(Cursor),
    /// The last page.
    Last,
}

impl Place {
    pub(crate) fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::After(cursor) | Self::Before(cursor) => Some(cursor),
            Self::First | Self::Last => None,
        }
    }

    /// Whether the page ends there, rather than begins.
    pub(crate) fn is_backwards(&self) -> bool {
        matches!(self, Self::Before(_) | Self::Last)
    }
}

/// Which page of devices. The default is the first page of all, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceQuery {
    /// Which devices.
    pub filter: DeviceFilter,
    /// In which order.
    pub sort: Sort,
    /// The last first.
    pub is_descending: bool,
    /// Where in that order.
    pub place: Place,
    /// How many, at most [`MAX_PAGE_DEVICES`].
    pub limit: u32,
}

/// One row of a page of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceItem {
    /// Its name.
    pub name: DeviceName,
    /// Its model's name.
    pub model: ModelName,
    /// What people call it.
    pub friendly_name: Option<String>,
    /// What it is billed by.
    pub tier: PricingTier,
    /// Whether it may connect and has.
    pub status: Status,
    /// When it last sent data.
    pub last_seen: Option<Timestamp>,
}

impl DeviceItem {
    /// What this sort sorts it by, for a [`Cursor`].
    #[must_use]
    pub fn sort_key(&self, sort: Sort) -> String {
        match sort {
            Sort::Name => String::new(),
            Sort::Model => self.model.to_string(),
            Sort::FriendlyName => self.friendly_name.as_deref().unwrap_or_default().to_ascii_lowercase(),
            Sort::Tier => tier_code(self.tier).to_string(),
            Sort::Status => self.status.code().to_string(),
            Sort::LastSeen => self.last_seen.map(|at| at.as_ms().to_string()).unwrap_or_default(),
        }
    }
}

/// A page of devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DevicePage {
    /// The devices.
    pub items: Vec<DeviceItem>,
    /// How many match, on all pages.
    pub total: u64,
    /// Whether there are more behind them.
    pub has_next: bool,
    /// Whether there are more before them.
    pub has_previous: bool,
    /// The fleet is too large for the memory of the index: only this list by name is there, from the database.
    pub is_too_large: bool,
    /// If the search is a list of device names: those that the account does not have.
    pub names_not_found: Vec<String>,
}

/// The devices that something is done to. One call takes at most [`MAX_DEVICES_PER_CALL`] of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// Those with these names. One that the account does not have is passed over.
    Named(Vec<DeviceName>),
    /// Those that match, by name, as far as a call goes: see [`Step::next`].
    Matching(Matching),
}

/// The devices that match a filter, however many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matching {
    /// The filter.
    pub filter: DeviceFilter,
    /// Only those registered by then: others were not on the screen of the person who chose.
    pub registered_by: Timestamp,
    /// All but these.
    pub except: Vec<DeviceName>,
    /// Only those with names behind this one: where the call before stopped.
    pub after: Option<DeviceName>,
}

/// How far one call came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The devices that it was done to.
    pub devices: u64,
    /// Where the next call goes on; `None`: all is done.
    pub next: Option<DeviceName>,
}

/// What is done to devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// They may not connect.
    Disable,
    /// They may connect again.
    Enable,
    /// They are gone, with their tokens.
    Delete,
    /// They are billed by this tier.
    Tier(PricingTier),
    /// They are in this group, too, which is made if there is none of that name, unless there are none of them.
    AddToGroup(GroupName),
    /// They are not in this group any more.
    RemoveFromGroup(GroupName),
}

impl Registry {
    /// A page of the devices that match.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn devices(&self, account: AccountId, query: &DeviceQuery) -> Result<DevicePage, StoreError> {
        self.store.devices(account, query).await
    }

    /// How many devices match.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_devices(&self, account: AccountId, filter: &DeviceFilter) -> Result<u64, StoreError> {
        self.store.count_devices(account, filter).await
    }

    /// Of these names (at most [`MAX_NUMERIC_NAMES`]), those that no device has, and for each the registered device that
    /// differs from it by leading zeros only: a spreadsheet may have taken them from the file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registered_with_leading_zeros(
        &self,
        account: AccountId,
        names: &[DeviceName],
    ) -> Result<Vec<(DeviceName, DeviceName)>, StoreError> {
        let names = &names[..names.len().min(MAX_NUMERIC_NAMES)];
        self.store.registered_with_leading_zeros(account, names).await
    }

    /// Changes the chosen devices as far as one call goes, all of those or none. Doing it again does no harm.
    ///
    /// # Errors
    /// [`GroupError`]; [`GroupError::TooMany`] only where a group is to be made, and [`GroupError::NotFound`] only where
    /// they are to leave one that the account does not have.
    pub async fn change_devices(
        &self,
        account: AccountId,
        chosen: &Chosen,
        change: &Change,
    ) -> Result<Step, GroupError> {
        self.store.change_devices(account, chosen, change, new_id(&*self.world)).await
    }

    /// The chosen devices as rows of a registration file, by name, as far as one call goes; and where the next goes on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export(
        &self,
        account: AccountId,
        chosen: &Chosen,
    ) -> Result<(Vec<NewDevice>, Option<DeviceName>), StoreError> {
        self.store.export(account, chosen).await
    }

    /// Makes a new token for each of the chosen devices, as far as one call goes, all of those or none, in the order
    /// of their names; and where the next call goes on.
    ///
    /// After an answer that was lost, the same call may be made again with a higher attempt: the tokens that it made then
    /// end, since nobody has them. Of a call that comes after a later one of its job, the devices that had their tokens
    /// from that are left alone, and are not among those given back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn generate_tokens(
        &self,
        account: AccountId,
        chosen: &Chosen,
        old: OldTokens,
        made_by: TokenJob,
    ) -> Result<(Vec<(DeviceName, SecurityToken)>, Option<DeviceName>), StoreError> {
        let (devices, next) = self.store.chosen(account, chosen).await?;
        let made: Vec<_> =
            devices.into_iter().map(|(id, name)| (name, SecurityToken::new(id, self.random()))).collect();
        let hashes: Vec<_> =
            made.iter().map(|(_, token)| NewToken { device: token.id(), hash: token.hash() }).collect();
        let there: HashSet<_> =
            self.store.replace_tokens(account, &hashes, old, made_by, self.now()).await?.into_iter().collect();
        let issued: Vec<_> = made.into_iter().filter(|(_, token)| there.contains(&token.id())).collect();
        counter!("muster_tokens_issued_total").increment(issued.len() as u64);
        Ok((issued, next))
    }
}

//! The devices of an account, many at once: a page of them, how many there are, and what is done to those chosen.

use super::{
    Connection, DEVICE_OF_NAME, Db, FOR_UPDATE_OF_D, NAMES, device_name,
    devices::{ItemRow, item},
    groups::{group_named, group_of, join_group, leave_group},
    json_names, leading_zeros, lock, model_name, segments,
    selection::Selection,
    tier,
};
use crate::{
    errors::{GroupError, StoreError},
    fleet::{
        Change, Chosen, DeviceFilter, DeviceItem, DevicePage, DeviceQuery, MAX_DEVICES_PER_CALL, MAX_PAGE_DEVICES,
        Matching, Place, Sort, Step,
    },
    index::{
        FleetIndex,
        matches::{Bound, Key, Matches, Order},
        natural,
    },
    store::{Fleet, Lock},
    types::{AccountId, RegistrationId, tier_code},
};
use async_trait::async_trait;
use muster_domain::{Description, DeviceName, FriendlyName, NewDevice};
use sqlx::{AssertSqlSafe, query, query_as};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Devices of a call: their ids and names.
type Those = Vec<(Uuid, DeviceName)>;

#[async_trait]
impl Fleet for Db {
    async fn devices(&self, account: AccountId, query: &DeviceQuery) -> Result<DevicePage, StoreError> {
        let limit = query.limit.clamp(1, MAX_PAGE_DEVICES) as usize;
        let (cursor, is_backwards) = match &query.place {
            Place::First => (None, false),
            Place::After(cursor) => (Some(cursor), false),
            Place::Before(cursor) => (Some(cursor), true),
            Place::Last => (None, true),
        };
        let bound = cursor.map(|cursor| Bound {
            key: Key::parse(query.sort, &cursor.key),
            name: cursor.name.to_string(),
            is_inclusive: false,
        });
        // Backwards in a descending order is forwards.
        let order = Order { sort: query.sort, is_descending: query.is_descending != is_backwards };
        let mut connection = self.reader().acquire().await?;
        let selection = Selection::of(&mut connection, self.index(), account, &query.filter).await?;
        let page = move |matches: &Matches| {
            let ahead = matches.first(order, bound.as_ref(), limit + 1);
            let has_behind = bound.is_some_and(|bound| {
                let from = Bound { is_inclusive: true, ..bound };
                !matches.first(order.reversed(), Some(&from), 1).is_empty()
            });
            (ahead, has_behind, matches.count() as u64)
        };
        let (mut found, has_behind, total) = selection.ask(&mut connection, self.index(), page).await?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        if is_backwards {
            found.reverse();
        }
        let (has_previous, has_next) = if is_backwards { (has_more, has_behind) } else { (has_behind, has_more) };
        let items = items(&mut connection, account, &found).await?;
        Ok(DevicePage { items, total, has_next, has_previous, names_not_found: selection.names_not_found })
    }

    async fn count_devices(&self, account: AccountId, filter: &DeviceFilter) -> Result<u64, StoreError> {
        let mut connection = self.reader().acquire().await?;
        let selection = Selection::of(&mut connection, self.index(), account, filter).await?;
        selection.ask(&mut connection, self.index(), |matches| matches.count() as u64).await
    }

    async fn registered_with_leading_zeros(
        &self,
        account: AccountId,
        names: &[DeviceName],
    ) -> Result<Vec<(DeviceName, DeviceName)>, StoreError> {
        let mut connection = self.reader().acquire().await?;
        leading_zeros::find(&mut connection, account, names).await
    }

    async fn chosen(&self, account: AccountId, chosen: &Chosen) -> Result<(Those, Option<DeviceName>), StoreError> {
        let mut connection = self.reader().acquire().await?;
        those(&mut connection, self.index(), account, chosen, "").await
    }

    async fn export(
        &self,
        account: AccountId,
        chosen: &Chosen,
    ) -> Result<(Vec<NewDevice>, Option<DeviceName>), StoreError> {
        type Row = (String, String, Option<String>, Option<String>, i16);
        let mut connection = self.reader().acquire().await?;
        let (those, next) = those(&mut connection, self.index(), account, chosen, "").await?;
        let rows: Vec<Row> = query_as(AssertSqlSafe(format!(
            "SELECT d.name, m.name, d.friendly_name, d.description, d.tier
             FROM {NAMES} {DEVICE_OF_NAME} JOIN models m ON m.id = d.model"
        )))
        .bind(account.0)
        .bind(json_names(those.iter().map(|(_, name)| name.as_str())))
        .fetch_all(&mut *connection)
        .await?;
        let device = |(name, model, friendly_name, description, tier_code): Row| {
            Ok(NewDevice {
                name: device_name(&name)?,
                model: model_name(&model)?,
                friendly_name: friendly_name
                    .map(|text| FriendlyName::parse(&text).map_err(|_| StoreError::Corrupt))
                    .transpose()?,
                description: description
                    .map(|text| Description::parse(&text).map_err(|_| StoreError::Corrupt))
                    .transpose()?,
                tier: Some(tier(tier_code)?),
            })
        };
        let mut devices = rows.into_iter().map(device).collect::<Result<Vec<_>, StoreError>>()?;
        devices.sort_by_cached_key(|device| natural::key(device.name.as_str()));
        Ok((devices, next))
    }

    async fn change_devices(
        &self,
        account: AccountId,
        chosen: &Chosen,
        change: &Change,
        new_group: Uuid,
    ) -> Result<Step, GroupError> {
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Alone).await?;
        let (those, next) = those(&mut tx, self.index(), account, chosen, FOR_UPDATE_OF_D).await?;
        let names = those.iter().map(|(_, name)| name.as_str());
        let devices = match change {
            // A group that nothing joins is not made.
            Change::AddToGroup(_) if those.is_empty() => 0,
            Change::AddToGroup(group) => {
                let group = group_named(&mut tx, account, group, new_group).await?;
                join_group(&mut tx, group, &those).await?;
                those.len() as u64
            }
            Change::RemoveFromGroup(group) => match group_of(&mut tx, account, group).await? {
                Some(group) => leave_group(&mut tx, account, group, names).await?,
                None => return Err(GroupError::NotFound),
            },
            Change::Delete => delete_these(&mut tx, account, names).await?,
            Change::Disable => change_these(&mut tx, account, "UPDATE devices SET status = 2", names).await?,
            Change::Enable => {
                let what = "UPDATE devices SET status = CASE WHEN seen = 0 THEN 0 ELSE 1 END";
                change_these(&mut tx, account, what, names).await?
            }
            Change::Tier(tier) => {
                let what = format!("UPDATE devices SET tier = {}", tier_code(*tier));
                change_these(&mut tx, account, &what, names).await?
            }
        };
        tx.commit().await.map_err(StoreError::from)?;
        if devices > self.index().options.max_changes as u64 {
            self.index().compact(account);
        }
        Ok(Step { devices, next })
    }

    async fn undo_registration(
        &self,
        account: AccountId,
        registration: RegistrationId,
        after: Option<&DeviceName>,
    ) -> Result<Step, StoreError> {
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Alone).await?;
        let filter = DeviceFilter { registration: Some(registration), ..DeviceFilter::default() };
        let selection = Selection::of(&mut tx, self.index(), account, &filter).await?.unused();
        let (those, next) = chunk(&mut tx, self.index(), &selection, after, FOR_UPDATE_OF_D).await?;
        let names = those.iter().map(|(_, name)| name.as_str());
        let devices = delete_these(&mut tx, account, names).await?;
        tx.commit().await?;
        Ok(Step { devices, next })
    }
}

async fn delete_these<'a>(
    connection: &mut Connection,
    account: AccountId,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<u64, StoreError> {
    segments::remove(connection, account, names.clone()).await?;
    change_these(connection, account, "DELETE FROM devices", names).await
}

async fn change_these<'a>(
    connection: &mut Connection,
    account: AccountId,
    what: &str,
    names: impl Iterator<Item = &'a str>,
) -> Result<u64, StoreError> {
    let changed = query(AssertSqlSafe(format!("{what} WHERE id IN (SELECT d.id FROM {NAMES} {DEVICE_OF_NAME})")))
        .bind(account.0)
        .bind(json_names(names))
        .execute(connection)
        .await?;
    Ok(changed.rows_affected())
}

/// The chosen devices, by name, each once, and where the next call goes on. With `locked`, they stay as they are
/// until the transaction ends.
async fn those(
    connection: &mut Connection,
    index: &FleetIndex,
    account: AccountId,
    chosen: &Chosen,
    locked: &'static str,
) -> Result<(Those, Option<DeviceName>), StoreError> {
    match chosen {
        Chosen::Named(names) => {
            let rows: Vec<(Uuid, String)> =
                query_as(AssertSqlSafe(format!("SELECT d.id, d.name FROM {NAMES} {DEVICE_OF_NAME}")))
                    .bind(account.0)
                    .bind(json_names(names.iter().map(DeviceName::as_str)))
                    .fetch_all(connection)
                    .await?;
            let mut found: Those =
                rows.into_iter().map(|(id, name)| Ok((id, device_name(&name)?))).collect::<Result<_, StoreError>>()?;
            found.sort_by_cached_key(|(_, name)| natural::key(name.as_str()));
            // A name that was given twice was looked up twice.
            found.dedup();
            Ok((found, None))
        }
        Chosen::Matching(Matching { filter, registered_by, except, after }) => {
            let selection = Selection::of(connection, index, account, filter).await?.registered_by(*registered_by);
            let (mut found, next) = chunk(connection, index, &selection, after.as_ref(), locked).await?;
            let except: HashSet<_> = except.iter().collect();
            found.retain(|(_, name)| !except.contains(name));
            Ok((found, next))
        }
    }
}

/// The first devices of a selection behind a name, and the last of them, if there may be more.
async fn chunk(
    connection: &mut Connection,
    index: &FleetIndex,
    selection: &Selection,
    after: Option<&DeviceName>,
    locked: &'static str,
) -> Result<(Those, Option<DeviceName>), StoreError> {
    let from = after.map(|name| Bound { key: Key::Number(0), name: name.to_string(), is_inclusive: false });
    let order = Order { sort: Sort::Name, is_descending: false };
    let first = move |matches: &Matches| matches.first(order, from.as_ref(), MAX_DEVICES_PER_CALL);
    let found = selection.ask(connection, index, first).await?;
    let is_full = found.len() == MAX_DEVICES_PER_CALL;
    let next = found.last().filter(|_| is_full).map(|name| device_name(name)).transpose()?;
    // Some may have changed before they were locked.
    let mut ids: HashMap<String, Uuid> =
        selection.still(connection, &found, locked).await?.into_iter().map(|(id, name)| (name, id)).collect();
    let there = found.into_iter().filter_map(|name| Some((ids.remove(&name)?, name)));
    let those = there.map(|(id, name)| Ok((id, device_name(&name)?))).collect::<Result<_, StoreError>>()?;
    Ok((those, next))
}

/// What a page shows of these devices, in this order.
async fn items(
    connection: &mut Connection,
    account: AccountId,
    found: &[String],
) -> Result<Vec<DeviceItem>, StoreError> {
    let rows: Vec<ItemRow> = query_as(AssertSqlSafe(format!(
        "SELECT d.name, m.name, d.friendly_name, d.tier, d.status, s.last_seen
         FROM {NAMES} {DEVICE_OF_NAME} JOIN models m ON m.id = d.model LEFT JOIN device_states s ON s.device = d.id"
    )))
    .bind(account.0)
    .bind(json_names(found.iter().map(String::as_str)))
    .fetch_all(connection)
    .await?;
    let places: HashMap<&str, usize> = found.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut items = rows.into_iter().map(item).collect::<Result<Vec<_>, _>>()?;
    items.sort_unstable_by_key(|item| places.get(item.name.as_str()));
    Ok(items)
}

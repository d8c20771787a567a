//! The devices of an account, many at once: a page of them, how many there are, and what is done to those chosen.

use super::{
    Connection, DEVICE_OF_NAME, Db, FOR_UPDATE_OF_D, NAMES, count, device_name,
    devices::{ItemRow, item},
    groups::{group_named, group_of},
    json_names, leading_zeros, lock,
    members::{self, Membership},
    model_name,
    segments::{self, LoadError, LoadMode},
    selection::Selection,
    sql, tier,
};
use crate::{
    errors::{GroupError, StoreError},
    fleet::{
        Change, Chosen, Cursor, DeviceFilter, DeviceItem, DevicePage, DeviceQuery, MAX_DEVICES_PER_CALL,
        MAX_PAGE_DEVICES, Matching, Place, Sort, Step,
    },
    index::{
        FleetIndex,
        matches::Matches,
        natural,
        order::{Bound, Key, Order},
    },
    store::{Fleet, Lock},
    types::{AccountId, RegistrationId, tier_code},
};
use async_trait::async_trait;
use muster_domain::{Description, DeviceName, FriendlyName, NewDevice};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// The devices of a call: ids and names.
type ChosenDevices = Vec<(Uuid, DeviceName)>;

#[async_trait]
impl Fleet for Db {
    async fn devices(&self, account: AccountId, query: &DeviceQuery) -> Result<DevicePage, StoreError> {
        let limit = query.limit.clamp(1, MAX_PAGE_DEVICES) as usize;
        let (cursor, is_backwards) = (query.place.cursor(), query.place.is_backwards());
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
        // The list of all devices by name can come from the database immediately.
        let is_plain = query.filter == DeviceFilter::default() && query.sort == Sort::Name;
        let mode = if is_plain && query.place == Place::First { LoadMode::OnlyIfQuick } else { LoadMode::Complete };
        let (mut found, has_behind, total) =
            match selection.page(&mut connection, self.index(), mode, query, page).await {
                Ok(page) => page,
                Err(LoadError::TakesLong) => {
                    self.index().load(account);
                    // No next page yet: it would come from the index, in natural order, and skip devices.
                    let page = page_by_name(&mut connection, account, query).await?;
                    return Ok(DevicePage { has_next: false, ..page });
                }
                Err(LoadError::Store(StoreError::FleetTooLarge)) if is_plain => {
                    note_too_large(account);
                    let page = page_by_name(&mut connection, account, query).await?;
                    return Ok(DevicePage { is_too_large: true, ..page });
                }
                Err(error) => return Err(error.into()),
            };
        let has_more = found.len() > limit;
        found.truncate(limit);
        if is_backwards {
            found.reverse();
        }
        let (has_previous, has_next) = if is_backwards { (has_more, has_behind) } else { (has_behind, has_more) };
        let items = items(&mut connection, account, &found).await?;
        Ok(DevicePage {
            items,
            total,
            has_next,
            has_previous,
            is_too_large: false,
            names_not_found: selection.names_not_found,
        })
    }

    async fn count_devices(&self, account: AccountId, filter: &DeviceFilter) -> Result<u64, StoreError> {
        let mut connection = self.reader().acquire().await?;
        let selection = Selection::of(&mut connection, self.index(), account, filter).await?;
        selection.evaluate(&mut connection, self.index(), |matches| matches.count() as u64).await
    }

    async fn registered_with_leading_zeros(
        &self,
        account: AccountId,
        names: &[DeviceName],
    ) -> Result<Vec<(DeviceName, DeviceName)>, StoreError> {
        let mut connection = self.reader().acquire().await?;
        leading_zeros::find(&mut connection, account, names).await
    }

    async fn chosen(
        &self,
        account: AccountId,
        chosen: &Chosen,
    ) -> Result<(ChosenDevices, Option<DeviceName>), StoreError> {
        let mut connection = self.reader().acquire().await?;
        chosen_devices(&mut connection, self.index(), account, chosen, "").await
    }

    async fn export(
        &self,
        account: AccountId,
        chosen: &Chosen,
    ) -> Result<(Vec<NewDevice>, Option<DeviceName>), StoreError> {
        type Row = (String, String, Option<String>, Option<String>, i16);
        let mut connection = self.reader().acquire().await?;
        let (those, next) = chosen_devices(&mut connection, self.index(), account, chosen, "").await?;
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
        if let Chosen::Matching(matching) = chosen {
            read_ahead(self, account, matching.filter.registration).await?;
        }
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Alone).await?;
        let (those, next) = chosen_devices(&mut tx, self.index(), account, chosen, FOR_UPDATE_OF_D).await?;
        let names = those.iter().map(|(_, name)| name.as_str());
        let devices = match change {
            // A group that nothing joins is not made.
            Change::AddToGroup(_) if those.is_empty() => 0,
            Change::AddToGroup(group) => {
                let group = group_named(&mut tx, account, group, new_group).await?;
                members::change(&mut tx, account, group, Membership::Join, names).await?;
                those.len() as u64
            }
            Change::RemoveFromGroup(group) => match group_of(&mut tx, account, group).await? {
                Some(group) => members::change(&mut tx, account, group, Membership::Leave, names).await?,
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
        read_ahead(self, account, Some(registration)).await?;
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Alone).await?;
        let filter = DeviceFilter { registration: Some(registration), ..DeviceFilter::default() };
        let selection = Selection::of(&mut tx, self.index(), account, &filter).await?.unused();
        let (those, next) = next_matching(&mut tx, self.index(), &selection, after, FOR_UPDATE_OF_D).await?;
        let names = those.iter().map(|(_, name)| name.as_str());
        let devices = delete_these(&mut tx, account, names).await?;
        tx.commit().await?;
        Ok(Step { devices, next })
    }
}

/// Reads the segments that a transaction will need before it begins, because on SQLite it keeps reports waiting.
async fn read_ahead(db: &Db, account: AccountId, only: Option<RegistrationId>) -> Result<(), StoreError> {
    let mut connection = db.reader().acquire().await?;
    let is_wanted = |_, registration| only.is_none_or(|only| registration == Some(only.0));
    segments::stored_segments(&mut connection, &db.index().cache, account.0, LoadMode::Complete, is_wanted).await?;
    Ok(())
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
async fn chosen_devices(
    connection: &mut Connection,
    index: &FleetIndex,
    account: AccountId,
    chosen: &Chosen,
    locked: &'static str,
) -> Result<(ChosenDevices, Option<DeviceName>), StoreError> {
    match chosen {
        Chosen::Named(names) => {
            let rows: Vec<(Uuid, String)> =
                query_as(AssertSqlSafe(format!("SELECT d.id, d.name FROM {NAMES} {DEVICE_OF_NAME}")))
                    .bind(account.0)
                    .bind(json_names(names.iter().map(DeviceName::as_str)))
                    .fetch_all(connection)
                    .await?;
            let mut found: ChosenDevices =
                rows.into_iter().map(|(id, name)| Ok((id, device_name(&name)?))).collect::<Result<_, StoreError>>()?;
            found.sort_by_cached_key(|(_, name)| natural::key(name.as_str()));
            // A name that was given twice was looked up twice.
            found.dedup();
            Ok((found, None))
        }
        Chosen::Matching(Matching { filter, registered_by, except, after }) => {
            let selection = Selection::of(connection, index, account, filter).await?.registered_by(*registered_by);
            let (mut found, next) = next_matching(connection, index, &selection, after.as_ref(), locked).await?;
            let except: HashSet<_> = except.iter().collect();
            found.retain(|(_, name)| !except.contains(name));
            Ok((found, next))
        }
    }
}

/// The first devices of a selection after a name, and the name of the last, if there may be more. With `locked`, they stay as
/// they are until the transaction ends.
async fn next_matching(
    connection: &mut Connection,
    index: &FleetIndex,
    selection: &Selection,
    after: Option<&DeviceName>,
    locked: &'static str,
) -> Result<(ChosenDevices, Option<DeviceName>), StoreError> {
    let from = after.map(|name| Bound { key: Key::Number(0), name: name.to_string(), is_inclusive: false });
    let order = Order { sort: Sort::Name, is_descending: false };
    let first = move |matches: &Matches| matches.first(order, from.as_ref(), MAX_DEVICES_PER_CALL);
    let found = selection.evaluate(connection, index, first).await?;
    let is_full = found.len() == MAX_DEVICES_PER_CALL;
    let next = found.last().filter(|_| is_full).map(|name| device_name(name)).transpose()?;
    // Some may have changed before they were locked.
    let mut ids: HashMap<String, Uuid> =
        selection.matching_now(connection, &found, locked).await?.into_iter().map(|(id, name)| (name, id)).collect();
    let devices = found.into_iter().filter_map(|name| Some((ids.remove(&name)?, name)));
    let devices = devices.map(|(id, name)| Ok((id, device_name(&name)?))).collect::<Result<_, StoreError>>()?;
    Ok((devices, next))
}

/// A page of all devices by name from the database, in the order of bytes. It is used while the fleet index is being read,
/// and for a fleet that is too large for it.
async fn page_by_name(
    connection: &mut Connection,
    account: AccountId,
    DeviceQuery { place, is_descending, limit, .. }: &DeviceQuery,
) -> Result<DevicePage, StoreError> {
    let limit = (*limit).clamp(1, MAX_PAGE_DEVICES) as usize;
    let (cursor, is_backwards) = (place.cursor(), place.is_backwards());
    let is_down = *is_descending != is_backwards;
    let mut found = names_from(connection, account, cursor.map(|cursor| (cursor, false)), is_down, limit + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    if is_backwards {
        found.reverse();
    }
    let has_behind = match cursor {
        Some(cursor) => !names_from(connection, account, Some((cursor, true)), !is_down, 1).await?.is_empty(),
        None => false,
    };
    let (has_previous, has_next) = if is_backwards { (has_more, has_behind) } else { (has_behind, has_more) };
    let total: i64 = query_scalar("SELECT CAST(COALESCE(SUM(devices), 0) AS BIGINT) FROM segments WHERE account = $1")
        .bind(account.0)
        .fetch_one(&mut *connection)
        .await?;
    let items = items(connection, account, &found).await?;
    Ok(DevicePage { items, total: count(total), has_next, has_previous, ..DevicePage::default() })
}

/// The names after a cursor (or from it on), upwards or downwards.
async fn names_from(
    connection: &mut Connection,
    account: AccountId,
    from: Option<(&Cursor, bool)>,
    is_down: bool,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let mut statement = sql("SELECT name FROM devices WHERE account = ");
    statement.push_bind(account.0);
    if let Some((cursor, is_inclusive)) = from {
        statement.push(" AND name ").push(if is_down { "<" } else { ">" }).push(if is_inclusive { "= " } else { " " });
        statement.push_bind(cursor.name.as_str().to_owned());
    }
    statement.push(" ORDER BY name").push(if is_down { " DESC" } else { "" }).push(" LIMIT ").push_bind(limit as i64);
    Ok(statement.build_query_scalar().persistent(false).fetch_all(connection).await?)
}

/// Logs, at most once a minute, that a fleet does not fit into the memory of the index.
fn note_too_large(account: AccountId) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() > Duration::from_secs(60)) {
        *last = Some(Instant::now());
        tracing::warn!(account = %account.0, "a fleet is too large for the index: raise MUSTER_INDEX_MEMORY");
    }
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

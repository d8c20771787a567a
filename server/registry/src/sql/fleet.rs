//! The devices of an account, many at once: a page of them, how many there are, and what is done to those chosen.

use super::{
    Connection, DEVICE_OF_NAME, Database, Db, FOR_UPDATE_OF_D, FRIENDLY_KEY, NAMES, count, device_name,
    devices::{ItemRow, item},
    groups::{group_named, group_of, join_group, leave_group},
    json_names, lock, model_name, sql, tier,
};
use crate::{
    errors::{GroupError, StoreError},
    store::{Fleet, Lock},
    types::{
        AccountId, Change, Chosen, Cursor, DeviceFilter, DevicePage, DeviceQuery, MAX_DEVICES_PER_CALL,
        MAX_PAGE_DEVICES, Matching, Place, RegistrationId, Sort, Step, tier_code,
    },
};
use async_trait::async_trait;
use muster_domain::{Description, DeviceName, FriendlyName, NewDevice};
use sqlx::{AssertSqlSafe, QueryBuilder, query, query_as};
use std::collections::HashSet;
use uuid::Uuid;

/// No name and no friendly name is longer (256 characters of 4 bytes), and none has a control character.
const MAX_SEARCH_BYTES: usize = 1_024;

/// Devices of a call: their ids and names.
type Those = Vec<(Uuid, DeviceName)>;

/// Appends the conditions of a filter.
fn push_filter(statement: &mut QueryBuilder<Database>, account: AccountId, filter: &DeviceFilter) {
    statement.push(" FROM devices d JOIN models m ON m.id = d.model WHERE d.account = ").push_bind(account.0);
    let search = filter.search.as_deref().filter(|text| !text.is_empty());
    if search.is_some_and(|text| text.len() > MAX_SEARCH_BYTES || text.chars().any(char::is_control)) {
        statement.push(" AND 1 = 0");
    } else if let Some(text) = search {
        let mut like = String::with_capacity(text.len() + 2);
        like.push('%');
        for letter in text.to_lowercase().chars() {
            if matches!(letter, '%' | '_' | '\\') {
                like.push('\\');
            }
            like.push(letter);
        }
        like.push('%');
        statement.push(" AND (d.search LIKE ").push_bind(like.clone()).push(" ESCAPE '\\' OR LOWER(m.name) LIKE ");
        statement.push_bind(like).push(" ESCAPE '\\')");
    }
    if let Some(status) = filter.status {
        statement.push(" AND d.status = ").push_bind(status.code());
    }
    if let Some(tier) = filter.tier {
        statement.push(" AND d.tier = ").push_bind(tier_code(tier));
    }
    if let Some(model) = &filter.model {
        statement.push(" AND m.name = ").push_bind(model.as_str().to_owned());
    }
    if filter.never_seen {
        statement.push(" AND d.last_seen IS NULL");
    }
    if let Some(registration) = filter.registration {
        statement.push(" AND d.registration = ").push_bind(registration.0);
    }
    if !filter.groups.is_empty() {
        statement.push(" AND d.id IN (SELECT gm.device FROM group_members gm JOIN device_groups g ON g.id = gm.device_group WHERE g.account = ");
        statement.push_bind(account.0).push(" AND g.name IN (");
        let mut list = statement.separated(", ");
        for group in &filter.groups {
            list.push_bind(group.as_str().to_owned());
        }
        statement.push("))");
    }
}

/// What a sort sorts by, before the name.
fn key(sort: Sort) -> Option<&'static str> {
    match sort {
        Sort::Name => None,
        Sort::Model => Some("m.name"),
        Sort::FriendlyName => Some(FRIENDLY_KEY),
        Sort::Tier => Some("d.tier"),
        Sort::Status => Some("d.status"),
        Sort::LastSeen => Some("COALESCE(d.last_seen, 0)"),
    }
}

/// Appends that a device stands on this side of a place.
fn push_side(statement: &mut QueryBuilder<Database>, sort: Sort, side: &'static str, cursor: &Cursor) {
    match key(sort) {
        None => statement.push(" AND d.name ").push(side),
        Some(key) => {
            statement.push(" AND (").push(key).push(", d.name) ").push(side).push(" (");
            match sort {
                Sort::Tier | Sort::Status | Sort::LastSeen => {
                    statement.push_bind(cursor.key.parse::<i64>().unwrap_or_default())
                }
                Sort::Name | Sort::Model | Sort::FriendlyName => statement.push_bind(cursor.key.clone()),
            };
            statement.push(", ").push_bind(cursor.name.as_str().to_owned()).push(")");
            return;
        }
    };
    statement.push_bind(cursor.name.as_str().to_owned());
}

/// The order of a sort, forwards or backwards.
fn push_order(statement: &mut QueryBuilder<Database>, sort: Sort, is_descending: bool) {
    let way = if is_descending { " DESC" } else { "" };
    statement.push(" ORDER BY ");
    if let Some(key) = key(sort) {
        statement.push(key).push(way).push(", ");
    }
    statement.push("d.name").push(way);
}

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
        // Backwards in a descending order is forwards.
        let is_descending = query.is_descending != is_backwards;
        let mut statement = sql("SELECT d.name, m.name, d.friendly_name, d.tier, d.status, d.last_seen");
        push_filter(&mut statement, account, &query.filter);
        if let Some(cursor) = cursor {
            push_side(&mut statement, query.sort, if is_descending { "<" } else { ">" }, cursor);
        }
        push_order(&mut statement, query.sort, is_descending);
        statement.push(" LIMIT ").push_bind(limit as i64 + 1);
        let mut rows: Vec<ItemRow> = statement.build_query_as().fetch_all(self.reader()).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if is_backwards {
            rows.reverse();
        }
        let has_behind = match cursor {
            Some(cursor) => {
                let mut statement = sql("SELECT 1");
                push_filter(&mut statement, account, &query.filter);
                push_side(&mut statement, query.sort, if is_descending { ">=" } else { "<=" }, cursor);
                statement.push(" LIMIT 1");
                statement.build().fetch_optional(self.reader()).await?.is_some()
            }
            None => false,
        };
        let (has_previous, has_next) = if is_backwards { (has_more, has_behind) } else { (has_behind, has_more) };
        let items = rows.into_iter().map(item).collect::<Result<_, _>>()?;
        Ok(DevicePage { items, has_next, has_previous })
    }

    async fn count_devices(&self, account: AccountId, filter: &DeviceFilter) -> Result<u64, StoreError> {
        let mut counting = sql("SELECT COUNT(*)");
        push_filter(&mut counting, account, filter);
        let total: i64 = counting.build_query_scalar().fetch_one(self.reader()).await?;
        Ok(count(total))
    }

    async fn chosen(&self, account: AccountId, chosen: &Chosen) -> Result<(Those, Option<DeviceName>), StoreError> {
        let mut connection = self.reader().acquire().await?;
        those(&mut connection, account, chosen, "").await
    }

    async fn export(
        &self,
        account: AccountId,
        chosen: &Chosen,
    ) -> Result<(Vec<NewDevice>, Option<DeviceName>), StoreError> {
        type Row = (String, String, Option<String>, Option<String>, i16);
        let mut connection = self.reader().acquire().await?;
        let (those, next) = those(&mut connection, account, chosen, "").await?;
        let rows: Vec<Row> = query_as(AssertSqlSafe(format!(
            "SELECT d.name, m.name, d.friendly_name, d.description, d.tier
             FROM {NAMES} {DEVICE_OF_NAME} JOIN models m ON m.id = d.model ORDER BY d.name"
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
        Ok((rows.into_iter().map(device).collect::<Result<_, StoreError>>()?, next))
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
        let (those, next) = those(&mut tx, account, chosen, FOR_UPDATE_OF_D).await?;
        let names = those.iter().map(|(_, name)| name.as_str());
        let devices = match change {
            Change::AddToGroup(group) => {
                let ids: Vec<_> = those.iter().map(|(id, _)| *id).collect();
                let group = group_named(&mut tx, account, group, new_group).await?;
                join_group(&mut tx, group, &ids).await?;
                those.len() as u64
            }
            Change::RemoveFromGroup(group) => match group_of(&mut tx, account, group).await? {
                Some(group) => leave_group(&mut tx, account, group, names).await?,
                None => 0,
            },
            Change::Delete => change_these(&mut tx, account, "DELETE FROM devices", names).await?,
            Change::Disable => change_these(&mut tx, account, "UPDATE devices SET status = 2", names).await?,
            Change::Enable => {
                let what = "UPDATE devices SET status = CASE WHEN last_seen IS NULL THEN 0 ELSE 1 END";
                change_these(&mut tx, account, what, names).await?
            }
            Change::Tier(tier) => {
                let what = format!("UPDATE devices SET tier = {}", tier_code(*tier));
                change_these(&mut tx, account, &what, names).await?
            }
        };
        tx.commit().await.map_err(StoreError::from)?;
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
        let mut statement = sql("SELECT d.id, d.name");
        push_filter(&mut statement, account, &filter);
        statement.push(" AND d.first_used IS NULL");
        let (those, next) = walk(&mut tx, statement, after, FOR_UPDATE_OF_D).await?;
        let names = those.iter().map(|(_, name)| name.as_str());
        let devices = change_these(&mut tx, account, "DELETE FROM devices", names).await?;
        tx.commit().await?;
        Ok(Step { devices, next })
    }
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
            found.sort_unstable_by(|(_, a), (_, b)| a.cmp(b));
            // A name that was given twice was looked up twice.
            found.dedup();
            Ok((found, None))
        }
        Chosen::Matching(Matching { filter, registered_by, except, after }) => {
            let mut statement = sql("SELECT d.id, d.name");
            push_filter(&mut statement, account, filter);
            statement.push(" AND d.registered_at <= ").push_bind(registered_by.as_ms());
            let (mut found, next) = walk(connection, statement, after.as_ref(), locked).await?;
            let except: HashSet<_> = except.iter().collect();
            found.retain(|(_, name)| !except.contains(name));
            Ok((found, next))
        }
    }
}

/// The first devices behind a name, and the last of them, if there may be more.
async fn walk(
    connection: &mut Connection,
    mut statement: QueryBuilder<Database>,
    after: Option<&DeviceName>,
    locked: &'static str,
) -> Result<(Those, Option<DeviceName>), StoreError> {
    if let Some(after) = after {
        statement.push(" AND d.name > ").push_bind(after.as_str().to_owned());
    }
    statement.push(" ORDER BY d.name LIMIT ").push_bind(MAX_DEVICES_PER_CALL as i64).push(locked);
    let rows: Vec<(Uuid, String)> = statement.build_query_as().fetch_all(connection).await?;
    let is_full = rows.len() == MAX_DEVICES_PER_CALL;
    let found: Those =
        rows.into_iter().map(|(id, name)| Ok((id, device_name(&name)?))).collect::<Result<_, StoreError>>()?;
    let next = found.last().filter(|_| is_full).map(|(_, name)| name.clone());
    Ok((found, next))
}

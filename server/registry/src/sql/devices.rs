//! Devices, their data and groups.

use super::{
    Connection, DEVICE_OF_NAME, Database, Db, NAMES, ROWS_AT_ONCE, count, device_name, json_names, lock, model_name,
    sql, status, tier, tokens, tokens::Old,
};
use crate::{
    errors::{StateError, StoreError},
    store::{Devices, Lock, Merge, NewToken, TokenRow},
    types::{
        AccountId, Change, DeviceDetail, DeviceItem, DevicePage, DeviceQuery, GroupName, GroupSummary,
        MAX_PAGE_DEVICES, OldTokens, Status, Timestamp, tier_code,
    },
};
use async_trait::async_trait;
use muster_domain::{DeviceName, SecretHash};
use sqlx::{AssertSqlSafe, QueryBuilder, query, query_as, query_scalar};
use uuid::Uuid;

/// No name and no friendly name is longer (256 characters of 4 bytes), and none has a control character.
const MAX_SEARCH_BYTES: usize = 1_024;

type ItemRow = (String, String, Option<String>, i16, i16, Option<i64>);

fn item((name, model, friendly_name, tier_code, status_code, last_seen): ItemRow) -> Result<DeviceItem, StoreError> {
    Ok(DeviceItem {
        name: device_name(&name)?,
        model: model_name(&model)?,
        friendly_name,
        tier: tier(tier_code)?,
        status: status(status_code)?,
        last_seen: last_seen.map(Timestamp::from_ms),
    })
}

/// Appends the conditions of a query, all but its place.
fn push_filter(statement: &mut QueryBuilder<Database>, account: AccountId, query: &DeviceQuery) {
    statement.push(" FROM devices d JOIN models m ON m.id = d.model WHERE d.account = ").push_bind(account.0);
    let search = query.search.as_deref().filter(|text| !text.is_empty());
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
    if let Some(status) = query.status {
        statement.push(" AND d.status = ").push_bind(status.code());
    }
    if let Some(tier) = query.tier {
        statement.push(" AND d.tier = ").push_bind(tier_code(tier));
    }
    if let Some(model) = &query.model {
        statement.push(" AND m.name = ").push_bind(model.as_str().to_owned());
    }
    if let Some(group) = &query.group {
        statement.push(" AND d.id IN (SELECT gm.device FROM group_members gm JOIN device_groups g ON g.id = gm.device_group WHERE g.account = ");
        statement.push_bind(account.0).push(" AND g.name = ").push_bind(group.as_str().to_owned()).push(")");
    }
}

#[async_trait]
impl Devices for Db {
    async fn devices(&self, account: AccountId, query: &DeviceQuery) -> Result<DevicePage, StoreError> {
        let limit = query.limit.clamp(1, MAX_PAGE_DEVICES) as usize;
        let is_backwards = query.before.is_some();
        let mut statement = sql("SELECT d.name, m.name, d.friendly_name, d.tier, d.status, d.last_seen");
        push_filter(&mut statement, account, query);
        if let Some(name) = &query.after {
            statement.push(" AND d.name > ").push_bind(name.as_str().to_owned());
        }
        if let Some(name) = &query.before {
            statement.push(" AND d.name < ").push_bind(name.as_str().to_owned());
        }
        statement.push(if is_backwards { " ORDER BY d.name DESC LIMIT " } else { " ORDER BY d.name LIMIT " });
        statement.push_bind(limit as i64 + 1);
        let mut rows: Vec<ItemRow> = statement.build_query_as().fetch_all(self.reader()).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if is_backwards {
            rows.reverse();
        }

        let mut counting = sql("SELECT COUNT(*)");
        push_filter(&mut counting, account, query);
        let total: i64 = counting.build_query_scalar().fetch_one(self.reader()).await?;
        let behind = match (&query.after, &query.before) {
            (_, Some(before)) => self.has_device(account, query, " AND d.name >= ", before).await?,
            (Some(after), None) => self.has_device(account, query, " AND d.name <= ", after).await?,
            (None, None) => false,
        };
        let (has_previous, has_next) = if is_backwards { (has_more, behind) } else { (behind, has_more) };
        let items = rows.into_iter().map(item).collect::<Result<_, _>>()?;
        Ok(DevicePage { items, has_next, has_previous, total: count(total) })
    }

    async fn device(&self, account: AccountId, name: &DeviceName) -> Result<Option<DeviceDetail>, StoreError> {
        type DetailRow =
            (Uuid, String, String, Option<String>, Option<String>, i16, i16, i64, Option<i64>, i64, Option<String>);
        let row: Option<DetailRow> = query_as(
            "SELECT d.id, d.name, m.name, d.friendly_name, d.description, d.tier, d.status, d.registered_at, d.last_seen, d.token_made_at, s.state
             FROM devices d JOIN models m ON m.id = d.model LEFT JOIN device_states s ON s.device = d.id
             WHERE d.account = $1 AND d.name = $2",
        )
        .bind(account.0)
        .bind(name.as_str())
        .fetch_optional(self.reader())
        .await?;
        let Some((id, name, model, friendly_name, description, tier, status, registered, last_seen, token_made, state)) =
            row
        else {
            return Ok(None);
        };
        let groups: Vec<String> = query_scalar(
            "SELECT g.name FROM group_members gm JOIN device_groups g ON g.id = gm.device_group WHERE gm.device = $1 ORDER BY g.name LIMIT 1000",
        )
        .bind(id)
        .fetch_all(self.reader())
        .await?;
        Ok(Some(DeviceDetail {
            item: item((name, model, friendly_name, tier, status, last_seen))?,
            description,
            groups,
            registered_at: Timestamp::from_ms(registered),
            token_made: Timestamp::from_ms(token_made),
            state,
        }))
    }

    async fn change_devices(
        &self,
        account: AccountId,
        names: &[DeviceName],
        change: Change,
    ) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Alone).await?;
        let what = match change {
            Change::Delete => "DELETE FROM devices".to_owned(),
            Change::Disable => "UPDATE devices SET status = 2".to_owned(),
            Change::Enable => "UPDATE devices SET status = CASE WHEN last_seen IS NULL THEN 0 ELSE 1 END".to_owned(),
            Change::Tier(tier) => format!("UPDATE devices SET tier = {}", tier_code(tier)),
        };
        let changed = query(AssertSqlSafe(format!("{what} WHERE id IN (SELECT d.id FROM {NAMES} {DEVICE_OF_NAME})")))
            .bind(account.0)
            .bind(json_names(names.iter().map(DeviceName::as_str)))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(changed)
    }

    async fn device_ids(
        &self,
        account: AccountId,
        names: &[DeviceName],
    ) -> Result<Vec<(Uuid, DeviceName)>, StoreError> {
        let rows: Vec<(Uuid, String)> =
            query_as(AssertSqlSafe(format!("SELECT d.id, d.name FROM {NAMES} {DEVICE_OF_NAME}")))
                .bind(account.0)
                .bind(json_names(names.iter().map(DeviceName::as_str)))
                .fetch_all(self.reader())
                .await?;
        let mut found: Vec<_> =
            rows.into_iter().map(|(id, name)| Ok((id, device_name(&name)?))).collect::<Result<_, StoreError>>()?;
        found.sort_unstable_by(|(_, a), (_, b)| a.cmp(b));
        // A name that was given twice was looked up twice.
        found.dedup();
        Ok(found)
    }

    async fn replace_tokens(
        &self,
        account: AccountId,
        tokens: &[NewToken],
        old: OldTokens,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError> {
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Alone).await?;
        let old = match old {
            OldTokens::KeepUntilNewIsUsed => Old::Keep,
            OldTokens::StopNow => Old::Stop,
        };
        let there = tokens::replace(&mut tx, account, tokens, old, None, now).await?;
        tx.commit().await?;
        Ok(there)
    }

    async fn token_row(&self, device: Uuid) -> Result<Option<TokenRow>, StoreError> {
        type Row = (Uuid, String, i16, Vec<u8>, Vec<u8>, Uuid, i32, Option<i64>);
        let row: Option<Row> = query_as(
            "SELECT d.account, d.name, d.status, d.token_hash, d.old_token_hashes, d.model, m.version, d.first_used
             FROM devices d JOIN models m ON m.id = d.model WHERE d.id = $1",
        )
        .bind(device)
        .fetch_optional(self.reader())
        .await?;
        let Some((account, name, status_code, hash, old_token_hashes, model, model_version, first_used)) = row else {
            return Ok(None);
        };
        Ok(Some(TokenRow {
            account: AccountId(account),
            name: device_name(&name)?,
            status: status(status_code)?,
            token_hash: SecretHash::from_bytes(&hash).ok_or(StoreError::Corrupt)?,
            old_token_hashes,
            model,
            model_version,
            is_used: first_used.is_some(),
        }))
    }

    async fn token_used(&self, device: Uuid, newest: Option<&SecretHash>, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        query("UPDATE devices SET first_used = COALESCE(first_used, $2) WHERE id = $1")
            .bind(device)
            .bind(now.as_ms())
            .execute(&mut *tx)
            .await?;
        if let Some(newest) = newest {
            query("UPDATE devices SET old_token_hashes = $3 WHERE id = $1 AND token_hash = $2")
                .bind(device)
                .bind(newest.as_bytes().as_slice())
                .bind(Vec::<u8>::new())
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    async fn merge_state(&self, device: Uuid, merge: &Merge<'_>, now: Timestamp) -> Result<(), StateError> {
        let mut tx = self.write().await?;
        // First of all: it keeps other data of the same device waiting, so that none is lost.
        let seen = query("UPDATE devices SET last_seen = $2, status = $3 WHERE id = $1 AND status <> $4")
            .bind(device)
            .bind(now.as_ms())
            .bind(Status::Active.code())
            .bind(Status::Disabled.code())
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        if seen.rows_affected() == 0 {
            return Err(StateError::Gone);
        }
        let before: Option<String> = query_scalar("SELECT state FROM device_states WHERE device = $1")
            .bind(device)
            .fetch_optional(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        let state = merge(before.as_deref())?;
        query("INSERT INTO device_states (device, state) VALUES ($1, $2) ON CONFLICT (device) DO UPDATE SET state = excluded.state")
            .bind(device)
            .bind(state)
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        Ok(tx.commit().await.map_err(StoreError::from)?)
    }

    async fn groups(&self, account: AccountId) -> Result<Vec<GroupSummary>, StoreError> {
        let rows: Vec<(String, i64)> = query_as(
            "SELECT g.name, (SELECT COUNT(*) FROM group_members gm WHERE gm.device_group = g.id)
             FROM device_groups g WHERE g.account = $1 ORDER BY g.name LIMIT 10000",
        )
        .bind(account.0)
        .fetch_all(self.reader())
        .await?;
        Ok(rows.into_iter().map(|(name, devices)| GroupSummary { name, devices: count(devices) }).collect())
    }

    async fn add_to_group(
        &self,
        account: AccountId,
        names: &[DeviceName],
        group: &GroupName,
        new_id: Uuid,
    ) -> Result<u64, StoreError> {
        let ids: Vec<Uuid> = self.device_ids(account, names).await?.into_iter().map(|(id, _)| id).collect();
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Alone).await?;
        let group = group_named(&mut tx, account, group, new_id).await?;
        let joined = join_group(&mut tx, group, &ids).await?;
        tx.commit().await?;
        Ok(joined)
    }
}

impl Db {
    /// Whether a device that matches stands on this side of a name.
    async fn has_device(
        &self,
        account: AccountId,
        query: &DeviceQuery,
        side: &'static str,
        name: &DeviceName,
    ) -> Result<bool, StoreError> {
        let mut statement = sql("SELECT 1");
        push_filter(&mut statement, account, query);
        statement.push(side).push_bind(name.as_str().to_owned()).push(" LIMIT 1");
        Ok(statement.build().fetch_optional(self.reader()).await?.is_some())
    }
}

/// The group of that name; with this id, if it is made.
pub(super) async fn group_named(
    connection: &mut Connection,
    account: AccountId,
    group: &GroupName,
    new_id: Uuid,
) -> Result<Uuid, StoreError> {
    query("INSERT INTO device_groups (id, account, name) VALUES ($1, $2, $3) ON CONFLICT (account, name) DO NOTHING")
        .bind(new_id)
        .bind(account.0)
        .bind(group.as_str())
        .execute(&mut *connection)
        .await?;
    Ok(query_scalar("SELECT id FROM device_groups WHERE account = $1 AND name = $2")
        .bind(account.0)
        .bind(group.as_str())
        .fetch_one(&mut *connection)
        .await?)
}

/// Puts devices into a group; gives how many were not in it yet.
pub(super) async fn join_group(connection: &mut Connection, group: Uuid, devices: &[Uuid]) -> Result<u64, StoreError> {
    let mut joined = 0;
    for some in devices.chunks(ROWS_AT_ONCE) {
        let mut statement = sql("INSERT INTO group_members (device_group, device) ");
        statement.push_values(some, |mut row, device| {
            row.push_bind(group).push_bind(*device);
        });
        statement.push(" ON CONFLICT DO NOTHING");
        joined += statement.build().execute(&mut *connection).await?.rows_affected();
    }
    Ok(joined)
}

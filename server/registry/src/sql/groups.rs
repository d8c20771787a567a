//! Device groups, and who is in them.

use super::{
    Connection, DEVICE_OF_NAME, Db, FOR_NO_KEY_UPDATE, NAMES, ROWS_AT_ONCE, count, is_taken, json_names, lock, sql,
};
use crate::{
    errors::{GroupError, StoreError},
    store::{Groups, Lock},
    types::{AccountId, GroupName, GroupSummary, MAX_GROUPS, RegistrationId},
};
use async_trait::async_trait;
use muster_domain::DeviceName;
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use uuid::Uuid;

#[async_trait]
impl Groups for Db {
    async fn groups(&self, account: AccountId) -> Result<Vec<GroupSummary>, StoreError> {
        let rows: Vec<(String, i64)> = query_as(
            "SELECT g.name, (SELECT CAST(COALESCE(SUM(c.devices), 0) AS BIGINT) FROM group_counts c WHERE c.device_group = g.id)
             FROM device_groups g WHERE g.account = $1 ORDER BY g.name LIMIT $2",
        )
        .bind(account.0)
        .bind(i64::from(MAX_GROUPS))
        .fetch_all(self.reader())
        .await?;
        Ok(rows.into_iter().map(|(name, devices)| GroupSummary { name, devices: count(devices) }).collect())
    }

    async fn make_group(&self, account: AccountId, id: Uuid, name: &GroupName) -> Result<(), GroupError> {
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Alone).await?;
        may_have_another(&mut tx, account).await?;
        let made = query(
            "INSERT INTO device_groups (id, account, name) VALUES ($1, $2, $3) ON CONFLICT (account, name) DO NOTHING",
        )
        .bind(id)
        .bind(account.0)
        .bind(name.as_str())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
        if made.rows_affected() == 0 {
            return Err(GroupError::Taken);
        }
        Ok(tx.commit().await.map_err(StoreError::from)?)
    }

    async fn rename_group(&self, account: AccountId, from: &GroupName, to: &GroupName) -> Result<(), GroupError> {
        let mut tx = self.write().await?;
        let renamed = query("UPDATE device_groups SET name = $3 WHERE account = $1 AND name = $2")
            .bind(account.0)
            .bind(from.as_str())
            .bind(to.as_str())
            .execute(&mut *tx)
            .await;
        match renamed {
            Err(error) if is_taken(&error) => Err(GroupError::Taken),
            Err(error) => Err(StoreError::from(error).into()),
            Ok(done) if done.rows_affected() == 0 => Err(GroupError::NotFound),
            Ok(_) => Ok(tx.commit().await.map_err(StoreError::from)?),
        }
    }

    async fn delete_group(&self, account: AccountId, name: &GroupName) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Alone).await?;
        let deleted = query("DELETE FROM device_groups WHERE account = $1 AND name = $2")
            .bind(account.0)
            .bind(name.as_str())
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(deleted > 0)
    }
}

/// That the account has not as many groups as it may.
pub(super) async fn may_have_another(connection: &mut Connection, account: AccountId) -> Result<(), GroupError> {
    let groups: i64 = query_scalar("SELECT COUNT(*) FROM device_groups WHERE account = $1")
        .bind(account.0)
        .fetch_one(connection)
        .await
        .map_err(StoreError::from)?;
    if count(groups) >= u64::from(MAX_GROUPS) { Err(GroupError::TooMany) } else { Ok(()) }
}

/// The group of that name; made with this id, where there is none.
pub(super) async fn group_named(
    connection: &mut Connection,
    account: AccountId,
    group: &GroupName,
    new_id: Uuid,
) -> Result<Uuid, GroupError> {
    if let Some(group) = group_of(connection, account, group).await? {
        return Ok(group);
    }
    may_have_another(connection, account).await?;
    Ok(add_group(connection, account, group, new_id).await?)
}

/// Makes the group of that name with this id. If another transaction made one meanwhile, it is that.
async fn add_group(
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
    // It was renamed at this moment: trying again helps.
    group_of(connection, account, group).await?.ok_or(StoreError::Unavailable)
}

/// The group of a registration, for devices that are about to join it; made now if that was left for the first of them.
/// `None`: it has none, or that was deleted meanwhile.
pub(super) async fn group_to_join(
    connection: &mut Connection,
    account: AccountId,
    registration: RegistrationId,
    new_id: Uuid,
) -> Result<Option<Uuid>, StoreError> {
    // Of parts that are registered at the same time, one makes the group. The others wait for it here, and see it then.
    let (group, new_group): (Option<Uuid>, Option<String>) = query_as(AssertSqlSafe(format!(
        "SELECT device_group, new_group FROM registrations WHERE id = $1 AND account = $2{FOR_NO_KEY_UPDATE}"
    )))
    .bind(registration.0)
    .bind(account.0)
    .fetch_one(&mut *connection)
    .await?;
    let Some(new_group) = new_group else { return Ok(group) };
    let name = GroupName::parse(&new_group).map_err(|_| StoreError::Corrupt)?;
    let group = match group_of(connection, account, &name).await? {
        Some(group) => group,
        None => add_group(connection, account, &name, new_id).await?,
    };
    query("UPDATE registrations SET device_group = $2, new_group = NULL WHERE id = $1")
        .bind(registration.0)
        .bind(group)
        .execute(connection)
        .await?;
    Ok(Some(group))
}

/// The group of that name, if there is one.
pub(super) async fn group_of(
    connection: &mut Connection,
    account: AccountId,
    group: &GroupName,
) -> Result<Option<Uuid>, StoreError> {
    Ok(query_scalar("SELECT id FROM device_groups WHERE account = $1 AND name = $2")
        .bind(account.0)
        .bind(group.as_str())
        .fetch_optional(connection)
        .await?)
}

/// Puts devices into a group; gives how many were not in it yet.
pub(super) async fn join_group(
    connection: &mut Connection,
    group: Uuid,
    devices: &[(Uuid, DeviceName)],
) -> Result<u64, StoreError> {
    let mut joined = 0;
    for some in devices.chunks(ROWS_AT_ONCE) {
        let mut statement = sql("INSERT INTO group_members (device_group, name, device) ");
        statement.push_values(some, |mut row, (device, name)| {
            row.push_bind(group).push_bind(name.as_str().to_owned()).push_bind(*device);
        });
        statement.push(" ON CONFLICT DO NOTHING");
        joined += statement.build().execute(&mut *connection).await?.rows_affected();
    }
    Ok(joined)
}

/// Takes devices out of a group; gives how many were in it.
pub(super) async fn leave_group<'a>(
    connection: &mut Connection,
    account: AccountId,
    group: Uuid,
    names: impl Iterator<Item = &'a str>,
) -> Result<u64, StoreError> {
    let left = query(AssertSqlSafe(format!(
        "DELETE FROM group_members WHERE device_group = $3 AND device IN (SELECT d.id FROM {NAMES} {DEVICE_OF_NAME})"
    )))
    .bind(account.0)
    .bind(json_names(names))
    .bind(group)
    .execute(connection)
    .await?;
    Ok(left.rows_affected())
}

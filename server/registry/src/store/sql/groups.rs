//! Device groups. Their members are in the segments: see `segments/members.rs`.

use super::{
    Connection, Db, FOR_NO_KEY_UPDATE,
    columns::{count, group_name},
    lock,
    segments::members,
    statements::{is_unique_violation, sql},
};
use crate::{
    errors::{GroupError, StoreError},
    fleet::MAX_GROUPS,
    store::contract::{Groups, Lock},
    types::AccountId,
};
use async_trait::async_trait;
use muster_domain::{GroupName, GroupSummary, RegistrationId};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use uuid::Uuid;

#[async_trait]
impl Groups for Db {
    async fn groups(&self, account: AccountId) -> Result<Vec<GroupSummary>, StoreError> {
        let mut connection = self.reader().acquire().await?;
        let groups: Vec<(Uuid, String)> =
            query_as("SELECT id, name FROM device_groups WHERE account = $1 ORDER BY name LIMIT $2")
                .bind(account.0)
                .bind(i64::from(MAX_GROUPS))
                .fetch_all(&mut *connection)
                .await?;
        let devices = members::counts(&mut connection, self.index(), account).await?;
        let summary = |(id, name): (Uuid, String)| {
            let devices = devices.get(&id).copied().unwrap_or_default();
            Ok(GroupSummary { name: group_name(&name)?, devices })
        };
        groups.into_iter().map(summary).collect()
    }

    async fn create_group(&self, account: AccountId, id: Uuid, name: &GroupName) -> Result<(), GroupError> {
        let new_name = name.cleaned()?;
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Exclusive).await?;
        if find_group(&mut tx, account, name).await?.is_some() {
            return Err(GroupError::Taken);
        }
        check_group_limit(&mut tx, account).await?;
        let made = query(
            "INSERT INTO device_groups (id, account, name) VALUES ($1, $2, $3) ON CONFLICT (account, name) DO NOTHING",
        )
        .bind(id)
        .bind(account.0)
        .bind(new_name.as_str())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
        if made.rows_affected() == 0 {
            return Err(GroupError::Taken);
        }
        Ok(tx.commit().await.map_err(StoreError::from)?)
    }

    async fn rename_group(&self, account: AccountId, from: &GroupName, to: &GroupName) -> Result<(), GroupError> {
        let new_name = to.cleaned()?;
        let mut tx = self.write().await?;
        let Some(group) = exact_group(&mut tx, account, from).await? else { return Err(GroupError::NotFound) };
        if find_group(&mut tx, account, to).await?.is_some_and(|other| other != group) {
            return Err(GroupError::Taken);
        }
        let renamed = query("UPDATE device_groups SET name = $2 WHERE id = $1")
            .bind(group)
            .bind(new_name.as_str())
            .execute(&mut *tx)
            .await;
        match renamed {
            Err(error) if is_unique_violation(&error) => Err(GroupError::Taken),
            Err(error) => Err(StoreError::from(error).into()),
            Ok(done) if done.rows_affected() == 0 => Err(GroupError::NotFound),
            Ok(_) => Ok(tx.commit().await.map_err(StoreError::from)?),
        }
    }

    async fn delete_group(&self, account: AccountId, name: &GroupName) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Exclusive).await?;
        let Some(group) = exact_group(&mut tx, account, name).await? else { return Ok(false) };
        members::remove_group(&mut tx, account, group).await?;
        query("DELETE FROM device_groups WHERE id = $1").bind(group).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Checks that the account may have another group.
pub(super) async fn check_group_limit(connection: &mut Connection, account: AccountId) -> Result<(), GroupError> {
    let groups: i64 = query_scalar("SELECT COUNT(*) FROM device_groups WHERE account = $1")
        .bind(account.0)
        .fetch_one(connection)
        .await
        .map_err(StoreError::from)?;
    if count(groups) >= u64::from(MAX_GROUPS) { Err(GroupError::TooMany) } else { Ok(()) }
}

/// The group with this name. If there is none, one with the cleaned name is created with this id.
pub(super) async fn find_or_create_group(
    connection: &mut Connection,
    account: AccountId,
    group: &GroupName,
    new_id: Uuid,
) -> Result<Uuid, GroupError> {
    if let Some(group) = find_group(connection, account, group).await? {
        return Ok(group);
    }
    let new_name = group.cleaned()?;
    check_group_limit(connection, account).await?;
    Ok(add_group(connection, account, &new_name, new_id).await?)
}

/// Creates a group with this id. If another transaction created one meanwhile, returns that.
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
    // It was renamed at this moment: a retry helps.
    find_group(connection, account, group).await?.ok_or(StoreError::Unavailable)
}

/// The group of a registration, for devices that are about to join it. If the registration has a new group, it is
/// created now. `None`: the registration has no group, or the group was deleted meanwhile.
pub(super) async fn group_to_join(
    connection: &mut Connection,
    account: AccountId,
    registration: RegistrationId,
    new_id: Uuid,
) -> Result<Option<Uuid>, StoreError> {
    // Of concurrent parts, one creates the group. The others wait here, and find it then.
    let (group, new_group): (Option<Uuid>, Option<String>) = query_as(AssertSqlSafe(format!(
        "SELECT device_group, new_group FROM registrations WHERE id = $1 AND account = $2{FOR_NO_KEY_UPDATE}"
    )))
    .bind(registration.0)
    .bind(account.0)
    .fetch_one(&mut *connection)
    .await?;
    let Some(new_group) = new_group else { return Ok(group) };
    let name = group_name(&new_group)?;
    let group = match find_group(connection, account, &name).await? {
        Some(group) => group,
        // An earlier version may have begun the registration with a name that cannot be cleaned.
        None => add_group(connection, account, &name.cleaned().unwrap_or(name), new_id).await?,
    };
    query("UPDATE registrations SET device_group = $2, new_group = NULL WHERE id = $1")
        .bind(registration.0)
        .bind(group)
        .execute(connection)
        .await?;
    Ok(Some(group))
}

/// The group that a person means by this name: the group with exactly this name, or else the one with the cleaned name.
/// Earlier versions stored names as they were typed.
pub(super) async fn find_group(
    connection: &mut Connection,
    account: AccountId,
    name: &GroupName,
) -> Result<Option<Uuid>, StoreError> {
    if let Some(group) = exact_group(connection, account, name).await? {
        return Ok(Some(group));
    }
    match name.cleaned() {
        Ok(cleaned) if cleaned != *name => exact_group(connection, account, &cleaned).await,
        _ => Ok(None),
    }
}

/// The group with exactly this name. What deletes or renames a group takes this, so that a repeated request does not
/// reach another group that looks alike.
async fn exact_group(
    connection: &mut Connection,
    account: AccountId,
    name: &GroupName,
) -> Result<Option<Uuid>, StoreError> {
    Ok(exact_groups(connection, account, std::slice::from_ref(name)).await?.pop())
}

/// The groups with exactly these names, each once.
pub(super) async fn exact_groups(
    connection: &mut Connection,
    account: AccountId,
    names: &[GroupName],
) -> Result<Vec<Uuid>, StoreError> {
    let mut statement = sql("SELECT id FROM device_groups WHERE account = ");
    statement.push_bind(account.0).push(" AND name IN (");
    let mut list = statement.separated(", ");
    for name in names {
        list.push_bind(name.as_str().to_owned());
    }
    statement.push(")");
    Ok(statement.build_query_scalar().fetch_all(connection).await?)
}

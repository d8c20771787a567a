//! Actions on many devices: which devices a call is for, and what it does to them.

use super::{
    Connection, DEVICE_OF_NAME, Db, FOR_UPDATE_OF_D, NAMES,
    columns::{device_name, model_name, tier},
    groups::{find_group, find_or_create_group},
    lock,
    segments::{
        members::{self, Membership},
        stored::{LoadMode, stored_segments},
        writing,
    },
    selection::Selection,
    statements::json_names,
};
use crate::{
    errors::{GroupError, StoreError},
    index::{
        FleetIndex,
        matches::Matches,
        natural,
        order::{Bound, Key, Order},
    },
    store::contract::{FleetActions, Lock},
    types::{AccountId, tier_code},
};
use async_trait::async_trait;
use muster_domain::{
    CallOutcome, Change, Description, DeviceFilter, DeviceName, FriendlyName, MAX_DEVICES_PER_CALL, NewDevice,
    RegistrationId, Sort, Targets, Timestamp,
};
use sqlx::{AssertSqlSafe, query, query_as};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The devices of a call: ids and names.
type TargetDevices = Vec<(Uuid, DeviceName)>;

row! {
    struct ExportRow {
        name: String,
        model: String,
        friendly_name: Option<String>,
        description: Option<String>,
        tier: i16,
    }
}

#[async_trait]
impl FleetActions for Db {
    async fn select_targets(
        &self,
        account: AccountId,
        targets: &Targets,
        now: Timestamp,
    ) -> Result<(TargetDevices, Option<DeviceName>), StoreError> {
        let mut connection = self.reader().acquire().await?;
        target_devices(&mut connection, self.index(), account, (targets, now), "").await
    }

    async fn export(
        &self,
        account: AccountId,
        targets: &Targets,
        now: Timestamp,
    ) -> Result<(Vec<NewDevice>, Option<DeviceName>), StoreError> {
        let mut connection = self.reader().acquire().await?;
        let (selected, next) = target_devices(&mut connection, self.index(), account, (targets, now), "").await?;
        let rows: Vec<ExportRow> = query_as(AssertSqlSafe(format!(
            "SELECT d.name, m.name AS model, d.friendly_name, d.description, d.tier
             FROM {NAMES} {DEVICE_OF_NAME} JOIN models m ON m.id = d.model"
        )))
        .bind(account.0)
        .bind(json_names(selected.iter().map(|(_, name)| name.as_str())))
        .fetch_all(&mut *connection)
        .await?;
        let device = |row: ExportRow| {
            Ok(NewDevice {
                name: device_name(&row.name)?,
                model: model_name(&row.model)?,
                friendly_name: row
                    .friendly_name
                    .map(|text| FriendlyName::parse(&text).map_err(|_| StoreError::Corrupt))
                    .transpose()?,
                description: row
                    .description
                    .map(|text| Description::parse(&text).map_err(|_| StoreError::Corrupt))
                    .transpose()?,
                tier: Some(tier(row.tier)?),
            })
        };
        let mut devices = rows.into_iter().map(device).collect::<Result<Vec<_>, StoreError>>()?;
        devices.sort_by_cached_key(|device| natural::key(device.name.as_str()));
        Ok((devices, next))
    }

    async fn change_devices(
        &self,
        account: AccountId,
        targets: &Targets,
        change: &Change,
        new_group: Uuid,
        now: Timestamp,
    ) -> Result<CallOutcome, GroupError> {
        if let Targets::Matching(matching) = targets {
            prefetch_segments(self, account, matching.filter.registration).await?;
        }
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Exclusive).await?;
        let (selected, next) = target_devices(&mut tx, self.index(), account, (targets, now), FOR_UPDATE_OF_D).await?;
        let names = selected.iter().map(|(_, name)| name.as_str());
        let devices = match change {
            // Without devices to join it, no group is created.
            Change::AddToGroup(_) if selected.is_empty() => 0,
            Change::AddToGroup(group) => {
                let group = find_or_create_group(&mut tx, account, group, new_group).await?;
                members::change(&mut tx, account, group, Membership::Join, names).await?;
                selected.len() as u64
            }
            Change::RemoveFromGroup(group) => match find_group(&mut tx, account, group).await? {
                Some(group) => members::change(&mut tx, account, group, Membership::Leave, names).await?,
                None => return Err(GroupError::NotFound),
            },
            Change::Delete => delete_devices(&mut tx, account, names).await?,
            Change::Disable => update_devices(&mut tx, account, "UPDATE devices SET status = 2", names).await?,
            Change::Enable => {
                let statement = "UPDATE devices SET status = CASE WHEN seen = 0 THEN 0 ELSE 1 END";
                update_devices(&mut tx, account, statement, names).await?
            }
            Change::Tier(tier) => {
                let statement = format!("UPDATE devices SET tier = {}", tier_code(*tier));
                update_devices(&mut tx, account, &statement, names).await?
            }
        };
        tx.commit().await.map_err(StoreError::from)?;
        if devices > self.index().options.max_changes as u64 {
            self.index().compact(account);
        }
        Ok(CallOutcome { devices, next })
    }

    async fn undo_registration(
        &self,
        account: AccountId,
        registration: RegistrationId,
        after: Option<&DeviceName>,
    ) -> Result<CallOutcome, StoreError> {
        prefetch_segments(self, account, Some(registration)).await?;
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Exclusive).await?;
        let filter = DeviceFilter { registration: Some(registration), ..DeviceFilter::default() };
        let selection = Selection::of(&mut tx, self.index(), account, &filter, None).await?.unused();
        let (selected, next) = next_matching(&mut tx, self.index(), &selection, after, FOR_UPDATE_OF_D).await?;
        let names = selected.iter().map(|(_, name)| name.as_str());
        let devices = delete_devices(&mut tx, account, names).await?;
        tx.commit().await?;
        Ok(CallOutcome { devices, next })
    }
}

/// Loads the segments that a transaction will need into the cache before it begins: on SQLite, reports wait for it.
async fn prefetch_segments(db: &Db, account: AccountId, only: Option<RegistrationId>) -> Result<(), StoreError> {
    let mut connection = db.reader().acquire().await?;
    let is_wanted = |_, registration| only.is_none_or(|only| registration == Some(only.0));
    stored_segments(&mut connection, &db.index().cache, account.0, LoadMode::Complete, is_wanted).await?;
    Ok(())
}

async fn delete_devices<'a>(
    connection: &mut Connection,
    account: AccountId,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<u64, StoreError> {
    writing::remove(connection, account, names.clone()).await?;
    update_devices(connection, account, "DELETE FROM devices", names).await
}

async fn update_devices<'a>(
    connection: &mut Connection,
    account: AccountId,
    statement: &str,
    names: impl Iterator<Item = &'a str>,
) -> Result<u64, StoreError> {
    let changed = query(AssertSqlSafe(format!("{statement} WHERE id IN (SELECT d.id FROM {NAMES} {DEVICE_OF_NAME})")))
        .bind(account.0)
        .bind(json_names(names))
        .execute(connection)
        .await?;
    Ok(changed.rows_affected())
}

/// The next devices of the targets, by name, each once, and the name to continue after. `lock_clause` locks them until the
/// transaction ends.
async fn target_devices(
    connection: &mut Connection,
    index: &FleetIndex,
    account: AccountId,
    (targets, now): (&Targets, Timestamp),
    lock_clause: &'static str,
) -> Result<(TargetDevices, Option<DeviceName>), StoreError> {
    match targets {
        Targets::Named(names) => {
            let rows: Vec<(Uuid, String)> =
                query_as(AssertSqlSafe(format!("SELECT d.id, d.name FROM {NAMES} {DEVICE_OF_NAME}")))
                    .bind(account.0)
                    .bind(json_names(names.iter().map(DeviceName::as_str)))
                    .fetch_all(connection)
                    .await?;
            let mut found: TargetDevices =
                rows.into_iter().map(|(id, name)| Ok((id, device_name(&name)?))).collect::<Result<_, StoreError>>()?;
            found.sort_by_cached_key(|(_, name)| natural::key(name.as_str()));
            // A repeated name was looked up twice.
            found.dedup();
            Ok((found, None))
        }
        Targets::Matching(matching) => {
            let (filter, silent_since) = (&matching.filter, matching.silent_since(now));
            let selection = Selection::of(connection, index, account, filter, silent_since).await?;
            let selection = selection.registered_by(matching.registered_by);
            let after = matching.after.as_ref();
            let (mut found, next) = next_matching(connection, index, &selection, after, lock_clause).await?;
            let except: HashSet<_> = matching.except.iter().collect();
            found.retain(|(_, name)| !except.contains(name));
            Ok((found, next))
        }
    }
}

/// The first devices of a selection after a name, and the name to continue after, if there may be more. `lock_clause` locks
/// them until the transaction ends.
async fn next_matching(
    connection: &mut Connection,
    index: &FleetIndex,
    selection: &Selection,
    after: Option<&DeviceName>,
    lock_clause: &'static str,
) -> Result<(TargetDevices, Option<DeviceName>), StoreError> {
    let from = after.map(|name| Bound { key: Key::Number(0), name: name.to_string(), is_inclusive: false });
    let order = Order { sort: Sort::Name, is_descending: false };
    let first = move |matches: &Matches| matches.first(order, from.as_ref(), MAX_DEVICES_PER_CALL);
    let found = selection.evaluate(connection, index, first).await?;
    let is_full = found.len() == MAX_DEVICES_PER_CALL;
    let next = found.last().filter(|_| is_full).map(|name| device_name(name)).transpose()?;
    // Some may have changed before they were locked.
    let mut ids: HashMap<String, Uuid> = selection
        .matching_now(connection, &found, lock_clause)
        .await?
        .into_iter()
        .map(|(id, name)| (name, id))
        .collect();
    let devices = found.into_iter().filter_map(|name| Some((ids.remove(&name)?, name)));
    let devices = devices.map(|(id, name)| Ok((id, device_name(&name)?))).collect::<Result<_, StoreError>>()?;
    Ok((devices, next))
}

//! One device, its tokens and its data.

use super::{
    Connection, Db, FOR_NO_KEY_UPDATE, device_name, lock, members, model_name,
    selection::push_ids,
    sql, status, tier,
    tokens::{self, MadeBy, Old},
};
use crate::{
    errors::{StateError, StoreError},
    fleet::DeviceItem,
    index::segment::lines_of_names,
    store::{Devices, Lock, NewToken, Report, TokenRow},
    types::{AccountId, AuthenticatedDevice, DeviceDetail, OldTokens, Status, Timestamp, TokenJob, TokenUse},
};
use async_trait::async_trait;
use muster_domain::{DeviceName, SecretHash};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use std::collections::HashSet;
use uuid::Uuid;

/// Groups that a device's page lists.
const LISTED_GROUPS: i64 = 1_000;

pub(super) type ItemRow = (String, String, Option<String>, i16, i16, Option<i64>);

pub(super) fn item(
    (name, model, friendly_name, tier_code, status_code, last_seen): ItemRow,
) -> Result<DeviceItem, StoreError> {
    Ok(DeviceItem {
        name: device_name(&name)?,
        model: model_name(&model)?,
        friendly_name,
        tier: tier(tier_code)?,
        status: status(status_code)?,
        last_seen: last_seen.map(Timestamp::from_ms),
    })
}

#[async_trait]
impl Devices for Db {
    async fn device(&self, account: AccountId, name: &DeviceName) -> Result<Option<DeviceDetail>, StoreError> {
        type DetailRow =
            (i64, String, String, Option<String>, Option<String>, i16, i16, i64, Option<i64>, i64, Option<String>);
        let mut connection = self.reader().acquire().await?;
        let row: Option<DetailRow> = query_as(
            "SELECT d.segment, d.name, m.name, d.friendly_name, d.description, d.tier, d.status, d.registered_at, s.last_seen, d.token_made_at, s.state
             FROM devices d JOIN models m ON m.id = d.model LEFT JOIN device_states s ON s.device = d.id
             WHERE d.account = $1 AND d.name = $2",
        )
        .bind(account.0)
        .bind(name.as_str())
        .fetch_optional(&mut *connection)
        .await?;
        let Some((
            segment,
            name,
            model,
            friendly_name,
            description,
            tier,
            status,
            registered,
            last_seen,
            token_made,
            state,
        )) = row
        else {
            return Ok(None);
        };
        let groups = groups_of(&mut connection, segment, &name).await?;
        Ok(Some(DeviceDetail {
            item: item((name, model, friendly_name, tier, status, last_seen))?,
            description,
            groups,
            registered_at: Timestamp::from_ms(registered),
            token_made: Timestamp::from_ms(token_made),
            state,
        }))
    }

    async fn replace_tokens(
        &self,
        account: AccountId,
        tokens: &[NewToken],
        old: OldTokens,
        made_by: TokenJob,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError> {
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Alone).await?;
        let old = match old {
            OldTokens::KeepUntilNewIsUsed => Old::Keep,
            OldTokens::StopNow => Old::Stop,
        };
        let there = tokens::replace(&mut tx, account, tokens, old, MadeBy::Job(made_by), now).await?;
        tx.commit().await?;
        Ok(there)
    }

    async fn token_row(&self, device: Uuid) -> Result<Option<TokenRow>, StoreError> {
        type Row = (Uuid, String, i16, Vec<u8>, Vec<u8>, Uuid, i32, i64, Option<i64>);
        let row: Option<Row> = query_as(
            "SELECT d.account, d.name, d.status, d.token_hash, d.old_token_hashes, d.model, m.version, d.segment, d.first_used
             FROM devices d JOIN models m ON m.id = d.model WHERE d.id = $1",
        )
        .bind(device)
        .fetch_optional(self.device_reader())
        .await?;
        let Some((account, name, status_code, hash, old_token_hashes, model, model_version, segment, first_used)) = row
        else {
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
            segment,
            is_used: first_used.is_some(),
        }))
    }

    async fn token_used(&self, used: TokenUse) -> Result<(), StoreError> {
        self.note_use(used).await
    }

    async fn store_report(&self, report: Report) -> Result<(), StateError> {
        self.report(report).await
    }
}

/// The names of the first groups that a device is in.
async fn groups_of(connection: &mut Connection, segment: i64, name: &str) -> Result<Vec<String>, StoreError> {
    let Some((text, members)) = members::of_segment(connection, segment).await? else { return Ok(Vec::new()) };
    let Some(line) = lines_of_names(&text, &HashSet::from([name])).first().copied() else { return Ok(Vec::new()) };
    let mut statement = sql("SELECT name FROM device_groups WHERE id IN ");
    push_ids(&mut statement, &members.groups_of(line));
    statement.push(" ORDER BY name LIMIT ").push_bind(LISTED_GROUPS);
    Ok(statement.build_query_scalar().persistent(false).fetch_all(connection).await?)
}

/// Notes that a device showed a token.
pub(crate) async fn note_use(
    connection: &mut Connection,
    TokenUse { device, newest, at }: &TokenUse,
) -> Result<(), StoreError> {
    query("UPDATE devices SET first_used = COALESCE(first_used, $2) WHERE id = $1")
        .bind(device)
        .bind(at.as_ms())
        .execute(&mut *connection)
        .await?;
    if let Some(newest) = newest {
        query("UPDATE devices SET old_token_hashes = $3 WHERE id = $1 AND token_hash = $2")
            .bind(device)
            .bind(newest.as_bytes().as_slice())
            .bind(Vec::<u8>::new())
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Stores a report. What it refuses is refused before anything is written.
pub(crate) async fn merge_state(
    connection: &mut Connection,
    Report { device: AuthenticatedDevice { id: device, token_use, .. }, merge, at }: &Report,
) -> Result<(), StateError> {
    // First of all: it keeps other data of the same device waiting, so that none is lost.
    let found: Option<(i16, i16)> =
        query_as(AssertSqlSafe(format!("SELECT status, seen FROM devices WHERE id = $1{FOR_NO_KEY_UPDATE}")))
            .bind(device)
            .fetch_optional(&mut *connection)
            .await
            .map_err(StoreError::from)?;
    let Some((status, seen)) = found.filter(|(code, _)| *code != Status::Disabled.code()) else {
        return Err(StateError::Gone);
    };
    let before: Option<String> = query_scalar("SELECT state FROM device_states WHERE device = $1")
        .bind(device)
        .fetch_optional(&mut *connection)
        .await
        .map_err(StoreError::from)?;
    let state = merge(before.as_deref())?;
    if let Some(token_use) = token_use {
        note_use(connection, token_use).await?;
    }
    // Only the first time: a change of the status_byte is noted for the fleet index, too.
    if seen == 0 || status != Status::Active.code() {
        query("UPDATE devices SET status = $2, seen = 1 WHERE id = $1")
            .bind(device)
            .bind(Status::Active.code())
            .execute(&mut *connection)
            .await
            .map_err(StoreError::from)?;
    }
    query(
        "INSERT INTO device_states (device, state, last_seen) VALUES ($1, $2, $3)
         ON CONFLICT (device) DO UPDATE SET state = excluded.state, last_seen = excluded.last_seen",
    )
    .bind(device)
    .bind(state)
    .bind(at.as_ms())
    .execute(connection)
    .await
    .map_err(StoreError::from)?;
    Ok(())
}

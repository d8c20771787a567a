//! One device, its tokens and its data.

use super::{
    Connection, Db,
    columns::{device_name, group_name, model_name, status, tier},
    lock,
    segments::members,
    statements::{push_ids, sql},
    tokens::{self, PreviousTokens, TokenOrigin},
};
use crate::{
    devices::TokenUse,
    errors::{StateError, StoreError},
    store::contract::{Devices, Lock, NewToken, Report, TokenRow},
    types::AccountId,
};
use async_trait::async_trait;
use muster_domain::{DeviceDetail, DeviceItem, DeviceName, GroupName, OldTokens, SecretHash, Timestamp, TokenJob};
use sqlx::query_as;
use uuid::Uuid;

/// The maximum number of groups on a device's page.
const LISTED_GROUPS: i64 = 1_000;

row! {
    pub(super) struct ItemRow {
        name: String,
        model: String,
        friendly_name: Option<String>,
        tier: i16,
        status: i16,
        last_seen: Option<i64>,
    }
}

pub(super) fn item(row: ItemRow) -> Result<DeviceItem, StoreError> {
    Ok(DeviceItem {
        name: device_name(&row.name)?,
        model: model_name(&row.model)?,
        friendly_name: row.friendly_name,
        tier: tier(row.tier)?,
        status: status(row.status)?,
        last_seen: row.last_seen.map(Timestamp::from_ms),
    })
}

row! {
    struct DetailRow {
        segment: i64,
        name: String,
        model: String,
        friendly_name: Option<String>,
        description: Option<String>,
        tier: i16,
        status: i16,
        registered_at: i64,
        last_seen: Option<i64>,
        token_made_at: i64,
        state: Option<String>,
    }
}

row! {
    struct CredentialRow {
        account: Uuid,
        account_name: String,
        name: String,
        status: i16,
        token_hash: Vec<u8>,
        old_token_hashes: Vec<u8>,
        model: Uuid,
        model_version: i32,
        segment: i64,
        first_used: Option<i64>,
    }
}

#[async_trait]
impl Devices for Db {
    async fn device(&self, account: AccountId, name: &DeviceName) -> Result<Option<DeviceDetail>, StoreError> {
        let mut connection = self.reader().acquire().await?;
        let row: Option<DetailRow> = query_as(
            "SELECT d.segment, d.name, m.name AS model, d.friendly_name, d.description, d.tier, d.status, d.registered_at, s.last_seen, d.token_made_at, s.state
             FROM devices d JOIN models m ON m.id = d.model LEFT JOIN device_states s ON s.device = d.id
             WHERE d.account = $1 AND d.name = $2",
        )
        .bind(account.0)
        .bind(name.as_str())
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let cache = &self.index().cache;
        let groups = members::groups_of(&mut connection, cache, account, row.segment, &row.name).await?;
        let groups = group_names(&mut connection, &groups).await?;
        let DetailRow { name, model, friendly_name, tier, status, last_seen, .. } = row;
        Ok(Some(DeviceDetail {
            item: item(ItemRow { name, model, friendly_name, tier, status, last_seen })?,
            description: row.description,
            groups,
            registered_at: Timestamp::from_ms(row.registered_at),
            token_made: Timestamp::from_ms(row.token_made_at),
            state: row.state,
        }))
    }

    async fn replace_tokens(
        &self,
        account: AccountId,
        tokens: &[NewToken],
        old: OldTokens,
        job: TokenJob,
        now: Timestamp,
    ) -> Result<Vec<Uuid>, StoreError> {
        let mut tx = self.write().await?;
        lock(&mut tx, account.0, Lock::Exclusive).await?;
        let old = match old {
            OldTokens::KeepUntilNewIsUsed => PreviousTokens::Keep,
            OldTokens::RevokeNow => PreviousTokens::Revoke,
        };
        let replaced = tokens::replace(&mut tx, account, tokens, old, TokenOrigin::Job(job), now).await?;
        tx.commit().await?;
        Ok(replaced)
    }

    async fn token_row(&self, device: Uuid) -> Result<Option<TokenRow>, StoreError> {
        let row: Option<CredentialRow> = query_as(
            "SELECT d.account, a.name AS account_name, d.name, d.status, d.token_hash, d.old_token_hashes, d.model, m.version AS model_version, d.segment, d.first_used
             FROM devices d JOIN models m ON m.id = d.model JOIN accounts a ON a.id = d.account WHERE d.id = $1",
        )
        .bind(device)
        .fetch_optional(self.device_reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(TokenRow {
            account: AccountId(row.account),
            account_name: row.account_name,
            name: device_name(&row.name)?,
            status: status(row.status)?,
            token_hash: SecretHash::from_bytes(&row.token_hash).ok_or(StoreError::Corrupt)?,
            old_token_hashes: row.old_token_hashes,
            model: row.model,
            model_version: row.model_version,
            segment: row.segment,
            is_used: row.first_used.is_some(),
        }))
    }

    async fn record_token_use(&self, used: TokenUse) -> Result<(), StoreError> {
        self.write_token_use(used).await
    }

    async fn store_report(&self, report: Report) -> Result<(), StateError> {
        self.write_report(report).await
    }
}

/// The names of these groups, as many as a device's page lists.
async fn group_names(connection: &mut Connection, groups: &[Uuid]) -> Result<Vec<GroupName>, StoreError> {
    let mut statement = sql("SELECT name FROM device_groups WHERE id IN ");
    push_ids(&mut statement, groups);
    statement.push(" ORDER BY name LIMIT ").push_bind(LISTED_GROUPS);
    let names: Vec<String> = statement.build_query_scalar().persistent(false).fetch_all(connection).await?;
    names.iter().map(|name| group_name(name)).collect()
}

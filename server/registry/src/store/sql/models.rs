//! Model definitions.

use super::{
    Connection, Db, NEW_SHORT_VERSION,
    columns::{count, model_name},
    selection::Selection,
};
use crate::{
    errors::StoreError,
    index::{FleetIndex, matches::Matches},
    models::{LISTED_DESCRIPTION_CHARS, MAX_MODELS},
    store::contract::{DeletedModel, Models, NewModel, StoredModel},
    types::AccountId,
};
use async_trait::async_trait;
use muster_domain::{DeviceFilter, ModelName, ModelSummary, Timestamp};
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};
use std::collections::HashMap;
use uuid::Uuid;

row! {
    struct SummaryRow {
        name: String,
        description: Option<String>,
        properties: i32,
        events: i32,
        actions: i32,
        updated_at: i64,
    }
}

#[async_trait]
impl Models for Db {
    async fn put_model(&self, account: AccountId, model: NewModel<'_>) -> Result<StoredModel, StoreError> {
        let mut tx = self.write().await?;
        let before: Option<String> = query_scalar("SELECT definition FROM models WHERE account = $1 AND name = $2")
            .bind(account.0)
            .bind(model.name.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let outcome = match before {
            Some(before) if before == model.definition => return Ok(StoredModel::Unchanged),
            Some(_) => StoredModel::Updated,
            None => StoredModel::Added,
        };
        if matches!(outcome, StoredModel::Added) {
            let models: i64 = query_scalar("SELECT COUNT(*) FROM models WHERE account = $1")
                .bind(account.0)
                .fetch_one(&mut *tx)
                .await?;
            if count(models) >= u64::from(MAX_MODELS) {
                return Ok(StoredModel::TooMany);
            }
        }
        let [properties, events, actions] = model.counts;
        query(AssertSqlSafe(format!(
            "INSERT INTO models (id, account, name, description, definition, properties, events, actions, updated_at, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, {NEW_SHORT_VERSION})
             ON CONFLICT (account, name) DO UPDATE SET description = excluded.description, definition = excluded.definition,
                properties = excluded.properties, events = excluded.events, actions = excluded.actions,
                updated_at = excluded.updated_at, version = excluded.version"
        )))
        .bind(model.id)
        .bind(account.0)
        .bind(model.name.as_str())
        .bind(model.description)
        .bind(model.definition)
        .bind(properties)
        .bind(events)
        .bind(actions)
        .bind(model.now.as_ms())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(outcome)
    }

    async fn models(&self, account: AccountId) -> Result<Vec<ModelSummary>, StoreError> {
        let mut connection = self.reader().acquire().await?;
        let devices = devices_by_model(&mut connection, self.index(), account).await?;
        let rows: Vec<SummaryRow> = query_as(
            "SELECT m.name, SUBSTR(m.description, 1, $3) AS description, m.properties, m.events, m.actions, m.updated_at
             FROM models m WHERE m.account = $1 ORDER BY m.name LIMIT $2",
        )
        .bind(account.0)
        .bind(i64::from(MAX_MODELS))
        .bind(LISTED_DESCRIPTION_CHARS as i32)
        .fetch_all(&mut *connection)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(ModelSummary {
                    devices: devices.get(&row.name).copied().unwrap_or_default(),
                    name: model_name(&row.name)?,
                    description: row.description,
                    properties: row.properties.cast_unsigned(),
                    events: row.events.cast_unsigned(),
                    actions: row.actions.cast_unsigned(),
                    updated: Timestamp::from_ms(row.updated_at),
                })
            })
            .collect()
    }

    async fn model_names(&self, account: AccountId) -> Result<Vec<String>, StoreError> {
        Ok(query_scalar("SELECT name FROM models WHERE account = $1 ORDER BY name LIMIT $2")
            .bind(account.0)
            .bind(i64::from(MAX_MODELS))
            .fetch_all(self.reader())
            .await?)
    }

    async fn model_definition(&self, account: AccountId, name: &ModelName) -> Result<Option<String>, StoreError> {
        Ok(query_scalar("SELECT definition FROM models WHERE account = $1 AND name = $2")
            .bind(account.0)
            .bind(name.as_str())
            .fetch_optional(self.reader())
            .await?)
    }

    async fn definition_of(&self, account: AccountId, model: Uuid) -> Result<Option<(String, i32)>, StoreError> {
        Ok(query_as("SELECT definition, version FROM models WHERE account = $1 AND id = $2")
            .bind(account.0)
            .bind(model)
            .fetch_optional(self.device_reader())
            .await?)
    }

    async fn delete_model(&self, account: AccountId, name: &ModelName) -> Result<DeletedModel, StoreError> {
        let mut connection = self.reader().acquire().await?;
        let devices = devices_by_model(&mut connection, self.index(), account).await?;
        drop(connection);
        let mut tx = self.write().await?;
        let model: Option<Uuid> = query_scalar("SELECT id FROM models WHERE account = $1 AND name = $2")
            .bind(account.0)
            .bind(name.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let Some(model) = model else { return Ok(DeletedModel::NotFound) };
        if let Some(devices) = devices.get(name.as_str()) {
            return Ok(DeletedModel::InUse(*devices));
        }
        // A device that another server adds at this moment prevents the deletion by its foreign key.
        let deleted = query("DELETE FROM models WHERE id = $1").bind(model).execute(&mut *tx).await;
        match deleted {
            Ok(_) => {
                tx.commit().await?;
                Ok(DeletedModel::Deleted)
            }
            Err(error)
                if error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation) =>
            {
                Ok(DeletedModel::InUse(1))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The number of devices of each model that has any.
async fn devices_by_model(
    connection: &mut Connection,
    index: &FleetIndex,
    account: AccountId,
) -> Result<HashMap<String, u64>, StoreError> {
    let all = Selection::of(connection, index, account, &DeviceFilter::default(), None).await?;
    match all.evaluate(connection, index, Matches::by_model).await {
        // It takes a second for a million devices.
        Err(StoreError::FleetTooLarge) => {
            let rows: Vec<(String, i64)> = query_as(
                "SELECT m.name, COUNT(*) FROM devices d JOIN models m ON m.id = d.model WHERE d.account = $1 GROUP BY m.name",
            )
            .bind(account.0)
            .fetch_all(connection)
            .await?;
            Ok(rows.into_iter().map(|(name, devices)| (name, count(devices))).collect())
        }
        counts => counts,
    }
}

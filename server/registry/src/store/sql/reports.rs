//! A device's report, and the first use of its token.

use super::{Connection, FOR_NO_KEY_UPDATE};
use crate::{
    devices::{AuthenticatedDevice, TokenUse},
    errors::{StateError, StoreError},
    store::contract::Report,
    types::status_code,
};
use muster_domain::Status;
use sqlx::{AssertSqlSafe, query, query_as, query_scalar};

/// Records that a device used a token.
pub(crate) async fn record_token_use(
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

/// Stores a report. A refusal comes before anything is written.
pub(crate) async fn merge_state(
    connection: &mut Connection,
    Report { device: AuthenticatedDevice { id: device, token_use, .. }, merge, at }: &Report,
) -> Result<(), StateError> {
    // This comes first, and makes other reports of the same device wait, so that none is lost.
    let found: Option<(i16, i16)> =
        query_as(AssertSqlSafe(format!("SELECT status, seen FROM devices WHERE id = $1{FOR_NO_KEY_UPDATE}")))
            .bind(device)
            .fetch_optional(&mut *connection)
            .await
            .map_err(StoreError::from)?;
    let Some((status, seen)) = found.filter(|(code, _)| *code != status_code(Status::Disabled)) else {
        return Err(StateError::Gone);
    };
    let before: Option<String> = query_scalar("SELECT state FROM device_states WHERE device = $1")
        .bind(device)
        .fetch_optional(&mut *connection)
        .await
        .map_err(StoreError::from)?;
    let state = merge(before.as_deref())?;
    if let Some(token_use) = token_use {
        record_token_use(connection, token_use).await?;
    }
    // Only the first time: a change of the status byte is also recorded for the fleet index.
    if seen == 0 || status != status_code(Status::Active) {
        query("UPDATE devices SET status = $2, seen = 1 WHERE id = $1")
            .bind(device)
            .bind(status_code(Status::Active))
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

//! The reports of devices, and the first uses of their tokens.

use super::{
    Connection, FOR_NO_KEY_UPDATE_SKIP_LOCKED, Pool, begin,
    statements::{push_ids, sql},
};
use crate::{
    devices::TokenUse,
    errors::{StateError, StoreError},
    index::cache::Cache,
    store::{
        contract::Report,
        group_commit::{Failed, Outcome, Write},
    },
    types::status_code,
};
use muster_domain::Status;
use sqlx::query;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// A report to store, and the index that records it.
#[derive(Clone)]
pub(crate) struct ReportWrite {
    report: Arc<Report>,
    cache: Arc<Cache>,
}

impl ReportWrite {
    pub(crate) fn new(report: Report, cache: &Arc<Cache>) -> Self {
        Self { report: Arc::new(report), cache: cache.clone() }
    }
}

impl Write for ReportWrite {
    type Pool = Pool;
    type Done = ();
    type Error = StateError;
    const MAX_BATCH: usize = MAX_REPORTS;

    /// The report of a device that another transaction has locked is [`StateError::Gone`], as of one that is deleted: the
    /// others do not wait for it.
    async fn store_all(pool: &Pool, reports: &[Self]) -> Result<Vec<Outcome<Self>>, Failed> {
        let mut tx = begin(pool).await.map_err(Failed::ToBegin)?;
        let stored = merge_states(&mut tx, reports, FOR_NO_KEY_UPDATE_SKIP_LOCKED).await;
        let outcomes = stored.map_err(Failed::ToStore)?;
        tx.commit().await.map_err(Failed::to_store)?;
        Ok(outcomes)
    }

    fn on_commit(&self) {
        self.cache.record_last_seen(&self.report.seen());
    }
}

/// The maximum number of reports in one transaction. Their states take at most 32 MiB, twice while they are merged.
const MAX_REPORTS: usize = 128;

/// Each connection caches its statements for up to so many reports, one for each number.
const MAX_CACHED_REPORTS: usize = 16;

/// Records that a device used a token.
pub(crate) async fn record_token_use(connection: &mut Connection, used: &TokenUse) -> Result<(), StoreError> {
    query("UPDATE devices SET first_used = COALESCE(first_used, $2) WHERE id = $1")
        .bind(used.device)
        .bind(used.at.as_ms())
        .execute(&mut *connection)
        .await?;
    revoke_older_tokens(connection, used).await
}

/// Revokes the older tokens of a device, if this is the use of its newest.
async fn revoke_older_tokens(
    connection: &mut Connection,
    TokenUse { device, newest, .. }: &TokenUse,
) -> Result<(), StoreError> {
    let Some(newest) = newest else { return Ok(()) };
    query("UPDATE devices SET old_token_hashes = $3 WHERE id = $1 AND token_hash = $2")
        .bind(device)
        .bind(newest.as_bytes().as_slice())
        .bind(Vec::<u8>::new())
        .execute(connection)
        .await?;
    Ok(())
}

/// A device with a report, as it is stored.
struct ReportingDevice {
    status: i16,
    seen: i16,
    state: Option<String>,
}

impl ReportingDevice {
    fn may_report(&self) -> bool {
        self.status != status_code(Status::Disabled)
    }

    fn is_first_report(&self) -> bool {
        self.seen == 0 || self.status != status_code(Status::Active)
    }
}

/// Stores at most [`MAX_REPORTS`] reports in the order given, and returns an outcome for each. A refusal comes before
/// anything of its report is written. `lock_clause` locks the devices until the transaction ends, so that no other
/// report is lost; a device that it skips is [`StateError::Gone`].
pub(crate) async fn merge_states(
    connection: &mut Connection,
    reports: &[ReportWrite],
    lock_clause: &'static str,
) -> Result<Vec<Result<(), StateError>>, StoreError> {
    let mut devices = reporting_devices(connection, reports, lock_clause).await?;
    // The last stored report of each device.
    let mut written: HashMap<Uuid, &Report> = HashMap::new();
    let (mut changed, mut uses) = (Vec::new(), Vec::new());
    let outcomes = reports.iter().map(|report| {
        let report = &*report.report;
        let device = devices.get_mut(&report.device.id).filter(|device| device.may_report()).ok_or(StateError::Gone)?;
        device.state = Some((report.merge)(device.state.as_deref())?);
        // Only the first time: a change of the status byte is also recorded for the fleet index.
        if written.insert(report.device.id, report).is_none()
            && (device.is_first_report() || report.device.token_use.is_some())
        {
            changed.push(report);
        }
        uses.extend(&report.device.token_use);
        Ok(())
    });
    let outcomes = outcomes.collect();
    let is_cached = reports.len() <= MAX_CACHED_REPORTS;
    if !changed.is_empty() {
        let mut statement = sql("UPDATE devices SET status = ");
        statement
            .push(status_code(Status::Active))
            .push(", seen = 1, first_used = COALESCE(first_used, v.column2) FROM (");
        statement.push_values(&changed, |mut row, report| {
            row.push_bind(report.device.id).push_bind(report.at.as_ms());
        });
        statement.push(") AS v WHERE devices.id = v.column1");
        statement.build().persistent(is_cached).execute(&mut *connection).await?;
    }
    for used in uses {
        revoke_older_tokens(connection, used).await?;
    }
    if !written.is_empty() {
        let mut statement = sql("INSERT INTO device_states (device, state, last_seen) ");
        statement.push_values(&written, |mut row, (id, report)| {
            let state = devices.get_mut(id).and_then(|device| device.state.take()).unwrap_or_default();
            row.push_bind(*id).push_bind(state).push_bind(report.at.as_ms());
        });
        statement.push(" ON CONFLICT (device) DO UPDATE SET state = excluded.state, last_seen = excluded.last_seen");
        statement.build().persistent(is_cached).execute(connection).await?;
    }
    Ok(outcomes)
}

/// The devices of these reports, locked, with their states.
async fn reporting_devices(
    connection: &mut Connection,
    reports: &[ReportWrite],
    lock_clause: &'static str,
) -> Result<HashMap<Uuid, ReportingDevice>, StoreError> {
    let mut ids: Vec<Uuid> = reports.iter().map(|report| report.report.device.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let is_cached = reports.len() <= MAX_CACHED_REPORTS;
    // The lock comes first, in a statement of its own: PostgreSQL would join the state from before the wait for it.
    let mut statement = sql("SELECT id, status, seen FROM devices WHERE id IN ");
    push_ids(&mut statement, &ids);
    // In a fixed order, so that two such transactions do not wait for each other.
    statement.push(" ORDER BY id").push(lock_clause);
    let rows: Vec<(Uuid, i16, i16)> =
        statement.build_query_as().persistent(is_cached).fetch_all(&mut *connection).await?;
    let device = |(id, status, seen)| (id, ReportingDevice { status, seen, state: None });
    let mut devices: HashMap<_, _> = rows.into_iter().map(device).collect();
    let mut statement = sql("SELECT device, state FROM device_states WHERE device IN ");
    push_ids(&mut statement, &ids);
    let states: Vec<(Uuid, String)> = statement.build_query_as().persistent(is_cached).fetch_all(connection).await?;
    for (id, state) in states {
        if let Some(device) = devices.get_mut(&id) {
            device.state = Some(state);
        }
    }
    Ok(devices)
}

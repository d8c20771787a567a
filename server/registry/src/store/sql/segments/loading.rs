//! Loading the segments of an account with all changes, for a query.

use super::{
    Connection, last_seen,
    status_changes::{changed, changes},
    stored::{LoadError, LoadMode, NEEDED_BYTES, StoredSegments, check_size, hash_of, stored_segments},
};
use crate::{
    index::{FleetIndex, last_seen::Batch, segment::Segment},
    types::AccountId,
};
use sqlx::{AssertSqlSafe, query_as};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// The segments of an account with all changes, and the batches whose times are still to be recorded in them.
#[derive(Default)]
pub(in super::super) struct Loaded {
    pub(in super::super) segments: HashMap<i64, Segment>,
    /// A hash of the versions of these segments and of all changes, except of last-seen times.
    pub(in super::super) state: u64,
    batches: HashMap<i64, Arc<Batch>>,
}

impl Loaded {
    /// Records the times of the batches. Many batches take some milliseconds.
    pub(in super::super) fn with_last_seen(self) -> HashMap<i64, Segment> {
        for (batch, times) in &self.batches {
            for id in times.segments() {
                if let Some(segment) = self.segments.get(&id) {
                    segment.record_batch(*batch, times.of(id));
                }
            }
        }
        self.segments
    }
}

/// The segments of an account, or of one of its registrations, from the cache or the database.
pub(in super::super) async fn load(
    connection: &mut Connection,
    index: &FleetIndex,
    account: Uuid,
    only: Option<Uuid>,
    mode: LoadMode,
) -> Result<Loaded, LoadError> {
    if !index.cache.has(account) && only.is_none() {
        // Check the size first: it may have many batches and changes, which would be read in vain.
        let (bytes, devices): (i64, i64) = query_as(AssertSqlSafe(format!(
            "SELECT CAST(COALESCE(SUM({NEEDED_BYTES}), 0) AS BIGINT), CAST(COALESCE(SUM(s.devices), 0) AS BIGINT)
             FROM segments s LEFT JOIN segment_states t ON t.segment = s.id WHERE s.account = $1"
        )))
        .bind(account)
        .fetch_one(&mut *connection)
        .await?;
        check_size(&index.cache, mode, bytes, devices)?;
    }
    // Changes first, then segments: a change that is compacted meanwhile is in one of them, or in both.
    let batches = last_seen::batches(connection, &index.cache, account).await?;
    let changes = changes(connection, account).await?;
    let many_changes = changes.values().map(Vec::len).sum::<usize>() > index.options.max_changes;
    if many_changes || batches.len() > index.options.max_batches() {
        index.compact(AccountId(account));
    }
    let is_wanted = |_, registration| only.is_none() || only == registration;
    let StoredSegments { mut segments, mut state } =
        stored_segments(connection, &index.cache, account, mode, is_wanted).await?;
    for (id, changes) in &changes {
        if let Some(segment) = segments.get_mut(id) {
            *segment = changed(segment, changes);
        }
        // The sum does not depend on the order of the rows.
        changes.iter().for_each(|change| state = state.wrapping_add(hash_of(change)));
    }
    Ok(Loaded { segments, state, batches })
}

//! The registry on SQLite: one file, one writer at a time, readers beside it.

use super::{
    dialect::{Database, Pool, begin},
    opening, sql,
};
use crate::{
    devices::TokenUse,
    errors::{NotReady, OpenError, RegisterError, StateError, StoreError},
    index::{FleetIndex, IndexRequests},
    registrations::PartOutcome,
    store::{
        address::OpenOptions,
        background::Background,
        contract::{NewPart, Report},
        group_commit::{Failed, GroupCommit, Outcome, Write},
    },
    world::World,
};
use sqlx::AssertSqlSafe;
use std::time::Duration;
use tokio::{sync::Mutex, task::JoinHandle};

/// How long the last checkpoint waits for other processes that read the file, such as a backup.
const LAST_CHECKPOINT_WAIT_MS: u32 = 1_000;

/// How long a readiness check waits for its test write. A busy writer works, so the test write stays in the queue as
/// long as any write does.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// An open file.
pub(crate) struct Db {
    writer: Pool,
    readers: Pool,
    device_readers: Pool,
    reports: GroupCommit<sql::reports::ReportWrite>,
    uses: GroupCommit<TokenUse>,
    parts: GroupCommit<NewPart>,
    index: FleetIndex,
    compaction: Background,
    loading: Background,
    publishing: Background,
    /// The test write of a readiness check.
    probe: Mutex<Option<JoinHandle<Result<(), sqlx::Error>>>>,
}

impl Db {
    /// Opens the file. A missing file is created, readable by its owner only.
    pub(crate) async fn open(
        file: &str,
        OpenOptions { may_migrate, index: options }: OpenOptions,
        world: &dyn World,
    ) -> Result<Self, OpenError> {
        let opening::Pools { writer, readers, device_readers } = opening::open(file, world, may_migrate).await?;
        // There is one writer, so more transactions would only wait for it.
        let (reports, uses) = (GroupCommit::new(&writer, 1), GroupCommit::new(&writer, 1));
        let parts = GroupCommit::new(&writer, 1);
        let (index, IndexRequests { to_compact, to_load }) = FleetIndex::new(options);
        let compaction = sql::segments::compaction::compact_periodically(
            [readers.clone(), writer.clone()],
            index.cache.clone(),
            options,
            to_compact,
        );
        let loading = sql::segments::stored::load_on_request(readers.clone(), index.cache.clone(), to_load);
        let publishing = sql::segments::last_seen::publish_periodically(writer.clone(), index.cache.clone());
        Ok(Self {
            writer,
            readers,
            device_readers,
            reports,
            uses,
            parts,
            index,
            compaction: Background::spawn(compaction),
            loading: Background::spawn(loading),
            publishing: Background::spawn(publishing),
            probe: Mutex::default(),
        })
    }

    /// Its connection pools by purpose.
    pub(crate) fn named_pools(&self) -> [(&'static str, &Pool); 3] {
        [("writer", &self.writer), ("readers", &self.readers), ("device readers", &self.device_readers)]
    }

    /// Ends the background tasks, and leaves a single complete file.
    pub(crate) async fn close(&self) {
        tokio::join!(self.compaction.cancel(), self.loading.cancel(), self.publishing.cancel());
        if let Some(probe) = self.probe.lock().await.take() {
            probe.abort();
        }
        tokio::join!(self.reports.close(), self.uses.close(), self.parts.close());
        if sql::segments::last_seen::publish(&self.writer, &self.index.cache.unpublished).await.is_err() {
            tracing::warn!("the last-seen times of the last reports could not be published");
        }
        tokio::join!(self.readers.close(), self.device_readers.close());
        if self.writer.is_closed() {
            return;
        }
        match self.checkpoint().await.map_err(StoreError::from) {
            Ok(true) | Err(StoreError::ReadOnly) => {}
            Ok(false) => tracing::info!("another process still uses the database: the last one leaves one file"),
            Err(_) => tracing::warn!("the write-ahead log was not emptied: keep it with the database"),
        }
        self.writer.close().await;
    }

    /// Moves the write-ahead log into the file. Returns false if another process prevents it.
    async fn checkpoint(&self) -> Result<bool, sqlx::Error> {
        let mut connection = self.writer.acquire().await?;
        let wait = format!("PRAGMA busy_timeout = {LAST_CHECKPOINT_WAIT_MS}");
        sqlx::raw_sql(AssertSqlSafe(wait)).execute(&mut *connection).await?;
        let (is_busy, ..): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await?;
        Ok(is_busy == 0)
    }

    /// Checks that the file is writable and the disk is not full.
    pub(crate) async fn check_writable(&self) -> Result<(), NotReady> {
        let mut probe = self.probe.lock().await;
        let running = probe.get_or_insert_with(|| tokio::spawn(write_probe(self.writer.clone())));
        let Ok(ended) = tokio::time::timeout(PROBE_WAIT, running).await else { return Ok(()) };
        *probe = None;
        match ended.map_err(|_| NotReady::Unavailable)? {
            Err(sqlx::Error::PoolTimedOut) => Err(NotReady::Slow),
            written => Ok(written.map_err(StoreError::from)?),
        }
    }

    pub(crate) fn reader(&self) -> &Pool {
        &self.readers
    }

    /// The pool that requests of devices read from.
    pub(crate) fn device_reader(&self) -> &Pool {
        &self.device_readers
    }

    pub(crate) fn index(&self) -> &FleetIndex {
        &self.index
    }

    /// Stores a report in a shared transaction.
    pub(crate) async fn write_report(&self, report: Report) -> Result<(), StateError> {
        self.reports.store(sql::reports::ReportWrite::new(report, &self.index.cache)).await
    }

    /// Records the use of a token in a shared transaction.
    pub(crate) async fn write_token_use(&self, used: TokenUse) -> Result<(), StoreError> {
        self.uses.store(used).await
    }

    /// Registers a part of a file in a shared transaction.
    pub(crate) async fn write_part(&self, part: NewPart) -> Result<PartOutcome, RegisterError> {
        self.parts.store(part).await
    }

    /// Begins a write transaction.
    pub(crate) async fn write(&self) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
        begin(&self.writer).await
    }
}

async fn write_probe(writer: Pool) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE write_probe SET writes = writes + 1").execute(&writer).await.map(drop)
}

impl Write for TokenUse {
    type Pool = Pool;
    type Done = ();
    type Error = StoreError;
    const MAX_BATCH: usize = 1_024;

    async fn store_all(pool: &Pool, uses: &[Self]) -> Result<Vec<Outcome<Self>>, Failed> {
        let mut tx = begin(pool).await.map_err(Failed::ToBegin)?;
        for used in uses {
            sql::reports::record_token_use(&mut tx, used).await.map_err(Failed::ToStore)?;
        }
        tx.commit().await.map_err(Failed::to_store)?;
        Ok(uses.iter().map(|_| Ok(())).collect())
    }
}

impl Write for NewPart {
    type Pool = Pool;
    type Done = PartOutcome;
    type Error = RegisterError;
    const MAX_BATCH: usize = 6;

    async fn store_all(pool: &Pool, parts: &[Self]) -> Result<Vec<Outcome<Self>>, Failed> {
        let mut tx = begin(pool).await.map_err(Failed::ToBegin)?;
        let mut outcomes = Vec::with_capacity(parts.len());
        for part in parts {
            let outcome = sql::register_part::register(&mut tx, part).await;
            if let Err(RegisterError::Store(failure)) = outcome {
                return Err(Failed::ToStore(failure));
            }
            outcomes.push(outcome);
        }
        tx.commit().await.map_err(Failed::to_store)?;
        Ok(outcomes)
    }
}

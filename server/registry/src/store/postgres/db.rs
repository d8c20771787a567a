//! The registry on PostgreSQL: any number of servers on one database.

use super::{
    dialect::{Database, FOR_NO_KEY_UPDATE, Pool, begin},
    opening,
    sql::{
        self,
        reports::{ReportWrite, merge_states, record_token_use},
    },
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
        group_commit::{GroupCommit, Write},
    },
};
use std::{slice, sync::Arc};
use tokio::sync::Semaphore;

/// Transactions that store reports at a time. While one waits for its commit, the next collects more reports. With more
/// of them, each stores fewer reports, which costs more.
const REPORT_TRANSACTIONS: usize = 2;

/// Transactions at a time that wait for locked devices. With those above, they leave a connection to the publication of
/// last-seen times: however many devices of one account are locked, the reports of others are stored.
const WAITING_TRANSACTIONS: usize = 1;

const _: () = assert!(REPORT_TRANSACTIONS + WAITING_TRANSACTIONS < opening::DEVICE_CONNECTIONS as usize);

/// A connected database.
pub(crate) struct Db {
    pool: Pool,
    device_pool: Pool,
    device_readers: Pool,
    reports: GroupCommit<ReportWrite>,
    /// A permit for each transaction that may wait for a locked device.
    waiting: Arc<Semaphore>,
    index: FleetIndex,
    compaction: Background,
    loading: Background,
    publishing: Background,
}

impl Db {
    /// Connects, and migrates the tables if it may.
    pub(crate) async fn open(
        url: &str,
        OpenOptions { may_migrate, index: options }: OpenOptions,
    ) -> Result<Self, OpenError> {
        let opening::Pools { pool, devices: device_pool, device_readers } = opening::open(url, may_migrate).await?;
        let reports = GroupCommit::new(&device_pool, REPORT_TRANSACTIONS);
        let (index, IndexRequests { to_compact, to_load }) = FleetIndex::new(options);
        let compaction = sql::segments::compaction::compact_periodically(
            [pool.clone(), pool.clone()],
            index.cache.clone(),
            options,
            to_compact,
        );
        let loading = sql::segments::stored::load_on_request(pool.clone(), index.cache.clone(), to_load);
        let publishing = sql::segments::last_seen::publish_periodically(device_pool.clone(), index.cache.clone());
        Ok(Self {
            pool,
            device_pool,
            device_readers,
            reports,
            waiting: Arc::new(Semaphore::new(WAITING_TRANSACTIONS)),
            index,
            compaction: Background::spawn(compaction),
            loading: Background::spawn(loading),
            publishing: Background::spawn(publishing),
        })
    }

    /// Its connection pools by purpose.
    pub(crate) fn named_pools(&self) -> [(&'static str, &Pool); 3] {
        [("portal", &self.pool), ("devices", &self.device_pool), ("device readers", &self.device_readers)]
    }

    /// Ends the background tasks, and closes all connections.
    pub(crate) async fn close(&self) {
        tokio::join!(self.compaction.cancel(), self.loading.cancel(), self.publishing.cancel());
        self.reports.close().await;
        if sql::segments::last_seen::publish(&self.device_pool, &self.index.cache.unpublished).await.is_err() {
            tracing::warn!("the last-seen times of the last reports could not be published");
        }
        tokio::join!(self.pool.close(), self.device_pool.close(), self.device_readers.close());
    }

    /// Checks that the database is writable: neither a standby nor set to read-only.
    pub(crate) async fn check_writable(&self) -> Result<(), NotReady> {
        let is_read_only: String = sqlx::query_scalar("SELECT current_setting('transaction_read_only')")
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::from)?;
        if is_read_only == "on" { Err(NotReady::ReadOnly) } else { Ok(()) }
    }

    pub(crate) fn reader(&self) -> &Pool {
        &self.pool
    }

    /// The pool that requests of devices read from.
    pub(crate) fn device_reader(&self) -> &Pool {
        &self.device_readers
    }

    pub(crate) fn index(&self) -> &FleetIndex {
        &self.index
    }

    /// Stores a report, in a shared transaction if its device is not locked.
    pub(crate) async fn write_report(&self, report: Report) -> Result<(), StateError> {
        let write = ReportWrite::new(report, &self.index.cache);
        match self.reports.store(write.clone()).await {
            // It is deleted, or a transaction that changes it is under way: only this report waits for that.
            Err(StateError::Gone) => {}
            outcome => return outcome,
        }
        let pool = self.device_pool.clone();
        let store = async move {
            let mut tx = begin(&pool).await?;
            let stored = merge_states(&mut tx, slice::from_ref(&write), FOR_NO_KEY_UPDATE).await?;
            stored.into_iter().collect::<Result<(), _>>()?;
            tx.commit().await.map_err(StoreError::from)?;
            write.on_commit();
            Ok(())
        };
        self.may_wait(store).await
    }

    /// Records the use of a token in its own transaction.
    pub(crate) async fn write_token_use(&self, used: TokenUse) -> Result<(), StoreError> {
        let pool = self.device_pool.clone();
        let store = async move {
            let mut tx = begin(&pool).await?;
            record_token_use(&mut tx, &used).await?;
            Ok::<(), StoreError>(tx.commit().await?)
        };
        self.may_wait(store).await
    }

    /// Runs a transaction that may wait until a device is unlocked, and limits how many connections such transactions
    /// take. It runs in a separate task: if the caller is dropped, the connection is still taken until the lock is
    /// free, and what follows a commit is still done.
    async fn may_wait<T, E>(&self, transaction: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let permit = self.waiting.clone().acquire_owned().await.map_err(|_| StoreError::Unavailable)?;
        let run = async move {
            let _permit = permit;
            transaction.await
        };
        tokio::spawn(run).await.map_err(|_| StoreError::Unavailable)?
    }

    /// Registers a part of a file in its own transaction.
    pub(crate) async fn write_part(&self, part: NewPart) -> Result<PartOutcome, RegisterError> {
        let mut tx = self.write().await?;
        let outcome = sql::register_part::register(&mut tx, &part).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(outcome)
    }

    /// Begins a write transaction.
    pub(crate) async fn write(&self) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
        begin(&self.pool).await
    }
}

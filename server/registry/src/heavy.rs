//! Heavy work keeps a processor busy for more than about a millisecond. It runs off the async workers, in few
//! concurrent jobs, so that no account can block the others.

use crate::{errors::StoreError, types::AccountId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Concurrent jobs. Each may take a processor and some 100 MB for a second: a model of 1 MiB in memory, or a report
/// of 256 KiB as 32,000 small objects.
const JOBS: usize = 2;

/// Concurrent jobs of one account: fewer than `JOBS`, so one account never holds all of them.
const JOBS_PER_ACCOUNT: usize = 1;

/// Waiting jobs of one account: as many as the concurrent reports of the server, for a small fleet that reports in
/// step.
const WAITING_PER_ACCOUNT: usize = 256;

/// How long a job waits for its permits.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs heavy work.
pub(crate) struct HeavyWork {
    permits: Arc<Semaphore>,
    accounts: Mutex<HashMap<AccountId, Arc<Account>>>,
    wait_timeout: Duration,
}

struct Account {
    permits: Arc<Semaphore>,
    /// One permit for each waiting or running job.
    jobs: Arc<Semaphore>,
}

impl Default for HeavyWork {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(JOBS)), accounts: Mutex::default(), wait_timeout: WAIT_TIMEOUT }
    }
}

impl HeavyWork {
    /// Does the work on a thread for blocking work. It cannot be stopped from outside, so it must limit itself. Its
    /// permits are held until it ends, even if the caller is gone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if too many jobs of the account are waiting, or the permits do not come in time.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        account: AccountId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let account = self.account(account);
        let job = account.jobs.clone().try_acquire_owned().map_err(|_| StoreError::Unavailable)?;
        let permits = tokio::time::timeout(self.wait_timeout, self.acquire_permits(&account)).await;
        let permits = permits.map_err(|_| StoreError::Unavailable)??;
        run_blocking((permits, job, account), work).await
    }

    async fn acquire_permits(&self, account: &Account) -> Result<[OwnedSemaphorePermit; 2], StoreError> {
        let of_account = account.permits.clone().acquire_owned().await.map_err(|_| StoreError::Unavailable)?;
        let of_all = self.permits.clone().acquire_owned().await.map_err(|_| StoreError::Unavailable)?;
        Ok([of_account, of_all])
    }

    fn account(&self, id: AccountId) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        // Remove accounts without jobs occasionally.
        if accounts.len() >= 64 && !accounts.contains_key(&id) {
            accounts.retain(|_, account| Arc::strong_count(account) > 1);
        }
        let new = || {
            Arc::new(Account {
                permits: Arc::new(Semaphore::new(JOBS_PER_ACCOUNT)),
                jobs: Arc::new(Semaphore::new(JOBS_PER_ACCOUNT + WAITING_PER_ACCOUNT)),
            })
        };
        accounts.entry(id).or_insert_with(new).clone()
    }
}

/// Runs work on a thread for blocking work, which cannot be stopped: `held` is dropped when the work ends, even if the
/// caller is gone. So callers that give up do not make room for more work.
pub(crate) async fn run_blocking<T: Send + 'static>(
    held: impl Send + 'static,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(held);
        done
    });
    // It panicked (which is logged), or the process is ending.
    done.await.map_err(|_| StoreError::Unavailable)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use std::sync::mpsc;
    use uuid::Uuid;

    fn account(number: u128) -> AccountId {
        AccountId(Uuid::from_u128(number))
    }

    /// A job that runs until something is sent to it.
    fn start(
        heavy: &Arc<HeavyWork>,
        number: u128,
    ) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<u128, StoreError>>) {
        let (end, ended) = mpsc::channel();
        let heavy = heavy.clone();
        let work = move || {
            ended.recv().unwrap();
            number
        };
        (end, tokio::spawn(async move { heavy.run(account(number), work).await }))
    }

    async fn until(condition: impl Fn() -> bool) {
        while !condition() {
            tokio::task::yield_now().await;
        }
    }

    /// On one worker: a job on it would prevent the test from ending the job.
    #[tokio::test(flavor = "current_thread")]
    async fn other_work_runs_meanwhile() {
        let heavy = Arc::new(HeavyWork::default());
        let (end, job) = start(&heavy, 1);
        until(|| heavy.permits.available_permits() == JOBS - 1).await;
        end.send(()).unwrap();
        assert_eq!(job.await.unwrap(), Ok(1));
        assert_eq!(heavy.permits.available_permits(), JOBS);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn account_does_not_block_another() {
        let heavy = Arc::new(HeavyWork::default());
        let jobs: Vec<_> = (0..JOBS_PER_ACCOUNT + WAITING_PER_ACCOUNT).map(|_| start(&heavy, 1)).collect();
        until(|| heavy.account(account(1)).jobs.available_permits() == 0).await;
        assert_eq!(heavy.run(account(1), || 0).await, Err(StoreError::Unavailable), "one too many");
        assert_eq!(heavy.run(account(2), || 2).await, Ok(2));
        for (end, job) in jobs {
            end.send(()).unwrap();
            assert_eq!(job.await.unwrap(), Ok(1));
        }
        assert_eq!(heavy.run(account(1), || 1).await, Ok(1));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn job_without_permits_is_refused() {
        let heavy = HeavyWork { wait_timeout: Duration::ZERO, ..HeavyWork::default() };
        let held = heavy.permits.clone().acquire_many_owned(JOBS as u32).await.unwrap();
        assert_eq!(heavy.run(account(1), || 0).await, Err(StoreError::Unavailable));
        drop(held);
        assert_eq!(heavy.run(account(1), || 1).await, Ok(1));
    }

    /// Its caller is gone, but the processor is still busy.
    #[tokio::test(flavor = "current_thread")]
    async fn abandoned_job_keeps_its_permits_until_it_ends() {
        let heavy = Arc::new(HeavyWork::default());
        let (end, job) = start(&heavy, 1);
        until(|| heavy.permits.available_permits() == JOBS - 1).await;
        job.abort();
        assert!(job.await.unwrap_err().is_cancelled());
        assert_eq!(heavy.permits.available_permits(), JOBS - 1);
        end.send(()).unwrap();
        until(|| heavy.permits.available_permits() == JOBS).await;
    }

    #[tokio::test(flavor = "current_thread")]
    async fn accounts_without_jobs_are_removed() {
        let heavy = HeavyWork::default();
        for number in 0..1_000 {
            assert_eq!(heavy.run(account(number), move || number).await, Ok(number));
        }
        assert!(heavy.accounts.lock().unwrap().len() <= 64);
    }
}

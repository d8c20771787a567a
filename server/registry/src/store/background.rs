//! Background tasks, which must end before the database is closed.

use std::sync::{Mutex, PoisonError};
use tokio::task::JoinHandle;

/// A background task.
pub(crate) struct Background(Mutex<Option<JoinHandle<()>>>);

impl Background {
    pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Mutex::new(Some(tokio::spawn(task))))
    }

    fn take(&self) -> Option<JoinHandle<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn finished(&self) {
        if let Some(task) = self.take() {
            // A panic in it has been logged.
            let _ = task.await;
        }
    }

    /// Aborts it. A transaction that it is in is rolled back.
    pub(crate) async fn cancel(&self) {
        if let Some(task) = self.take() {
            task.abort();
            let _ = task.await;
        }
    }
}

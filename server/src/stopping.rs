//! Stopping the process: what triggers it, what is finished first, and how long it may take.

use crate::problem::Problem;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use muster_registry::Registry;
use std::{future::pending, io, process, sync::mpsc, thread, time::Duration};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

/// How long requests under way may take after the process was asked to stop. Most take well below a second, and Docker
/// kills a container after ten by default.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(7);

/// How long closing the database may take after that. At most 256 MiB go from the write-ahead log into the file.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(15);

/// After this time, which is more than both, the process ends whatever it is doing. What was answered is durable.
const END_TIMEOUT: Duration = Duration::from_secs(25);

/// Why a command ended early.
pub(crate) const STOPPED: &str = "stopped before it was done";

/// Whether the process was asked to stop. All clones share one state.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// From now on, the first signal to end (Ctrl-C, or SIGTERM from a service manager) is a request to stop, and the
    /// second ends the process immediately.
    ///
    /// # Errors
    /// The system's error if the thread cannot be started. The thread has its own runtime, so it handles signals even when
    /// all workers are busy.
    pub(crate) fn on_signals() -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let (listening, is_listening) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                let signals = Signals::listen();
                let _ = listening.send(());
                match signals {
                    Ok(signals) => end_on(signals, stop).await,
                    Err(error) => {
                        tracing::warn!(%error, "signals end this process without notice");
                        pending().await
                    }
                }
            });
        })?;
        // If the thread is gone, no signal will arrive.
        let _ = is_listening.recv();
        Ok(Self(stopped))
    }

    /// Never requested; for tests.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// Ends once the process is asked to stop.
    pub(crate) async fn requested(&self) {
        if self.0.clone().wait_for(|is_requested| *is_requested).await.is_err() {
            pending().await
        }
    }

    /// Whether it was asked to.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}

async fn end_on(mut signals: Signals, stop: watch::Sender<bool>) {
    let (name, _) = signals.next().await;
    stop.send_replace(true);
    // Logged afterwards, so that the line is never ahead of the state.
    tracing::info!(signal = name, "stopping: requests under way are finished first");
    tokio::select! {
        (name, code) = signals.next() => {
            tracing::warn!(signal = name, "a second signal: ending immediately");
            process::exit(code);
        }
        () = sleep(END_TIMEOUT) => {
            tracing::error!("something still does not end: ending without it");
            process::exit(1);
        }
    }
}

/// Closes the database, if it can be closed in time.
pub(crate) async fn close(registry: &Registry) {
    if timeout(CLOSE_TIMEOUT, registry.close()).await.is_err() {
        tracing::warn!("the database is still in use and was not closed: keep the files beside it");
    }
}

/// Refuses requests that come after the process was asked to stop: another server takes them, or the next one here.
pub(crate) async fn refuse_new(State(stop): State<Stop>, request: Request, next: Next) -> Response {
    if !stop.is_requested() {
        return next.run(request).await;
    }
    let mut response = Problem::unavailable().into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The signals that ask a process to end, each with its name and its exit code.
struct Signals {
    #[cfg(unix)]
    terminated: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupted: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminated: signal(SignalKind::terminate())?, interrupted: signal(SignalKind::interrupt())? })
    }

    #[cfg(not(unix))]
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) -> (&'static str, i32) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminated.recv() => ("SIGTERM", 128 + 15),
            _ = self.interrupted.recv() => ("SIGINT", 128 + 2),
        }
        #[cfg(not(unix))]
        match tokio::signal::ctrl_c().await {
            Ok(()) => ("Ctrl-C", 1),
            Err(_) => pending().await,
        }
    }
}

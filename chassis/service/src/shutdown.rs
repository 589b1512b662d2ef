//! From a signal to the end of every task, in bounded time.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long a service may take to stop.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShutdownConfig {
    /// From the signal to the end; what has not finished by then is dropped and named.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
}

impl Default for ShutdownConfig {
    fn default() -> Self {
        Self { grace: Duration::from_secs(20) }
    }
}

/// Cancels the token at the first SIGTERM or SIGINT and ends the process at the second. For a program's `main` only.
pub fn on_signals(token: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::info!(signal = name, "stopping; a second signal stops at once");
        token.cancel();
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::warn!(signal = name, "stopped at once");
        std::process::exit(130);
    });
    Ok(())
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// A service's long-lived tasks: they stand and fall together.
///
/// The first one that fails, panics, or ends although nobody asked it to, cancels the token; then all have the same
/// bounded time to finish.
#[derive(Debug)]
pub struct Tasks {
    set: JoinSet<anyhow::Result<()>>,
    names: BTreeMap<Id, &'static str>,
    shutdown: CancellationToken,
}

impl Tasks {
    /// No tasks yet, to be stopped by this token.
    pub fn new(shutdown: CancellationToken) -> Self {
        Self { set: JoinSet::new(), names: BTreeMap::new(), shutdown }
    }

    /// Starts a task. It should return soon after the token is cancelled.
    pub fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let handle = self.set.spawn(task);
        self.names.insert(handle.id(), name);
    }

    /// Waits until all have ended, and gives the first error. What is still running `grace` after the token was cancelled is
    /// dropped and named.
    pub async fn join(mut self, grace: Duration) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while !self.shutdown.is_cancelled() {
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                ended = self.set.join_next_with_id() => {
                    let Some(ended) = ended else { return outcome };
                    let stopping = self.shutdown.is_cancelled();
                    outcome = outcome.and(self.judge(ended, stopping));
                    self.shutdown.cancel();
                }
            }
        }
        let rest = async {
            while let Some(ended) = self.set.join_next_with_id().await {
                let ended = self.judge(ended, true);
                match (&outcome, ended) {
                    (Ok(()), ended) => outcome = ended,
                    // The first error is the outcome; what comes after it is often its consequence.
                    (Err(_), Err(later)) => {
                        tracing::warn!(error = format!("{later:#}"), "a task failed while stopping");
                    }
                    (Err(_), Ok(())) => {}
                }
            }
        };
        if tokio::time::timeout(grace, rest).await.is_err() {
            let late: Vec<_> = self.names.values().copied().collect();
            let late = anyhow!("did not finish within {grace:?} of shutdown: {}", late.join(", "));
            outcome = outcome.and(Err(late));
        }
        outcome
    }

    fn judge(
        &mut self,
        ended: Result<(Id, anyhow::Result<()>), JoinError>,
        stopping: bool,
    ) -> anyhow::Result<()> {
        match ended {
            Ok((id, result)) => {
                let name = self.names.remove(&id).unwrap_or("task");
                if result.is_ok() && !stopping {
                    return Err(anyhow!("{name} ended although nobody asked it to"));
                }
                result.with_context(|| format!("{name} failed"))
            }
            Err(error) => {
                let name = self.names.remove(&error.id()).unwrap_or("task");
                Err(anyhow!("{name} panicked: {error}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_failed_task_stops_the_others_and_is_the_error() {
        let token = CancellationToken::new();
        let mut tasks = Tasks::new(token.clone());
        tasks.spawn("reader", async { Err(anyhow!("disk on fire")) });
        tasks.spawn("writer", async move {
            token.cancelled().await;
            Ok(())
        });
        let error = tasks.join(GRACE).await.expect_err("the reader failed");
        assert_eq!(format!("{error:#}"), "reader failed: disk on fire");
    }

    #[tokio::test]
    async fn a_task_that_panics_or_ends_unasked_is_an_error() {
        let mut tasks = Tasks::new(CancellationToken::new());
        tasks.spawn("reader", async { Ok(()) });
        let error = tasks.join(GRACE).await.expect_err("it ended");
        assert_eq!(error.to_string(), "reader ended although nobody asked it to");

        let mut tasks = Tasks::new(CancellationToken::new());
        tasks.spawn("reader", async { panic!("a bug") });
        let error = tasks.join(GRACE).await.expect_err("it panicked");
        assert!(error.to_string().starts_with("reader panicked"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_finish_in_time_is_named() {
        let token = CancellationToken::new();
        let mut tasks = Tasks::new(token.clone());
        tasks.spawn("stuck", std::future::pending());
        tasks.spawn("prompt", token.clone().cancelled_owned().map_ok());
        token.cancel();
        let error = tasks.join(GRACE).await.expect_err("one is stuck");
        assert_eq!(error.to_string(), "did not finish within 30s of shutdown: stuck");
    }

    trait MapOk {
        fn map_ok(self) -> impl Future<Output = anyhow::Result<()>> + Send;
    }

    impl<F: Future<Output = ()> + Send> MapOk for F {
        async fn map_ok(self) -> anyhow::Result<()> {
            self.await;
            Ok(())
        }
    }
}

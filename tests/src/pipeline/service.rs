//! A service that runs in the test's process, and its end.

use std::future::Future;

use anyhow::{Context as _, Result};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wardwatch_service::{Context, ServiceInfo};

use super::PATIENCE;

/// A service that runs in the test's process. Dropping it ends it in the middle of whatever it does.
#[derive(Debug)]
pub struct Service {
    /// Its shutdown, health and counters; no other service has the same.
    pub context: Context,
    task: JoinHandle<Result<()>>,
}

/// What a service of this name is handed.
pub(super) fn context(name: &'static str) -> Context {
    Context::new(ServiceInfo { name, version: env!("CARGO_PKG_VERSION") })
}

impl Service {
    pub(super) fn spawn(context: Context, serve: impl Future<Output = Result<()>> + Send + 'static) -> Self {
        Self { context, task: tokio::spawn(serve) }
    }

    /// Its name: `sensor`, `collector`, `enricher`, `alerter`.
    pub fn name(&self) -> &'static str {
        self.context.service.name
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// What its readiness check says, empty while there is nothing to say or no such check.
    pub fn says(&self, check: &str) -> String {
        self.context.health.states().remove(check).map(|state| state.detail).unwrap_or_default()
    }

    /// Waits until it has ended, and says how. To be asked once.
    pub(super) async fn ended(&mut self) -> Result<()> {
        (&mut self.task).await.with_context(|| format!("the {} panicked", self.context.service.name))?
    }

    /// Stops it in order.
    pub async fn stop(mut self) -> Result<()> {
        self.context.shutdown.cancel();
        let name = self.name();
        let ended = timeout(PATIENCE, self.ended()).await;
        ended
            .with_context(|| format!("the {name} did not stop"))?
            .with_context(|| format!("the {name} failed"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

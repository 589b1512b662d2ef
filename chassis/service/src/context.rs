//! What a service is handed when it starts.

use tokio_util::sync::CancellationToken;

use crate::counters::Counters;
use crate::health::Health;

/// Who is running: the service's name (`sensor`, in lower case) and version.
#[derive(Clone, Copy, Debug)]
pub struct ServiceInfo {
    /// The name, also in the environment variables' prefix and in telemetry (`wardwatch-<name>`).
    pub name: &'static str,
    /// `env!("CARGO_PKG_VERSION")` of the service.
    pub version: &'static str,
}

/// What a service is handed when it starts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who is running.
    pub service: ServiceInfo,
    /// Cancelled when the service is to stop; the service returns soon after.
    pub shutdown: CancellationToken,
    /// Where the service registers what must be right before it is ready.
    pub health: Health,
    /// Where the service registers what it counts.
    pub counters: Counters,
}

impl Context {
    /// A context with nothing registered yet; for tests and for several services in one process.
    pub fn new(service: ServiceInfo) -> Self {
        Self {
            service,
            shutdown: CancellationToken::new(),
            health: Health::default(),
            counters: Counters::default(),
        }
    }

    /// The same process seen from another service: a child of this shutdown token (cancelling it stops that service
    /// alone), the same health and counters.
    #[must_use]
    pub fn child(&self, service: ServiceInfo) -> Self {
        Self { service, shutdown: self.shutdown.child_token(), ..self.clone() }
    }
}

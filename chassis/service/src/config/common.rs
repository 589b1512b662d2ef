//! The sections that every service has.

use serde::{Deserialize, Serialize};

use crate::health::HealthConfig;
use crate::shutdown::ShutdownConfig;
use crate::telemetry::TelemetryConfig;

/// The sections that every service has.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Common {
    /// Logs, traces and metrics.
    pub telemetry: TelemetryConfig,
    /// Where liveness, readiness and counters are served.
    pub health: HealthConfig,
    /// How long the service may take to stop.
    pub shutdown: ShutdownConfig,
}

impl Common {
    /// The names of these sections: a service's own settings cannot use them at the top.
    pub const SECTIONS: &'static [&'static str] = &["telemetry", "health", "shutdown"];
}

//! The alerter's settings.

use serde::{Deserialize, Serialize};
use wardwatch_bus::BusConfig;
use wardwatch_processor::{CommitConfig, IntakeConfig};

/// The alerter's settings.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The log.
    pub bus: BusConfig,
    /// ClickHouse.
    pub store: wardwatch_store::Settings,
    /// How the log is read.
    pub intake: IntakeConfig,
    /// When alerts are written.
    pub commit: CommitConfig,
    /// Which alerts are kept.
    pub memory: MemoryConfig,
}

/// Which alerts are kept. What is forgotten stays in ClickHouse, and is raised anew when its matter is seen again.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Sites with alerts in one partition; what would be the first alert of one more is put aside.
    pub sites: usize,
    /// Alerts of one site; beyond, a tenth is forgotten: acknowledged ones first, of these the ones not seen for longest.
    pub alerts: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { sites: 4096, alerts: 50_000 }
    }
}

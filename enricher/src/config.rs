//! The enricher's settings.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wardwatch_bus::BusConfig;
use wardwatch_processor::{CommitConfig, IntakeConfig};

/// The enricher's settings.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The log.
    pub bus: BusConfig,
    /// ClickHouse.
    pub store: wardwatch_store::Settings,
    /// How a site's inventory is kept.
    pub inventory: wardwatch_inventory::Settings,
    /// What identifies a device.
    pub knowledge: KnowledgeConfig,
    /// How the log is read.
    pub intake: IntakeConfig,
    /// When what was concluded is written.
    pub commit: CommitConfig,
    /// What is kept about what has been received.
    pub memory: MemoryConfig,
}

/// What identifies a device.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct KnowledgeConfig {
    /// A pack to lay over the built-in one: a `.toml` file, or a folder of such files.
    pub overlay: Option<PathBuf>,
}

/// What is kept about what has been received.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Sites in one partition; a batch of one more is put aside.
    pub sites: usize,
    /// Boots of sensors, per site, whose batches are remembered; beyond, the one that was not heard of for longest is forgotten.
    pub boots: usize,
    /// Holes in the sequences of one boot; beyond, the oldest part is forgotten, and a resend from there would count twice.
    pub holes: usize,
    /// Commands that are remembered, so that one that was sent again counts once; beyond, the oldest is forgotten.
    pub commands: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { sites: 4096, boots: 4096, holes: 4096, commands: 4096 }
    }
}

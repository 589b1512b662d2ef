//! The enricher's settings.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wardwatch_bus::BusConfig;

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

/// How the log is read.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IntakeConfig {
    /// The consumer group.
    pub group: String,
    /// How many bytes of messages may wait for one partition's task; then that partition is paused and the others go on.
    pub waiting_bytes: usize,
    /// How long the work on a partition may take to end when it is taken away.
    #[serde(with = "humantime_serde")]
    pub revoke_patience: Duration,
    /// The longest pause before a partition that failed is taken up again.
    #[serde(with = "humantime_serde")]
    pub longest_pause: Duration,
}

/// When what was concluded is written. A range ends at whichever comes first, and at midnight (UTC) of the broker's clock.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommitConfig {
    /// The most rows of one table in a range; at most 500,000, so that an insert stays one block.
    pub rows: usize,
    /// How long the first message of a range may wait.
    #[serde(with = "humantime_serde")]
    pub age: Duration,
    /// After how many entries of stored memory since the last compaction the partition's memory is compacted, and not before
    /// it has doubled.
    pub compact_after: u64,
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
}

impl Default for IntakeConfig {
    fn default() -> Self {
        Self {
            group: "wardwatch-enricher".into(),
            waiting_bytes: 16 << 20,
            revoke_patience: Duration::from_secs(15),
            longest_pause: Duration::from_secs(30),
        }
    }
}

impl Default for CommitConfig {
    fn default() -> Self {
        Self { rows: 100_000, age: Duration::from_millis(500), compact_after: 100_000 }
    }
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { sites: 4096, boots: 4096, holes: 4096 }
    }
}

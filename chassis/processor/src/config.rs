//! How a topic is read, and when what was concluded is written.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the log is read.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IntakeConfig {
    /// The consumer group; `wardwatch-<service>` unless it is given.
    pub group: Option<String>,
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
    /// The most rows of one table in a range; at most 250,000, so that an insert stays one block.
    pub rows: usize,
    /// How long the first message of a range may wait, from when the range before it was written.
    #[serde(with = "humantime_serde")]
    pub age: Duration,
    /// How many partitions write at a time; the others go on gathering. One whose turn does not come within `age` writes all the
    /// same.
    pub at_once: usize,
    /// After how many entries of stored memory since the last compaction the partition's memory is compacted, and not before
    /// it has doubled.
    pub compact_after: u64,
}

impl Default for IntakeConfig {
    fn default() -> Self {
        Self {
            group: None,
            waiting_bytes: 16 << 20,
            revoke_patience: Duration::from_secs(15),
            longest_pause: Duration::from_secs(30),
        }
    }
}

impl Default for CommitConfig {
    fn default() -> Self {
        Self { rows: 200_000, age: Duration::from_millis(750), at_once: 2, compact_after: 100_000 }
    }
}

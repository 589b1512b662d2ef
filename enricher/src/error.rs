//! What is wrong with the stored memory, or with the topics.

use wardwatch_inventory::StateError;

/// What is wrong with the stored memory, or with the topics.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An entry of the stored memory cannot be read by this program.
    #[error("cannot restore the memory of site {site:?}")]
    Restore {
        /// The site.
        site: String,
        /// Which entry, and why not.
        source: StateError,
    },
    /// A key of the stored memory that this program does not know.
    #[error(
        "the stored memory of partition {partition} has the entry {key:?}, which is of no known kind: {problem}"
    )]
    UnknownEntry {
        /// The partition.
        partition: u32,
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Events go to the partition of the same number as their source's.
    #[error("topic {events} has {found} partitions and {facts} has {wanted}: they must be equal")]
    PartitionCounts {
        /// The topic that events go to.
        events: String,
        /// What it has.
        found: u32,
        /// The topic that facts come from.
        facts: String,
        /// What that has.
        wanted: u32,
    },
}

//! What stops a partition.

use wardwatch_bus::{TopicPartition, Watermarks};
use wardwatch_inventory::StateError;

/// What stops the work on a partition, or all of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// ClickHouse did not take or give what was asked.
    #[error(transparent)]
    Store(#[from] wardwatch_store::Error),
    /// The log did not.
    #[error(transparent)]
    Bus(#[from] wardwatch_bus::Error),
    /// An event could not be published, so its range is not committed.
    #[error("cannot publish an event of offset {offset} to {to}")]
    Publish {
        /// Where it was to go.
        to: TopicPartition,
        /// The source's offset.
        offset: u64,
        /// Why not.
        source: wardwatch_bus::Error,
    },
    /// An unreadable message could not be put aside, so the partition does not go on.
    #[error("cannot put the unreadable message {from} at offset {offset} aside")]
    DeadLetter {
        /// Where the message lies.
        from: TopicPartition,
        /// Its offset.
        offset: u64,
        /// Why not.
        source: wardwatch_bus::Error,
    },
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
    /// The memory ends beyond the end of the log.
    #[error(
        "{of} was worked on up to offset {wanted} and now holds {}..{}: the topic has lost messages, or was made anew, \
         in which case begin a new incarnation of it", found.earliest, found.end
    )]
    LogEndsEarly {
        /// The partition.
        of: TopicPartition,
        /// Where the memory ends.
        wanted: u64,
        /// What the log holds.
        found: Watermarks,
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
    /// The service stops.
    #[error("the service stops")]
    Stopping,
}

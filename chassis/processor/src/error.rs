//! What stops a partition.

use wardwatch_bus::{TopicPartition, Watermarks};

/// What stops the work on a partition, or all of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// ClickHouse did not take or give what was asked.
    #[error(transparent)]
    Store(#[from] wardwatch_store::Error),
    /// The log did not.
    #[error(transparent)]
    Bus(#[from] wardwatch_bus::Error),
    /// What a message gave rise to could not be published, so its range is not committed.
    #[error("cannot publish what came of offset {offset} to {to}")]
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
    #[error("cannot restore the memory of {of}")]
    Restore {
        /// The partition.
        of: TopicPartition,
        /// Which entry, and why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The memory ends beyond the end of the log.
    #[error(
        "{of} was worked on up to offset {wanted} and now holds {}..{}: the topic has lost messages, or was made anew, \
         in which case run `wardwatch migrate --made-anew {}`", found.earliest, found.end, of.topic
    )]
    LogEndsEarly {
        /// The partition.
        of: TopicPartition,
        /// Where the memory ends.
        wanted: u64,
        /// What the log holds.
        found: Watermarks,
    },
    /// Another message lies where the one was that was worked on last.
    #[error(
        "{of} holds another message at offset {offset} than the one that was worked on: the topic was made anew; run \
         `wardwatch migrate --made-anew {}`", of.topic
    )]
    LogMadeAnew {
        /// The partition.
        of: TopicPartition,
        /// Where.
        offset: u64,
    },
    /// The server says again and again that it knows an insert whose rows it does not have.
    #[error("{table} does not take the rows of {token}: the server knows the insert and does not have them")]
    Swallowed {
        /// The table.
        table: &'static str,
        /// The insert's token.
        token: String,
    },
    /// The service stops.
    #[error("the service stops")]
    Stopping,
}

//! What can go wrong, and whether trying again can help.

use std::path::PathBuf;
use std::sync::Arc;

use crate::topic::{TopicPartition, Watermarks};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, naming topic and partition.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The message is larger than the log takes.
    #[error("a message of {bytes} bytes for {to} is larger than the {limit} bytes that the log takes")]
    TooLarge {
        /// Where it was to go.
        to: TopicPartition,
        /// Its size: key, payload and headers.
        bytes: usize,
        /// What would have been taken.
        limit: usize,
    },
    /// There is no such topic.
    #[error("there is no topic {topic}")]
    UnknownTopic {
        /// The topic that was named.
        topic: String,
    },
    /// The topic has fewer partitions.
    #[error("there is no partition {partition}: the topic has {partitions}", partition = named)]
    UnknownPartition {
        /// The partition that was named.
        named: TopicPartition,
        /// How many the topic has.
        partitions: u32,
    },
    /// A topic's specification cannot be.
    #[error("topic {name:?} cannot be made: {problem}")]
    BadTopic {
        /// The topic's name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The topic exists with another number of partitions, and sites would move away from their state.
    #[error(
        "topic {topic} has {found} partitions and should have {wanted}: make it anew or change the configuration"
    )]
    PartitionCount {
        /// The topic.
        topic: String,
        /// What it has.
        found: u32,
        /// What was asked for.
        wanted: u32,
    },
    /// The offset is not in the log.
    #[error("{of} has no offset {wanted}: it holds {}..{}", found.earliest, found.end)]
    OffsetOutOfRange {
        /// The partition.
        of: TopicPartition,
        /// The offset that was asked for.
        wanted: u64,
        /// What the partition holds.
        found: Watermarks,
    },
    /// The partition is not this member's now.
    #[error("{0} is not assigned to this consumer")]
    NotAssigned(TopicPartition),
    /// A revocation waits to be dealt with first.
    #[error("partitions are being taken away from this consumer")]
    Revoking,
    /// A group on the embedded bus has one member.
    #[error("the group {group} already has its member, and on the embedded bus there can be only one")]
    GroupInUse {
        /// The group.
        group: String,
    },
    /// The bus or consumer has been closed.
    #[error("the log has been closed")]
    Closed,
    /// A setting cannot be used.
    #[error("setting {key}: {problem}")]
    Setting {
        /// The key below the bus's section.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The journal of the embedded bus failed.
    #[error("the journal in {} failed", directory.display())]
    Journal {
        /// Where it lies.
        directory: PathBuf,
        /// What went wrong; shared by all whose messages were to be synced together.
        source: Arc<wardwatch_journal::Error>,
    },
    /// The journal of the embedded bus is full, and what could be trimmed is still needed. Publishing waits.
    #[error("the journal is full ({bytes} of {limit} bytes): {holder}")]
    Full {
        /// What is in use.
        bytes: u64,
        /// The bound.
        limit: u64,
        /// Which group needs the oldest message: `group alerter has committed wardwatch.events/3 up to 17`.
        holder: String,
    },
    /// Kafka, or the way to it, failed.
    #[error("cannot {action}: {problem}")]
    Kafka {
        /// What was attempted, on what: `publish to wardwatch.facts/3`.
        action: String,
        /// What the client library or the broker said.
        problem: String,
        /// Whether the same attempt may succeed later.
        retriable: bool,
    },
}

impl Error {
    /// Whether the same attempt may succeed later without anyone changing anything.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Kafka { retriable, .. } => *retriable,
            Self::Full { .. } | Self::Revoking => true,
            _ => false,
        }
    }
}

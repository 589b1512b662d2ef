//! Topics, their partitions and how far these reach.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One partition of one topic. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number, from 0.
    pub partition: u32,
}

impl TopicPartition {
    /// Names a partition.
    pub fn new(topic: impl Into<Arc<str>>, partition: u32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// How far a partition reaches: it holds the offsets `earliest..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// The lowest offset that retention has left. Above the one that is wanted, messages have been lost.
    pub earliest: u64,
    /// The offset that the next message will get. One who has consumed up to here has caught up.
    pub end: u64,
}

/// How a topic is to be. A field that is `None` is left to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// The topic's name: up to 249 of `a-z A-Z 0-9 . _ -`.
    pub name: String,
    /// How many partitions, fixed when the topic is made.
    pub partitions: u32,
    /// On how many brokers each message is kept; `None` is the broker's default. Of no meaning on the embedded bus.
    pub replication: Option<u16>,
    /// How long messages are kept.
    pub retention: Option<Duration>,
    /// How many bytes are kept in each partition.
    pub retention_bytes: Option<u64>,
}

impl TopicSpec {
    /// The longest name a topic may have.
    pub const LONGEST_NAME: usize = 249;

    /// A topic with the broker's own replication and retention.
    pub fn new(name: impl Into<String>, partitions: u32) -> Self {
        Self { name: name.into(), partitions, replication: None, retention: None, retention_bytes: None }
    }

    /// Sets how long messages are kept.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = Some(retention);
        self
    }

    /// Sets how many bytes are kept in each partition.
    #[must_use]
    pub fn retention_bytes(mut self, bytes: u64) -> Self {
        self.retention_bytes = Some(bytes);
        self
    }

    /// Sets on how many brokers each message is kept.
    #[must_use]
    pub fn replication(mut self, brokers: u16) -> Self {
        self.replication = Some(brokers);
        self
    }

    /// What is wrong with the name or the number of partitions, if anything.
    pub fn problem(&self) -> Option<&'static str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if self.name.is_empty() || self.name == "." || self.name == ".." {
            Some("the name is empty or a dot")
        } else if self.name.len() > Self::LONGEST_NAME {
            Some("the name is longer than 249 characters")
        } else if !self.name.bytes().all(plain) {
            Some("the name holds other characters than a-z A-Z 0-9 . _ -")
        } else if self.partitions == 0 {
            Some("a topic has at least one partition")
        } else {
            None
        }
    }
}

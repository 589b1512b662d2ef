//! What goes into the log and what comes out of it.

use bytes::Bytes;

use crate::topic::TopicPartition;

/// A message's headers in their order; a name may stand more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Bytes)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a header at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Bytes>) {
        self.0.push((name.into(), value.into()));
    }

    /// The first header of this name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find_map(|(found, value)| (found == name).then_some(value))
    }

    /// All headers in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of all names and values.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

/// A message to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Where it goes. The partition is the publisher's choice; the key does not decide it.
    pub to: TopicPartition,
    /// For consumers and compaction; may be empty.
    pub key: Bytes,
    /// The message itself.
    pub payload: Bytes,
    /// What travels beside it (`traceparent`).
    pub headers: Headers,
}

impl Publication {
    /// A message without key or headers.
    pub fn new(to: TopicPartition, payload: impl Into<Bytes>) -> Self {
        Self { to, key: Bytes::new(), payload: payload.into(), headers: Headers::new() }
    }

    /// Sets the key.
    #[must_use]
    pub fn key(mut self, key: impl Into<Bytes>) -> Self {
        self.key = key.into();
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The bytes of key, payload and headers, which [`crate::Error::TooLarge`] is about.
    pub fn bytes(&self) -> usize {
        self.key.len() + self.payload.len() + self.headers.bytes()
    }
}

/// A message out of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it lies.
    pub from: TopicPartition,
    /// Its place there.
    pub offset: u64,
    /// When it was appended to the log, by the log's clock, in nanoseconds since 1970 (Kafka keeps milliseconds).
    pub timestamp: i64,
    /// As published; empty where there was none.
    pub key: Bytes,
    /// As published.
    pub payload: Bytes,
    /// As published.
    pub headers: Headers,
}

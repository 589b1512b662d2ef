//! Which log, and how to reach it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wardwatch_service::Secret;

/// Which log, and how to reach it: the section `bus` of a service's settings.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusConfig {
    /// Which of the two.
    pub kind: BusKind,
    /// How to reach Kafka; only read when `kind` is `kafka`.
    pub kafka: KafkaConfig,
    /// Where the journal lies; only read when `kind` is `embedded`.
    pub embedded: EmbeddedConfig,
}

/// Which log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BusKind {
    /// Apache Kafka, for several processes and machines.
    #[default]
    Kafka,
    /// A journal on the local disk, for one process.
    Embedded,
}

/// How to reach Kafka.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaConfig {
    /// The first brokers to ask, `host:port` each.
    pub brokers: Vec<String>,
    /// What batches are compressed with.
    pub compression: Compression,
    /// How long a message may wait for others to share a batch with.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// How many bytes may be on their way to the broker; then `enqueue` waits.
    pub queue_bytes: u64,
    /// The largest message, in bytes. The broker's `message.max.bytes` must allow it.
    pub largest_message: usize,
    /// How long any other request may take.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// How long the brokers are asked again what topics there are and how far groups have come, while they are away or not
    /// agreed yet, before that is an error. A service that starts meanwhile waits for them.
    #[serde(with = "humantime_serde")]
    pub retry_for: Duration,
    /// After how long without a sign of life the group gives a member's partitions away.
    #[serde(with = "humantime_serde")]
    pub session_timeout: Duration,
    /// How long a revocation waits for the work on its partitions to end.
    #[serde(with = "humantime_serde")]
    pub revoke_patience: Duration,
    /// How many bytes are fetched ahead of a consumer; half of them wait in the client library, half in front of the consumer.
    pub prefetch_bytes: u64,
    /// `sasl.password`, kept out of `properties` so that it is never shown.
    pub sasl_password: Secret,
    /// `ssl.key.password`, likewise.
    pub ssl_key_password: Secret,
    /// `sasl.oauthbearer.client.secret`, likewise.
    pub oauth_client_secret: Secret,
    /// Any other property of librdkafka: `security.protocol`, `sasl.mechanisms`, `sasl.username`, `ssl.ca.location`. Those that
    /// the delivery guarantees rest on are refused by name.
    pub properties: BTreeMap<String, String>,
}

impl Default for KafkaConfig {
    fn default() -> Self {
        Self {
            brokers: vec!["127.0.0.1:9092".to_owned()],
            compression: Compression::Zstd,
            linger: Duration::from_millis(50),
            queue_bytes: 64 << 20,
            largest_message: 1 << 20,
            request_timeout: Duration::from_secs(15),
            retry_for: Duration::from_mins(5),
            session_timeout: Duration::from_secs(30),
            revoke_patience: Duration::from_secs(20),
            prefetch_bytes: 32 << 20,
            sasl_password: Secret::default(),
            ssl_key_password: Secret::default(),
            oauth_client_secret: Secret::default(),
            properties: BTreeMap::new(),
        }
    }
}

/// What batches are compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Smaller.
    Zstd,
    /// Faster.
    Lz4,
    /// Not at all.
    None,
}

/// Where the journal of the embedded bus lies, and how large it may grow.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedConfig {
    /// The journal's directory; one process at a time owns it.
    pub directory: PathBuf,
    /// How many bytes of messages are kept at most. At this bound what every group has committed is trimmed first; what one still
    /// needs is never trimmed, and publishing waits instead.
    pub max_bytes: u64,
    /// How many bytes of each topic may wait to be written; then `enqueue` waits.
    pub queue_bytes: u64,
    /// The largest message, in bytes.
    pub largest_message: usize,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self {
            directory: PathBuf::from("/var/lib/wardwatch/bus"),
            max_bytes: 4 << 30,
            queue_bytes: 32 << 20,
            largest_message: 1 << 20,
        }
    }
}

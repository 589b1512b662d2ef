//! A log to test on, and what tests do with it again and again.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use wardwatch_bus::config::{BusKind, EmbeddedConfig, KafkaConfig};
use wardwatch_bus::{
    Bus, BusConfig, Consumer, Delivery, Error, Message, Publication, TopicPartition, TopicSpec,
};
use wardwatch_service::Counters;
use wardwatch_skip::skip;

/// Far longer than anything takes: a test that waits this long has failed.
const AT_MOST: Duration = Duration::from_mins(1);

/// A log of its own settings, on an embedded bus or a shared broker.
pub(crate) struct Log {
    pub(crate) config: BusConfig,
    pub(crate) counters: Counters,
    bus: Option<Arc<dyn Bus>>,
    _directory: Option<TempDir>,
}

impl Log {
    pub(crate) fn embedded() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let embedded =
            EmbeddedConfig { directory: directory.path().join("bus"), ..EmbeddedConfig::default() };
        let config = BusConfig { kind: BusKind::Embedded, embedded, ..BusConfig::default() };
        Self { config, counters: Counters::default(), bus: None, _directory: Some(directory) }
    }

    /// `None`, and the test is skipped by name, where no broker is named.
    pub(crate) fn kafka(test: &str) -> Option<Self> {
        let Ok(broker) = std::env::var("WARDWATCH_TEST_KAFKA") else {
            skip!(test, "WARDWATCH_TEST_KAFKA names no broker");
            return None;
        };
        let kafka = KafkaConfig {
            brokers: vec![broker],
            linger: Duration::from_millis(5),
            session_timeout: Duration::from_secs(10),
            properties: BTreeMap::from([("broker.address.family".to_owned(), "v4".to_owned())]),
            ..KafkaConfig::default()
        };
        let config = BusConfig { kind: BusKind::Kafka, kafka, ..BusConfig::default() };
        Some(Self { config, counters: Counters::default(), bus: None, _directory: None })
    }

    pub(crate) fn is_kafka(&self) -> bool {
        self.config.kind == BusKind::Kafka
    }

    pub(crate) async fn bus(&mut self) -> Arc<dyn Bus> {
        if let Some(bus) = &self.bus {
            return Arc::clone(bus);
        }
        let bus = wardwatch_bus::open(&self.config, &self.counters).await.expect("the bus opens");
        self.bus = Some(Arc::clone(&bus));
        bus
    }

    /// A bus that knows nothing of what the last one kept in memory. The caller has let go of the last one.
    pub(crate) async fn reopened(&mut self) -> Arc<dyn Bus> {
        self.bus = None;
        self.bus().await
    }

    /// Makes a topic of its own.
    pub(crate) async fn topic(&mut self, partitions: u32) -> String {
        let name = unique("topic");
        let spec = TopicSpec::new(&name, partitions).replication(1);
        self.bus().await.ensure_topics(&[spec]).await.expect("the topic is made");
        name
    }
}

/// A name that no other test uses, nor another run on the same broker.
pub(crate) fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    format!("test.{what}.{}.{}", since.as_nanos(), COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn partition(topic: &str, partition: u32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(AT_MOST, future).await.unwrap_or_else(|_| panic!("{what} takes for ever"))
}

/// Publishes these payloads one behind the other and gives their offsets.
pub(crate) async fn publish(
    bus: &Arc<dyn Bus>,
    to: &TopicPartition,
    payloads: impl IntoIterator<Item = String>,
) -> Vec<u64> {
    let mut receipts = Vec::new();
    for payload in payloads {
        let publication = Publication::new(to.clone(), payload);
        receipts.push(within("enqueue", bus.enqueue(publication)).await.expect("taken"));
    }
    let mut offsets = Vec::new();
    for receipt in receipts {
        offsets.push(within("a receipt", receipt).await.expect("published"));
    }
    offsets
}

/// Numbered payloads.
pub(crate) fn numbered(numbers: std::ops::Range<u32>) -> impl Iterator<Item = String> {
    numbers.map(|number| format!("m{number}"))
}

/// Joins, waits for all partitions of these topics, and starts each at an offset.
pub(crate) async fn started(
    bus: &Arc<dyn Bus>,
    group: &str,
    topics: &[&str],
    from: u64,
) -> Arc<dyn Consumer> {
    let consumer = bus.subscribe(group, topics).await.expect("subscribed");
    for of in assigned(&consumer).await {
        within("seek", consumer.seek(&of, from)).await.expect("sought");
    }
    consumer
}

/// The partitions of the assignment that comes next.
pub(crate) async fn assigned(consumer: &Arc<dyn Consumer>) -> Vec<TopicPartition> {
    match next(consumer).await {
        Ok(Delivery::Assigned(partitions)) => partitions,
        other => panic!("an assignment was expected: {other:?}"),
    }
}

pub(crate) async fn next(consumer: &Arc<dyn Consumer>) -> Result<Delivery, Error> {
    within("a delivery", consumer.next()).await
}

pub(crate) async fn message(consumer: &Arc<dyn Consumer>) -> Message {
    match next(consumer).await {
        Ok(Delivery::Message(message)) => message,
        other => panic!("a message was expected: {other:?}"),
    }
}

pub(crate) async fn messages(consumer: &Arc<dyn Consumer>, count: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    while messages.len() < count {
        messages.push(message(consumer).await);
    }
    messages
}

pub(crate) fn texts(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| String::from_utf8_lossy(&message.payload).into_owned()).collect()
}

/// Nothing comes for a while. A message that should not come could come later; one that should not be there at all is found.
pub(crate) async fn nothing_comes(consumer: &Arc<dyn Consumer>) {
    let outcome = tokio::time::timeout(Duration::from_millis(400), consumer.next()).await;
    assert!(outcome.is_err(), "nothing was expected: {outcome:?}");
}

//! The log on Apache Kafka.
//!
//! Publishing is idempotent with acks from all in-sync replicas, so that a message is in the log once and in order whatever the
//! network does. A message that was taken does not expire: it is tried until the broker has it or the producer fails for
//! good. What waits is bounded in bytes: beyond that `enqueue` waits.
//!
//! Consuming is cooperative (`cooperative-sticky`): a rebalance takes away only the partitions that move, and the others
//! go on. Loading a partition's state is the expensive part of a move, so what stays should not be interrupted by what goes.
//! Positions are never taken from committed offsets, and `auto.offset.reset` is an error rather than a jump.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::FutureRecord;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::warn;
use wardwatch_service::{Counter, Counters, retry};

use crate::bus::{Bus, Consumer, Receipt};
use crate::config::KafkaConfig;
use crate::error::{Error, Result};
use crate::message::{Headers, Publication};
use crate::topic::{TopicPartition, TopicSpec, Watermarks};

mod admin;
mod consumer;
mod failure;
mod member;
mod poll;
mod producer;
mod settings;

use consumer::KafkaConsumer;
use failure::{failed, joined};
use producer::{Publisher, Sending};

/// How long to wait when the client library's queue is full although ours is not.
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(10);

/// The log on Apache Kafka. Cheap to clone; all clones are one client.
#[derive(Clone)]
pub struct KafkaBus(Arc<Inner>);

struct Inner {
    config: KafkaConfig,
    publisher: Publisher,
    /// For questions about topics and partitions; it is in no group.
    observer: Arc<BaseConsumer<Events>>,
    /// Bytes that may still be taken before `enqueue` waits.
    room: Arc<Semaphore>,
    queue_bytes: u32,
    /// How many partitions each topic has that has been asked for. The number is fixed when a topic is made.
    partitions: Mutex<HashMap<String, u32>>,
    counters: Counters,
    published: Counter,
    failed: Counter,
}

/// What the client library reports outside of any call.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    errors: Counter,
}

impl ClientContext for Events {
    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.increment();
        warn!(%error, reason, "kafka client");
    }
}

impl rdkafka::consumer::ConsumerContext for Events {}

impl KafkaBus {
    /// Makes the clients. No broker is asked yet: [`Bus::ping`] says whether one answers.
    pub fn open(config: &KafkaConfig, counters: &Counters) -> Result<Self> {
        let events = Events { errors: counters.counter("bus_client_errors", &[]) };
        let replaced = counters.counter("bus_producers_replaced", &[]);
        let publisher = Publisher::open(config, events.clone(), replaced)?;
        let observer = settings::observer(config)?
            .create_with_context(events)
            .map_err(|error| failed("make a Kafka client", &error))?;
        let queue_bytes = u32::try_from(config.queue_bytes).unwrap_or(u32::MAX).max(1);
        Ok(Self(Arc::new(Inner {
            publisher,
            observer: Arc::new(observer),
            room: Arc::new(Semaphore::new(queue_bytes as usize)),
            queue_bytes,
            partitions: Mutex::default(),
            counters: counters.clone(),
            published: counters.counter("bus_published", &[("bus", "kafka")]),
            failed: counters.counter("bus_publish_failures", &[]),
            config: config.clone(),
        })))
    }
}

impl Inner {
    /// Asks the broker, off the runtime's threads.
    async fn observe<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&BaseConsumer<Events>, Duration) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (observer, timeout) = (Arc::clone(&self.observer), self.config.request_timeout);
        joined(spawn_blocking(move || ask(&observer, timeout)).await)?
    }

    async fn partitions(&self, topic: &str) -> Result<u32> {
        let known = self.partitions.lock().unwrap_or_else(PoisonError::into_inner).get(topic).copied();
        if let Some(count) = known {
            return Ok(count);
        }
        let ask = || {
            let name = topic.to_owned();
            self.observe(move |observer, timeout| admin::partitions(observer, &name, timeout))
        };
        let count = self.retry(ask).await?;
        let count = count.ok_or_else(|| Error::UnknownTopic { topic: topic.to_owned() })?;
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner).insert(topic.to_owned(), count);
        Ok(count)
    }

    async fn committed(
        &self,
        group: &str,
        topic: &str,
        partitions: std::ops::Range<u32>,
    ) -> Result<Vec<Option<u64>>> {
        let ask = || async {
            let (config, group, topic) = (self.config.clone(), group.to_owned(), topic.to_owned());
            let partitions = partitions.clone();
            joined(spawn_blocking(move || admin::committed(&config, &group, &topic, partitions)).await)?
        };
        // A group that nobody has asked about has no coordinator yet; the first question makes the brokers choose one.
        self.retry(ask).await
    }

    /// Asks again while what went wrong passes by itself, as [`KafkaConfig::retry_for`] has it.
    async fn retry<T, F, Fut>(&self, ask: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        retry("kafka", self.config.retry_for, Error::is_retriable, ask).await
    }

    async fn check_partition(&self, of: &TopicPartition) -> Result<()> {
        let partitions = self.partitions(&of.topic).await?;
        if of.partition < partitions {
            return Ok(());
        }
        Err(Error::UnknownPartition { named: of.clone(), partitions })
    }
}

#[async_trait]
impl Bus for KafkaBus {
    async fn ensure_topics(&self, specs: &[TopicSpec]) -> Result<()> {
        for spec in specs {
            if let Some(problem) = spec.problem() {
                return Err(Error::BadTopic { name: spec.name.clone(), problem: problem.to_owned() });
            }
        }
        admin::ensure_topics(&self.0, specs).await
    }

    async fn partitions(&self, topic: &str) -> Result<u32> {
        self.0.partitions(topic).await
    }

    async fn enqueue(&self, publication: Publication) -> Result<Receipt> {
        let bytes = publication.bytes();
        let limit = self.0.config.largest_message;
        if bytes > limit {
            return Err(Error::TooLarge { to: publication.to, bytes, limit });
        }
        self.0.check_partition(&publication.to).await?;
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, self.0.queue_bytes);
        let room = Arc::clone(&self.0.room).acquire_many_owned(permits).await.map_err(|_| Error::Closed)?;
        let Publication { to, key, payload, headers } = publication;
        let partition = admin::native(to.partition)?;
        let action = format!("publish to {to}");
        let mut record = FutureRecord::<[u8], [u8]>::to(&to.topic).partition(partition).payload(&payload);
        if !key.is_empty() {
            record = record.key(&key);
        }
        if !headers.is_empty() {
            record = record.headers(native_headers(&headers));
        }
        let (delivery, mut ticket) = loop {
            match self.0.publisher.send(&to, record) {
                Sending::OnItsWay(delivery, ticket) => break (delivery, ticket),
                Sending::Full(back) => {
                    record = back;
                    tokio::time::sleep(QUEUE_FULL_PAUSE).await;
                }
                Sending::Failed(error) => return Err(error),
            }
        };
        let (published, failures) = (self.0.published.clone(), self.0.failed.clone());
        // The room is given back when the broker has answered, whether or not anyone waits for the receipt.
        let outcome = tokio::spawn(async move {
            let outcome = delivery.await;
            drop(room);
            let error = match outcome {
                Ok(Ok(delivered)) => {
                    published.increment();
                    return u64::try_from(delivered.offset).map_err(|_| {
                        let problem = format!("the broker gave the offset {}", delivered.offset);
                        (Error::Kafka { action, problem, retriable: false }, ticket)
                    });
                }
                Ok(Err((error, _))) => {
                    failures.increment();
                    failed(action, &error)
                }
                Err(_) => Error::Closed,
            };
            ticket.failed();
            Err((error, ticket))
        });
        // With the ticket goes the last doubt whether the failure was heard.
        Ok(Receipt::new(async move { joined(outcome.await)?.map_err(|(error, _ticket)| error) }))
    }

    async fn flush(&self) -> Result<()> {
        let publisher = self.0.publisher.clone();
        joined(spawn_blocking(move || publisher.flush()).await)?
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Arc<dyn Consumer>> {
        for topic in topics {
            self.0.partitions(topic).await?;
        }
        let Inner { config, observer, counters, .. } = &*self.0;
        Ok(Arc::new(KafkaConsumer::join(config, group, topics, Arc::clone(observer), counters)?))
    }

    async fn watermarks(&self, of: &TopicPartition) -> Result<Watermarks> {
        self.0.check_partition(of).await?;
        let of = of.clone();
        self.0.observe(move |observer, timeout| admin::watermarks(observer, &of, timeout)).await
    }

    async fn committed(&self, group: &str, of: &TopicPartition) -> Result<Option<u64>> {
        self.0.check_partition(of).await?;
        let one = of.partition..of.partition.saturating_add(1);
        Ok(self.0.committed(group, &of.topic, one).await?.pop().flatten())
    }

    async fn topic_committed(&self, group: &str, topic: &str) -> Result<Vec<Option<u64>>> {
        let count = self.0.partitions(topic).await?;
        self.0.committed(group, topic, 0..count).await
    }

    async fn ping(&self) -> Result<()> {
        let topic = self.0.partitions.lock().unwrap_or_else(PoisonError::into_inner).keys().next().cloned();
        self.0
            .observe(move |observer, timeout| {
                let answer = observer.fetch_metadata(topic.as_deref(), timeout);
                answer.map(|_| ()).map_err(|error| failed("reach a Kafka broker", &error))
            })
            .await
    }

    fn largest_message(&self) -> usize {
        self.0.config.largest_message
    }
}

fn native_headers(headers: &Headers) -> OwnedHeaders {
    headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), |native, (key, value)| {
        native.insert(Header { key, value: Some(value) })
    })
}

impl std::fmt::Debug for KafkaBus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaBus").field("brokers", &self.0.config.brokers).finish_non_exhaustive()
    }
}

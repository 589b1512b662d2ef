//! The producer, and the one that takes its place after a fatal error.
//!
//! What a caller lays into a partition has no holes: behind a message that failed nothing is taken for that partition until
//! the caller has heard of the failure. Within one producer the client library sees to that, since nothing expires and a message
//! that the broker refuses for good is a fatal error (`enable.gapless.guarantee`). [`Unheard`] sees to it when one
//! producer follows another.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _, PurgeConfig};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::util::Timeout;
use wardwatch_service::Counter;

use super::failure::failed;
use super::{Events, settings};
use crate::config::KafkaConfig;
use crate::error::{Error, Result};
use crate::topic::TopicPartition;

/// How long a producer that is given up may take to hand back what it had.
const HAND_BACK: Duration = Duration::from_secs(5);

/// How long one look at what is on its way may take.
const FLUSH: Duration = Duration::from_millis(500);

/// Publishes, by a producer that is replaced when it can no more. Cheap to clone.
#[derive(Clone)]
pub(super) struct Publisher(Arc<Shared>);

struct Shared {
    config: KafkaConfig,
    events: Events,
    replaced: Counter,
    current: RwLock<Current>,
    unheard: Unheard,
    seat: Seat,
}

/// Where a producer finds whom to tell of its end; empty while the first one is made.
type Seat = Arc<OnceLock<Weak<Shared>>>;

struct Current {
    producer: FutureProducer<Watch>,
    /// Which of the producers that there were this is, from 1.
    generation: u64,
}

/// Sees when a producer fails for good.
#[derive(Clone)]
struct Watch {
    events: Events,
    seat: Seat,
    generation: u64,
}

impl ClientContext for Watch {
    fn error(&self, error: KafkaError, reason: &str) {
        self.events.error(error, reason);
        // A fatal error comes under the code of its cause, like any other.
        let generation = self.generation;
        let publisher = self.seat.get().and_then(Weak::upgrade);
        if let Some(publisher) = publisher.filter(|publisher| publisher.has_failed(generation)) {
            // Elsewhere: this is a thread of the producer that is to go.
            std::thread::spawn(move || publisher.replace(generation));
        }
    }
}

/// What became of an attempt to send.
pub(super) enum Sending<'a> {
    /// The producer has it.
    OnItsWay(DeliveryFuture, Ticket),
    /// Its queue has no room now.
    Full(FutureRecord<'a, [u8], [u8]>),
    Failed(Error),
}

impl Publisher {
    pub(super) fn open(config: &KafkaConfig, events: Events, replaced: Counter) -> Result<Self> {
        let seat = Seat::default();
        let producer =
            make(config, Watch { events: events.clone(), seat: Arc::clone(&seat), generation: 1 })?;
        let shared = Arc::new(Shared {
            config: config.clone(),
            events,
            replaced,
            current: RwLock::new(Current { producer, generation: 1 }),
            unheard: Unheard::default(),
            seat,
        });
        // It was empty until now.
        let _ = shared.seat.set(Arc::downgrade(&shared));
        Ok(Self(shared))
    }

    /// Gives a record to the producer. The ticket is dropped once the record's fate is known to whoever sent it.
    pub(super) fn send<'a>(&self, to: &TopicPartition, record: FutureRecord<'a, [u8], [u8]>) -> Sending<'a> {
        let current = self.0.current.read().unwrap_or_else(PoisonError::into_inner);
        let action = || format!("publish to {to}");
        if self.0.unheard.is_waited_for(to, current.generation) {
            let problem = "a message before it was not delivered".to_owned();
            return Sending::Failed(Error::Kafka { action: action(), problem, retriable: true });
        }
        match current.producer.send_result(record) {
            Ok(delivery) => {
                let generation = current.generation;
                self.0.unheard.add(to, generation);
                let ticket = Ticket { publisher: Arc::clone(&self.0), of: to.clone(), generation };
                Sending::OnItsWay(delivery, ticket)
            }
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => Sending::Full(back),
            Err((error, _)) => Sending::Failed(failed(action(), &error)),
        }
    }

    /// Waits until the producer has nothing on its way. Blocks.
    pub(super) fn flush(&self) -> Result<()> {
        loop {
            let producer = self.0.current.read().unwrap_or_else(PoisonError::into_inner).producer.clone();
            match producer.flush(FLUSH) {
                Ok(()) => return Ok(()),
                // Nothing expires; who waits for too long drops the wait.
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::OperationTimedOut) => {
                    if Arc::strong_count(&self.0) == 1 {
                        return Err(Error::Closed);
                    }
                }
                Err(error) => return Err(failed("flush what is on its way to Kafka", &error)),
            }
        }
    }
}

impl Shared {
    /// Whether this is the producer in use, and it can no more.
    fn has_failed(&self, generation: u64) -> bool {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.generation == generation && current.producer.client().fatal_error().is_some()
    }

    /// Puts a fresh producer in the place of one that can no more, and has that one fail what it still has. Blocks.
    fn replace(&self, generation: u64) {
        let old = {
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            if current.generation != generation {
                return;
            }
            let next = generation + 1;
            let watch = Watch { events: self.events.clone(), seat: Arc::clone(&self.seat), generation: next };
            match make(&self.config, watch) {
                Ok(producer) => {
                    current.generation = next;
                    std::mem::replace(&mut current.producer, producer)
                }
                Err(error) => {
                    tracing::error!(%error, "the Kafka producer failed for good and cannot be replaced");
                    return;
                }
            }
        };
        self.replaced.increment();
        let reason = old.client().fatal_error().map(|(_, reason)| reason).unwrap_or_default();
        tracing::warn!(
            reason,
            "the Kafka producer failed for good and was replaced: nothing on its way counts as delivered"
        );
        old.purge(PurgeConfig::default().queue().inflight());
        if let Err(error) = old.flush(Timeout::After(HAND_BACK)) {
            tracing::warn!(%error, "the old Kafka producer has not handed back all it had");
        }
    }
}

fn make(config: &KafkaConfig, watch: Watch) -> Result<FutureProducer<Watch>> {
    settings::producer(config)?
        .create_with_context(watch)
        .map_err(|error| failed("make a Kafka producer", &error))
}

/// Messages whose fate is not known yet to whoever sent them: by partition, how many of which producer. Those that failed
/// count as of producer 0.
#[derive(Default)]
struct Unheard(Mutex<HashMap<TopicPartition, BTreeMap<u64, u64>>>);

const FAILED: u64 = 0;

impl Unheard {
    fn lock(&self) -> MutexGuard<'_, HashMap<TopicPartition, BTreeMap<u64, u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, to: &TopicPartition, generation: u64) {
        *self.lock().entry(to.clone()).or_default().entry(generation).or_default() += 1;
    }

    fn remove(&self, of: &TopicPartition, generation: u64) {
        let mut all = self.lock();
        let Some(generations) = all.get_mut(of) else { return };
        if let Some(count) = generations.get_mut(&generation) {
            *count -= 1;
            if *count == 0 {
                generations.remove(&generation);
            }
        }
        if generations.is_empty() {
            all.remove(of);
        }
    }

    /// Whether a message for this partition failed, or went to an earlier producer, and its sender does not know what came of it.
    fn is_waited_for(&self, to: &TopicPartition, generation: u64) -> bool {
        self.lock().get(to).is_some_and(|generations| generations.range(..generation).next().is_some())
    }
}

/// A message whose sender does not know its fate.
pub(super) struct Ticket {
    publisher: Arc<Shared>,
    of: TopicPartition,
    generation: u64,
}

impl Ticket {
    /// It was not delivered: nothing is taken for its partition until this is dropped.
    pub(super) fn failed(&mut self) {
        self.publisher.unheard.add(&self.of, FAILED);
        self.publisher.unheard.remove(&self.of, self.generation);
        self.generation = FAILED;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.publisher.unheard.remove(&self.of, self.generation);
    }
}

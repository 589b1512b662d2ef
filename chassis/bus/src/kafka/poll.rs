//! The thread that polls for one member of a group.
//!
//! It serves everything that touches the client library's position: rebalances, messages, seeks, pauses. Being one thread
//! it needs no locks between them: a message polled before a seek is pushed before it, and dropped by it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{ClientContext, TopicPartitionList};
use tokio::sync::oneshot;
use wardwatch_service::{Counter, Counters, Gauge};

use super::failure::{failed, passes};
use super::member::Member;
use super::{Events, admin};
use crate::error::{Error, Result};
use crate::message::{Headers, Message};
use crate::topic::TopicPartition;

/// How long one poll waits, and so how long a seek may have to.
const POLL: Duration = Duration::from_millis(20);
/// How long a consumer may be slow before its partitions are paused, so that polling can go on and the group keeps us.
const STALL: Duration = Duration::from_secs(2);

/// What the thread is asked to do with partitions of ours.
#[derive(Debug)]
pub(super) enum Command {
    Seek(TopicPartition, u64, oneshot::Sender<Result<()>>),
    Pause(Vec<TopicPartition>, oneshot::Sender<Result<()>>),
    Resume(Vec<TopicPartition>, oneshot::Sender<Result<()>>),
}

/// What the client library calls back, on the polling thread.
#[derive(Debug)]
pub(super) struct GroupContext {
    pub(super) member: Arc<Member>,
    pub(super) group: String,
    pub(super) revoke_patience: Duration,
    pub(super) counters: Counters,
    pub(super) rebalances: Counter,
    pub(super) errors: Counter,
}

impl ClientContext for GroupContext {
    fn error(&self, error: KafkaError, reason: &str) {
        self.errors.increment();
        tracing::warn!(group = self.group, %error, reason, "kafka client");
    }

    fn stats(&self, statistics: Statistics) {
        let held = self.member.state().partitions.clone();
        for (topic, found) in &statistics.topics {
            for (number, partition) in &found.partitions {
                let Ok(number) = u32::try_from(*number) else { continue };
                let of = TopicPartition::new(topic.as_str(), number);
                let Some(ours) = held.get(&of) else { continue };
                let position = ours.position.and_then(|position| i64::try_from(position).ok());
                if let Some(position) = position.filter(|_| partition.hi_offset >= 0) {
                    self.lag(&of).set((partition.hi_offset - position).max(0));
                }
            }
        }
    }
}

impl GroupContext {
    fn lag(&self, of: &TopicPartition) -> Gauge {
        let partition = of.partition.to_string();
        let labels = [("group", self.group.as_str()), ("topic", &of.topic), ("partition", &partition)];
        self.counters.gauge("bus_lag", &labels)
    }

    /// Takes the assignment without fetching any of it: the client library is given each partition by the first seek, with
    /// the offset to begin at. Given all of it at once it would begin somewhere else and fetch what nobody asked for.
    fn assigned(consumer: &BaseConsumer<Self>) -> KafkaResult<()> {
        consumer.incremental_assign(&TopicPartitionList::new())
    }

    /// Gives up what the client library was given of these partitions.
    fn revoked(consumer: &BaseConsumer<Self>, fetching: &[TopicPartition]) -> KafkaResult<()> {
        if !matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative) {
            return consumer.unassign();
        }
        let list = list_of(fetching).map_err(|error| KafkaError::Subscription(error.to_string()))?;
        consumer.incremental_unassign(&list)
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        self.rebalances.increment();
        let partitions = partitions_of(list);
        let outcome = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                tracing::info!(group = self.group, partitions = partitions.len(), "assigned");
                let outcome = Self::assigned(consumer);
                self.member.assign(partitions);
                outcome
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                let lost = consumer.assignment_lost();
                tracing::info!(group = self.group, partitions = partitions.len(), lost, "revoked");
                for partition in &partitions {
                    self.lag(partition).set(0);
                }
                let fetching = self.member.fetching(&partitions);
                self.member.revoke(partitions, lost, self.revoke_patience);
                Self::revoked(consumer, &fetching)
            }
            code => {
                let error = KafkaError::Rebalance(code.into());
                let held = self.member.state().partitions.keys().cloned().collect();
                self.member.revoke(held, true, self.revoke_patience);
                consumer.unassign().and(Err(error))
            }
        };
        if let Err(error) = outcome {
            self.member.push_event(Err(failed(format!("rebalance group {}", self.group), &error)));
        }
    }
}

/// Polls until the member is closed, then leaves the group.
///
/// What is asked of the broker beside is asked through `observer`: on the consumer's own connection an answer waits behind
/// the fetch that is under way, which the broker answers when messages come.
pub(super) fn run(
    consumer: &BaseConsumer<GroupContext>,
    observer: &BaseConsumer<Events>,
    commands: &Receiver<Command>,
    timeout: Duration,
) {
    let thread = Polling { consumer, observer, member: &consumer.context().member, timeout };
    let mut stalled: Option<Instant> = None;
    let mut paused_by_stall = false;
    while !thread.member.state().closing {
        if !thread.serve(commands) {
            break;
        }
        if thread.member.wait_for_room(POLL) {
            if paused_by_stall {
                thread.recover();
            }
            (stalled, paused_by_stall) = (None, false);
        } else if !paused_by_stall {
            if stalled.get_or_insert_with(Instant::now).elapsed() < STALL {
                continue;
            }
            thread.pause_all();
            paused_by_stall = true;
        }
        thread.poll(paused_by_stall);
    }
    consumer.unsubscribe();
}

struct Polling<'c> {
    consumer: &'c BaseConsumer<GroupContext>,
    observer: &'c BaseConsumer<Events>,
    member: &'c Member,
    timeout: Duration,
}

impl Polling<'_> {
    /// Carries out what is asked; false when nobody can ask any more.
    fn serve(&self, commands: &Receiver<Command>) -> bool {
        loop {
            // One who does not wait for the answer does not want to know.
            let _ = match commands.try_recv() {
                Ok(Command::Seek(of, offset, reply)) => reply.send(self.seek(&of, offset)),
                Ok(Command::Pause(partitions, reply)) => reply.send(self.pause(&partitions)),
                Ok(Command::Resume(partitions, reply)) => reply.send(self.resume(&partitions)),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            };
        }
    }

    fn poll(&self, discard: bool) {
        match self.consumer.poll(POLL) {
            None => {}
            // What comes although all is paused is fetched again after the stall.
            Some(Ok(_)) if discard => {}
            Some(Ok(message)) => self.member.push(owned(&message)),
            Some(Err(error)) => self.failed(&error),
        }
    }

    fn failed(&self, error: &KafkaError) {
        let code = error.rdkafka_error_code();
        match code {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => self.find_lost(),
            Some(code) if passes(code) => tracing::debug!(%error, "kafka consumer"),
            _ => self.member.push_event(Err(failed("consume", error))),
        }
    }

    /// The error names no partition: looks for those whose next message retention has removed.
    fn find_lost(&self) {
        let held = self.member.state().partitions.clone();
        for (of, partition) in held {
            let Some(wanted) = partition.fetch else { continue };
            let Ok(found) = admin::watermarks(self.observer, &of, self.timeout) else { continue };
            if wanted < found.earliest || wanted > found.end {
                if let Some(partition) = self.member.state().partitions.get_mut(&of) {
                    partition.fetch = None;
                }
                self.member.push_event(Err(Error::OffsetOutOfRange { of, wanted, found }));
            }
        }
    }

    fn seek(&self, of: &TopicPartition, offset: u64) -> Result<()> {
        if !self.member.state().partitions.contains_key(of) {
            return Err(Error::NotAssigned(of.clone()));
        }
        let found = admin::watermarks(self.observer, of, self.timeout)?;
        if offset < found.earliest || offset > found.end {
            return Err(Error::OffsetOutOfRange { of: of.clone(), wanted: offset, found });
        }
        let mut state = self.member.state();
        state.drop_messages(|dropped| dropped == of);
        let Some(partition) = state.partitions.get_mut(of) else {
            return Err(Error::NotAssigned(of.clone()));
        };
        (partition.position, partition.fetch) = (Some(offset), Some(offset));
        let paused = partition.paused;
        drop(state);
        if paused { Ok(()) } else { self.start(of, offset) }
    }

    /// Makes the library fetch from here on, and forget what it has fetched.
    ///
    /// It is given the partition anew rather than told to seek: it refuses to seek in one that it has just been given or has
    /// stopped fetching after an error.
    fn start(&self, of: &TopicPartition, offset: u64) -> Result<()> {
        let action = || format!("seek to {offset} in {of}");
        let fetching = self.member.state().partitions.get(of).is_some_and(|partition| partition.fetching);
        let outcome = (|| {
            let plain = list_of([of])?;
            if fetching {
                self.consumer.incremental_unassign(&plain).map_err(|error| failed(action(), &error))?;
                self.set_fetching(of, false);
            }
            let mut list = TopicPartitionList::new();
            let native = Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX));
            list.add_partition_offset(&of.topic, admin::native(of.partition)?, native)
                .and_then(|()| self.consumer.incremental_assign(&list))
                .map_err(|error| failed(action(), &error))?;
            self.set_fetching(of, true);
            self.consumer.resume(&plain).map_err(|error| failed(action(), &error))
        })();
        if outcome.is_err()
            && let Some(partition) = self.member.state().partitions.get_mut(of)
        {
            partition.fetch = None;
        }
        outcome
    }

    fn set_fetching(&self, of: &TopicPartition, fetching: bool) {
        if let Some(partition) = self.member.state().partitions.get_mut(of) {
            partition.fetching = fetching;
        }
    }

    fn pause(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.check(partitions)?;
        self.consumer
            .pause(&list_of(&self.member.fetching(partitions))?)
            .map_err(|error| failed(format!("pause {} partitions", partitions.len()), &error))?;
        let mut state = self.member.state();
        state.drop_messages(|of| partitions.contains(of));
        for of in partitions {
            if let Some(partition) = state.partitions.get_mut(of) {
                partition.paused = true;
                // What was dropped is fetched again.
                partition.fetch = partition.position;
            }
        }
        Ok(())
    }

    fn resume(&self, partitions: &[TopicPartition]) -> Result<()> {
        self.check(partitions)?;
        for of in partitions {
            let mut state = self.member.state();
            let Some(partition) = state.partitions.get_mut(of) else { continue };
            let was_paused = std::mem::replace(&mut partition.paused, false);
            let position = partition.position;
            drop(state);
            if let Some(position) = position.filter(|_| was_paused) {
                self.start(of, position)?;
            }
        }
        Ok(())
    }

    fn check(&self, partitions: &[TopicPartition]) -> Result<()> {
        let state = self.member.state();
        let strange = partitions.iter().find(|of| !state.partitions.contains_key(of));
        strange.map_or(Ok(()), |of| Err(Error::NotAssigned(of.clone())))
    }

    /// The consumer is slow: stop fetching, so that polling can serve the group alone.
    fn pause_all(&self) {
        let held: Vec<_> = self.member.state().partitions.keys().cloned().collect();
        let fetching = self.member.fetching(&held);
        tracing::debug!(partitions = fetching.len(), "the consumer is slow: fetching is paused");
        if let Err(error) = list_of(&fetching).map(|list| self.consumer.pause(&list)) {
            tracing::warn!(%error, "cannot pause fetching");
        }
    }

    /// The consumer goes on: fetch from where it was stopped.
    fn recover(&self) {
        let held: BTreeMap<_, _> = self.member.state().partitions.clone();
        for (of, partition) in held {
            if let (Some(fetch), false) = (partition.fetch, partition.paused)
                && let Err(error) = self.start(&of, fetch)
            {
                self.member.push_event(Err(error));
            }
        }
    }
}

fn partitions_of(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let elements = list.elements();
    let named = elements
        .iter()
        .filter_map(|element| Some((element.topic(), u32::try_from(element.partition()).ok()?)));
    named.map(|(topic, partition)| TopicPartition::new(topic, partition)).collect()
}

pub(super) fn list_of<'p>(
    partitions: impl IntoIterator<Item = &'p TopicPartition>,
) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for of in partitions {
        list.add_partition(&of.topic, admin::native(of.partition)?);
    }
    Ok(list)
}

fn owned(message: &rdkafka::message::BorrowedMessage<'_>) -> Message {
    let mut headers = Headers::new();
    for header in message.headers().into_iter().flat_map(|found| found.iter()) {
        headers.push(header.key, header.value.unwrap_or_default().to_vec());
    }
    Message {
        from: TopicPartition::new(message.topic(), u32::try_from(message.partition()).unwrap_or(0)),
        offset: u64::try_from(message.offset()).unwrap_or(0),
        timestamp: message.timestamp().to_millis().unwrap_or(0).saturating_mul(1_000_000),
        key: message.key().unwrap_or_default().to_vec().into(),
        payload: message.payload().unwrap_or_default().to_vec().into(),
        headers,
    }
}

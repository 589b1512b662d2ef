//! The one member of a group.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;
use wardwatch_journal::Record;

use super::writer::Change;
use super::{Inner, codec, failed};
use crate::bus::{Consumer, Delivery};
use crate::error::{Error, Result};
use crate::message::Message;
use crate::topic::{TopicPartition, Watermarks};

/// What is read ahead of the consumer from one partition.
const FETCH_COUNT: usize = 256;
const FETCH_BYTES: usize = 256 << 10;

pub(super) struct EmbeddedConsumer {
    bus: Arc<Inner>,
    group: String,
    state: Mutex<State>,
    /// Told when a seek or resume may have given `next` something to do.
    wake: Notify,
}

#[derive(Default)]
struct State {
    announced: bool,
    left: bool,
    partitions: BTreeMap<TopicPartition, Partition>,
    /// The partition that was served last; the next one goes first, so that none starves.
    last: Option<TopicPartition>,
}

#[derive(Default)]
struct Partition {
    /// The next offset to read from the journal; `None` until the first seek.
    position: Option<u64>,
    fetched: VecDeque<Message>,
    paused: bool,
    /// Counts seeks, so that what was being read during one is not delivered after it.
    seeks: u64,
}

enum Step {
    Left,
    Deliver(Delivery),
    Fetch { of: TopicPartition, from: u64, seeks: u64 },
    Wait,
}

impl EmbeddedConsumer {
    pub(super) fn join(bus: Arc<Inner>, group: &str, partitions: Vec<TopicPartition>) -> Result<Self> {
        if !bus.members().insert(group.to_owned()) {
            return Err(Error::GroupInUse { group: group.to_owned() });
        }
        let partitions = partitions.into_iter().map(|partition| (partition, Partition::default())).collect();
        let state = Mutex::new(State { partitions, ..State::default() });
        Ok(Self { bus, group: group.to_owned(), state, wake: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, of: &TopicPartition, change: impl FnOnce(&mut Partition) -> T) -> Result<T> {
        self.state().partitions.get_mut(of).map(change).ok_or_else(|| Error::NotAssigned(of.clone()))
    }

    /// Gives the group's place free, once.
    fn let_go(&self) {
        let mut state = self.state();
        state.partitions.clear();
        if !std::mem::replace(&mut state.left, true) {
            self.bus.members().remove(&self.group);
        }
    }

    /// Takes in what has been read, unless it has been sought elsewhere meanwhile.
    fn take_in(
        &self,
        of: &TopicPartition,
        from: u64,
        seeks: u64,
        read: Result<Vec<Record>, wardwatch_journal::Error>,
    ) -> Result<()> {
        let mut state = self.state();
        let Some(partition) = state.partitions.get_mut(of).filter(|found| found.seeks == seeks) else {
            return Ok(());
        };
        let records = match read {
            Ok(records) => records,
            Err(wardwatch_journal::Error::OutOfRange { wanted, start, end, .. }) => {
                partition.position = None;
                let found = Watermarks { earliest: start, end };
                return Err(Error::OffsetOutOfRange { of: of.clone(), wanted, found });
            }
            Err(error) => return Err(failed(self.bus.shared.directory(), error)),
        };
        partition.position = Some(from + records.len() as u64);
        for record in records {
            let Record { offset, timestamp, payload } = record;
            let Some(codec::Content { key, headers, payload }) = codec::decode(payload) else {
                let path = self.bus.shared.journal().path().to_owned();
                let problem = format!("offset {offset} of {of} holds no message");
                return Err(failed(
                    self.bus.shared.directory(),
                    wardwatch_journal::Error::Corrupt { path, problem },
                ));
            };
            partition.fetched.push_back(Message {
                from: of.clone(),
                offset,
                timestamp,
                key,
                payload,
                headers,
            });
        }
        Ok(())
    }
}

impl State {
    fn step(&mut self, end: impl Fn(&TopicPartition) -> u64) -> Step {
        if self.left {
            return Step::Left;
        }
        if !self.announced {
            self.announced = true;
            return Step::Deliver(Delivery::Assigned(self.partitions.keys().cloned().collect()));
        }
        let Self { partitions, last, .. } = self;
        let turn = partitions.keys().position(|of| last.as_ref().is_some_and(|last| of > last)).unwrap_or(0);
        let mut fetch = None;
        // All partitions, beginning behind the one served last.
        for part in [turn..partitions.len(), 0..turn] {
            for (of, partition) in partitions.iter_mut().skip(part.start).take(part.len()) {
                if partition.paused {
                    continue;
                }
                if let Some(message) = partition.fetched.pop_front() {
                    *last = Some(of.clone());
                    return Step::Deliver(Delivery::Message(message));
                }
                let ready = partition.position.filter(|position| *position < end(of));
                if let (None, Some(from)) = (&fetch, ready) {
                    fetch = Some(Step::Fetch { of: of.clone(), from, seeks: partition.seeks });
                }
            }
        }
        fetch.unwrap_or(Step::Wait)
    }
}

#[async_trait]
impl Consumer for EmbeddedConsumer {
    async fn next(&self) -> Result<Delivery> {
        loop {
            // Listening begins before looking, so that nothing is missed in between.
            let mut woken = pin!(self.wake.notified());
            let mut appended = pin!(self.bus.shared.appended.notified());
            woken.as_mut().enable();
            appended.as_mut().enable();
            let step = self.state().step(|of| self.bus.watermarks(of).end);
            match step {
                Step::Left => return Err(Error::Closed),
                Step::Deliver(delivery) => return Ok(delivery),
                Step::Fetch { of, from, seeks } => {
                    let (bus, stream) = (Arc::clone(&self.bus), of.to_string());
                    let read = move || bus.shared.journal().read(&stream, from, FETCH_COUNT, FETCH_BYTES);
                    let read = tokio::task::spawn_blocking(read).await.map_err(|_| Error::Closed)?;
                    self.take_in(&of, from, seeks, read)?;
                }
                Step::Wait => tokio::select! {
                    () = woken => {}
                    () = appended => {}
                },
            }
        }
    }

    async fn seek(&self, of: &TopicPartition, offset: u64) -> Result<()> {
        let found = self.bus.watermarks(of);
        self.with(of, |partition| {
            if offset < found.earliest || offset > found.end {
                return Err(Error::OffsetOutOfRange { of: of.clone(), wanted: offset, found });
            }
            partition.position = Some(offset);
            partition.fetched.clear();
            partition.seeks += 1;
            Ok(())
        })??;
        self.wake.notify_waiters();
        Ok(())
    }

    async fn pause(&self, partitions: &[TopicPartition]) -> Result<()> {
        partitions.iter().try_for_each(|of| self.with(of, |partition| partition.paused = true))
    }

    async fn resume(&self, partitions: &[TopicPartition]) -> Result<()> {
        partitions.iter().try_for_each(|of| self.with(of, |partition| partition.paused = false))?;
        self.wake.notify_waiters();
        Ok(())
    }

    async fn commit(&self, of: &TopicPartition, next_offset: u64) -> Result<()> {
        self.with(of, |_| ())?;
        let (group, of) = (self.group.clone(), of.clone());
        self.bus.change(Change::Commit { group, of, next: next_offset }).await
    }

    async fn leave(&self) -> Result<()> {
        self.let_go();
        self.wake.notify_waiters();
        Ok(())
    }

    fn assignment(&self) -> Vec<TopicPartition> {
        self.state().partitions.keys().cloned().collect()
    }
}

impl Drop for EmbeddedConsumer {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl fmt::Debug for EmbeddedConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedConsumer").field("group", &self.group).finish_non_exhaustive()
    }
}

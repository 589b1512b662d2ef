//! The log in one process: a journal on the local disk.
//!
//! A thread of its own writes: it takes all publications that are waiting, appends them together and syncs once, so that the
//! cost of a sync is shared by those who wait for it. Every partition of every topic is a stream of the journal. One
//! process owns the directory, a group has one member, and that member is assigned every partition.
//!
//! The journal is bounded in bytes. What retention asks for and every subscribed group has committed is trimmed as time goes by;
//! at the bound, what every subscribed group has committed is trimmed oldest first. What a group still needs is
//! never trimmed: publishing waits, and [`Bus::ping`] says for whom. A topic that no group ever subscribed to is needed
//! by nobody. Each topic has a share of the room that no other can take, so that a full topic never keeps the service that
//! reads it from publishing to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::{Semaphore, oneshot};
use wardwatch_journal::{Journal, Limits};
use wardwatch_service::Counters;

use crate::bus::{Bus, Consumer, Receipt};
use crate::config::EmbeddedConfig;
use crate::error::{Error, Result};
use crate::message::Publication;
use crate::topic::{TopicPartition, TopicSpec, Watermarks};

mod catalog;
mod codec;
mod consumer;
mod retention;
mod writer;

use catalog::{Catalog, Topic};
use consumer::EmbeddedConsumer;
use writer::{Change, Command, Pending, Shared};

/// The log in one process. Cheap to clone; the directory is let go of with the last clone and the last consumer.
#[derive(Clone)]
pub struct EmbeddedBus(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    shared: Arc<Shared>,
    /// For each topic, bytes that may still be taken before `enqueue` waits. A topic that waits for room in the journal must
    /// not take the queue from the one whose messages make that room.
    rooms: Mutex<BTreeMap<Arc<str>, Arc<Semaphore>>>,
    queue_bytes: u32,
    largest_message: usize,
    /// The groups that have their member now.
    members: Mutex<BTreeSet<String>>,
    /// Both are there until the last owner is dropped.
    commands: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedBus {
    /// Opens the journal in the configured directory, or makes both.
    pub fn open(config: &EmbeddedConfig, counters: &Counters) -> Result<Self> {
        check(config)?;
        let directory = &config.directory;
        let journal = Journal::open(directory, Limits { max_bytes: config.max_bytes })
            .map_err(|error| failed(directory, error))?;
        let catalog = Catalog::load(&journal).map_err(|error| failed(directory, error))?;
        let shared = Arc::new(Shared::new(journal, directory.clone(), catalog, counters));
        let (commands, received) = channel();
        let writer = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("bus-writer".to_owned())
            .spawn(move || writer::run(&writer, &received))
            .map_err(|error| Error::Setting { key: "embedded".to_owned(), problem: error.to_string() })?;
        let queue_bytes = u32::try_from(config.queue_bytes).unwrap_or(u32::MAX);
        Ok(Self(Arc::new(Inner {
            shared,
            rooms: Mutex::default(),
            queue_bytes,
            largest_message: config.largest_message,
            members: Mutex::default(),
            commands: Some(commands),
            thread: Some(thread),
        })))
    }
}

fn check(config: &EmbeddedConfig) -> Result<()> {
    let setting =
        |key: &str, problem: String| Err(Error::Setting { key: format!("embedded.{key}"), problem });
    if config.queue_bytes == 0 {
        return setting("queue_bytes", "nothing could ever be published".to_owned());
    }
    // Four topics, and each one's own share holds one message of any size.
    let least = (config.largest_message as u64).saturating_mul(16);
    if config.max_bytes < least {
        let problem = format!("{} is less than sixteen of the largest messages, {least}", config.max_bytes);
        return setting("max_bytes", problem);
    }
    Ok(())
}

pub(crate) fn failed(directory: &Path, error: wardwatch_journal::Error) -> Error {
    Error::Journal { directory: directory.to_owned(), source: Arc::new(error) }
}

impl Inner {
    fn topic(&self, name: &str) -> Result<Topic> {
        self.shared.catalog().topic(name).ok_or_else(|| Error::UnknownTopic { topic: name.to_owned() })
    }

    fn room(&self, topic: &Arc<str>) -> Arc<Semaphore> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(self.queue_bytes as usize));
        Arc::clone(rooms.entry(Arc::clone(topic)).or_insert_with(new))
    }

    fn check_partition(&self, of: &TopicPartition) -> Result<()> {
        let partitions = self.topic(&of.topic)?.partitions;
        if of.partition < partitions {
            return Ok(());
        }
        Err(Error::UnknownPartition { named: of.clone(), partitions })
    }

    fn watermarks(&self, of: &TopicPartition) -> Watermarks {
        let extent = self.shared.journal().extent(&of.to_string());
        Watermarks { earliest: extent.start, end: extent.end }
    }

    fn send(&self, command: Command) -> Result<()> {
        let commands = self.commands.as_ref().ok_or(Error::Closed)?;
        commands.send(command).map_err(|_| Error::Closed)
    }

    async fn change(&self, change: Change) -> Result<()> {
        let (reply, done) = oneshot::channel();
        self.send(Command::Change(change, reply))?;
        done.await.map_err(|_| Error::Closed)?
    }

    fn members(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            // It syncs what it has taken; its panic, if any, has been reported already.
            let _ = thread.join();
        }
    }
}

#[async_trait]
impl Bus for EmbeddedBus {
    async fn ensure_topics(&self, specs: &[TopicSpec]) -> Result<()> {
        for spec in specs {
            if let Some(problem) = spec.problem() {
                return Err(Error::BadTopic { name: spec.name.clone(), problem: problem.to_owned() });
            }
            let found = self.0.shared.catalog().topic(&spec.name);
            let wanted = Topic::of(spec);
            match found {
                Some(found) if found.partitions != wanted.partitions => {
                    let (found, wanted) = (found.partitions, wanted.partitions);
                    return Err(Error::PartitionCount { topic: spec.name.clone(), found, wanted });
                }
                // Retention has no other place to be changed in.
                Some(found) if found == wanted => {}
                _ => self.0.change(Change::Topic(spec.name.clone(), wanted)).await?,
            }
        }
        Ok(())
    }

    async fn partitions(&self, topic: &str) -> Result<u32> {
        Ok(self.0.topic(topic)?.partitions)
    }

    async fn enqueue(&self, publication: Publication) -> Result<Receipt> {
        let bytes = publication.bytes();
        let limit = self.0.largest_message;
        if bytes > limit {
            return Err(Error::TooLarge { to: publication.to, bytes, limit });
        }
        self.0.check_partition(&publication.to)?;
        let record = codec::encode(&publication);
        let permits = u32::try_from(record.len()).unwrap_or(u32::MAX).min(self.0.queue_bytes);
        let room = self
            .0
            .room(&publication.to.topic)
            .acquire_many_owned(permits)
            .await
            .map_err(|_| Error::Closed)?;
        let (reply, offset) = oneshot::channel();
        let pending = Pending { to: publication.to, record, reply, _room: room };
        self.0.send(Command::Publish(pending))?;
        Ok(Receipt::new(async move { offset.await.map_err(|_| Error::Closed)? }))
    }

    async fn flush(&self) -> Result<()> {
        let (reply, done) = oneshot::channel();
        self.0.send(Command::Flush(reply))?;
        done.await.map_err(|_| Error::Closed)
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Arc<dyn Consumer>> {
        let mut partitions = Vec::new();
        for topic in topics {
            let count = self.0.topic(topic)?.partitions;
            let name: Arc<str> = (*topic).into();
            partitions.extend((0..count).map(|partition| TopicPartition::new(Arc::clone(&name), partition)));
        }
        let consumer = EmbeddedConsumer::join(Arc::clone(&self.0), group, partitions)?;
        for topic in topics {
            self.0
                .change(Change::Subscription { group: group.to_owned(), topic: (*topic).to_owned() })
                .await?;
        }
        Ok(Arc::new(consumer))
    }

    async fn watermarks(&self, of: &TopicPartition) -> Result<Watermarks> {
        self.0.check_partition(of)?;
        Ok(self.0.watermarks(of))
    }

    async fn committed(&self, group: &str, of: &TopicPartition) -> Result<Option<u64>> {
        self.0.check_partition(of)?;
        Ok(self.0.shared.catalog().committed(group, of))
    }

    async fn ping(&self) -> Result<()> {
        self.0.shared.health()
    }

    fn largest_message(&self) -> usize {
        self.0.largest_message
    }
}

impl fmt::Debug for EmbeddedBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBus").field("directory", self.0.shared.directory()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

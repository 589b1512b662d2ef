//! One member of a consumer group, as the services see it.

use std::fmt;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::topic_partition_list::Offset;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use wardwatch_service::Counters;

use super::failure::{failed, joined};
use super::member::Member;
use super::poll::{self, Command, GroupContext};
use super::{Events, admin, settings};
use crate::bus::{Consumer, Delivery};
use crate::config::KafkaConfig;
use crate::error::{Error, Result};
use crate::topic::TopicPartition;

pub(super) struct KafkaConsumer {
    group: String,
    member: Arc<Member>,
    /// There until the member leaves; the polling thread has the other.
    native: Mutex<Option<Arc<BaseConsumer<GroupContext>>>>,
    commands: Sender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl KafkaConsumer {
    pub(super) fn join(
        config: &KafkaConfig,
        group: &str,
        topics: &[&str],
        observer: Arc<BaseConsumer<Events>>,
        counters: &Counters,
    ) -> Result<Self> {
        let limit = usize::try_from(config.prefetch_bytes / 2).unwrap_or(usize::MAX).max(1);
        let member = Arc::new(Member::new(limit));
        let context = GroupContext {
            member: Arc::clone(&member),
            group: group.to_owned(),
            revoke_patience: config.revoke_patience,
            counters: counters.clone(),
            rebalances: counters.counter("bus_rebalances", &[("group", group)]),
            errors: counters.counter("bus_client_errors", &[]),
        };
        let native: BaseConsumer<GroupContext> = settings::member(config, group)?
            .create_with_context(context)
            .map_err(|error| failed(format!("make a consumer of group {group}"), &error))?;
        native
            .subscribe(topics)
            .map_err(|error| failed(format!("subscribe group {group} to {}", topics.join(", ")), &error))?;
        let native = Arc::new(native);
        let (commands, received) = channel();
        let (polled, timeout) = (Arc::clone(&native), config.request_timeout);
        let thread = std::thread::Builder::new()
            .name(format!("bus-{group}"))
            .spawn(move || poll::run(&polled, &observer, &received, timeout))
            .map_err(|error| Error::Setting { key: "kafka".to_owned(), problem: error.to_string() })?;
        let (native, thread) = (Mutex::new(Some(native)), Mutex::new(Some(thread)));
        Ok(Self { group: group.to_owned(), member, native, commands, thread })
    }

    /// Has the polling thread do it. [`Error::Revoking`] where that thread waits for a revocation to be dealt with, by those who
    /// wait here perhaps: it comes to this afterwards.
    async fn ask(&self, command: impl FnOnce(oneshot::Sender<Result<()>>) -> Command) -> Result<()> {
        let (reply, done) = oneshot::channel();
        self.commands.send(command(reply)).map_err(|_| Error::Closed)?;
        tokio::select! {
            biased;
            done = done => done.map_err(|_| Error::Closed)?,
            () = self.member.until_revoking() => Err(Error::Revoking),
        }
    }

    fn native(&self) -> Option<Arc<BaseConsumer<GroupContext>>> {
        self.native.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells everyone to end; gives what has yet to.
    fn close(&self) -> (Option<Arc<BaseConsumer<GroupContext>>>, Option<JoinHandle<()>>) {
        self.member.close();
        let native = self.native.lock().unwrap_or_else(PoisonError::into_inner).take();
        (native, self.thread.lock().unwrap_or_else(PoisonError::into_inner).take())
    }
}

#[async_trait]
impl Consumer for KafkaConsumer {
    async fn next(&self) -> Result<Delivery> {
        self.member.next().await
    }

    async fn seek(&self, of: &TopicPartition, offset: u64) -> Result<()> {
        self.ask(|reply| Command::Seek(of.clone(), offset, reply)).await
    }

    async fn pause(&self, partitions: &[TopicPartition]) -> Result<()> {
        noted(self.ask(|reply| Command::Pause(partitions.to_vec(), reply)).await)
    }

    async fn resume(&self, partitions: &[TopicPartition]) -> Result<()> {
        noted(self.ask(|reply| Command::Resume(partitions.to_vec(), reply)).await)
    }

    async fn commit(&self, of: &TopicPartition, next_offset: u64) -> Result<()> {
        let action = format!("commit {next_offset} of {of} for group {}", self.group);
        if !self.member.state().partitions.contains_key(of) {
            return Err(Error::NotAssigned(of.clone()));
        }
        let native = self.native().ok_or(Error::Closed)?;
        let mut list = rdkafka::TopicPartitionList::new();
        let offset = Offset::Offset(i64::try_from(next_offset).unwrap_or(i64::MAX));
        list.add_partition_offset(&of.topic, admin::native(of.partition)?, offset)
            .map_err(|error| failed(action.as_str(), &error))?;
        let committed = spawn_blocking(move || native.commit(&list, CommitMode::Sync)).await;
        joined(committed)?.map_err(|error| failed(action, &error))
    }

    async fn leave(&self) -> Result<()> {
        let (native, thread) = self.close();
        // Dropping the last owner leaves the group, which blocks until the broker has answered.
        joined(
            spawn_blocking(move || {
                if let Some(thread) = thread {
                    let _ = thread.join();
                }
                drop(native);
            })
            .await,
        )
    }

    fn assignment(&self) -> Vec<TopicPartition> {
        self.member.state().partitions.keys().cloned().collect()
    }
}

/// What comes behind a revocation needs no answer.
fn noted(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(Error::Revoking) => Ok(()),
        outcome => outcome,
    }
}

impl Drop for KafkaConsumer {
    fn drop(&mut self) {
        let (native, thread) = self.close();
        let (Some(native), Some(thread)) = (native, thread) else { return };
        // Leaving blocks until the broker has answered, and this may be one of the runtime's threads.
        std::thread::spawn(move || {
            let _ = thread.join();
            drop(native);
        });
    }
}

impl fmt::Debug for KafkaConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConsumer").field("group", &self.group).finish_non_exhaustive()
    }
}

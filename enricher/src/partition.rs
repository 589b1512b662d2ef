//! One partition, from its assignment to the end of the work on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{error, info};
use wardwatch_bus::{Bus, Consumer, Message, TopicPartition};
use wardwatch_inventory::LogMoment;
use wardwatch_knowledge::Knowledge;
use wardwatch_service::{CancellationToken, Counters};
use wardwatch_store::Store;

use crate::commit::Committer;
use crate::config::Config;
use crate::error::Error;
use crate::faults::Faults;
use crate::inbox::{Inbox, cost};
use crate::marks::Marks;
use crate::memory::{Memory, forward};
use crate::progress::Progress;
use crate::range::Range;
use crate::record::{self, Record};
use crate::rows::BatchIdentity;
use crate::state::State;

/// The most rows of a table in one range, whatever the configuration says: one message adds some thousands to them, and
/// the sum must stay one block.
const MOST_ROWS: usize = 500_000;
/// The first pause before a partition that failed is taken up again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// What the tasks of all partitions share. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) knowledge: Arc<Knowledge>,
    pub(crate) store: Store,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) consumer: Arc<dyn Consumer>,
    pub(crate) counters: Counters,
    pub(crate) progress: Progress,
    pub(crate) faults: Faults,
    pub(crate) incarnation: u32,
    pub(crate) deadletter_partitions: u32,
}

/// How the work on a partition is ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    /// Commit what has been gathered, then end: the service stops.
    pub(crate) finish: CancellationToken,
    /// End without a new commit: the partition is another's.
    pub(crate) abandon: CancellationToken,
}

/// Asks that messages of a partition be delivered from an offset on.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) partition: TopicPartition,
    pub(crate) offset: u64,
    pub(crate) answer: oneshot::Sender<Result<Inbox, wardwatch_bus::Error>>,
}

/// The work on one partition.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) shared: Shared,
    pub(crate) source: TopicPartition,
    pub(crate) stop: Stop,
    pub(crate) open: mpsc::Sender<Open>,
}

impl Partition {
    /// Works until it is told to end. After a failure the partition stands still for a while, says so, and is taken up again
    /// from its stored memory.
    pub(crate) async fn run(self) {
        let Shared { progress, faults, counters, config, .. } = self.shared.clone();
        let number = self.source.partition;
        let mut pause = FIRST_PAUSE;
        loop {
            let before = progress.committed(number);
            let failure = match self.work().await {
                Ok(()) | Err(Error::Stopping) => break,
                Err(failure) => failure,
            };
            counters.counter("enricher_partition_failures", &[]).increment();
            let reason = chain(&failure);
            error!(partition = %self.source, reason, "the partition stands still");
            faults.raise(number, reason);
            pause = if progress.committed(number) == before { pause } else { FIRST_PAUSE };
            tokio::select! {
                () = self.stop.abandon.cancelled() => break,
                () = self.stop.finish.cancelled() => break,
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(config.intake.longest_pause);
        }
        progress.forget(number);
        faults.clear(number);
    }

    async fn work(&self) -> Result<(), Error> {
        let taken_up = async {
            let run = self.take_up().await?;
            let inbox = self.opened(run.expected).await?;
            Ok::<_, Error>((run, inbox))
        };
        let (mut run, mut inbox) = tokio::select! {
            () = self.stop.abandon.cancelled() => return Ok(()),
            () = self.stop.finish.cancelled() => return Ok(()),
            taken_up = taken_up => taken_up?,
        };
        self.shared.progress.set(self.source.partition, run.expected);
        info!(partition = %self.source, offset = run.expected, "taken up");
        loop {
            tokio::select! {
                biased;
                () = self.stop.abandon.cancelled() => return Ok(()),
                () = self.stop.finish.cancelled() => return run.commit().await,
                () = due(run.range.due(run.age)) => run.commit().await?,
                message = inbox.next() => {
                    let message = message.ok_or(Error::Stopping)?;
                    let bytes = cost(&message);
                    run.take(message).await?;
                    inbox.done(bytes).await?;
                }
            }
        }
    }

    /// Everything as it was when the memory was stored last.
    async fn take_up(&self) -> Result<Run, Error> {
        let Shared { config, knowledge, store, bus, consumer, counters, incarnation, .. } =
            self.shared.clone();
        let partition = self.source.partition;
        let (state, loaded) =
            State::load(&store, incarnation, partition, config.commit.compact_after).await?;
        let mut memory = Memory::new(partition, knowledge, config.inventory.clone(), config.memory.clone());
        for entry in &loaded.entries {
            memory.restore(entry)?;
        }
        let marks = Marks::read(&store, incarnation, partition).await?;
        let expected = self.first_offset(loaded.end).await?;
        let committer = Committer {
            store,
            bus,
            consumer,
            counters,
            source: self.source.clone(),
            incarnation,
            deadletter_partitions: self.shared.deadletter_partitions,
            marks,
            state,
        };
        Ok(Run {
            memory,
            committer,
            range: Range::default(),
            expected,
            rows: config.commit.rows.clamp(1, MOST_ROWS),
            age: config.commit.age,
            progress: self.shared.progress.clone(),
            faults: self.shared.faults.clone(),
        })
    }

    /// Where the memory ends, if the log is still the one that it is about; else where the log begins.
    async fn first_offset(&self, end: Option<(u32, u64)>) -> Result<u64, Error> {
        let found = self.shared.bus.watermarks(&self.source).await?;
        let Some((_, end)) = end.filter(|(incarnation, _)| *incarnation == self.shared.incarnation) else {
            return Ok(found.earliest);
        };
        if end > found.end {
            return Err(Error::LogEndsEarly { of: self.source.clone(), wanted: end, found });
        }
        if end < found.earliest {
            let lost = found.earliest - end;
            error!(partition = %self.source, lost, "the log has removed messages that were not worked on yet");
            self.shared.counters.counter("enricher_messages_lost", &[("reason", "retention")]).add(lost);
        }
        if end == found.end {
            self.shared.faults.clear(self.source.partition);
        }
        Ok(end.max(found.earliest))
    }

    async fn opened(&self, offset: u64) -> Result<Inbox, Error> {
        let (answer, inbox) = oneshot::channel();
        let open = Open { partition: self.source.clone(), offset, answer };
        self.open.send(open).await.map_err(|_| Error::Stopping)?;
        Ok(inbox.await.map_err(|_| Error::Stopping)??)
    }
}

/// A partition while it is worked on.
#[derive(Debug)]
struct Run {
    memory: Memory,
    committer: Committer,
    range: Range,
    /// The lowest offset that has not been taken.
    expected: u64,
    rows: usize,
    age: Duration,
    progress: Progress,
    faults: Faults,
}

impl Run {
    async fn take(&mut self, message: Message) -> Result<(), Error> {
        if message.offset < self.expected {
            return Ok(());
        }
        let log_time = u64::try_from(message.timestamp).unwrap_or(0);
        if !self.range.admits(log_time) {
            self.commit().await?;
        }
        self.expected = message.offset.saturating_add(1);
        self.range.extend(message.offset, log_time);
        let source = &self.committer.source;
        let at = LogMoment {
            incarnation: self.committer.incarnation,
            partition: source.partition,
            offset: message.offset,
            log_time,
        };
        match record::read(&message.payload) {
            Ok(Record::Batch(batch)) => {
                let (site, sensor) = (batch.site.clone(), batch.sensor.clone());
                let (epoch, sequence) = (batch.epoch, batch.sequence);
                match self.memory.apply(batch, at, &mut self.range.tally) {
                    Ok(Some(conclusions)) => {
                        let of = BatchIdentity { site: &site, sensor: &sensor, epoch, sequence };
                        self.range.conclude(of, conclusions, at);
                    }
                    Ok(None) => self.range.tally.add("enricher_batches_resent", 1),
                    Err(reason) => self.range.put_aside(message, reason),
                }
            }
            Ok(Record::Command(command)) => {
                self.range.tally.add("enricher_commands_applied", 1);
                self.range.events.push(forward(command, at));
            }
            Err(reason) => self.range.put_aside(message, reason),
        }
        if self.range.is_full(self.rows) {
            self.commit().await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Error> {
        let range = std::mem::take(&mut self.range);
        if let Some(end) = self.committer.commit(range, &mut self.memory).await? {
            let partition = self.committer.source.partition;
            self.progress.set(partition, end);
            self.faults.clear(partition);
        }
        Ok(())
    }
}

/// Never, where there is nothing to wait for.
async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

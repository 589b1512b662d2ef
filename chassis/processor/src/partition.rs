//! One partition, from its assignment to the end of the work on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{error, info};
use wardwatch_bus::{Bus, Consumer, Message, TopicPartition};
use wardwatch_service::{CancellationToken, Counters};
use wardwatch_store::Store;

use crate::commit::Committer;
use crate::config::{CommitConfig, IntakeConfig};
use crate::error::Error;
use crate::faults::Faults;
use crate::inbox::{Inbox, cost};
use crate::marks::Marks;
use crate::processor::{Moment, Processor};
use crate::progress::Progress;
use crate::range::Range;
use crate::state::State;

/// The most rows of a table in one range, whatever the configuration says: one message adds some thousands to them, and
/// the sum must stay one block.
const MOST_ROWS: usize = 500_000;
/// The first pause before a partition that failed is taken up again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// What the tasks of all partitions share.
#[derive(Debug)]
pub(crate) struct Shared<P> {
    pub(crate) processor: P,
    pub(crate) intake: IntakeConfig,
    pub(crate) commit: CommitConfig,
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
pub(crate) struct Partition<P: Processor> {
    pub(crate) shared: Arc<Shared<P>>,
    pub(crate) source: TopicPartition,
    pub(crate) stop: Stop,
    pub(crate) open: mpsc::Sender<Open>,
}

impl<P: Processor> Partition<P> {
    /// Works until it is told to end. After a failure the partition stands still for a while, says so, and is taken up again
    /// from its stored memory.
    pub(crate) async fn run(self) {
        let Shared { progress, faults, counters, intake, .. } = &*self.shared;
        let number = self.source.partition;
        let mut pause = FIRST_PAUSE;
        loop {
            let before = progress.committed(number);
            let failure = match self.work().await {
                Ok(()) | Err(Error::Stopping) => break,
                Err(failure) => failure,
            };
            counters.counter(&format!("{}_partition_failures", P::NAME), &[]).increment();
            let reason = chain(&failure);
            error!(partition = %self.source, reason, "the partition stands still");
            faults.raise(number, reason);
            pause = if progress.committed(number) == before { pause } else { FIRST_PAUSE };
            tokio::select! {
                () = self.stop.abandon.cancelled() => break,
                () = self.stop.finish.cancelled() => break,
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(intake.longest_pause);
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
                () = due(run.range.due(self.shared.commit.age)) => run.commit().await?,
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
    async fn take_up(&self) -> Result<Run<P>, Error> {
        let Shared { processor, store, incarnation, commit, .. } = &*self.shared;
        let partition = self.source.partition;
        let (state, loaded) =
            State::load(store, P::STATE_TABLE, *incarnation, partition, commit.compact_after).await?;
        let mut memory = processor.empty(partition);
        for entry in &loaded.entries {
            let restored = processor.restore(&mut memory, entry);
            restored.map_err(|source| Error::Restore { of: self.source.clone(), source })?;
        }
        let marks = Marks::read(store, P::APPEND_ONLY, *incarnation, partition).await?;
        let expected = self.first_offset(loaded.end).await?;
        let shared = Arc::clone(&self.shared);
        let committer = Committer { shared: Arc::clone(&shared), source: self.source.clone(), marks, state };
        Ok(Run { shared, memory, committer, range: Range::default(), expected })
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
            let name = format!("{}_messages_lost", P::NAME);
            self.shared.counters.counter(&name, &[("reason", "retention")]).add(lost);
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
struct Run<P: Processor> {
    shared: Arc<Shared<P>>,
    memory: P::Memory,
    committer: Committer<P>,
    range: Range<P::Outputs>,
    /// The lowest offset that has not been taken.
    expected: u64,
}

impl<P: Processor> Run<P> {
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
        let at = Moment {
            incarnation: self.shared.incarnation,
            partition: self.committer.source.partition,
            offset: message.offset,
            log_time,
        };
        let Range { outputs, tally, .. } = &mut self.range;
        if let Err(reason) = self.shared.processor.apply(&message, at, &mut self.memory, outputs, tally) {
            self.range.unreadable.push((message, reason));
        }
        let rows = self.shared.commit.rows.clamp(1, MOST_ROWS);
        if P::rows(&self.range.outputs) >= rows || self.range.is_full_of_unreadable() {
            self.commit().await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Error> {
        let range = std::mem::take(&mut self.range);
        if let Some(end) = self.committer.commit(range, &mut self.memory).await? {
            let partition = self.committer.source.partition;
            self.shared.progress.set(partition, end);
            self.shared.faults.clear(partition);
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

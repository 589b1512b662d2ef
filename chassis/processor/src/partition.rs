//! One partition, from its assignment to the end of the work on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{error, info};
use wardwatch_bus::{Bus, Consumer, Message, TopicPartition};
use wardwatch_faults::{Guard, is_off, point_of};
use wardwatch_service::{CancellationToken, Counters};
use wardwatch_store::{Fence, Store};

use crate::commit::Committer;
use crate::config::{CommitConfig, IntakeConfig};
use crate::error::Error;
use crate::faults::Faults;
use crate::inbox::{Inbox, cost};
use crate::marks::Marks;
use crate::plan::{Plan, Plans};
use crate::processor::{Moment, Processor};
use crate::progress::Progress;
use crate::range::Range;
use crate::state::State;

/// The most rows of a table in one range, whatever the configuration says: one message adds some thousands to them, and
/// the sum must stay one block.
const MOST_ROWS: usize = 500_000;
/// The first pause before a partition that failed is taken up again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The pause after someone else has claimed the partition. By then whoever has it no longer has heard so from the group;
/// taking it up at once would fence the other one in turn.
const FENCED_PAUSE: Duration = Duration::from_secs(5);

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
            if matches!(failure, Error::Store(wardwatch_store::Error::Fenced { .. })) {
                counters.counter(&format!("{}_partitions_fenced", P::NAME), &[]).increment();
                pause = FENCED_PAUSE;
            }
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
            point_of([P::NAME, ".sought"]).await;
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
                () = self.stop.finish.cancelled() => return run.finish().await,
                () = due(run.due()) => run.commit().await?,
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
    ///
    /// The claim comes first: what a former owner begins to write after it is refused, so what is read here does not change
    /// but by what it has on the way; and that is of the plan that is read here.
    async fn take_up(&self) -> Result<Run<P>, Error> {
        let Shared { processor, store, incarnation, commit, .. } = &*self.shared;
        let partition = self.source.partition;
        point_of([P::NAME, ".claim-before"]).await;
        let owner = store.claim(P::NAME, partition).await?;
        let fence = if is_off(Guard::Epoch) { Fence::open(P::NAME) } else { owner.fence() };
        point_of([P::NAME, ".claim-after"]).await;
        let (state, loaded) =
            State::load(store, P::STATE_TABLE, *incarnation, partition, commit.compact_after).await?;
        let mut memory = processor.empty(partition);
        for entry in &loaded.entries {
            let restored = processor.restore(&mut memory, entry);
            restored.map_err(|source| Error::Restore { of: self.source.clone(), source })?;
        }
        point_of([P::NAME, ".state-loaded"]).await;
        let plans = Plans { service: P::NAME, incarnation: *incarnation, partition };
        let end = loaded.end.filter(|(of, _)| of == incarnation).map(|(_, end)| end);
        let planned = match end {
            _ if is_off(Guard::Plan) => None,
            end => plans.newest(store).await?.filter(|plan| end.is_none_or(|end| plan.first == end)),
        };
        point_of([P::NAME, ".plan-read"]).await;
        let marks = if is_off(Guard::Mark) {
            Marks::default()
        } else {
            Marks::read(store, P::APPEND_ONLY, *incarnation, partition).await?
        };
        point_of([P::NAME, ".marks-read"]).await;
        let expected = self.first_offset(end, planned).await?;
        let shared = Arc::clone(&self.shared);
        let source = self.source.clone();
        let committer = Committer { shared: Arc::clone(&shared), source, owner, fence, plans, marks, state };
        // What retention has removed altogether cannot be repeated.
        let repeat = planned.filter(|plan| plan.last >= expected);
        Ok(Run { shared, memory, committer, range: Range::default(), repeat, expected })
    }

    /// Where the memory ends, if the log is still the one that it is about; else where the log begins.
    async fn first_offset(&self, end: Option<u64>, planned: Option<Plan>) -> Result<u64, Error> {
        let found = self.shared.bus.watermarks(&self.source).await?;
        let known = planned.map(|plan| plan.last.saturating_add(1)).max(end);
        if let Some(wanted) = known.filter(|known| *known > found.end) {
            return Err(Error::LogEndsEarly { of: self.source.clone(), wanted, found });
        }
        let Some(end) = end else { return Ok(found.earliest) };
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
    /// The plan that the range is worked on by, where an owner before has recorded one.
    repeat: Option<Plan>,
    /// The lowest offset that has not been taken.
    expected: u64,
}

impl<P: Processor> Run<P> {
    async fn take(&mut self, message: Message) -> Result<(), Error> {
        if message.offset < self.expected {
            return Ok(());
        }
        let log_time = u64::try_from(message.timestamp).unwrap_or(0);
        let is_over =
            self.repeat.map_or_else(|| !self.range.admits(log_time), |plan| message.offset > plan.last);
        if is_over {
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
        let is_full = if let Some(plan) = self.repeat {
            at.offset == plan.last
        } else {
            let rows = self.shared.commit.rows.clamp(1, MOST_ROWS);
            P::rows(&self.range.outputs) >= rows || self.range.is_full_of_unreadable()
        };
        if is_full {
            self.commit().await?;
        }
        Ok(())
    }

    /// When the range is to be written, if nothing fills it before. One that repeats a plan ends where the plan does.
    fn due(&self) -> Option<Instant> {
        self.range.due(self.shared.commit.age).filter(|_| self.repeat.is_none())
    }

    /// Commits what has been gathered, unless that is a part of a plan.
    async fn finish(&mut self) -> Result<(), Error> {
        if self.repeat.is_some() { Ok(()) } else { self.commit().await }
    }

    async fn commit(&mut self) -> Result<(), Error> {
        let range = std::mem::take(&mut self.range);
        let repeated = self.repeat.take();
        if let Some(end) = self.committer.commit(range, repeated, &mut self.memory).await? {
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

//! One partition, from its assignment to the end of the work on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tracing::{error, info};
use wardwatch_bus::{Bus, Consumer, TopicPartition};
use wardwatch_faults::point_of;
use wardwatch_service::{CancellationToken, Counters};
use wardwatch_store::Store;

use crate::config::{CommitConfig, IntakeConfig};
use crate::error::Error;
use crate::faults::Faults;
use crate::inbox::{Inbox, cost};
use crate::processor::Processor;
use crate::progress::Progress;
use crate::takeup::TakeUp;
use crate::turn::{Place, Turns};

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
    pub(crate) turns: Turns,
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
    pub(crate) open: mpsc::UnboundedSender<Open>,
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
            let (run, took) = self.take_up().await?;
            let inbox = self.opened(run.from()).await?;
            point_of([P::NAME, ".sought"]).await;
            Ok::<_, Error>((run, took, inbox))
        };
        let (mut run, took, mut inbox) = tokio::select! {
            () = self.stop.abandon.cancelled() => return Ok(()),
            () = self.stop.finish.cancelled() => return Ok(()),
            taken_up = taken_up => taken_up?,
        };
        self.shared.progress.set(self.source.partition, run.expected);
        let TakeUp { entries, loading, restoring } = took;
        let (loading, restoring) = (loading.as_secs_f64(), restoring.as_secs_f64());
        info!(partition = %self.source, offset = run.expected, entries, loading, restoring, "taken up");
        let mut place = Place::default();
        loop {
            let due = run.due();
            tokio::select! {
                biased;
                () = self.stop.abandon.cancelled() => return run.settle().await,
                () = self.stop.finish.cancelled() => return run.finish().await,
                committed = run.committing.done() => run.advance(committed?),
                turn = place.turn(due, &self.shared.turns) => run.cut(turn).await?,
                message = inbox.next() => {
                    let message = message.ok_or(Error::Stopping)?;
                    let bytes = cost(&message);
                    run.take(message).await?;
                    inbox.done(bytes).await?;
                }
            }
        }
    }

    async fn opened(&self, offset: u64) -> Result<Inbox, Error> {
        let (answer, inbox) = oneshot::channel();
        let open = Open { partition: self.source.clone(), offset, answer };
        self.open.send(open).map_err(|_| Error::Stopping)?;
        Ok(inbox.await.map_err(|_| Error::Stopping)??)
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

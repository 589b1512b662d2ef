//! The one reader of the consumer: it starts and ends the tasks of partitions, and hands each its messages.
//!
//! Seeking is done here too, between two deliveries, so that no message that was fetched before a seek reaches the inbox
//! that was opened by it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};
use wardwatch_bus::{Delivery, Message, TopicPartition};
use wardwatch_service::CancellationToken;

use crate::error::Error;
use crate::inbox::{self, Feed};
use crate::partition::{Open, Partition, Shared, Stop};
use crate::processor::Processor;

/// After an error that may pass, the consumer is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// The one reader of the consumer.
#[derive(Debug)]
pub(crate) struct Intake<P: Processor> {
    shared: Arc<Shared<P>>,
    workers: BTreeMap<u32, Worker>,
    /// No task has more than one of these.
    opens: mpsc::UnboundedReceiver<Open>,
    open: mpsc::UnboundedSender<Open>,
}

/// The task of a partition, seen from here.
#[derive(Debug)]
struct Worker {
    stop: Stop,
    task: JoinHandle<()>,
    feed: Option<Feed>,
}

impl Drop for Worker {
    /// Nobody works on a partition that is not read for.
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<P: Processor> Intake<P> {
    pub(crate) fn new(shared: Arc<Shared<P>>) -> Self {
        let (open, opens) = mpsc::unbounded_channel();
        Self { shared, workers: BTreeMap::new(), opens, open }
    }

    /// Reads until the service stops; then every partition commits what it has gathered.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        let consumer = Arc::clone(&self.shared.consumer);
        let outcome = loop {
            tokio::select! {
                () = shutdown.cancelled() => break Ok(()),
                Some(open) = self.opens.recv() => self.open(open).await,
                delivery = consumer.next() => match delivery {
                    Ok(delivery) => {
                        if let Err(error) = self.deliver(delivery).await {
                            break Err(error);
                        }
                    }
                    Err(error) if error.is_retriable() => {
                        warn!(%error, "the log did not answer well; will ask again");
                        sleep(PAUSE).await;
                    }
                    Err(wardwatch_bus::Error::OffsetOutOfRange { of, wanted, found }) => {
                        // Taken up again from its memory, which tells and counts what was lost.
                        warn!(partition = %of, wanted, ?found, "retention has overtaken the work on a partition");
                        self.end(std::slice::from_ref(&of), false).await;
                        self.start(of);
                    }
                    Err(error) => break Err(error.into()),
                },
            }
        };
        self.finish().await;
        if let Err(error) = consumer.leave().await {
            warn!(%error, "could not leave the group in order; its partitions go to others when it is thought dead");
        }
        outcome
    }

    async fn deliver(&mut self, delivery: Delivery) -> Result<(), Error> {
        match delivery {
            Delivery::Assigned(partitions) => {
                self.end(&partitions, false).await;
                for partition in partitions {
                    self.start(partition);
                }
            }
            Delivery::Revoked { partitions, lost } => self.end(&partitions, lost).await,
            Delivery::Message(message) => self.hand_over(message).await?,
        }
        Ok(())
    }

    fn start(&mut self, source: TopicPartition) {
        let number = source.partition;
        let stop = Stop::default();
        let work = Partition {
            shared: Arc::clone(&self.shared),
            source,
            stop: stop.clone(),
            open: self.open.clone(),
        };
        let task = tokio::spawn(work.run());
        self.workers.insert(number, Worker { stop, task, feed: None });
    }

    /// Ends the work on partitions: at once where they are another's already, else after a commit that is under way.
    async fn end(&mut self, partitions: &[TopicPartition], lost: bool) {
        let ended: Vec<_> =
            partitions.iter().filter_map(|of| Some((of, self.workers.remove(&of.partition)?))).collect();
        for (_, worker) in &ended {
            worker.stop.abandon.cancel();
            if lost {
                worker.task.abort();
            }
        }
        let patience = self.shared.intake.revoke_patience;
        let each = ended.into_iter().map(|(of, mut worker)| async move {
            if timeout(patience, &mut worker.task).await.is_err() {
                warn!(partition = %of, "did not end in time and is cut off");
                worker.task.abort();
                let _ = (&mut worker.task).await;
            }
            info!(partition = %of, lost, "given back");
            of.partition
        });
        for number in join_all(each).await {
            // A task that was cut off could not do so itself.
            self.shared.progress.forget(number);
            self.shared.faults.clear(number);
        }
    }

    async fn open(&mut self, open: Open) {
        let Open { partition, offset, answer } = open;
        let Some(worker) = self.workers.get_mut(&partition.partition) else { return };
        if answer.is_closed() {
            // Of a task that has ended since; another may have the partition.
            return;
        }
        let consumer = &self.shared.consumer;
        let was_paused = worker.feed.as_ref().is_some_and(Feed::is_paused);
        let sought = async {
            consumer.seek(&partition, offset).await?;
            if was_paused {
                consumer.resume(std::slice::from_ref(&partition)).await?;
            }
            Ok(())
        };
        let sought = sought.await;
        if matches!(sought, Err(wardwatch_bus::Error::Revoking)) {
            // What is taken away comes first.
            let _ = self.open.send(Open { partition, offset, answer });
            return;
        }
        worker.feed = None;
        let opened = sought.map(|()| {
            let (feed, inbox) = inbox::pair(&partition, consumer, self.shared.intake.waiting_bytes);
            worker.feed = Some(feed);
            inbox
        });
        // A task that has ended since does not wait for an answer.
        let _ = answer.send(opened);
    }

    async fn hand_over(&mut self, message: Message) -> Result<(), Error> {
        let worker = self.workers.get(&message.from.partition);
        let Some(feed) = worker.and_then(|worker| worker.feed.as_ref()) else { return Ok(()) };
        Ok(feed.push(message).await?)
    }

    /// Every partition commits what it has gathered, within the patience of a revocation.
    async fn finish(self) {
        let patience = self.shared.intake.revoke_patience;
        // Closed, so that a task that is about to be opened does not wait for it.
        drop((self.opens, self.open));
        for worker in self.workers.values() {
            worker.stop.finish.cancel();
        }
        let each = self.workers.into_iter().map(|(number, mut worker)| async move {
            if timeout(patience, &mut worker.task).await.is_err() {
                warn!(
                    partition = number,
                    "did not finish in time and is cut off; its last range will be replayed"
                );
                worker.task.abort();
                let _ = (&mut worker.task).await;
            }
        });
        join_all(each).await;
    }
}

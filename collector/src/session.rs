//! One sensor's stream, from Hello to its end.

use std::pin::Pin;
use std::sync::Arc;

use futures::future::{BoxFuture, Fuse, FusedFuture as _};
use futures::stream::FuturesOrdered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tonic::{Status, Streaming};
use wardwatch_bus::{Bus, Publication, TopicPartition};
use wardwatch_proto::v1::{
    Acknowledgement, CollectorMessage, Hello, Recycle, Refusal, Rejection, SensorMessage, Submission,
    Welcome, collector_message::Message as Reply, sensor_message::Message as Said,
};
use wardwatch_proto::{CONTRACT_VERSION, topic};
use wardwatch_service::CancellationToken;

use crate::admission::AdmittedSensor;
use crate::batch;
use crate::config::Config;
use crate::telling::Telling;

/// One stream and what it needs.
pub(crate) struct Session {
    pub(crate) admitted: AdmittedSensor,
    pub(crate) config: Arc<Config>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) telling: Telling,
    pub(crate) shutdown: CancellationToken,
    pub(crate) outbound: mpsc::Sender<Result<CollectorMessage, Status>>,
}

/// What came on a stream and was neither acknowledged nor rejected yet.
#[derive(Default)]
struct InHand {
    batches: u64,
    bytes: usize,
}

/// Lays a batch into the log, and gives the future of its receipt.
type Entering<'a> = BoxFuture<'a, Result<BoxFuture<'static, Published>, Status>>;

/// A batch on its way into the log.
struct Published {
    sequence: u64,
    bytes: usize,
    outcome: wardwatch_bus::Result<u64>,
}

impl Session {
    /// Speaks with the sensor until either side ends it.
    pub(crate) async fn run(self, mut inbound: Streaming<SensorMessage>) {
        let mut in_hand = InHand::default();
        let outcome = self.converse(&mut inbound, &mut in_hand).await;
        // The log may still come to hold them, but their sensor will not hear of it and send them again.
        self.telling.unpublished.add(in_hand.batches);
        match outcome {
            Ok(()) => tracing::debug!("stream ended"),
            Err(status) => {
                tracing::info!(reason = status.message(), "stream ended");
                // The sensor may be gone; then there is nobody to tell.
                let _ = self.outbound.send(Err(status)).await;
            }
        }
    }

    async fn converse(
        &self,
        inbound: &mut Streaming<SensorMessage>,
        in_hand: &mut InHand,
    ) -> Result<(), Status> {
        let Some(hello) = self.greet(inbound).await? else { return Ok(()) };
        let to = TopicPartition::new(topic::FACTS, self.config.partition_of(&hello.site));
        // Until the stream is recycled; from then on until it ends, whatever the log does.
        let deadline = sleep_until(Instant::now() + self.config.limits.stream_age);
        tokio::pin!(deadline);
        let mut on_the_way = FuturesOrdered::new();
        // The log may be slow to take a batch, and may take none for as long as it is away.
        let mut entering = Fuse::terminated();
        let mut is_ending = false;
        while !(is_ending && on_the_way.is_empty() && entering.is_terminated()) {
            let may_read = !is_ending
                && entering.is_terminated()
                && in_hand.bytes < self.config.limits.unpublished_bytes;
            tokio::select! {
                biased;
                Some(published) = on_the_way.next(), if !on_the_way.is_empty() => {
                    self.acknowledge(published, &mut on_the_way, in_hand).await?;
                }
                entered = &mut entering => on_the_way.push_back(entered?),
                () = self.outbound.closed() => return Err(Status::cancelled("the sensor is gone")),
                () = self.shutdown.cancelled(), if !is_ending => {
                    is_ending = self.recycle(deadline.as_mut()).await?;
                }
                () = &mut deadline => {
                    if is_ending {
                        tracing::warn!(batches = in_hand.batches, "a stream ends before the log has what came on it");
                        return Err(Status::unavailable("the log cannot take batches now"));
                    }
                    is_ending = self.recycle(deadline.as_mut()).await?;
                }
                said = inbound.message(), if may_read => match said?.map(|said| said.message) {
                    None => {
                        is_ending = true;
                        deadline.as_mut().reset(Instant::now() + self.config.limits.farewell);
                    }
                    Some(Some(Said::Submission(submission))) => {
                        if let Some(publish) = self.publish(submission, &hello, &to, in_hand).await? {
                            entering = publish.fuse();
                        }
                    }
                    Some(Some(Said::Hello(_))) => return Err(Status::invalid_argument("a second Hello")),
                    Some(None) => return Err(Status::invalid_argument("a message of a kind this collector does not know")),
                },
            }
        }
        Ok(())
    }

    /// Hears Hello and answers it; nothing when the two cannot work together.
    async fn greet(&self, inbound: &mut Streaming<SensorMessage>) -> Result<Option<Hello>, Status> {
        let first = timeout(self.config.limits.hello, inbound.message())
            .await
            .map_err(|_| Status::deadline_exceeded("no Hello came in time"))??;
        let Some(Said::Hello(hello)) = first.and_then(|first| first.message) else {
            self.telling.refused("no hello");
            return Err(Status::invalid_argument("a stream begins with Hello"));
        };
        if let Some((kind, reason)) = self.objection(&hello) {
            self.telling.refused(kind);
            tracing::warn!(reason, "stream refused");
            self.reply(Reply::Refusal(Refusal { reason })).await?;
            return Ok(None);
        }
        tracing::info!(epoch = hello.epoch, version = hello.software_version, "stream opened");
        self.reply(Reply::Welcome(Welcome {
            contract: CONTRACT_VERSION,
            software_version: env!("CARGO_PKG_VERSION").to_owned(),
            max_batch_bytes: self.config.limits.batch_bytes as u64,
        }))
        .await?;
        Ok(Some(hello))
    }

    /// Why a sensor cannot be worked with: a word for the counter, and a sentence for its operator.
    fn objection(&self, hello: &Hello) -> Option<(&'static str, String)> {
        let AdmittedSensor { sensor, site } = &self.admitted;
        if hello.contract_oldest > CONTRACT_VERSION || hello.contract_newest < CONTRACT_VERSION {
            let reason = format!(
                "this collector speaks contract {CONTRACT_VERSION}, the sensor {} to {}: update the older of the two",
                hello.contract_oldest, hello.contract_newest
            );
            return Some(("contract version", reason));
        }
        if hello.sensor != *sensor || hello.site != *site {
            let reason = format!(
                "the token is that of sensor {sensor} at site {site}, not of {} at {}",
                hello.sensor, hello.site
            );
            return Some(("another sensor's token", reason));
        }
        None
    }

    /// Checks a batch; gives what lays it into the log and then waits for the receipt, unless it was rejected.
    async fn publish<'a>(
        &'a self,
        submission: Submission,
        hello: &Hello,
        to: &TopicPartition,
        in_hand: &mut InHand,
    ) -> Result<Option<Entering<'a>>, Status> {
        self.telling.received.increment();
        self.telling.received_bytes.add(submission.batch.len() as u64);
        let sequence = submission.sequence;
        let largest = self.config.limits.batch_bytes.min(self.bus.largest_message().saturating_sub(1024));
        let record = match batch::check(&submission, hello, largest) {
            Ok(record) => record,
            Err(flaw) => {
                self.telling.rejected(flaw);
                tracing::warn!(sequence, reason = flaw.name(), "batch rejected");
                let reason = format!("the batch is {}", flaw.name());
                self.reply(Reply::Rejection(Rejection { sequence, reason })).await?;
                return Ok(None);
            }
        };
        let bytes = record.len();
        let publication = Publication::new(to.clone(), record).key(hello.site.clone());
        in_hand.batches += 1;
        in_hand.bytes += bytes;
        let entering = async move {
            wardwatch_faults::point("collector.before-enqueue").await;
            let receipt = self.bus.enqueue(publication).await.map_err(|error| not_published(&error))?;
            wardwatch_faults::point("collector.after-enqueue").await;
            Ok(receipt.map(move |outcome| Published { sequence, bytes, outcome }).boxed())
        };
        Ok(Some(entering.boxed()))
    }

    /// Acknowledges a batch and all those behind it that the log holds as well.
    async fn acknowledge<F>(
        &self,
        first: Published,
        others: &mut FuturesOrdered<F>,
        in_hand: &mut InHand,
    ) -> Result<(), Status>
    where
        F: Future<Output = Published>,
    {
        let mut sequences = Vec::new();
        let mut next = Some(first);
        while let Some(published) = next {
            if let Err(error) = published.outcome {
                self.reply_durable(sequences).await?;
                return Err(not_published(&error));
            }
            self.telling.published.increment();
            sequences.push(published.sequence);
            in_hand.batches -= 1;
            in_hand.bytes -= published.bytes;
            next = others.next().now_or_never().flatten();
        }
        self.reply_durable(sequences).await
    }

    async fn reply_durable(&self, sequences: Vec<u64>) -> Result<(), Status> {
        if sequences.is_empty() {
            return Ok(());
        }
        wardwatch_faults::point("collector.before-acknowledge").await;
        self.reply(Reply::Acknowledgement(Acknowledgement { sequences })).await
    }

    /// Asks the sensor to come back on another stream; what is on its way is still acknowledged on this one.
    async fn recycle(&self, deadline: Pin<&mut Sleep>) -> Result<bool, Status> {
        deadline.reset(Instant::now() + self.config.limits.farewell);
        self.reply(Reply::Recycle(Recycle {})).await?;
        Ok(true)
    }

    async fn reply(&self, message: Reply) -> Result<(), Status> {
        let gone = |_| Status::cancelled("the sensor is gone");
        self.outbound.send(Ok(CollectorMessage { message: Some(message) })).await.map_err(gone)
    }
}

/// The batch was not acknowledged, so the sensor will send it again, here or elsewhere.
fn not_published(error: &wardwatch_bus::Error) -> Status {
    tracing::warn!(%error, "a batch could not be published");
    Status::unavailable("the log cannot take batches now")
}

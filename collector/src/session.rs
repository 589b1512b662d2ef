//! One sensor's stream, from Hello to its end.

use std::sync::Arc;

use futures::stream::FuturesOrdered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
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

/// A batch on its way into the log.
struct Published {
    sequence: u64,
    bytes: usize,
    outcome: wardwatch_bus::Result<u64>,
}

impl Session {
    /// Speaks with the sensor until either side ends it.
    pub(crate) async fn run(self, mut inbound: Streaming<SensorMessage>) {
        match self.converse(&mut inbound).await {
            Ok(()) => tracing::debug!("stream ended"),
            Err(status) => {
                tracing::info!(reason = status.message(), "stream ended");
                // The sensor may be gone; then there is nobody to tell.
                let _ = self.outbound.send(Err(status)).await;
            }
        }
    }

    async fn converse(&self, inbound: &mut Streaming<SensorMessage>) -> Result<(), Status> {
        let Some(hello) = self.greet(inbound).await? else { return Ok(()) };
        let to = TopicPartition::new(topic::FACTS, self.config.partition_of(&hello.site));
        let age = sleep_until(Instant::now() + self.config.limits.stream_age);
        tokio::pin!(age);
        let mut on_the_way = FuturesOrdered::new();
        let mut unpublished_bytes = 0;
        let mut is_ending = false;
        while !(is_ending && on_the_way.is_empty()) {
            let may_read = !is_ending && unpublished_bytes < self.config.limits.unpublished_bytes;
            tokio::select! {
                biased;
                Some(published) = on_the_way.next(), if !on_the_way.is_empty() => {
                    unpublished_bytes -= self.acknowledge(published, &mut on_the_way).await?;
                }
                () = self.shutdown.cancelled(), if !is_ending => is_ending = self.recycle().await?,
                () = &mut age, if !is_ending => is_ending = self.recycle().await?,
                said = inbound.message(), if may_read => match said?.map(|said| said.message) {
                    None => is_ending = true,
                    Some(Some(Said::Submission(submission))) => {
                        if let Some((bytes, receipt)) = self.publish(submission, &hello, &to).await? {
                            unpublished_bytes += bytes;
                            on_the_way.push_back(receipt);
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

    /// Lays a batch into the log; nothing is on its way when it was rejected.
    async fn publish(
        &self,
        submission: Submission,
        hello: &Hello,
        to: &TopicPartition,
    ) -> Result<Option<(usize, impl Future<Output = Published> + use<>)>, Status> {
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
        let receipt = self.bus.enqueue(publication).await.map_err(|error| self.not_published(&error))?;
        Ok(Some((bytes, receipt.map(move |outcome| Published { sequence, bytes, outcome }))))
    }

    /// Acknowledges a batch and all those behind it that the log holds as well; gives their octets.
    async fn acknowledge<F>(&self, first: Published, others: &mut FuturesOrdered<F>) -> Result<usize, Status>
    where
        F: Future<Output = Published>,
    {
        let mut sequences = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(published) = next {
            if let Err(error) = published.outcome {
                self.reply_durable(sequences).await?;
                return Err(self.not_published(&error));
            }
            self.telling.published.increment();
            sequences.push(published.sequence);
            bytes += published.bytes;
            next = others.next().now_or_never().flatten();
        }
        self.reply_durable(sequences).await?;
        Ok(bytes)
    }

    async fn reply_durable(&self, sequences: Vec<u64>) -> Result<(), Status> {
        if sequences.is_empty() {
            return Ok(());
        }
        self.reply(Reply::Acknowledgement(Acknowledgement { sequences })).await
    }

    /// Asks the sensor to come back on another stream; what is on its way is still acknowledged on this one.
    async fn recycle(&self) -> Result<bool, Status> {
        self.reply(Reply::Recycle(Recycle {})).await?;
        Ok(true)
    }

    async fn reply(&self, message: Reply) -> Result<(), Status> {
        let gone = |_| Status::cancelled("the sensor is gone");
        self.outbound.send(Ok(CollectorMessage { message: Some(message) })).await.map_err(gone)
    }

    /// The batch was not acknowledged, so the sensor will send it again, here or elsewhere.
    fn not_published(&self, error: &wardwatch_bus::Error) -> Status {
        self.telling.unpublished.increment();
        tracing::warn!(%error, "a batch could not be published");
        Status::unavailable("the log cannot take batches now")
    }
}

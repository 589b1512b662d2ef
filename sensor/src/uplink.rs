//! The way to the collector: batches go up, and are kept until they are acknowledged.
//!
//! At least once: a batch without an acknowledgement is sent again on the next stream, in its order, under its number.
//! The collector that is next in the list is tried after every end of a stream, with a growing, jittered pause.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Context as _;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Streaming};
use wardwatch_proto::CONTRACT_VERSION;
use wardwatch_proto::v1::ingest_client::IngestClient;
use wardwatch_proto::v1::{
    CollectorMessage, Hello, Lane, SensorMessage, Submission, collector_message::Message as Reply,
    sensor_message::Message as Saying,
};
use wardwatch_service::health::Check;

use crate::batch::CutBatch;
use crate::config::UplinkConfig;
use crate::telling::Telling;

/// Messages that wait for the network; batches beyond these are still in [`Uplink::unacknowledged`].
const OUTBOUND: usize = 8;

/// A stream and what has not been acknowledged on it.
pub(crate) struct Uplink {
    config: UplinkConfig,
    hello: Hello,
    unacknowledged: VecDeque<CutBatch>,
    bytes: usize,
    telling: Telling,
    check: Check,
}

/// Why a stream ended.
#[derive(Debug)]
enum Ended {
    /// Everything was acknowledged and nothing more will come.
    Finished,
    /// The collector asked to come back on another stream.
    Recycled,
}

impl Uplink {
    pub(crate) fn new(config: UplinkConfig, hello: Hello, telling: Telling, check: Check) -> Self {
        Self { config, hello, unacknowledged: VecDeque::new(), bytes: 0, telling, check }
    }

    /// Sends what comes until the channel is closed and everything is acknowledged.
    pub(crate) async fn run(mut self, mut batches: mpsc::Receiver<CutBatch>) -> anyhow::Result<()> {
        let token = format!("Bearer {}", self.config.token.expose());
        let mut token: MetadataValue<Ascii> =
            token.parse().ok().context("uplink.token: holds characters that cannot be sent")?;
        token.set_sensitive(true);
        let endpoints = self.endpoints()?;
        let mut pauses = self.pauses();
        for endpoint in endpoints.iter().cycle() {
            if self.unacknowledged.is_empty() && batches.is_closed() && batches.is_empty() {
                break;
            }
            match self.stream(endpoint, &token, &mut batches).await {
                Ok(Ended::Finished) => return Ok(()),
                Ok(Ended::Recycled) => pauses = self.pauses(),
                Err(error) => {
                    let pause = pauses.next().unwrap_or(self.config.longest_pause);
                    let reason = format!("{error:#}");
                    tracing::warn!(collector = %endpoint.uri(), reason, ?pause, "no stream to the collector");
                    self.check.not_ready(reason);
                    tokio::time::sleep(pause).await;
                }
            }
        }
        Ok(())
    }

    fn endpoints(&self) -> anyhow::Result<Vec<Endpoint>> {
        let tls = self.config.tls.as_ref().map(wardwatch_service::tls::ClientTls::load).transpose()?;
        let endpoint = |url: &String| {
            let endpoint = Endpoint::from_shared(url.clone())
                .with_context(|| {
                    format!("uplink.collectors: {url:?} is not a URL such as https://host:7443")
                })?
                .connect_timeout(Duration::from_secs(10))
                .http2_keep_alive_interval(Duration::from_secs(20))
                .keep_alive_timeout(Duration::from_secs(20));
            match &tls {
                Some(tls) => {
                    endpoint.tls_config(tls.clone()).context("uplink.tls: the credentials cannot be used")
                }
                None => Ok(endpoint),
            }
        };
        self.config.collectors.iter().map(endpoint).collect()
    }

    fn pauses(&self) -> impl Iterator<Item = Duration> + use<> {
        ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(self.config.longest_pause)
            .without_max_times()
            .build()
    }

    /// Opens a stream, sends again what was not acknowledged, then what comes.
    async fn stream(
        &mut self,
        endpoint: &Endpoint,
        token: &MetadataValue<Ascii>,
        batches: &mut mpsc::Receiver<CutBatch>,
    ) -> anyhow::Result<Ended> {
        let channel = endpoint.connect().await.context("cannot connect")?;
        let (outbound, mut replies) = self.open(channel, token).await?;
        self.check.ready();
        self.telling.connections.increment();
        // Numbers on this stream: what was sent before the rest of `unacknowledged` is sent again, in order.
        let mut unsent = 0;
        let mut is_open = true;
        let mut is_recycled = false;
        loop {
            if self.unacknowledged.is_empty() && !is_open {
                return Ok(Ended::Finished);
            }
            let next = self.unacknowledged.get(unsent).filter(|_| !is_recycled).cloned();
            let may_take =
                is_open && next.is_none() && !is_recycled && self.bytes < self.config.unacknowledged_bytes;
            tokio::select! {
                reply = replies.message() => match reply.context("the stream broke")?.map(|reply| reply.message) {
                    None if is_recycled => return Ok(Ended::Recycled),
                    None => anyhow::bail!("the collector ended the stream"),
                    Some(Some(Reply::Acknowledgement(acknowledgement))) => {
                        unsent -= self.forget(&acknowledgement.sequences, &self.telling.acknowledged.clone());
                    }
                    Some(Some(Reply::Rejection(rejection))) => {
                        tracing::error!(sequence = rejection.sequence, reason = rejection.reason, "batch dropped");
                        unsent -= self.forget(&[rejection.sequence], &self.telling.rejected.clone());
                    }
                    Some(Some(Reply::Recycle(_))) => is_recycled = true,
                    Some(Some(Reply::Refusal(refusal))) => anyhow::bail!("refused: {}", refusal.reason),
                    Some(Some(Reply::Welcome(_)) | None) => {}
                },
                permit = outbound.reserve(), if next.is_some() => {
                    let permit = permit.context("the stream was closed")?;
                    if let Some(batch) = next {
                        permit.send(submission(&batch));
                        unsent += 1;
                    }
                }
                batch = batches.recv(), if may_take => match batch {
                    Some(batch) => {
                        self.bytes += batch.encoded.len();
                        self.unacknowledged.push_back(batch);
                        self.tell_held();
                    }
                    None => is_open = false,
                },
            }
        }
    }

    async fn open(
        &mut self,
        channel: Channel,
        token: &MetadataValue<Ascii>,
    ) -> anyhow::Result<(mpsc::Sender<SensorMessage>, Streaming<CollectorMessage>)> {
        let (outbound, messages) = mpsc::channel(OUTBOUND);
        let hello = SensorMessage { message: Some(Saying::Hello(self.hello.clone())) };
        outbound.send(hello).await.context("the stream was closed")?;
        let mut request = Request::new(ReceiverStream::new(messages));
        request.metadata_mut().insert("authorization", token.clone());
        let mut client = IngestClient::new(channel).send_compressed(CompressionEncoding::Zstd);
        let mut replies =
            client.stream(request).await.context("the collector did not open a stream")?.into_inner();
        let first = replies.message().await.context("the collector did not answer Hello")?;
        match first.and_then(|first| first.message) {
            Some(Reply::Welcome(welcome)) => {
                tracing::info!(version = welcome.software_version, "connected to the collector");
            }
            Some(Reply::Refusal(refusal)) => anyhow::bail!("refused: {}", refusal.reason),
            _ => anyhow::bail!("the collector answered Hello with something else"),
        }
        if !self.unacknowledged.is_empty() {
            self.telling.resent.add(self.unacknowledged.len() as u64);
        }
        Ok((outbound, replies))
    }

    /// Drops batches that need not be kept any longer; gives how many there were.
    fn forget(&mut self, sequences: &[u64], counter: &wardwatch_service::Counter) -> usize {
        let before = self.unacknowledged.len();
        for sequence in sequences {
            if let Ok(at) = self.unacknowledged.binary_search_by_key(sequence, |batch| batch.sequence)
                && let Some(batch) = self.unacknowledged.remove(at)
            {
                self.bytes -= batch.encoded.len();
                counter.increment();
            }
        }
        self.tell_held();
        before - self.unacknowledged.len()
    }

    fn tell_held(&self) {
        self.telling.unacknowledged_bytes.set(i64::try_from(self.bytes).unwrap_or(i64::MAX));
    }
}

fn submission(batch: &CutBatch) -> SensorMessage {
    let submission =
        Submission { lane: Lane::Live.into(), sequence: batch.sequence, batch: batch.encoded.clone() };
    SensorMessage { message: Some(Saying::Submission(submission)) }
}

/// How a sensor introduces itself.
pub(crate) fn hello(site: &str, sensor: &str, epoch: u64) -> Hello {
    Hello {
        site: site.to_owned(),
        sensor: sensor.to_owned(),
        epoch,
        contract_oldest: CONTRACT_VERSION,
        contract_newest: CONTRACT_VERSION,
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

//! The way to the collector: batches go up until they are acknowledged.
//!
//! At least once: a batch without an acknowledgement is sent again on the next stream, under its number. The collector that is
//! next in the list is tried after every end of a stream, with a growing, jittered pause.
//!
//! One connection carries the stream of this boot ([`live`]) and, while there is any, one for the [`backlog`], which
//! gives way to it.

mod backlog;
mod live;

use std::time::Duration;

use anyhow::Context as _;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Streaming};
use wardwatch_proto::CONTRACT_VERSION;
use wardwatch_proto::packed::Packer;
use wardwatch_proto::v1::ingest_client::IngestClient;
use wardwatch_proto::v1::{
    CollectorMessage, Hello, Lane, SensorMessage, Submission, collector_message::Message as Reply,
    sensor_message::Message as Saying,
};
use wardwatch_service::health::Check;

use crate::batch::CutBatch;
use crate::config::{Config, UplinkConfig};
use crate::spool::Spool;
use crate::telling::Telling;

/// Messages of a stream that wait for the network.
const OUTBOUND: usize = 8;

/// The shortest pause between two attempts.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// How to reach the collectors, and as whom.
pub(crate) struct Uplink {
    config: UplinkConfig,
    endpoints: Vec<Endpoint>,
    token: MetadataValue<Ascii>,
    site: String,
    sensor: String,
    backlog_bytes_per_second: u64,
    telling: Telling,
    check: Check,
}

/// A stream that was opened.
struct Stream {
    outbound: mpsc::Sender<SensorMessage>,
    replies: Streaming<CollectorMessage>,
    packer: Packer,
}

impl Uplink {
    pub(crate) fn new(config: &Config, telling: Telling, check: Check) -> anyhow::Result<Self> {
        let token = format!("Bearer {}", config.uplink.token.expose());
        let mut token: MetadataValue<Ascii> =
            token.parse().ok().context("uplink.token: holds characters that cannot be sent")?;
        token.set_sensitive(true);
        Ok(Self {
            endpoints: endpoints(&config.uplink)?,
            config: config.uplink.clone(),
            token,
            site: config.site.clone(),
            sensor: config.sensor.clone(),
            backlog_bytes_per_second: config.spool.drain_bytes_per_second,
            telling,
            check,
        })
    }

    /// Sends what the spool holds until no more batches will be cut and all are settled.
    pub(crate) async fn run(&self, spool: &Spool) {
        tokio::select! {
            // A sensor that has nothing to say need not find a collector first.
            biased;
            () = spool.until_finished() => {}
            never = self.connect(spool) => match never {},
        }
    }

    async fn connect(&self, spool: &Spool) -> std::convert::Infallible {
        let mut pauses = self.pauses();
        let mut next = 0;
        loop {
            let Some(endpoint) = self.endpoints.get(next % self.endpoints.len().max(1)) else {
                // Settings without a collector were refused.
                return std::future::pending().await;
            };
            next = next.wrapping_add(1);
            match self.connection(endpoint, spool).await {
                Ok(()) => pauses = self.pauses(),
                Err(error) => {
                    let pause = pauses.next().unwrap_or(self.config.longest_pause);
                    let reason = format!("{error:#}");
                    tracing::warn!(collector = %endpoint.uri(), reason, ?pause, "no stream to the collector");
                    self.check.not_ready(reason);
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// Opens a connection and sends until the stream of this boot ends; without an error when the collector asked for that.
    async fn connection(&self, endpoint: &Endpoint, spool: &Spool) -> anyhow::Result<()> {
        let channel = endpoint.connect().await.context("cannot connect")?;
        let stream = self.open(channel.clone(), spool.epoch()).await?;
        self.check.ready();
        self.telling.connections.increment();
        spool.stream_opened();
        let outcome = tokio::select! {
            ended = self.live(stream, spool) => ended,
            never = self.backlog(&channel, spool) => match never {},
        };
        self.telling.resent.add(spool.stream_ended() as u64);
        outcome
    }

    /// Growing, and jittered by up to as much again: at most the longest pause.
    fn pauses(&self) -> impl Iterator<Item = Duration> + use<> {
        pauses(self.config.longest_pause)
    }

    /// Opens a stream for the batches of an epoch.
    async fn open(&self, channel: Channel, epoch: u64) -> anyhow::Result<Stream> {
        let (outbound, messages) = mpsc::channel(OUTBOUND);
        let hello = SensorMessage { message: Some(Saying::Hello(self.hello(epoch))) };
        outbound.send(hello).await.context("the stream was closed")?;
        let mut request = Request::new(ReceiverStream::new(messages));
        request.metadata_mut().insert("authorization", self.token.clone());
        let mut client = IngestClient::new(channel);
        let mut replies =
            client.stream(request).await.context("the collector did not open a stream")?.into_inner();
        let first = replies.message().await.context("the collector did not answer Hello")?;
        match first.and_then(|first| first.message) {
            Some(Reply::Welcome(welcome)) => {
                tracing::info!(epoch, version = welcome.software_version, "connected to the collector");
            }
            Some(Reply::Refusal(refusal)) => anyhow::bail!("refused: {}", refusal.reason),
            _ => anyhow::bail!("the collector answered Hello with something else"),
        }
        let packer = Packer::new().context("cannot pack batches")?;
        Ok(Stream { outbound, replies, packer })
    }

    /// How the sensor introduces itself.
    fn hello(&self, epoch: u64) -> Hello {
        Hello {
            site: self.site.clone(),
            sensor: self.sensor.clone(),
            epoch,
            contract_oldest: CONTRACT_VERSION,
            contract_newest: CONTRACT_VERSION,
            software_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

fn submission(lane: Lane, batch: &CutBatch, packer: &mut Packer) -> anyhow::Result<SensorMessage> {
    let packed = packer.pack(&batch.encoded).context("cannot pack a batch")?;
    let submission = Submission { lane: lane.into(), sequence: batch.sequence, batch: packed };
    Ok(SensorMessage { message: Some(Saying::Submission(submission)) })
}

fn endpoints(config: &UplinkConfig) -> anyhow::Result<Vec<Endpoint>> {
    let tls = config.tls.as_ref().map(wardwatch_service::tls::ClientTls::load).transpose()?;
    let endpoint = |url: &String| {
        let endpoint = Endpoint::from_shared(url.clone())
            .with_context(|| format!("uplink.collectors: {url:?} is not a URL such as https://host:7443"))?
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
    config.collectors.iter().map(endpoint).collect()
}

/// The jitter adds up to a pause's own length, so half of the longest is what it grows to.
fn pauses(longest: Duration) -> impl Iterator<Item = Duration> + use<> {
    let half = longest / 2;
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(SHORTEST_PAUSE.min(half))
        .with_max_delay(half)
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_never_longer_than_the_longest() {
        for longest in [Duration::ZERO, Duration::from_millis(70), Duration::from_secs(30)] {
            let all: Vec<_> = pauses(longest).take(200).collect();
            assert_eq!(all.len(), 200, "attempts never end");
            assert!(all.iter().all(|pause| *pause <= longest), "{all:?}");
        }
        let late: Vec<_> = pauses(Duration::from_secs(30)).skip(50).take(50).collect();
        assert!(late.iter().all(|pause| *pause >= Duration::from_secs(15)), "{late:?}");
        assert!(
            late.windows(2).any(|pair| pair[0] != pair[1]),
            "sensors must not come all at once: {late:?}"
        );
    }
}

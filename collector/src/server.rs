//! The gRPC server: bound first, so that its address is known, then serving until shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use wardwatch_bus::{Bus, TopicSpec};
use wardwatch_proto::v1::control_server::ControlServer;
use wardwatch_proto::v1::ingest_server::IngestServer;
use wardwatch_proto::{command, topic};
use wardwatch_service::Context;
use wardwatch_service::health::Check;

use crate::admission::Admission;
use crate::config::Config;
use crate::control::Submissions;
use crate::ingest::Sessions;
use crate::listener::Listener;
use crate::telling::Telling;

/// How often the log is asked whether it is there.
const PING: Duration = Duration::from_secs(5);

/// What a message may have beside a batch.
const MESSAGE_OVERHEAD: usize = 64 * 1024;

/// A collector that has its port.
#[derive(Debug)]
pub struct Collector {
    config: Arc<Config>,
    listener: TcpListener,
}

impl Collector {
    /// Checks the settings and binds the port.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        config.check()?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("listen: cannot listen on {}", config.listen))?;
        Ok(Self { config: Arc::new(config), listener })
    }

    /// Where it listens; the port that was found, where 0 was asked for.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        self.listener.local_addr().context("cannot tell the address that was bound")
    }

    /// Serves until shutdown. Streams that are open then are recycled: what is on its way into the log is still
    /// acknowledged.
    pub async fn serve(self, context: Context, bus: Arc<dyn Bus>) -> anyhow::Result<()> {
        let address = self.address()?;
        // Not ready before the topic is there.
        let check = context.health.check("bus");
        let facts = [TopicSpec::new(topic::FACTS, self.config.partitions)];
        tokio::select! {
            () = context.shutdown.cancelled() => return Ok(()),
            made = bus.ensure_topics(&facts) => made.context("cannot make sure of the topic for facts")?,
        }
        if self.config.sensors.is_empty() {
            tracing::warn!("sensors: none is configured, so none will be let in");
        }
        let telling = Telling::new(&context.counters);
        let submissions =
            Submissions { config: Arc::clone(&self.config), bus: Arc::clone(&bus), telling: telling.clone() };
        let control = ControlServer::new(submissions)
            .max_decoding_message_size(command::LARGEST_PACK + MESSAGE_OVERHEAD)
            .accept_compressed(tonic::codec::CompressionEncoding::Zstd);
        let sessions = Sessions {
            config: Arc::clone(&self.config),
            bus: Arc::clone(&bus),
            telling,
            shutdown: context.shutdown.clone(),
            places: Arc::new(Semaphore::new(self.config.limits.streams)),
        };
        let ingest = IngestServer::new(sessions)
            .max_decoding_message_size(self.config.limits.batch_bytes + MESSAGE_OVERHEAD);
        let sensors = Admission::of_sensors(&self.config.sensors, &context.counters);
        let operators = Admission::of_operators(&self.config.operators, &context.counters);
        let mut server = Server::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(20)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)));
        if let Some(tls) = &self.config.tls {
            server = server.tls_config(tls.load()?).context("tls: the credentials cannot be used")?;
        }
        let listener = Listener::new(self.listener, self.config.tls.is_some(), &context.counters);
        tracing::info!(%address, tls = self.config.tls.is_some(), "collecting");
        let watch = tokio::spawn(watch_bus(bus, check));
        let served = server
            .add_service(InterceptedService::new(ingest, sensors))
            .add_service(InterceptedService::new(control, operators))
            .serve_with_incoming_shutdown(listener, context.shutdown.clone().cancelled_owned())
            .await;
        watch.abort();
        served.context("the gRPC server failed")
    }
}

/// Keeps the readiness check `bus` true to what the log answers.
async fn watch_bus(bus: Arc<dyn Bus>, check: Check) {
    loop {
        match bus.ping().await {
            Ok(()) => check.ready(),
            Err(error) => check.not_ready(error.to_string()),
        }
        tokio::time::sleep(PING).await;
    }
}

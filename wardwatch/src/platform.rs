//! The four services in one process, on the embedded log and a ClickHouse: the same code as in a hospital's cluster,
//! put together by other hands.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinHandle;
use uuid::Uuid;
use wardwatch_bus::config::{BusKind, EmbeddedConfig};
use wardwatch_bus::{Bus, BusConfig, TopicSpec};
use wardwatch_collector::Collector;
use wardwatch_collector::config::{OperatorConfig, SensorConfig};
use wardwatch_proto::name::is_name;
use wardwatch_proto::topic;
use wardwatch_sensor::config::{InputConfig, UplinkConfig};
use wardwatch_sensor::spool::SpoolConfig;
use wardwatch_service::health::HealthServer;
use wardwatch_service::{CancellationToken, Context, Counters, Secret, ServiceInfo, Tasks};
use wardwatch_store::Store;

use crate::doctor;
use crate::door::OpenDoor;
use crate::folder::Folder;

/// Partitions of each topic: one process gains nothing from many, and several sites from a few.
const PARTITIONS: u32 = 4;

/// How long the services may take to stop.
const GRACE: Duration = Duration::from_secs(20);

const THIS: ServiceInfo = ServiceInfo { name: "wardwatch", version: env!("CARGO_PKG_VERSION") };

/// How the platform is to be put together.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The site that the sensor stands at.
    pub(crate) site: String,
    /// The sensor's name.
    pub(crate) sensor: String,
    /// What it watches.
    pub(crate) input: InputConfig,
}

/// Everything running.
pub(crate) struct Platform {
    bus: Arc<dyn Bus>,
    enriched: wardwatch_enricher::Progress,
    alerted: wardwatch_alerter::Progress,
    context: Context,
    /// Ends the sensor alone: what it has learned until then still goes through the others.
    watching: CancellationToken,
    collector: SocketAddr,
    /// The way in for commands and questions.
    _door: OpenDoor,
    sensor: Option<JoinHandle<anyhow::Result<()>>>,
    services: JoinHandle<anyhow::Result<()>>,
}

impl Platform {
    /// Starts all services; the sensor begins to watch at once.
    pub(crate) async fn start(plan: &Plan, folder: &Folder, store: &Store) -> anyhow::Result<Self> {
        store.migrate().await.context("cannot bring the tables up to date")?;
        let context = Context::new(THIS);
        let bus = open_bus(folder, &context.counters).await?;
        let mut tasks = Tasks::new(context.shutdown.clone());
        let (token, operators_token) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());

        let collector = Collector::bind(collector_config(plan, &token, &operators_token)).await?;
        let address = collector.address()?;
        let health = serve_health(&context, &bus).await.context("cannot serve health")?;
        let door = OpenDoor::open(&folder.path()?, address, &operators_token, health)?;
        tasks.spawn("collector", collector.serve(service(&context, "collector"), Arc::clone(&bus)));

        let enriched = wardwatch_enricher::Progress::default();
        let parts = wardwatch_enricher::Parts {
            bus: Arc::clone(&bus),
            store: store.clone(),
            progress: enriched.clone(),
        };
        let config = wardwatch_enricher::Config::default();
        tasks.spawn("enricher", wardwatch_enricher::serve_on(config, service(&context, "enricher"), parts));

        let alerted = wardwatch_alerter::Progress::default();
        let parts = wardwatch_alerter::Parts {
            bus: Arc::clone(&bus),
            store: store.clone(),
            progress: alerted.clone(),
        };
        let config = wardwatch_alerter::Config::default();
        tasks.spawn("alerter", wardwatch_alerter::serve_on(config, service(&context, "alerter"), parts));

        let services = tokio::spawn(tasks.join(GRACE));
        let config = sensor_config(plan, &token, address, folder)?;
        let watching = CancellationToken::new();
        let sensor_context = Context { shutdown: watching.clone(), ..service(&context, "sensor") };
        let sensor = tokio::spawn(wardwatch_sensor::serve(config, sensor_context));
        Ok(Self {
            bus,
            enriched,
            alerted,
            context,
            watching,
            collector: address,
            _door: door,
            sensor: Some(sensor),
            services,
        })
    }

    /// What all services count.
    pub(crate) fn counters(&self) -> &Counters {
        &self.context.counters
    }

    /// Where sensors reach the collector.
    pub(crate) fn collector(&self) -> SocketAddr {
        self.collector
    }

    /// Cancelled when nothing more is to be watched. The services go on until [`Platform::stop`], so that what was
    /// learned is stored first.
    pub(crate) fn watching(&self) -> &CancellationToken {
        &self.watching
    }

    /// Waits until the sensor has nothing more to state; on an interface that is until watching is ended.
    ///
    /// The inner result is the sensor's: a capture that could not be read to its end is no reason to lose the others.
    pub(crate) async fn watched(&mut self) -> anyhow::Result<anyhow::Result<()>> {
        let Some(mut sensor) = self.sensor.take() else { return Ok(Ok(())) };
        tokio::select! {
            outcome = &mut sensor => outcome.context("the sensor panicked"),
            failed = &mut self.services => {
                sensor.abort();
                Err(ended_early(failed))
            }
        }
    }

    /// Waits until everything that the log holds has been enriched, judged and stored.
    pub(crate) async fn settled(&mut self) -> anyhow::Result<()> {
        let (bus, enriched, alerted) = (Arc::clone(&self.bus), self.enriched.clone(), self.alerted.clone());
        let settle = async {
            // Events come from facts, so their end is known only when all facts are through.
            for (partition, marks) in (0..).zip(bus.topic_watermarks(topic::FACTS).await?) {
                enriched.reached(partition, marks.end).await;
            }
            for (partition, marks) in (0..).zip(bus.topic_watermarks(topic::EVENTS).await?) {
                alerted.reached(partition, marks.end).await;
            }
            anyhow::Ok(())
        };
        tokio::select! {
            settled = settle => settled.context("cannot tell how far the log reaches"),
            failed = &mut self.services => Err(ended_early(failed)),
        }
    }

    /// Stops all services in order.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.watching.cancel();
        if let Some(sensor) = self.sensor.take() {
            sensor.await.context("the sensor panicked")??;
        }
        self.context.shutdown.cancel();
        if !self.services.is_finished() {
            self.services.await.context("a service panicked")??;
        }
        Ok(())
    }
}

fn ended_early(failed: Result<anyhow::Result<()>, tokio::task::JoinError>) -> anyhow::Error {
    match failed {
        Ok(Err(error)) => error,
        Ok(Ok(())) => anyhow::anyhow!("the services ended although nobody asked them to"),
        Err(error) => anyhow::anyhow!("a service panicked: {error}"),
    }
}

async fn open_bus(folder: &Folder, counters: &Counters) -> anyhow::Result<Arc<dyn Bus>> {
    let embedded = EmbeddedConfig { directory: folder.bus_data()?, ..EmbeddedConfig::default() };
    let config = BusConfig { kind: BusKind::Embedded, embedded, ..BusConfig::default() };
    let bus =
        wardwatch_bus::open(&config, counters).await.context("cannot open the log between the services")?;
    let topics: Vec<_> = topic::ALL.iter().map(|name| TopicSpec::new(*name, PARTITIONS)).collect();
    bus.ensure_topics(&topics).await.context("cannot make the topics")?;
    Ok(bus)
}

/// Health, counters and how far the log reaches, for `wardwatch doctor`; on this machine alone.
async fn serve_health(context: &Context, bus: &Arc<dyn Bus>) -> std::io::Result<SocketAddr> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = HealthServer::bind(any, context.health.clone(), context.counters.clone()).await?;
    let server = server.with(doctor::served(Arc::clone(bus)));
    let address = server.address()?;
    tokio::spawn(server.serve(context.shutdown.clone()));
    Ok(address)
}

fn service(context: &Context, name: &'static str) -> Context {
    context.child(ServiceInfo { name, version: env!("CARGO_PKG_VERSION") })
}

/// Who runs this, as far as the system says.
fn operator() -> String {
    let named = |variable: &str| std::env::var(variable).ok().filter(|name| is_name(name));
    named("USER").or_else(|| named("LOGNAME")).unwrap_or_else(|| "local".to_owned())
}

fn collector_config(plan: &Plan, token: &str, operators_token: &str) -> wardwatch_collector::Config {
    let decides = OperatorConfig { token: Secret::new(operators_token), ..OperatorConfig::default() };
    let sensor = SensorConfig { site: plan.site.clone(), token: Secret::new(token) };
    wardwatch_collector::Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        sensors: BTreeMap::from([(plan.sensor.clone(), sensor)]),
        operators: BTreeMap::from([(operator(), decides)]),
        partitions: PARTITIONS,
        ..wardwatch_collector::Config::default()
    }
}

fn sensor_config(
    plan: &Plan,
    token: &str,
    collector: SocketAddr,
    folder: &Folder,
) -> anyhow::Result<wardwatch_sensor::Config> {
    Ok(wardwatch_sensor::Config {
        site: plan.site.clone(),
        sensor: plan.sensor.clone(),
        input: plan.input.clone(),
        spool: SpoolConfig { directory: folder.spool_data()?, ..SpoolConfig::default() },
        uplink: UplinkConfig {
            collectors: vec![format!("http://{collector}")],
            token: Secret::new(token),
            ..UplinkConfig::default()
        },
        ..wardwatch_sensor::Config::default()
    })
}

//! The whole product on the real engines: collector, enricher and alerter as they run in a hospital, each with its own
//! context and its own client of the log, and sensors that play captures to them.
//!
//! [`Pipeline`] runs them in the test's process, where their counters and health can be looked at; [`program`] runs the
//! programs themselves. [`leaks`] looks through everything that a pipeline has written for what must not be there.

mod deciding;
pub mod leaks;
pub mod program;
mod reading;
mod service;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::{sleep, timeout};
use wardwatch_bus::config::{BusKind, EmbeddedConfig};
use wardwatch_bus::{Bus, BusConfig, TopicSpec};
use wardwatch_collector::Collector;
use wardwatch_collector::config::{OperatorConfig, SensorConfig};
use wardwatch_lab::Hospital;
use wardwatch_proto::topic;
use wardwatch_sensor::batch::BatchLimits;
use wardwatch_sensor::config::{InputConfig, UplinkConfig};
use wardwatch_sensor::spool::SpoolConfig;
use wardwatch_service::{Counters, Secret};
use wardwatch_store::{Settings, Store};

use crate::clickhouse::Server;
use crate::kafka::Broker;
use crate::scratch::Scratch;
pub use reading::messages;
pub use service::Service;

/// Longer than anything here takes on a busy machine; who waits this long has failed.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Partitions of every topic here.
pub const PARTITIONS: u32 = 4;

/// The sensor that [`Pipeline::sensor`] configures, and the site it stands at.
pub const SENSOR: &str = "mirror-1";
/// See [`SENSOR`].
pub const SITE: &str = "tarnwick";

/// A second sensor that the collector knows, at a site of its own.
pub const OTHER_SENSOR: &str = "mirror-2";
/// See [`OTHER_SENSOR`].
pub const OTHER_SITE: &str = "saltmarsh";

/// A person whose commands the collector takes, for all sites.
pub const OPERATOR: &str = "a.roe";
/// Another, who may decide about [`OTHER_SITE`] alone.
pub const OTHER_OPERATOR: &str = "j.doe";

/// How often a pipeline that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Collector, enricher and alerter on a log and a ClickHouse database of their own. Dropping it is a crash.
pub struct Pipeline {
    /// A client of the log that is none of the services'.
    pub bus: Arc<dyn Bus>,
    /// The database.
    pub store: Store,
    collector: SocketAddr,
    /// In the order of the data path.
    services: Vec<Service>,
    enriched: wardwatch_enricher::Progress,
    alerted: wardwatch_alerter::Progress,
    spools: Scratch,
    spools_made: AtomicU32,
    // After the services, so that it is dropped after them.
    _log: Log,
}

/// Where the log of a pipeline is.
enum Log {
    Kafka(Box<BusConfig>),
    Embedded { bus: Arc<dyn Bus>, _journal: Scratch },
}

impl Log {
    /// A client for one service. On Kafka each has its own; the journal has one owner, whom all share.
    async fn client(&self, counters: &Counters) -> Result<Arc<dyn Bus>> {
        match self {
            Self::Kafka(config) => Ok(wardwatch_bus::open(config, counters).await?),
            Self::Embedded { bus, .. } => Ok(Arc::clone(bus)),
        }
    }
}

impl Pipeline {
    /// On Apache Kafka; the broker must have none of the topics yet.
    pub async fn on_kafka(broker: &Broker) -> Result<Self> {
        Self::start(Log::Kafka(Box::new(kafka_config(broker)))).await
    }

    /// On a journal on the local disk, as one process has it that runs everything.
    pub async fn embedded() -> Result<Self> {
        let journal = Scratch::new("bus")?;
        let embedded = EmbeddedConfig { directory: journal.path().join("bus"), ..EmbeddedConfig::default() };
        let config = BusConfig { kind: BusKind::Embedded, embedded, ..BusConfig::default() };
        let bus = wardwatch_bus::open(&config, &Counters::default()).await?;
        Self::start(Log::Embedded { bus, _journal: journal }).await
    }

    async fn start(log: Log) -> Result<Self> {
        let store = new_store().await?;
        let bus = log.client(&Counters::default()).await?;
        let topics = topic::ALL.map(|name| TopicSpec::new(name, PARTITIONS));
        bus.ensure_topics(&topics).await.context("make the topics")?;

        let collector = Collector::bind(collector_config()).await?;
        let address = collector.address()?;
        let collector = {
            let context = service::context("collector");
            let bus = log.client(&context.counters).await?;
            Service::spawn(context.clone(), collector.serve(context, bus))
        };
        let enriched = wardwatch_enricher::Progress::default();
        let enricher = {
            let context = service::context("enricher");
            let bus = log.client(&context.counters).await?;
            let parts = wardwatch_enricher::Parts { bus, store: store.clone(), progress: enriched.clone() };
            let mut config = wardwatch_enricher::Config::default();
            config.commit.age = COMMIT_AGE;
            Service::spawn(context.clone(), wardwatch_enricher::serve_on(config, context, parts))
        };
        let alerted = wardwatch_alerter::Progress::default();
        let alerter = {
            let context = service::context("alerter");
            let bus = log.client(&context.counters).await?;
            let parts = wardwatch_alerter::Parts { bus, store: store.clone(), progress: alerted.clone() };
            let mut config = wardwatch_alerter::Config::default();
            config.commit.age = COMMIT_AGE;
            Service::spawn(context.clone(), wardwatch_alerter::serve_on(config, context, parts))
        };
        let services = vec![collector, enricher, alerter];
        let spools = Scratch::new("spools")?;
        Ok(Self {
            bus,
            store,
            collector: address,
            services,
            enriched,
            alerted,
            spools,
            spools_made: AtomicU32::new(0),
            _log: log,
        })
    }

    /// Where sensors reach the collector.
    pub fn collector(&self) -> SocketAddr {
        self.collector
    }

    /// What a service has counted: `collector`, `enricher`, `alerter`.
    ///
    /// # Panics
    /// When there is no such service.
    pub fn counters(&self, service: &str) -> &Counters {
        let found = self.services.iter().find(|running| running.name() == service);
        &found.unwrap_or_else(|| panic!("there is no service {service}")).context.counters
    }

    /// The services that run, in the order of the data path.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.iter()
    }

    /// The settings of the sensor [`SENSOR`] at [`SITE`] that plays these captures, for a test to change.
    pub fn sensor(&self, captures: &[PathBuf]) -> wardwatch_sensor::Config {
        wardwatch_sensor::Config {
            site: SITE.to_owned(),
            sensor: SENSOR.to_owned(),
            input: InputConfig { files: captures.to_vec(), ..InputConfig::default() },
            // Small, so that captures of some hundred facts become many messages.
            batch: BatchLimits { facts: 50, ..BatchLimits::default() },
            spool: SpoolConfig { directory: self.new_spool(), ..SpoolConfig::default() },
            uplink: UplinkConfig {
                collectors: vec![format!("http://{}", self.collector)],
                token: token_of(SENSOR),
                longest_pause: Duration::from_millis(500),
                ..UplinkConfig::default()
            },
            ..wardwatch_sensor::Config::default()
        }
    }

    /// A directory for a spool that nobody has yet.
    pub fn new_spool(&self) -> PathBuf {
        self.spools.path().join(self.spools_made.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// The same as [`Pipeline::sensor`] for [`OTHER_SENSOR`] at [`OTHER_SITE`].
    pub fn other_sensor(&self, captures: &[PathBuf]) -> wardwatch_sensor::Config {
        let mut config = self.sensor(captures);
        OTHER_SITE.clone_into(&mut config.site);
        OTHER_SENSOR.clone_into(&mut config.sensor);
        config.uplink.token = token_of(OTHER_SENSOR);
        config
    }

    /// Boots the sensor, lets it play these captures until everything is acknowledged, and gives what it counted.
    pub async fn play(&mut self, captures: &[PathBuf]) -> Result<Counters> {
        let boot = boot(self.sensor(captures));
        self.finish(boot).await
    }

    /// Waits until a sensor has ended by itself; gives what it counted.
    pub async fn finish(&mut self, mut sensor: Service) -> Result<Counters> {
        let ended = tokio::select! {
            ended = timeout(PATIENCE, sensor.ended()) => ended,
            failed = self.failed() => bail!("while a sensor played: {failed}"),
        };
        let states = sensor.context.health.states();
        ended.with_context(|| format!("the sensor did not come to its end: {states:?}"))??;
        Ok(sensor.context.counters.clone())
    }

    /// Waits until everything that the log holds has been enriched, judged and stored.
    pub async fn settled(&mut self) -> Result<()> {
        // Events come from facts, so their end is known only when all facts are through.
        for (topic, progress) in
            [(topic::FACTS, self.enriched.clone()), (topic::EVENTS, self.alerted.clone())]
        {
            let marks = self.bus.topic_watermarks(topic).await?;
            for (partition, marks) in (0..).zip(marks) {
                let reached = tokio::select! {
                    reached = timeout(PATIENCE, progress.reached(partition, marks.end)) => reached,
                    failed = self.failed() => bail!("while {topic} was worked on: {failed}"),
                };
                reached.with_context(|| {
                    let states: Vec<_> =
                        self.services.iter().map(|service| service.context.health.states()).collect();
                    format!("{topic}/{partition} was not worked on up to {}: {states:?}", marks.end)
                })?;
            }
        }
        Ok(())
    }

    /// Stops the services in the order of the data path: each when the one before it has ended.
    pub async fn stop(self) -> Result<()> {
        for service in self.services {
            service.stop().await?;
        }
        Ok(())
    }

    /// Says so when a service ends; waits as long as none does.
    async fn failed(&mut self) -> String {
        loop {
            for service in &mut self.services {
                if service.has_ended() {
                    let outcome = service.ended().await;
                    return format!("the {} ended: {outcome:?}", service.name());
                }
            }
            sleep(LOOK).await;
        }
    }
}

/// How long facts wait for company in the enricher and events in the alerter.
const COMMIT_AGE: Duration = Duration::from_millis(20);

/// Boots a sensor; it ends when its captures have been played and acknowledged. Dropping it is a crash.
pub fn boot(config: wardwatch_sensor::Config) -> Service {
    let context = service::context("sensor");
    Service::spawn(context.clone(), wardwatch_sensor::serve(config, context))
}

/// Waits until a condition holds; an error that says `what` was waited for when it never does.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
    let holds = async {
        while !condition() {
            sleep(LOOK).await;
        }
    };
    timeout(PATIENCE, holds).await.with_context(|| format!("it never came to pass that {what}"))
}

/// The captures that this project recorded.
pub fn recorded() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    ["bedside", "building", "network", "operating-room", "radiology"]
        .map(|area| folder.join(format!("{area}.pcap")))
        .to_vec()
}

/// The hospital that they were recorded in, as it is described beside them.
pub fn hospital() -> Result<Hospital> {
    Hospital::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/hospital.toml"))
}

/// How the services reach a broker for tests.
pub fn kafka_config(broker: &Broker) -> BusConfig {
    let mut config = BusConfig::default();
    config.kafka.brokers = vec![broker.bootstrap_servers().to_owned()];
    config.kafka.session_timeout = Duration::from_secs(6);
    config.kafka.linger = Duration::from_millis(5);
    config
}

/// How the services reach a database of the test's own on the server that tests share.
pub async fn store_settings() -> Result<Settings> {
    let server = Server::shared().await?;
    Ok(Settings {
        url: server.url().to_owned(),
        database: format!("pipeline_{}", uuid::Uuid::new_v4().simple()),
        fsync: false,
        ..Settings::default()
    })
}

async fn new_store() -> Result<Store> {
    let store = Store::connect(&store_settings().await?)?;
    store.migrate().await.context("make the tables")?;
    Ok(store)
}

fn collector_config() -> wardwatch_collector::Config {
    let known = [(SENSOR, SITE), (OTHER_SENSOR, OTHER_SITE)].map(|(sensor, site)| {
        (sensor.to_owned(), SensorConfig { site: site.to_owned(), token: token_of(sensor) })
    });
    let operators = [(OPERATOR, vec![]), (OTHER_OPERATOR, vec![OTHER_SITE.to_owned()])]
        .map(|(name, sites)| (name.to_owned(), OperatorConfig { token: token_of(name), sites }));
    wardwatch_collector::Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        sensors: BTreeMap::from(known),
        operators: BTreeMap::from(operators),
        partitions: PARTITIONS,
        ..wardwatch_collector::Config::default()
    }
}

fn token_of(sensor: &str) -> Secret {
    Secret::new(format!("token-of-{sensor}"))
}

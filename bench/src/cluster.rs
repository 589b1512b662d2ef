//! A cluster of one machine: Apache Kafka, ClickHouse, and the services as processes of their own, with the settings that
//! they have in a hospital unless something else is said.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use wardwatch_bus::{Bus, BusConfig, TopicSpec};
use wardwatch_engine::{Runner, free_ports};
use wardwatch_proto::topic;
use wardwatch_service::{Counters, ServiceInfo};
use wardwatch_store::{Settings, Store};
use wardwatch_tests::clickhouse::Server;
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::pipeline::program::Running;

use crate::cpu::Cost;

/// The services that a cluster has beside the sensors.
pub(crate) const COLLECTOR: &str = "collector";
/// See [`COLLECTOR`].
pub(crate) const ENRICHER: &str = "enricher";
/// See [`COLLECTOR`].
pub(crate) const ALERTER: &str = "alerter";

/// What the sensor of a site shows.
pub(crate) fn token(site: &str) -> String {
    format!("token-of-{site}")
}

/// The engines and what runs on them.
pub(crate) struct Cluster {
    pub(crate) broker: Broker,
    pub(crate) server: Server,
    pub(crate) store: Store,
    /// A client of the log that is none of the services'.
    pub(crate) bus: std::sync::Arc<dyn Bus>,
    /// Where sensors reach the collector.
    pub(crate) collector: SocketAddr,
    sites: Vec<String>,
    services: BTreeMap<&'static str, Running>,
}

/// What processes have cost so far, by name; the engines are among them.
pub(crate) type Costs = BTreeMap<&'static str, Cost>;

impl Cluster {
    /// Starts empty engines, and makes tables and topics as `wardwatch migrate` does.
    pub(crate) async fn start(sites: &[String]) -> Result<Self> {
        let (broker, server) = tokio::try_join!(Broker::start(), Server::start())?;
        let settings =
            Settings { url: server.url().to_owned(), database: "bench".into(), ..Settings::default() };
        let store = Store::connect(&settings)?;
        store.migrate().await.context("make the tables")?;
        let bus = wardwatch_bus::open(&bus_config(&broker), &Counters::default()).await?;
        let partitions = wardwatch_proto::log::DEFAULT_PARTITIONS;
        bus.ensure_topics(&topic::ALL.map(|name| TopicSpec::new(name, partitions)))
            .await
            .context("make the topics")?;
        let [port] = free_ports()?;
        let collector = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Self { broker, server, store, bus, collector, sites: sites.to_vec(), services: BTreeMap::new() })
    }

    /// Starts a service and waits until it is ready.
    pub(crate) fn launch(&mut self, name: &'static str) -> Result<()> {
        let variable = |key: &str| format!("WARDWATCH_{}__{key}", name.to_uppercase());
        let mut settings = BTreeMap::from([
            (variable("HEALTH__ADDRESS"), "127.0.0.1:0".to_owned()),
            (variable("TELEMETRY__LOG"), "info".to_owned()),
            (variable("BUS__KAFKA__BROKERS"), format!("[\"{}\"]", self.broker.bootstrap_servers())),
        ]);
        if name == COLLECTOR {
            let known = self
                .sites
                .iter()
                .map(|site| format!("{site} = {{ site = \"{site}\", token = \"{}\" }}", token(site)));
            let known = known.collect::<Vec<_>>().join(", ");
            settings.insert(variable("LISTEN"), self.collector.to_string());
            settings.insert(variable("SENSORS"), format!("{{ {known} }}"));
        } else {
            settings.insert(variable("STORE__URL"), self.store.settings().url.clone());
            settings.insert(variable("STORE__DATABASE"), self.store.database().to_owned());
        }
        let this = std::env::current_exe().context("find this program")?;
        let command = Runner::find(None)?.exec(this);
        let mut process = Running::launch(name, command, &["service", name], settings)?;
        process.ready()?;
        self.services.insert(name, process);
        Ok(())
    }

    /// What a service has said so far.
    pub(crate) fn log(&self, name: &str) -> String {
        self.services.get(name).map(Running::log).unwrap_or_default()
    }

    /// Whether a service has been started.
    pub(crate) fn runs(&self, name: &str) -> bool {
        self.services.contains_key(name)
    }

    /// Stops a service in order.
    pub(crate) fn stop(&mut self, name: &str) -> Result<()> {
        let Some(service) = self.services.remove(name) else { return Ok(()) };
        let (status, log) = service.stop()?;
        anyhow::ensure!(status.success(), "the {name} ended with {status}: {log}");
        Ok(())
    }

    /// What everything that runs has cost so far.
    pub(crate) fn costs(&self) -> Result<Costs> {
        let services = self.services.iter().map(|(name, service)| (*name, Some(service.id())));
        let engines = [("Kafka", self.broker.pid()), ("ClickHouse", self.server.pid())];
        let running = services.chain(engines).filter_map(|(name, pid)| Some((name, pid?)));
        running.map(|(name, pid)| Ok((name, Cost::of(pid)?))).collect()
    }

    /// The number that a query gives.
    pub(crate) async fn number(&self, query: &str) -> Result<u64> {
        let text = self.store.text(query, "TSV").await?;
        text.trim().parse().with_context(|| format!("{query} gave {text:?}"))
    }

    /// Rows that have come into `flows`; answered from what the server knows of its parts.
    pub(crate) async fn rows(&self) -> Result<u64> {
        self.number("SELECT count() FROM flows").await
    }

    /// Waits until so many rows are in `flows`.
    pub(crate) async fn until_rows(&self, wanted: u64) -> Result<()> {
        until(&format!("{wanted} rows in flows"), async || Ok(self.rows().await? >= wanted)).await
    }
}

/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How long something may take that is waited for.
const PATIENCE: Duration = Duration::from_mins(20);

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let holds = async {
        while !condition().await? {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, holds).await.with_context(|| format!("it never came to {what}"))?
}

/// How the broker is reached; all else as a service has it unless configured otherwise.
pub(crate) fn bus_config(broker: &Broker) -> BusConfig {
    let mut config = BusConfig::default();
    config.kafka.brokers = vec![broker.bootstrap_servers().to_owned()];
    config
}

/// Becomes a service: what its own program does.
pub(crate) fn become_service(name: &str) -> std::process::ExitCode {
    let info = |name| ServiceInfo { name, version: env!("CARGO_PKG_VERSION") };
    let arguments = [name];
    match name {
        COLLECTOR => {
            wardwatch_service::run(info(COLLECTOR), arguments.map(Into::into), wardwatch_collector::serve)
        }
        ENRICHER => {
            wardwatch_service::run(info(ENRICHER), arguments.map(Into::into), wardwatch_enricher::serve)
        }
        ALERTER => wardwatch_service::run(info(ALERTER), arguments.map(Into::into), wardwatch_alerter::serve),
        _ => std::process::ExitCode::FAILURE,
    }
}

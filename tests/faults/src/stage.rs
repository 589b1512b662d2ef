//! What the services stand on: a log with the facts in it, and a ClickHouse with empty tables. Both can be killed.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::timeout;
use wardwatch_bus::config::{BusKind, EmbeddedConfig};
use wardwatch_bus::{Bus, BusConfig, Publication, TopicPartition, TopicSpec};
use wardwatch_engine::free_ports;
use wardwatch_proto::topic;
use wardwatch_service::Counters;
use wardwatch_store::{Settings, Store};
use wardwatch_tests::clickhouse::Server;
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::pipeline::kafka_config;
use wardwatch_tests::traffic::Capture;

use crate::facts::{FactsLog, PARTITIONS, site_in};

/// How long one question of the suite may take while engines are killed.
const ANSWER: Duration = Duration::from_secs(3);

/// How many inserts each table remembers. Small, so that the window can be rolled on within a second; many more than are ever
/// on the way to it.
pub const WINDOW: usize = 100;

/// The site of the rows that roll a window on; nothing that is compared looks at it.
pub const FILLER_SITE: &str = "window-filler";

/// The sensors of a run on their side of the log.
pub const SENSORS: [&str; 2] = ["mirror-1", "mirror-2"];

/// A sensor by its number from 1, and the site where it stands.
pub fn sensor(number: usize) -> (&'static str, String) {
    let place = (number - 1) % SENSORS.len();
    (SENSORS[place], site_in([0, 3][place], 0))
}

/// Which log the services speak by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Log {
    /// Apache Kafka, and each service a process of its own.
    Kafka,
    /// The embedded log, and all services in one process.
    Embedded,
}

/// The engines. Dropping it kills them and removes their data.
pub struct Stage {
    log: Log,
    broker: Option<Arc<Mutex<Broker>>>,
    bootstrap: String,
    server: Arc<Mutex<Server>>,
    /// For collectors, who keep their address when they are started again.
    ports: [u16; 2],
    settings: Settings,
    store: Store,
    /// The journal of the embedded log, and what the services leave behind.
    folder: TempDir,
}

impl Stage {
    /// Starts what is needed, both at once; then the tables are made, and the facts lie in the log.
    pub async fn set(log: Log, facts: &FactsLog) -> Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("wardwatch-faults-").tempdir().context("make a folder")?;
        let broker = async {
            match log {
                Log::Kafka => Broker::start().await.context("start Kafka").map(Some),
                Log::Embedded => Ok(None),
            }
        };
        let server = async { Server::start().await.context("start ClickHouse") };
        let (broker, server) = tokio::try_join!(broker, server)?;
        Capture::default().write(&folder.path().join("empty.pcap")).context("write a capture")?;
        let settings = Settings {
            url: server.url().to_owned(),
            fsync: false,
            retry_for: Duration::from_secs(30),
            ..Settings::default()
        };
        let store = Store::connect(&settings)?;
        let bootstrap =
            broker.as_ref().map(|broker| broker.bootstrap_servers().to_owned()).unwrap_or_default();
        let stage = Self {
            log,
            broker: broker.map(|broker| Arc::new(Mutex::new(broker))),
            bootstrap,
            server: Arc::new(Mutex::new(server)),
            ports: free_ports()?,
            settings,
            store,
            folder,
        };
        tokio::try_join!(stage.make_tables(), stage.lay_facts(facts))?;
        Ok(stage)
    }

    /// Which log this is.
    pub fn log(&self) -> Log {
        self.log
    }

    /// Where services may leave what they say.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Keeps the folder for people to look at, and says where it is.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// How services reach ClickHouse.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How services reach Kafka.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Where a collector listens, by its number from 1.
    pub fn collector(&self, number: usize) -> String {
        format!("127.0.0.1:{}", self.ports[(number - 1) % self.ports.len()])
    }

    /// Where a sensor keeps what is not acknowledged.
    pub fn spool(&self, sensor: &str) -> PathBuf {
        self.folder.path().join(format!("{sensor}.spool"))
    }

    /// Where the spool of a process that was killed lies as it left it, by its number from 1.
    pub fn kept_spool(&self, sensor: &str, process: usize) -> PathBuf {
        self.folder.path().join(format!("{sensor}.{process}.kept"))
    }

    /// Copies a sensor's spool, so that it can be looked at later.
    pub fn keep_spool(&self, sensor: &str, process: usize) -> Result<()> {
        let (from, to) = (self.spool(sensor), self.kept_spool(sensor, process));
        if !from.is_dir() {
            return Ok(());
        }
        fs::create_dir(&to)?;
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
        Ok(())
    }

    /// A capture with nothing in it.
    pub fn empty_capture(&self) -> PathBuf {
        self.folder.path().join("empty.pcap")
    }

    /// Where ClickHouse answers.
    pub fn server_address(&self) -> Result<SocketAddr> {
        let address = self.settings.url.trim_start_matches("http://");
        address.parse().with_context(|| format!("{} is no address", self.settings.url))
    }

    /// Where the embedded log's journal is.
    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("bus")
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A client of the log that is none of the services'. The embedded log has one owner: no service may run then.
    pub async fn bus(&self) -> Result<Arc<dyn Bus>> {
        Ok(wardwatch_bus::open(&self.bus_config().await?, &Counters::default()).await?)
    }

    async fn bus_config(&self) -> Result<BusConfig> {
        if let Some(broker) = &self.broker {
            return Ok(kafka_config(&*broker.lock().await));
        }
        let embedded = EmbeddedConfig { directory: self.journal(), ..EmbeddedConfig::default() };
        Ok(BusConfig { kind: BusKind::Embedded, embedded, ..BusConfig::default() })
    }

    /// Kills ClickHouse and starts it again on its data after a while.
    pub fn kill_server(&self, down: Duration) -> impl Future<Output = Result<()>> + Send + 'static {
        let server = Arc::clone(&self.server);
        async move {
            let mut server = server.lock().await;
            server.kill().await.context("kill ClickHouse")?;
            tokio::time::sleep(down).await;
            server.restart().await.context("start ClickHouse again")
        }
    }

    /// Kills the broker and starts it again on its data after a while.
    pub fn kill_broker(&self, down: Duration) -> impl Future<Output = Result<()>> + Send + 'static {
        let broker = self.broker.clone();
        async move {
            let Some(broker) = broker else { bail!("there is no broker to be killed") };
            let mut broker = broker.lock().await;
            broker.kill().await?;
            tokio::time::sleep(down).await;
            broker.restart().await.context("start the broker again")
        }
    }

    /// Stops the broker's process for a while: nobody reaches it, and it loses nothing.
    pub fn stop_broker(&self, time: Duration) -> impl Future<Output = Result<()>> + Send + 'static {
        let broker = self.broker.clone();
        async move {
            let Some(broker) = broker else { bail!("there is no broker to be stopped") };
            // Held, so that nobody restarts it meanwhile.
            let broker = broker.lock().await;
            let pid = broker.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
            let pid = pid.context("the broker does not run")?;
            kill_process(pid, Signal::STOP).context("stop the broker")?;
            tokio::time::sleep(time).await;
            kill_process(pid, Signal::CONT).context("let the broker go on")
        }
    }

    /// Makes the server forget every token that it holds for the tables that nothing else protects: as many inserts of
    /// nobody's as each remembers.
    pub async fn roll_windows(&self) -> Result<()> {
        let names = "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'source_offset' \
                     AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() \
                     AND engine IN ('MergeTree', 'AggregatingMergeTree'))";
        for table in self.lines(names).await? {
            let token = uuid::Uuid::new_v4();
            let rows = WINDOW + 20;
            // Each row is a block, hence an insert of its own as the window counts them, which it does where there is a token.
            let statement = format!(
                "INSERT INTO {table} (site, source_partition, source_offset, received) \
                 SELECT '{FILLER_SITE}', 4000000000, number, '2026-11-22 12:00:00' FROM numbers({rows}) \
                 SETTINGS max_block_size = 1, min_insert_block_size_rows = 1, min_insert_block_size_bytes = 0, \
                 max_insert_threads = 1, max_threads = 1, insert_deduplication_token = '{token}'"
            );
            self.store.execute(&statement).await.with_context(|| format!("roll on the window of {table}"))?;
        }
        Ok(())
    }

    /// A query's answer, a line for each row. Not tried again, and not waited for.
    pub async fn lines(&self, query: &str) -> Result<Vec<String>> {
        let text =
            timeout(ANSWER * 10, self.store.text(query, "TSVRaw")).await.context("no answer in time")??;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// How far a service's stored memory reaches, by partition.
    pub async fn reached(&self, state_table: &str) -> Result<Vec<u64>> {
        let query =
            format!("SELECT partition, max(offset_end) FROM {state_table} WHERE key = '' GROUP BY partition");
        let text =
            timeout(ANSWER, self.store.text(&query, "TSVRaw")).await.context("no answer in time")??;
        let mut reached = vec![0; PARTITIONS as usize];
        for line in text.lines() {
            let (partition, end) = line.split_once('\t').with_context(|| format!("an odd answer: {line}"))?;
            let place =
                reached.get_mut(partition.parse::<usize>()?).context("a partition beyond the last one")?;
            *place = end.parse()?;
        }
        Ok(reached)
    }

    async fn make_tables(&self) -> Result<()> {
        self.store.migrate().await.context("make the tables")?;
        let windowed = "SELECT name FROM system.tables WHERE database = currentDatabase() \
                        AND engine_full LIKE '%non_replicated_deduplication_window%'";
        for table in self.lines(windowed).await? {
            let statement =
                format!("ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = {WINDOW}");
            self.store.execute(&statement).await?;
        }
        Ok(())
    }

    async fn lay_facts(&self, facts: &FactsLog) -> Result<()> {
        if let Some(broker) = self.broker.as_ref().filter(|_| !facts.messages.is_empty()) {
            // With times of our own, so that they are the same in every run.
            let settings = [
                ("message.timestamp.type", "CreateTime"),
                ("message.timestamp.after.max.ms", "9223372036854775807"),
                ("retention.ms", "-1"),
            ];
            broker.lock().await.create_topic(topic::FACTS, PARTITIONS.cast_signed(), &settings).await?;
        }
        let bus = self.bus().await?;
        bus.ensure_topics(&topic::ALL.map(|name| TopicSpec::new(name, PARTITIONS))).await?;
        match self.log {
            Log::Kafka => self.publish_to_kafka(facts).await?,
            Log::Embedded => {
                let mut receipts = Vec::new();
                for laid in &facts.messages {
                    let to = TopicPartition::new(topic::FACTS, laid.partition);
                    let publication = Publication::new(to, laid.payload.clone()).key(laid.key.clone());
                    receipts.push(bus.enqueue(publication).await?);
                }
                for receipt in receipts {
                    receipt.await?;
                }
            }
        }
        let ends: Vec<u64> =
            bus.topic_watermarks(topic::FACTS).await?.iter().map(|marks| marks.end).collect();
        ensure!(ends == facts.ends(), "the log ends at {ends:?} instead of {:?}", facts.ends());
        Ok(())
    }

    async fn publish_to_kafka(&self, facts: &FactsLog) -> Result<()> {
        let mut config = rdkafka::ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("enable.idempotence", "true");
        let producer: FutureProducer = config.create()?;
        let mut sent = Vec::new();
        for laid in &facts.messages {
            let record = FutureRecord::to(topic::FACTS)
                .partition(laid.partition.cast_signed())
                .timestamp(laid.at)
                .key(&laid.key)
                .payload(laid.payload.as_ref());
            sent.push(producer.send_result(record).map_err(|(error, _)| error)?);
        }
        for receipt in sent {
            receipt.await?.map_err(|(error, _)| error)?;
        }
        Ok(())
    }
}

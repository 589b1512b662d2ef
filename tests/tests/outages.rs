//! Outages between a sensor and the log: what was stated is in the log in the end, and nobody's memory grew meanwhile.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use prost::Message as _;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wardwatch_bus::config::{BusKind, EmbeddedConfig};
use wardwatch_bus::{Bus, BusConfig};
use wardwatch_collector::Collector;
use wardwatch_collector::config::{LimitsConfig, SensorConfig};
use wardwatch_proto::topic;
use wardwatch_proto::v1::{Batch, LogRecord, log_record};
use wardwatch_sensor::batch::BatchLimits;
use wardwatch_sensor::config::{InputConfig, UplinkConfig};
use wardwatch_sensor::spool::SpoolConfig;
use wardwatch_service::{Context, Counters, Secret, ServiceInfo};
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::pipeline::program::{Running, get};
use wardwatch_tests::pipeline::{
    PARTITIONS, PATIENCE, SENSOR, SITE, kafka_config, messages, recorded, until,
};
use wardwatch_tests::skip;

const TOKEN: &str = "a-token";

/// Octets in the sensor's memory here, and of its largest batch.
const MEMORY: u16 = 16 << 10;
const BATCH: u16 = 4 << 10;

fn context(name: &'static str) -> Context {
    Context::new(ServiceInfo { name, version: env!("CARGO_PKG_VERSION") })
}

/// A collector on its own, with bounds that are soon reached.
struct Collecting {
    context: Context,
    address: SocketAddr,
    task: JoinHandle<Result<()>>,
}

impl Collecting {
    async fn start(bus: Arc<dyn Bus>, listen: SocketAddr) -> Result<Self> {
        let sensor = SensorConfig { site: SITE.to_owned(), token: Secret::new(TOKEN) };
        let config = wardwatch_collector::Config {
            listen,
            sensors: BTreeMap::from([(SENSOR.to_owned(), sensor)]),
            partitions: PARTITIONS,
            limits: LimitsConfig {
                unpublished_bytes: 2 * usize::from(BATCH),
                farewell: Duration::from_secs(1),
                ..LimitsConfig::default()
            },
            ..wardwatch_collector::Config::default()
        };
        let collector = Collector::bind(config).await?;
        let context = context("collector");
        let address = collector.address()?;
        let task = tokio::spawn(collector.serve(context.clone(), bus));
        Ok(Self { context, address, task })
    }

    fn says(&self, check: &str) -> String {
        self.context.health.states().remove(check).map(|state| state.detail).unwrap_or_default()
    }

    /// Stops it in order.
    async fn stop(self) -> Result<()> {
        self.context.shutdown.cancel();
        timeout(PATIENCE, self.task).await.context("the collector did not stop")??
    }
}

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A sensor that plays the captures as if they were on the wire, only faster.
fn watching(collector: SocketAddr, spool: &Path) -> wardwatch_sensor::Config {
    wardwatch_sensor::Config {
        site: SITE.to_owned(),
        sensor: SENSOR.to_owned(),
        input: InputConfig { files: recorded(), speed: Some(1e6), ..InputConfig::default() },
        batch: BatchLimits { facts: 5, bytes: BATCH.into(), ..BatchLimits::default() },
        spool: SpoolConfig { directory: spool.to_owned(), ..SpoolConfig::default() },
        uplink: UplinkConfig {
            collectors: vec![format!("http://{collector}")],
            token: Secret::new(TOKEN),
            unacknowledged_bytes: MEMORY.into(),
            longest_pause: Duration::from_millis(500),
            ..UplinkConfig::default()
        },
        ..wardwatch_sensor::Config::default()
    }
}

/// The batches in the log: for each epoch what each sequence holds. The same one twice is the same bytes twice.
async fn logged(bus: &dyn Bus) -> Result<BTreeMap<u64, BTreeMap<u64, Batch>>> {
    let mut found: BTreeMap<u64, BTreeMap<u64, Batch>> = BTreeMap::new();
    for message in messages(bus, topic::FACTS).await? {
        let record = LogRecord::decode(message.payload.as_ref())?;
        let Some(log_record::Record::Batch(batch)) = record.record else { continue };
        let epoch = found.entry(batch.epoch).or_default();
        if let Some(before) = epoch.insert(batch.sequence, batch.clone()) {
            ensure!(before == batch, "batch {} of {} came as two", batch.sequence, batch.epoch);
        }
    }
    Ok(found)
}

fn facts(batches: &BTreeMap<u64, Batch>) -> u64 {
    batches.values().map(|batch| batch.facts.len() as u64).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_kafka_is_away_the_spool_fills_and_memory_does_not() -> Result<()> {
    if skip::unless_kafka("outages::while_kafka_is_away_the_spool_fills_and_memory_does_not") {
        return Ok(());
    }
    let mut broker = Broker::start().await?;
    let mut config = kafka_config(&broker);
    config.kafka.request_timeout = Duration::from_secs(3);
    let reader = wardwatch_bus::open(&config, &Counters::default()).await?;
    let bus = wardwatch_bus::open(&config, &Counters::default()).await?;
    let collector = Collecting::start(bus, ANYWHERE).await?;
    until("the collector reaches its log", || {
        collector.context.health.states().get("bus").is_some_and(|state| state.ready)
    })
    .await?;
    broker.kill().await?;

    let folder = tempfile::tempdir()?;
    let context = context("sensor");
    let counters = context.counters.clone();
    let mut sensor =
        tokio::spawn(wardwatch_sensor::serve(watching(collector.address, folder.path()), context.clone()));
    // The play goes on to its end, though nothing is acknowledged.
    let (kept, in_memory) =
        (counters.gauge("sensor_spool_batches", &[]), counters.gauge("sensor_unacknowledged_bytes", &[]));
    let mut most = 0;
    until("the spool holds far more than memory may", || {
        most = most.max(in_memory.value());
        let bytes = counters.gauge("sensor_spool_bytes", &[]).value();
        kept.value() > 40 && bytes > 4 * i64::from(MEMORY)
    })
    .await?;
    until("the collector says that its log is away", || !collector.says("bus").is_empty()).await?;
    until("the sensor says that nothing is acknowledged", || {
        most = most.max(in_memory.value());
        let states = context.health.states();
        states.get("uplink").is_some_and(|state| state.detail.contains("acknowledged nothing"))
    })
    .await?;
    assert!(most <= i64::from(MEMORY + 3 * BATCH), "{most} bytes in memory");
    assert_eq!(counters.total("sensor_batches_acknowledged"), 0);
    assert!(!sensor.is_finished(), "it ends when all is acknowledged");

    // A collector that stops meanwhile does not wait for its log for ever, whether or not it ever saw it, and one that starts
    // meanwhile waits for it and takes over.
    let address = collector.address;
    collector.stop().await?;
    let bus = wardwatch_bus::open(&config, &Counters::default()).await?;
    let collector = Collecting::start(Arc::clone(&bus), address).await?;
    assert!(!collector.task.is_finished(), "it waits for its log");
    collector.stop().await?;
    let collector = Collecting::start(bus, address).await?;
    // Longer than one question may take.
    tokio::time::sleep(config.kafka.request_timeout + Duration::from_secs(1)).await;
    assert!(!collector.task.is_finished(), "it waits for its log");
    assert_eq!(collector.says("bus"), "starting");
    broker.restart().await?;
    timeout(PATIENCE, &mut sensor).await.context("the sensor did not come to its end")???;
    assert_eq!(counters.total("sensor_batches_acknowledged"), counters.total("sensor_batches_cut"));
    assert_eq!(counters.total("sensor_spool_batches_dropped"), 0);
    assert_eq!((kept.value(), in_memory.value()), (0, 0));
    assert!(counters.total("sensor_backlog_streams") > 0, "most of it was backlog");

    let logged = logged(reader.as_ref()).await?;
    let batches = logged.values().next().context("one boot")?;
    assert_eq!(logged.len(), 1);
    let numbers: Vec<u64> = batches.keys().copied().collect();
    assert_eq!(numbers, (1..=counters.total("sensor_batches_cut")).collect::<Vec<_>>());
    assert_eq!(facts(batches), counters.total("sensor_facts_cut"));
    collector.stop().await
}

/// A log on the local disk.
async fn journal(folder: &TempDir) -> Result<Arc<dyn Bus>> {
    let embedded = EmbeddedConfig { directory: folder.path().join("bus"), ..EmbeddedConfig::default() };
    let config = BusConfig { kind: BusKind::Embedded, embedded, ..BusConfig::default() };
    Ok(wardwatch_bus::open(&config, &Counters::default()).await?)
}

/// A gauge or counter of a program.
fn metric(address: SocketAddr, name: &str) -> Option<i64> {
    let (_, body) = get(address, "/metrics.json").ok()?;
    let samples: serde_json::Value = serde_json::from_str(&body).ok()?;
    let of = |sample: &&serde_json::Value| sample["name"] == name;
    samples.as_array()?.iter().find(of)?["value"].as_i64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_sensor_had_kept_is_sent_by_the_next_boot_under_its_own_number() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bus = journal(&folder).await?;
    // An address where nobody listens yet.
    let [port] = wardwatch_engine::free_ports()?;
    let address = SocketAddr::new(ANYWHERE.ip(), port);
    let (files, spool) = (format!("{:?}", recorded()), folder.path().join("spool").display().to_string());
    let collectors = format!("[\"http://{address}\"]");
    let settings = [
        ("WARDWATCH_SENSOR__SITE", SITE),
        ("WARDWATCH_SENSOR__SENSOR", SENSOR),
        ("WARDWATCH_SENSOR__UPLINK__TOKEN", TOKEN),
        ("WARDWATCH_SENSOR__UPLINK__COLLECTORS", &collectors),
        ("WARDWATCH_SENSOR__UPLINK__LONGEST_PAUSE", "500ms"),
        ("WARDWATCH_SENSOR__INPUT__FILES", &files),
        ("WARDWATCH_SENSOR__BATCH__FACTS", "5"),
        ("WARDWATCH_SENSOR__SPOOL__DIRECTORY", &spool),
        ("WARDWATCH_SENSOR__HEALTH__ADDRESS", "127.0.0.1:0"),
    ];
    let mut kept = Vec::new();
    for boot in 0..2 {
        let mut sensor = Running::start("wardwatch-sensor", &["run"], settings)?;
        let health = sensor.health()?;
        let enough = 20 * (boot + 1);
        kept.push(sensor.until("kept some batches", |_| {
            metric(health, "sensor_spool_batches_kept").filter(|kept| *kept >= enough)
        })?);
        // Killed.
        drop(sensor);
    }
    let collector = Collecting::start(Arc::clone(&bus), address).await?;
    let sensor = Running::start("wardwatch-sensor", &["run"], settings)?;
    let (status, log) = tokio::task::spawn_blocking(|| sensor.ended()).await??;
    assert!(status.success(), "{log}");
    collector.stop().await?;

    let logged = logged(bus.as_ref()).await?;
    assert_eq!(logged.len(), 3, "each boot under its own epoch");
    let mut boots = logged.values();
    for kept in kept {
        let batches = boots.next().context("a boot that was killed")?;
        assert!(i64::try_from(batches.len())? >= kept, "{} of {kept} kept batches came", batches.len());
        assert!(batches.keys().copied().eq(1..=batches.len() as u64), "{:?}", batches.keys());
    }
    // All boots saw the same captures: what the killed ones stated first, the last one stated too.
    let last = boots.next().context("the last boot")?;
    let stated = |batches: &BTreeMap<u64, Batch>| -> BTreeSet<Vec<u8>> {
        batches.values().flat_map(|batch| &batch.facts).map(prost::Message::encode_to_vec).collect()
    };
    let all = stated(last);
    for batches in logged.values() {
        assert!(stated(batches).is_subset(&all));
    }
    Ok(())
}

//! `wardwatch migrate`: makes what the services of a cluster expect to find, tables and topics.
//!
//! The services themselves make no tables: several of each run at the same time, and the rights to alter tables and to
//! make topics are an administrator's. They refuse to start until this has been run.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};
use wardwatch_bus::{Bus, BusConfig, Error, TopicSpec};
use wardwatch_proto::{log, topic};
use wardwatch_service::Counters;
use wardwatch_service::config::{self, Sources};
use wardwatch_store::Store;

use crate::progress::say;
use crate::up::start_logging;

/// The topics that services keep positions in, so that it counts how often they were made.
const READ_BY_SERVICES: [&str; 2] = [topic::FACTS, topic::EVENTS];

/// Make or update the tables in ClickHouse and the topics in Kafka that the services expect to find.
///
/// Run it before the services are started, and again with each new version. It changes nothing where nothing has to be
/// changed. Environment variables `WARDWATCH_MIGRATE__<SECTION>__<KEY>` override the file.
#[derive(Args, Debug)]
pub(crate) struct Migrate {
    /// Read settings from this TOML file: the sections `store`, `bus` and `topics`
    #[arg(long, value_name = "FILE", env = "WARDWATCH_MIGRATE_CONFIG")]
    config: Option<PathBuf>,
    /// Only the tables, in this ClickHouse server, such as http://127.0.0.1:8123
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    clickhouse: Option<String>,
    /// Say that this topic was deleted and made again by others, so that positions in it are above all that were before;
    /// the services say when it is needed
    #[arg(long, value_name = "TOPIC", conflicts_with = "check_config", value_parser = READ_BY_SERVICES)]
    made_anew: Option<String>,
    /// Print the effective settings, secrets hidden, and exit
    #[arg(long)]
    check_config: bool,
    /// Which logs go to standard error
    #[arg(long, value_name = "FILTER", default_value = "warn", env = "WARDWATCH_LOG")]
    log: String,
}

/// What an administrator sets.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// ClickHouse.
    store: wardwatch_store::Settings,
    /// The log.
    bus: BusConfig,
    /// The log's topics.
    topics: TopicsConfig,
}

/// How topics are made. A topic that is there already keeps what it has.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct TopicsConfig {
    /// Partitions of each topic; the collector's `partitions` must be the same.
    partitions: u32,
    /// On how many brokers each message is kept; the brokers' default unless it is given.
    replication: Option<u16>,
    /// How long messages are kept; the brokers' default unless it is given.
    retention: RetentionConfig,
}

/// How long the messages of each topic are kept.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct RetentionConfig {
    /// Of `wardwatch.facts`: the longest time that the enricher or ClickHouse may be away without a loss.
    #[serde(with = "humantime_serde")]
    facts: Option<Duration>,
    /// Of `wardwatch.events`: the same for the alerter.
    #[serde(with = "humantime_serde")]
    events: Option<Duration>,
    /// Of `wardwatch.siem.detection`: the same for the SIEM.
    #[serde(with = "humantime_serde")]
    siem_detection: Option<Duration>,
    /// Of `wardwatch.siem.inventory`: the same for who keeps an inventory from it.
    #[serde(with = "humantime_serde")]
    siem_inventory: Option<Duration>,
    /// Of `wardwatch.deadletter`: how long there is to look into what could not be read.
    #[serde(with = "humantime_serde")]
    deadletter: Option<Duration>,
}

impl Default for TopicsConfig {
    fn default() -> Self {
        Self { partitions: log::DEFAULT_PARTITIONS, replication: None, retention: RetentionConfig::default() }
    }
}

impl TopicsConfig {
    fn specs(&self) -> [TopicSpec; 5] {
        let RetentionConfig { facts, events, siem_detection, siem_inventory, deadletter } = self.retention;
        [
            (topic::FACTS, facts),
            (topic::EVENTS, events),
            (topic::SIEM_DETECTION, siem_detection),
            (topic::SIEM_INVENTORY, siem_inventory),
            (topic::DEADLETTER, deadletter),
        ]
        .map(|(name, retention)| {
            let spec = TopicSpec::new(name, self.partitions);
            TopicSpec { replication: self.replication, retention, ..spec }
        })
    }
}

/// Runs the command.
pub(crate) async fn run(arguments: Migrate) -> anyhow::Result<()> {
    let mut sources = Sources::new("migrate").process_environment();
    if let Some(path) = &arguments.config {
        sources = sources.file(path);
    }
    let mut config: Config = config::load(&sources)?;
    if let Some(url) = &arguments.clickhouse {
        config.store.url.clone_from(url);
    }
    if arguments.check_config {
        return crate::table::print(&config::to_toml(&config)?);
    }
    let logging = start_logging(&arguments.log)?;
    let outcome = match &arguments.made_anew {
        Some(topic) => made_anew(&config, topic).await,
        None => migrate(&config, arguments.clickhouse.is_none()).await,
    };
    logging.stop().await;
    outcome
}

/// Begins a new incarnation of a topic that somebody else has made again.
async fn made_anew(config: &Config, topic: &str) -> anyhow::Result<()> {
    let store = Store::connect(&config.store)?;
    store.check_migrated().await?;
    let incarnation = store.begin_incarnation(topic, "").await?;
    say(&format!(
        "topic {topic}: incarnation {incarnation} begins; partitions that stand still take it up by themselves"
    ));
    Ok(())
}

async fn migrate(config: &Config, with_topics: bool) -> anyhow::Result<()> {
    let store = Store::connect(&config.store)?;
    let applied = store.migrate().await.context("cannot bring the tables up to date")?;
    let applied =
        if applied.is_empty() { "up to date".to_owned() } else { format!("made {}", applied.join(", ")) };
    say(&format!("tables in {} of {}: {applied}", config.store.database, config.store.url));
    if !with_topics {
        return Ok(());
    }
    let bus = wardwatch_bus::open(&config.bus, &Counters::default()).await.context("cannot open the log")?;
    for spec in config.topics.specs() {
        let said = make(bus.as_ref(), &store, &spec).await?;
        say(&format!("topic {}: {said}", spec.name));
    }
    Ok(())
}

/// Makes a topic where it is missing; says what was found or done.
async fn make(bus: &dyn Bus, store: &Store, spec: &TopicSpec) -> anyhow::Result<String> {
    let is_there = match bus.partitions(&spec.name).await {
        Ok(_) => true,
        Err(Error::UnknownTopic { .. }) => false,
        Err(error) => return Err(error).with_context(|| format!("cannot look for topic {}", spec.name)),
    };
    let mut said = "up to date".to_owned();
    if !is_there {
        said = format!("made with {} partitions", spec.partitions);
        // Its offsets begin anew, and positions must not. Before the topic is there: one that is counted and then not made
        // does no harm.
        if READ_BY_SERVICES.contains(&spec.name.as_str()) {
            let incarnation = store.begin_incarnation(&spec.name, "").await?;
            said = format!("{said}, incarnation {incarnation}");
        }
    }
    bus.ensure_topics(std::slice::from_ref(spec))
        .await
        .with_context(|| format!("cannot make sure of topic {}", spec.name))?;
    Ok(said)
}

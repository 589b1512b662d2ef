//! What is examined: a cluster, a running `wardwatch up`, or the data that one has left.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::http::StatusCode;
use wardwatch_bus::config::{BusKind, EmbeddedConfig};
use wardwatch_bus::{Bus, BusConfig};
use wardwatch_service::Counters;
use wardwatch_store::{Settings, Store};

use super::Config;
use super::log::{Groups, Log};
use super::readings::Readings;
use super::service::{self, Service};
use super::tables::Tables;
use crate::door::Door;
use crate::engine::Database;
use crate::folder::Folder;

/// What is examined.
pub(crate) struct Subject {
    /// Where services answer.
    services: Vec<String>,
    log: LogSource,
    store: Option<Store>,
    groups: Groups,
    /// The ClickHouse of a data folder, where there is one.
    database: Option<Database>,
    /// What is to be said about how it was found.
    pub(crate) note: Option<String>,
}

/// Where one learns how far the log reaches.
enum LogSource {
    /// Nobody said.
    Unknown,
    Client(Arc<dyn Bus>),
    /// A process that has the embedded log to itself tells.
    ServedBy(String),
    Failed(String),
}

impl Subject {
    /// A cluster, as its configuration has it.
    pub(crate) async fn cluster(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            services: config.services.clone(),
            log: log_at(&config.bus).await,
            store: Some(connect(&config.store)?),
            groups: config.groups(),
            database: None,
            note: None,
        })
    }

    /// Parts of a cluster: those that were named on the command line.
    pub(crate) fn parts(config: &Config, folder: &Folder) -> anyhow::Result<Self> {
        let store = folder.clickhouse_settings().map(|settings| connect(&settings)).transpose()?;
        Ok(Self {
            services: config.services.clone(),
            log: LogSource::Unknown,
            store,
            groups: config.groups(),
            database: None,
            note: Some("the log was not asked: it is named in a file, --config FILE".to_owned()),
        })
    }

    /// What runs on a data folder, or what has been left there.
    pub(crate) async fn folder(config: &Config, folder: &Folder) -> anyhow::Result<Self> {
        let running = match Door::find(folder)? {
            Some(door) => log_of(&door.health).await.is_ok().then_some(door.health),
            None => None,
        };
        let database = Database::for_reading(folder).await?;
        let store = connect(database.store.settings())?;
        let (services, log, note) = if let Some(url) = running {
            (vec![url.clone()], LogSource::ServedBy(url), None)
        } else {
            let note = format!(
                "nothing runs on {}: what is stored there was looked at, and no service asked",
                folder.path()?.display()
            );
            (Vec::new(), at_rest(folder).await?, Some(note))
        };
        let services = services.into_iter().chain(config.services.iter().cloned()).collect();
        Ok(Self {
            services,
            log,
            store: Some(store),
            groups: config.groups(),
            database: Some(database),
            note,
        })
    }

    /// Reads everything once. What counts, is read first: tables and log before the services that go on meanwhile.
    pub(crate) async fn read(&self) -> Readings {
        let tables = match &self.store {
            Some(store) => Some(tables(store).await.map_err(|error| format!("{error:#}"))),
            None => None,
        };
        let log = match &self.log {
            LogSource::Unknown => None,
            LogSource::Failed(reason) => Some(Err(reason.clone())),
            LogSource::Client(bus) => {
                Some(Log::read(bus.as_ref(), &self.groups).await.map_err(|error| error.to_string()))
            }
            LogSource::ServedBy(url) => Some(log_of(url).await.map_err(|error| format!("{error:#}"))),
        };
        let mut services = Vec::new();
        for url in &self.services {
            services.push(Service::ask(url).await);
        }
        Readings { services, log, tables }
    }

    /// Gives back what was opened.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        drop(self.log);
        match self.database {
            Some(database) => database.close().await,
            None => Ok(()),
        }
    }
}

async fn tables(store: &Store) -> anyhow::Result<Tables> {
    store.check_migrated().await?;
    Ok(Tables::read(store).await?)
}

async fn log_of(url: &str) -> anyhow::Result<Log> {
    service::get(url, "/log.json", &[StatusCode::OK]).await
}

/// A client that says at once what is wrong instead of trying again.
fn connect(settings: &Settings) -> anyhow::Result<Store> {
    let settings = Settings { retry_for: Duration::ZERO, ..settings.clone() };
    Store::connect(&settings).context("cannot ask ClickHouse")
}

/// The log that nobody has open now.
async fn at_rest(folder: &Folder) -> anyhow::Result<LogSource> {
    let directory = folder.bus_data()?;
    if !directory.is_dir() {
        return Ok(LogSource::Unknown);
    }
    let embedded = EmbeddedConfig { directory, ..EmbeddedConfig::default() };
    let config = BusConfig { kind: BusKind::Embedded, embedded, ..BusConfig::default() };
    Ok(log_at(&config).await)
}

/// The log, asked no longer than one answer may take: who asks what is wrong does not want to wait until it is right.
async fn log_at(config: &BusConfig) -> LogSource {
    let mut config = config.clone();
    config.kafka.retry_for = config.kafka.request_timeout;
    match wardwatch_bus::open(&config, &Counters::default()).await {
        Ok(bus) => LogSource::Client(bus),
        Err(error) => LogSource::Failed(error.to_string()),
    }
}

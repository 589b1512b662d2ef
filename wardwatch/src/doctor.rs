//! `wardwatch doctor`: whether everything that went in has come out, hop by hop, and where not.
//!
//! - `subject`: what is examined, and everything that is read of it at one moment (`readings`)
//! - `service`, `log`, `tables`: the three places that are asked
//! - `hops`: the sums, as pure functions of what was read
//! - `hop`, `report`: how a hop looks, and all of them
//!
//! While data flows, no two places can be read at one moment, so a sum that does not close is looked at again for a while:
//! what closes once has lost nothing. What never does is broken. All sums are listed in `docs/doctor.md`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use wardwatch_bus::{Bus, BusConfig};
use wardwatch_proto::topic;
use wardwatch_service::config::{self, Sources};

use crate::folder::Folder;
use crate::table::Format;
use crate::up::start_logging;

mod hop;
mod hops;
mod log;
mod readings;
mod report;
mod service;
mod subject;
mod tables;

use hop::{Hop, Level};
use hops::Limits;
use log::Groups;
use report::Report;
use subject::Subject;

/// The pause before what did not close is looked at again.
const PAUSE: Duration = Duration::from_millis(500);
/// Hops that say how things are now: that they were well a moment ago is no comfort.
const OF_NOW: [&str; 3] = ["service", "log", "clickhouse"];

/// Check hop by hop that everything that went in has come out, and say where not.
///
/// Without --config it examines what runs on the data folder, or what has been left there. Exits with 1 when a hop is
/// broken: something is missing, stands still or cannot be reached. What was dropped for a known reason wants attention
/// and exits with 0. Environment variables `WARDWATCH_DOCTOR__<KEY>` override the file.
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Examine the cluster of this TOML file: the sections `store` and `bus`, and `services`
    #[arg(long, value_name = "FILE", env = "WARDWATCH_DOCTOR_CONFIG")]
    config: Option<PathBuf>,
    /// Where a service serves its health, such as http://127.0.0.1:9603 (repeatable)
    #[arg(long, value_name = "URL")]
    service: Vec<String>,
    #[command(flatten)]
    folder: Folder,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Examine again every so many seconds, until it is interrupted
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    watch: Option<u64>,
    /// Print the effective settings, secrets hidden, and exit
    #[arg(long)]
    check_config: bool,
    /// Which logs go to standard error
    #[arg(long, value_name = "FILTER", default_value = "error", env = "WARDWATCH_LOG")]
    log: String,
}

/// What can be set.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// ClickHouse.
    store: wardwatch_store::Settings,
    /// The log.
    bus: BusConfig,
    /// Where services serve their health.
    services: Vec<String>,
    /// How long what does not close, or does not move, is looked at again.
    #[serde(with = "humantime_serde")]
    patience: Duration,
    /// More messages than this waiting for a service want attention.
    lag: u64,
    /// Losses of a boot that was last heard longer ago than this want attention; newer ones are broken.
    #[serde(with = "humantime_serde")]
    recent: Duration,
    /// The consumer groups of the services.
    groups: GroupsConfig,
}

/// The consumer groups of the services, where they are not the usual ones.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct GroupsConfig {
    enricher: String,
    alerter: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: wardwatch_store::Settings::default(),
            bus: BusConfig::default(),
            services: Vec::new(),
            patience: Duration::from_secs(10),
            lag: 10_000,
            recent: Duration::from_hours(24),
            groups: GroupsConfig::default(),
        }
    }
}

impl Default for GroupsConfig {
    fn default() -> Self {
        Self { enricher: "wardwatch-enricher".to_owned(), alerter: "wardwatch-alerter".to_owned() }
    }
}

impl Config {
    fn groups(&self) -> Groups {
        [(topic::FACTS, self.groups.enricher.clone()), (topic::EVENTS, self.groups.alerter.clone())]
    }
}

/// What a process that runs everything on a log of its own serves about it.
pub(crate) fn served(bus: Arc<dyn Bus>) -> Router {
    log::served(bus, Config::default().groups())
}

/// Runs the command.
pub(crate) async fn run(arguments: Doctor) -> anyhow::Result<()> {
    let mut sources = Sources::new("doctor").process_environment();
    if let Some(path) = &arguments.config {
        sources = sources.file(path);
    }
    let mut config: Config = config::load(&sources)?;
    config.services.extend(arguments.service.iter().cloned());
    if arguments.check_config {
        return crate::table::print(&config::to_toml(&config)?);
    }
    let logging = start_logging(&arguments.log)?;
    let outcome = examine_and_print(&arguments, &config).await;
    logging.stop().await;
    outcome
}

async fn examine_and_print(arguments: &Doctor, config: &Config) -> anyhow::Result<()> {
    let subject = if arguments.config.is_some() {
        Subject::cluster(config).await?
    } else if arguments.folder.clickhouse.is_some() || !arguments.service.is_empty() {
        Subject::parts(config, &arguments.folder)?
    } else {
        Subject::folder(config, &arguments.folder).await?
    };
    let report = loop {
        let report = examine(&subject, config).await;
        report.print(arguments.format)?;
        match arguments.watch {
            Some(seconds) => sleep(Duration::from_secs(seconds)).await,
            None => break report,
        }
    };
    subject.close().await?;
    anyhow::ensure!(report.level < Level::Broken, "broken at: {}", report.broken().join(", "));
    Ok(())
}

/// Looks until nothing is broken any more, or patience ends.
async fn examine(subject: &Subject, config: &Config) -> Report {
    let limits = Limits { lag: config.lag, recent: config.recent };
    let until = Instant::now() + config.patience;
    let first = subject.read().await;
    let mut hops = hops::all(&first, None, &limits);
    while hops.iter().any(|hop| hop.level == Level::Broken) && Instant::now() < until {
        sleep(PAUSE).await;
        let next = subject.read().await;
        hops = settled(hops, hops::all(&next, Some(&first), &limits));
    }
    Report::new(hops, subject.note.clone())
}

/// The newer of two looks, but for hops that were well at the older one.
fn settled(older: Vec<Hop>, newer: Vec<Hop>) -> Vec<Hop> {
    let well = older.into_iter().filter(|hop| hop.level < Level::Broken && !OF_NOW.contains(&hop.name));
    let mut well: BTreeMap<(&str, String), Hop> = well.map(|hop| ((hop.name, hop.of.clone()), hop)).collect();
    let choose = |hop: Hop| {
        if hop.level < Level::Broken {
            return hop;
        }
        well.remove(&(hop.name, hop.of.clone())).unwrap_or(hop)
    };
    newer.into_iter().map(choose).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_well_once_is_not_broken_by_a_look_in_between() {
        let well = || Hop::new("table flows", "rows").passing(3, 3).closed();
        let broken = || Hop::new("table flows", "rows").passing(4, 3).closed();
        let service = |level| Hop::new("service", "").of("http://x").finding(level, "said");
        let both = |hop: Hop, level| vec![hop, service(level)];
        let settled_levels =
            |older, newer| -> Vec<Level> { settled(older, newer).iter().map(|hop| hop.level).collect() };
        let (good, bad) = (Level::Closed, Level::Broken);
        assert_eq!(settled_levels(both(well(), good), both(broken(), good)), [good, good]);
        assert_eq!(settled_levels(both(broken(), good), both(well(), good)), [good, good]);
        assert_eq!(settled_levels(both(broken(), good), both(broken(), good)), [bad, good]);
        assert_eq!(settled_levels(both(well(), good), both(well(), bad)), [good, bad], "it is away now");
    }
}

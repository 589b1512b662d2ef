//! `wardwatch up`: the product on captures or an interface.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use wardwatch_sensor::config::InputConfig;
use wardwatch_service::shutdown;
use wardwatch_service::telemetry::{self, Telemetry, TelemetryConfig};
use wardwatch_service::{Counters, ServiceInfo};

use crate::engine::Database;
use crate::folder::Folder;
use crate::platform::{Plan, Platform};
use crate::progress::{Progress, say};

/// Run everything in one process: watch captures or an interface, identify devices, score and alert.
///
/// Without --once it goes on until it is interrupted; `wardwatch devices`, `alerts` and `query` work meanwhile and
/// afterwards.
#[derive(Args, Debug)]
pub(crate) struct Up {
    /// A capture file to play (pcap, pcapng; repeatable, played one after the other)
    #[arg(long, value_name = "FILE", required_unless_present = "iface")]
    pcap: Vec<PathBuf>,
    /// A network interface to watch; needs the capability CAP_NET_RAW
    #[arg(long, value_name = "IF", conflicts_with = "pcap")]
    iface: Option<String>,
    /// Play captures at this multiple of their original pace; without it as fast as it goes
    #[arg(long, value_name = "FACTOR", conflicts_with = "iface")]
    speed: Option<f64>,
    /// End when all input is stored
    #[arg(long)]
    once: bool,
    /// The site's name
    #[arg(long, default_value = "local")]
    site: String,
    /// The sensor's name
    #[arg(long, default_value = "local")]
    sensor: String,
    /// Which logs go to standard error
    #[arg(long, value_name = "FILTER", default_value = "warn", env = "WARDWATCH_LOG")]
    log: String,
    #[command(flatten)]
    folder: Folder,
}

/// Runs the command.
pub(crate) async fn run(arguments: Up) -> anyhow::Result<()> {
    let logging = start_logging(&arguments.log)?;
    for path in &arguments.pcap {
        std::fs::metadata(path).with_context(|| format!("--pcap: cannot read {}", path.display()))?;
    }
    let plan = Plan {
        site: arguments.site,
        sensor: arguments.sensor,
        input: InputConfig {
            interface: arguments.iface,
            files: arguments.pcap,
            speed: arguments.speed,
            ..InputConfig::default()
        },
    };
    let database = Database::own(&arguments.folder).await?;
    let outcome = watch(&plan, &arguments.folder, &database, arguments.once).await;
    let closed = database.close().await;
    logging.stop().await;
    outcome?;
    closed
}

async fn watch(plan: &Plan, folder: &Folder, database: &Database, once: bool) -> anyhow::Result<()> {
    let mut platform = Platform::start(plan, folder, &database.store).await?;
    shutdown::on_signals(platform.watching().clone()).context("cannot listen for signals")?;
    if !once {
        say(&format!("ClickHouse answers at {}, the collector at {}", database.url, platform.collector()));
    }
    let progress = Progress::of("watching", platform.counters().clone());
    let watched = platform.watched().await?;
    platform.settled().await?;
    drop(progress);
    say(&summary(platform.counters()));
    if !once && watched.is_ok() && !platform.watching().is_cancelled() {
        say("all input is stored; press Ctrl-C to stop, or ask `wardwatch devices` in another terminal");
        platform.watching().cancelled().await;
    }
    platform.stop().await?;
    watched
}

/// Logs to standard error, for a command that runs services.
pub(crate) fn start_logging(filter: &str) -> anyhow::Result<Telemetry> {
    let config = TelemetryConfig { log: filter.to_owned(), ..TelemetryConfig::default() };
    let service = ServiceInfo { name: "wardwatch", version: env!("CARGO_PKG_VERSION") };
    telemetry::start(&config, service, &Counters::default()).context("cannot start logging")
}

/// What came of the run, in a line.
fn summary(counters: &Counters) -> String {
    format!(
        "{} packets seen, {} malformed; {} flow records and {} observations stated; {} batches acknowledged; {} flow rows stored",
        counters.total("sensor_packets"),
        counters.total("sensor_packets_malformed"),
        counters.total("sensor_flow_records"),
        counters.total("sensor_observations"),
        counters.total("sensor_batches_acknowledged"),
        counters.counter("enricher_rows_written", &[("table", "flows")]).value(),
    )
}

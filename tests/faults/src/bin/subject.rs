//! Any of the services, built with its fail points armed: what the suite kills.
//!
//! `subject enricher --config FILE` is `wardwatch-enricher --config FILE`, and so on for `sensor`, `collector` and `alerter`;
//! `subject standalone` is the collector, the enricher and the alerter in one process on the embedded log, put together as
//! `wardwatch up` does it.

#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use wardwatch_bus::BusConfig;
use wardwatch_collector::Collector;
use wardwatch_service::{Context, ServiceInfo, Tasks, run};
use wardwatch_store::Store;

/// How long the services of one process may take to stop, as in `wardwatch up`.
const GRACE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let mut arguments = env::args_os();
    let program = arguments.next().unwrap_or_else(|| "subject".into());
    let Some(service) = arguments.next().and_then(|service| service.into_string().ok()) else {
        return usage();
    };
    let rest: Vec<OsString> = std::iter::once(program).chain(arguments).collect();
    match service.as_str() {
        "sensor" => run(info("sensor"), rest, wardwatch_sensor::serve),
        "collector" => run(info("collector"), rest, wardwatch_collector::serve),
        "enricher" => run(info("enricher"), rest, wardwatch_enricher::serve),
        "alerter" => run(info("alerter"), rest, wardwatch_alerter::serve),
        "standalone" => run(info("standalone"), rest, standalone),
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "usage: subject sensor|collector|enricher|alerter|standalone [OPTION...]");
    ExitCode::from(2)
}

fn info(name: &'static str) -> ServiceInfo {
    ServiceInfo { name, version: env!("CARGO_PKG_VERSION") }
}

/// The settings of three services in one process. Each one's own `bus` is not looked at.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Standalone {
    bus: BusConfig,
    collector: wardwatch_collector::Config,
    enricher: wardwatch_enricher::Config,
    alerter: wardwatch_alerter::Config,
}

async fn standalone(config: Standalone, context: Context) -> anyhow::Result<()> {
    let bus = wardwatch_bus::open(&config.bus, &context.counters).await.context("cannot open the log")?;
    let mut tasks = Tasks::new(context.shutdown.clone());

    let collector = Collector::bind(config.collector).await?;
    tracing::info!(address = %collector.address()?, "the collector listens");
    tasks.spawn("collector", collector.serve(context.child(info("collector")), Arc::clone(&bus)));

    let store = Store::connect(&config.enricher.store)?;
    let parts = wardwatch_enricher::Parts {
        bus: Arc::clone(&bus),
        store,
        progress: wardwatch_enricher::Progress::default(),
    };
    tasks.spawn(
        "enricher",
        wardwatch_enricher::serve_on(config.enricher, context.child(info("enricher")), parts),
    );

    let store = Store::connect(&config.alerter.store)?;
    let parts = wardwatch_alerter::Parts { bus, store, progress: wardwatch_alerter::Progress::default() };
    tasks
        .spawn("alerter", wardwatch_alerter::serve_on(config.alerter, context.child(info("alerter")), parts));

    tasks.join(GRACE).await
}

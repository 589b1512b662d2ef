//! The sensor as a service: a thread that states facts, the spool, the uplink, and their end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use wardwatch_proto::v1::Fact;
use wardwatch_service::Context;

use crate::batch::{Batcher, CutBatch};
use crate::config::Config;
use crate::port::Port;
use crate::spool::{Intake, Plan, Spool};
use crate::telling::Telling;
use crate::uplink::Uplink;
use crate::watch::Watch;

/// How long the last write to the disk may take.
const CLOSING: Duration = Duration::from_secs(10);

/// Watches the configured input and streams facts to a collector. Ends when files have been played and everything in the spool is
/// acknowledged; or at shutdown, when what was learned until then is stated and kept, and sent as far as
/// `uplink.farewell` allows.
pub async fn serve(config: Config, context: Context) -> anyhow::Result<()> {
    config.check()?;
    let shutdown = context.shutdown.clone();
    let watch = {
        let config = config.clone();
        let interface = config.input.interface.clone();
        let port = interface.map(|interface| (interface, context.health.check("capture")));
        move |epoch, intake, telling: Telling| {
            let port = port.map(|(interface, check)| Port::new(&interface, check, telling.clone()));
            let watch = Watch::new(&config, epoch, intake, telling, port, shutdown)?;
            watch.run(&config.input)
        }
    };
    state(config, context, watch).await
}

/// As [`serve`], for facts that come from elsewhere than packets: `work` states them in a thread of its own. Ends when it has
/// returned and everything is acknowledged. The benchmarks make their facts up.
pub async fn serve_facts(
    config: Config,
    context: Context,
    work: impl FnOnce(Outlet) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    config.check_sending()?;
    let work = {
        let (site, sensor, limits) = (config.site.clone(), config.sensor.clone(), config.batch.clone());
        let scope = config.scope.clone();
        move |epoch, batches, telling| {
            work(Outlet {
                batcher: Batcher::new(&site, &sensor, epoch, limits).in_scope(&scope),
                batches,
                telling,
            })
        }
    };
    state(config, context, work).await
}

/// Runs `work` in a thread that hands batches of an epoch to the spool, and sends them.
async fn state(
    config: Config,
    context: Context,
    work: impl FnOnce(u64, Intake, Telling) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    let telling = Telling::new(&context.counters);
    let uplink = Uplink::new(&config, telling.clone(), context.health.check("uplink"))?;
    let (spool, intake) = {
        let (plan, telling) = (plan(&config)?, telling.clone());
        let check = context.health.check("spool");
        let opening = tokio::task::spawn_blocking(move || Spool::open(plan, telling, check));
        opening.await.context("opening the spool panicked")?.context("the spool cannot be used")?
    };
    let epoch = spool.epoch();
    let working = tokio::task::spawn_blocking(move || {
        // Told at once: the uplink may go on for long before the service ends with it.
        work(epoch, intake, telling)
            .inspect_err(|error| tracing::error!(error = format!("{error:#}"), "watching ended"))
    });
    let hastened = async {
        context.shutdown.cancelled().await;
        spool.hasten();
        std::future::pending::<()>().await;
    };
    let worked = async { working.await.context("the thread that states facts panicked")? };
    let farewell = async {
        context.shutdown.cancelled().await;
        spool.until_cut().await;
        tokio::time::sleep(config.uplink.farewell).await;
    };
    let sent = async {
        tokio::select! {
            () = uplink.run(&spool) => {}
            () = farewell => {
                let left = context.counters.gauge("sensor_spool_batches", &[]).value();
                tracing::warn!(batches = left, "stopping before all is acknowledged: the spool keeps it");
            }
        }
    };
    let worked = tokio::select! {
        (worked, ()) = async { tokio::join!(worked, sent) } => worked,
        () = hastened => Ok(()),
    };
    spool.close(CLOSING).await;
    worked
}

fn plan(config: &Config) -> anyhow::Result<Plan> {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    Ok(Plan {
        config: config.spool.clone(),
        owner: format!("sensor {} at site {}", config.sensor, config.site),
        millis: u64::try_from(millis).context("the clock is set to a time that cannot be counted")?,
        memory: config.uplink.unacknowledged_bytes,
        overflow: config.overflow(),
    })
}

/// Where facts go.
#[derive(Debug)]
pub struct Outlet {
    batcher: Batcher,
    batches: Intake,
    telling: Telling,
}

impl Outlet {
    /// States a fact. Waits while the spool can take none.
    pub fn state(&mut self, fact: Fact) -> anyhow::Result<()> {
        self.batcher.add(fact).map_or(Ok(()), |batch| self.send(batch))
    }

    /// To be called now and then: sends what has waited long enough for company.
    pub fn upkeep(&mut self) -> anyhow::Result<()> {
        self.batcher.cut_if_old().map_or(Ok(()), |batch| self.send(batch))
    }

    /// Sends the rest.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.batcher.cut().map_or(Ok(()), |batch| self.send(batch))
    }

    fn send(&self, batch: CutBatch) -> anyhow::Result<()> {
        self.telling.batches_cut.increment();
        self.telling.facts_cut.add(batch.facts);
        Ok(self.batches.keep(batch)?)
    }
}

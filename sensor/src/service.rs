//! The sensor as a service: the capture thread, the uplink, and their end.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use tokio::sync::mpsc;
use wardwatch_proto::v1::Fact;
use wardwatch_service::Context;

use crate::batch::{Batcher, CutBatch};
use crate::config::Config;
use crate::telling::Telling;
use crate::uplink::{self, Uplink};
use crate::watch::Watch;

/// Batches between the capture thread and the uplink; beyond these the uplink keeps what is not acknowledged.
const CHANNEL: usize = 4;

/// Watches the configured input and streams facts to a collector. Ends when files have been played and acknowledged, or
/// at shutdown, when what was learned until then is stated and sent as long as the grace time lasts.
pub async fn serve(config: Config, context: Context) -> anyhow::Result<()> {
    config.check()?;
    let epoch = epoch()?;
    let telling = Telling::new(&context.counters);
    let (sender, receiver) = mpsc::channel(CHANNEL);
    let watch = Watch::new(&config, epoch, sender, telling.clone(), context.shutdown.clone());
    let input = config.input.clone();
    let watching = tokio::task::spawn_blocking(move || {
        // Told at once: the uplink may go on for long before the service ends with it.
        watch.run(&input).inspect_err(|error| tracing::error!(error = format!("{error:#}"), "watching ended"))
    });
    let hello = uplink::hello(&config.site, &config.sensor, epoch);
    let uplink = Uplink::new(config.uplink, hello, telling, context.health.check("uplink"));
    let (watched, sent) = tokio::join!(watching, uplink.run(receiver));
    sent.context("the uplink failed")?;
    watched.context("the capture thread panicked")?
}

/// As [`serve`], for facts that come from elsewhere than packets: `work` states them in a thread of its own. Ends when it has
/// returned and everything is acknowledged. The benchmarks make their facts up.
pub async fn serve_facts(
    config: Config,
    context: Context,
    work: impl FnOnce(Outlet) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    config.check_identity()?;
    let epoch = epoch()?;
    let telling = Telling::new(&context.counters);
    let (batches, receiver) = mpsc::channel(CHANNEL);
    let batcher = Batcher::new(&config.site, &config.sensor, epoch, config.batch);
    let outlet = Outlet { batcher, batches, telling: telling.clone() };
    let working = tokio::task::spawn_blocking(move || work(outlet));
    let hello = uplink::hello(&config.site, &config.sensor, epoch);
    let uplink = Uplink::new(config.uplink, hello, telling, context.health.check("uplink"));
    let (worked, sent) = tokio::join!(working, uplink.run(receiver));
    sent.context("the uplink failed")?;
    worked.context("the thread that states facts panicked")?
}

/// Where facts go.
#[derive(Debug)]
pub struct Outlet {
    batcher: Batcher,
    batches: mpsc::Sender<CutBatch>,
    telling: Telling,
}

impl Outlet {
    /// States a fact. Waits while too much is unacknowledged.
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
        self.batches.blocking_send(batch).context("the uplink has ended")
    }
}

/// The number of this boot: Unix time in milliseconds.
fn epoch() -> anyhow::Result<u64> {
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    u64::try_from(epoch).context("the clock is set to a time that cannot be counted")
}

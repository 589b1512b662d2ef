//! The sensor as a service: the capture thread, the uplink, and their end.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use tokio::sync::mpsc;
use wardwatch_service::Context;

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
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let epoch = u64::try_from(epoch).context("the clock is set to a time that cannot be counted")?;
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

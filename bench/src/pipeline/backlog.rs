//! A day's outage of one site: its sensor kept everything on the disk, and sends it when the collector is back, while all sites
//! go on at their rate. How long rows of now take meanwhile, and how long the backlog does.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use wardwatch_engine::free_ports;
use wardwatch_sensor::batch::BatchLimits;

use super::whole::WARM_UP;
use crate::cluster::Cluster;
use crate::load::{self, Load, Pace};
use crate::report::{Figure, say};
use crate::seen::Watcher;
use crate::stretch::Stretch;

/// The outage.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Outage {
    /// Hours that the collector was away in the part `backlog`
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) hours: u64,
    /// Flow records a second of the site whose collector was away
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) per_second: u64,
}

/// How often it is asked how much of the backlog has come; the answer costs the server a look at the site's rows.
const LOOK: Duration = Duration::from_secs(1);

/// How long the drain may take.
const PATIENCE: Duration = Duration::from_mins(30);

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;

/// Lets the backlog come while all sites state `rate` records a second together.
pub(super) async fn measure(
    cluster: &Cluster,
    sites: &[String],
    rate: f64,
    limit: f64,
    outage: Outage,
) -> Result<Vec<Figure>> {
    let site = sites.first().context("there is no site")?;
    let Outage { hours, per_second } = outage;
    let records = hours * 3600 * per_second;
    let spool = tempfile::tempdir().context("make a folder for the spool")?;
    say(&format!(
        "an outage of {hours} hours at {per_second} records a second: {records} records into the spool"
    ));
    let begun = load::now() - hours * 3600 * SECOND;
    // A batch has what comes until it is old enough to be cut, as it would at this pace.
    let facts = u64::try_from(BatchLimits::default().age.as_millis())? * per_second / 1000;
    let batch = BatchLimits { facts: usize::try_from(facts)?.max(1), ..BatchLimits::default() };
    let [nobody] = free_ports()?;
    let away = SocketAddr::from(([127, 0, 0, 1], nobody));
    load::outage(site, away, &batch, spool.path(), records, move |flow| begun + flow * (SECOND / per_second))
        .await?;

    let stored = cluster.rows().await?;
    let watcher = Watcher::start(&cluster.store);
    let (begun, at, stretch) = (load::now(), Instant::now(), Stretch::begin(cluster)?);
    say(&format!(
        "it is over: the backlog drains while {} sites state {rate:.0} records a second",
        sites.len()
    ));
    let load = Load::after_outage(sites, cluster.collector, Pace::Open(rate), spool.path());
    let old =
        format!("SELECT count() FROM flows WHERE site = '{site}' AND end < fromUnixTimestamp64Nano({begun})");
    let earlier = cluster.number(&old).await?;
    loop {
        let come = cluster.number(&old).await? - earlier;
        if come >= records {
            break;
        }
        ensure!(
            at.elapsed() < PATIENCE,
            "only {come} of {records} records of the backlog came in {PATIENCE:?}"
        );
        tokio::time::sleep(LOOK).await;
    }
    let (took, drained, spent) = (at.elapsed(), load::now(), stretch.end(cluster)?);
    let stated = load.finish().await?;
    cluster.until_rows(stored + records + stated).await?;
    let rows = cluster.rows().await? - stored;
    ensure!(rows == records + stated, "{rows} rows came of {records} old and {stated} new records");
    let warm = begun + u64::try_from(WARM_UP.as_nanos())?;
    let during = format!(
        "toUnixTimestamp64Nano(end) >= {warm} AND toUnixTimestamp64Nano(end) < {drained} AND site {{}} '{site}'"
    );
    let seen = watcher.finish().await?;
    let mut figures = vec![
        Figure::once("the backlog", "records", records as f64)
            .noting(format!("{hours} hours of one site; each came once")),
        Figure::once("drained in", "s", took.as_secs_f64()),
        Figure::once("drained", "records a second", records as f64 / took.as_secs_f64()),
        Figure::once("live load meanwhile", "records a second", rate)
            .noting(format!("{} sites, {stated} records until the end", sites.len())),
    ];
    for (whose, comparison) in [("of that site", "="), ("of the others", "!=")] {
        let latencies = seen.latencies(&cluster.store, &during.replace("{}", comparison)).await?;
        figures.push(Figure::once(format!("live rows {whose}: p50"), "s", latencies.quantile(0.5)));
        figures.push(
            Figure::once(format!("live rows {whose}: p99"), "s", latencies.quantile(0.99)).at_most(limit),
        );
    }
    figures.push(spent.others());
    Ok(figures)
}

//! Everything together: sensors, collector, Kafka, enricher, alerter, ClickHouse, all on this machine.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cluster::{ALERTER, COLLECTOR, Cluster, ENRICHER};
use crate::load::{Load, Pace};
use crate::report::{Figure, say};
use crate::seen::Watcher;
use crate::stretch::Stretch;

/// While the highest rate is looked for, what is on its way is at most what comes out in so many seconds: so that nobody waits for
/// work, and rows are not late for the sake of the rate.
const WORTH: f64 = 2.0;

/// Flow records that are on their way at most before the rate is known.
const FIRST_WINDOW: u64 = 100_000;

/// What the rate is taken over.
const RATE_OVER: Duration = Duration::from_secs(3);

/// What is not measured at the beginning of a load.
pub(super) const WARM_UP: Duration = Duration::from_secs(5);

/// The parts that the time is divided into.
const PARTS: u32 = 5;

/// The highest rate that is sustained, and what each process costs at it. Leaves the services running.
pub(super) async fn measure(
    cluster: &mut Cluster,
    sites: &[String],
    seconds: u64,
) -> Result<(Vec<Figure>, f64)> {
    say(&format!("everything together: as fast as it goes for {seconds} s"));
    for name in [COLLECTOR, ENRICHER, ALERTER] {
        cluster.launch(name)?;
    }
    let stored = cluster.rows().await?;
    let load = Load::start(sites, cluster.collector, Pace::Closed);
    load.admit(FIRST_WINDOW);
    cluster.until_rows(stored + 1).await?;
    follow(cluster, &load, stored, WARM_UP).await?;
    let part = Duration::from_secs(seconds) / PARTS;
    let stretch = Stretch::begin(cluster)?;
    let (mut rates, first) = (Vec::new(), cluster.rows().await?);
    for number in 1..=PARTS {
        let (rows, at) = (cluster.rows().await?, Instant::now());
        follow(cluster, &load, stored, part).await?;
        let rate = (cluster.rows().await? - rows) as f64 / at.elapsed().as_secs_f64();
        say(&format!("part {number} of {PARTS}: {rate:.0} records a second"));
        rates.push(rate);
    }
    let spent = stretch.end(cluster)?;
    let million = (cluster.rows().await? - first) as f64 / 1e6;
    let stated = load.finish().await?;
    cluster.until_rows(stored + stated).await?;
    let rate = Figure::of("flow records, stated to queryable", "a second", rates);
    let highest = rate.value;
    ensure!(highest > 0.0, "nothing was stored in half of the time: more --seconds are needed");
    let mut figures = vec![rate];
    figures.extend(spent.shares(million));
    figures.push(spent.others());
    Ok((figures, highest))
}

/// How long rows take from the statement of a sensor to where they can be queried, at an even rate.
pub(super) async fn latency(
    cluster: &Cluster,
    sites: &[String],
    seconds: u64,
    rate: f64,
    limit: Option<f64>,
) -> Result<Vec<Figure>> {
    say(&format!("latency at {rate:.0} records a second for {seconds} s"));
    let stored = cluster.rows().await?;
    let watcher = Watcher::start(&cluster.store);
    let begun = crate::load::now();
    let stretch = Stretch::begin(cluster)?;
    let load = Load::start(sites, cluster.collector, Pace::Open(rate));
    tokio::time::sleep(WARM_UP + Duration::from_secs(seconds)).await;
    let spent = stretch.end(cluster)?;
    let million = (cluster.rows().await? - stored) as f64 / 1e6;
    let stated = load.finish().await?;
    cluster.until_rows(stored + stated).await?;
    let seen = watcher.finish().await?;
    let warm = begun + u64::try_from(WARM_UP.as_nanos())?;
    let latencies = seen.latencies(&cluster.store, &format!("toUnixTimestamp64Nano(end) >= {warm}")).await?;
    let mut p99 = Figure::once("p99", "s", latencies.quantile(0.99));
    if let Some(limit) = limit {
        p99 = p99.at_most(limit);
    }
    let mut figures = vec![
        Figure::once("load", "records a second", rate).noting(format!(
            "{} sites, {} records",
            sites.len(),
            latencies.rows()
        )),
        Figure::once("p50", "s", latencies.quantile(0.5)),
        p99,
        Figure::once("most", "s", latencies.quantile(1.0)),
    ];
    figures.extend(spent.shares(million));
    figures.push(spent.others());
    Ok(figures)
}

/// Tells a closed load how many records it may have stated, for a while.
async fn follow(cluster: &Cluster, load: &Load, stored: u64, long: Duration) -> Result<()> {
    let (begun, mut last, mut rate) = (Instant::now(), (Instant::now(), cluster.rows().await?), None);
    while begun.elapsed() < long {
        let rows = cluster.rows().await?;
        let passed = last.0.elapsed();
        if passed >= RATE_OVER {
            rate = Some((rows - last.1) as f64 / passed.as_secs_f64());
            last = (Instant::now(), rows);
        }
        #[expect(clippy::cast_sign_loss, reason = "a rate is not negative")]
        let window = rate.map_or(FIRST_WINDOW, |rate| (rate * WORTH) as u64).max(FIRST_WINDOW / 4);
        load.admit(rows.saturating_sub(stored) + window);
        tokio::time::sleep(Duration::from_millis(100).min(long.saturating_sub(begun.elapsed()))).await;
    }
    Ok(())
}

//! `take-up`: how long the enricher takes from nothing to knowing a site again, of which everything is stored.
//!
//! A sensor's batches of so many devices lie in Kafka. The enricher works them off and stops; then it is started again and
//! again, and says in its log how long it took to load the stored memory from ClickHouse and to put it together. Starting the
//! process and joining the consumer group are not in it.

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use prost::Message as _;
use wardwatch_bus::{Publication, TopicPartition};
use wardwatch_proto::topic;
use wardwatch_proto::v1::{Batch, Fact, LogRecord, log_record};

use crate::cluster::{Cluster, ENRICHER, until};
use crate::inventory::ward::{BATCH, first_visits};
use crate::report::{Figure, Format, Report, listed, say};

/// The partition that the site lives in.
const PARTITION: u32 = 0;
/// The longest that 100,000 devices may take, in seconds.
const LIMIT: f64 = 5.0;

/// What is measured, and how often.
#[derive(Args, Clone, Debug)]
pub(crate) struct TakeUp {
    /// Devices of the site
    #[arg(long, value_delimiter = ',', default_value = "10000,100000",
          value_parser = clap::value_parser!(u32).range(1..=250_000))]
    devices: Vec<u32>,
    /// Things that each device says, up to 30
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=30))]
    statements: u8,
    /// Starts of the enricher with each size
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// How the figures are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the command.
pub(crate) async fn run(arguments: &TakeUp) -> Result<()> {
    let TakeUp { devices, statements, rounds, format } = arguments;
    let mut report = Report::new(format!(
        "cargo xtask bench take-up --devices {} --statements {statements} --rounds {rounds}",
        listed(devices)
    ));
    for devices in devices {
        say(&format!("{devices} devices"));
        let title = format!("{devices} devices of {statements} statements");
        report.add(title, measure(*devices, usize::from(*statements), *rounds).await?);
    }
    report.print(*format)
}

async fn measure(devices: u32, statements: usize, rounds: u8) -> Result<Vec<Figure>> {
    let mut cluster = Cluster::start(&[]).await?;
    publish(&cluster, devices, statements).await?;
    cluster.launch(ENRICHER)?;
    let known = format!("SELECT uniqExact(device) >= {devices} FROM devices");
    until("every device", async || Ok(cluster.number(&known).await? == 1)).await?;
    cluster.stop(ENRICHER)?;
    let octets = cluster.number("SELECT sum(length(key) + length(value)) FROM enricher_state").await?;
    let (mut loading, mut restoring, mut entries) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        cluster.launch(ENRICHER)?;
        let said = || cluster.log(ENRICHER).lines().find_map(|line| taken_up(line, devices.into()));
        until("the site", async || Ok(said().is_some())).await?;
        let found = said().context("no line of the log says so")?;
        entries = found.entries;
        loading.push(found.loading);
        restoring.push(found.restoring);
        cluster.stop(ENRICHER)?;
    }
    let whole = loading.iter().zip(&restoring).map(|(loading, restoring)| loading + restoring).collect();
    let whole = Figure::of("until the site is known again", "s", whole);
    Ok(vec![
        if devices == 100_000 { whole.at_most(LIMIT) } else { whole },
        Figure::of("of that, from ClickHouse", "s", loading),
        Figure::of("and put together", "s", restoring),
        Figure::once("entries", "", entries as f64),
        Figure::once("stored, superseded rows among it", "MiB", octets as f64 / f64::from(1 << 20)),
    ])
}

/// Lays batches of all devices into the log.
async fn publish(cluster: &Cluster, devices: u32, statements: usize) -> Result<()> {
    let mut facts = first_visits(devices, statements).peekable();
    let mut sequence = 0;
    while facts.peek().is_some() {
        sequence += 1;
        let batch = Batch {
            site: "north".into(),
            sensor: "s1".into(),
            epoch: 1,
            sequence,
            facts: facts.by_ref().take(BATCH).collect::<Vec<Fact>>(),
            ..Batch::default()
        };
        let record = LogRecord { record: Some(log_record::Record::Batch(batch)) };
        let to = TopicPartition::new(topic::FACTS, PARTITION);
        drop(cluster.bus.enqueue(Publication::new(to, record.encode_to_vec()).key("north")).await?);
    }
    cluster.bus.flush().await?;
    let laid = cluster.bus.topic_watermarks(topic::FACTS).await?;
    let end = laid.first().map_or(0, |marks| marks.end);
    ensure!(end == sequence, "{end} of {sequence} batches are in the log");
    Ok(())
}

/// What the enricher says when it has taken a partition up.
#[derive(Debug, PartialEq)]
struct Said {
    entries: u64,
    /// In seconds, as is the next.
    loading: f64,
    restoring: f64,
}

/// Reads a line of its log, if it is about a partition with a memory of so many entries or more.
fn taken_up(line: &str, at_least: u64) -> Option<Said> {
    let field = |name: &str| {
        let (_, rest) = line.split_once(&format!("{name}="))?;
        rest.split_whitespace().next()
    };
    let seconds = |name| field(name)?.parse().ok();
    let entries = field("entries")?.parse().ok().filter(|entries| *entries >= at_least)?;
    Some(Said { entries, loading: seconds("loading")?, restoring: seconds("restoring")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_partition_with_a_memory_is_read() {
        let line =
            "INFO taken up partition=wardwatch.facts/0 offset=31 entries=301 loading=1.5 restoring=0.2505";
        assert_eq!(taken_up(line, 300), Some(Said { entries: 301, loading: 1.5, restoring: 0.2505 }));
        assert_eq!(taken_up(line, 302), None);
        assert_eq!(taken_up("INFO taken up partition=wardwatch.facts/1 offset=0", 0), None);
    }
}

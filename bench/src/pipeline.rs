//! `pipeline`: each hop of the data path and the whole, on Apache Kafka and ClickHouse, with every service a process of its
//! own.
//!
//! All of it runs on one machine, the load among it, and other people's work may run beside it. So what is compared is
//! measured in turns within one run, and given as a ratio; a median stands with its spread; and each round tells how
//! much of the machine was somebody else's.

mod alert;
mod backlog;
mod collect;
mod decode;
mod enrich;
mod sizes;
mod whole;
mod writer;

pub(crate) use decode::PACE;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cluster::Cluster;
use crate::load;
use crate::report::{Format, Report, say};

/// Seconds from stated to queryable that 99 of 100 rows are to keep at half load.
const LATENCY: f64 = 2.0;

/// What is measured, and how long.
#[derive(Args, Debug)]
pub(crate) struct Pipeline {
    /// Seconds that each load of the whole path lasts
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Sites, each with a sensor of its own
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    sites: u8,
    /// Rounds of each comparison
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Flow records in a round
    #[arg(long, default_value_t = 400_000)]
    records: u64,
    #[command(flatten)]
    outage: backlog::Outage,
    /// Only these parts; may be repeated
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// How the figures are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A part of the data path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Sensor: frames into batches
    Decode,
    /// Uplink, collector, Kafka; Kafka, enricher, ClickHouse
    Hops,
    /// The enricher's writer next to bare inserts
    Writer,
    /// Events, alerter, ClickHouse
    Alerter,
    /// Everything together: the highest rate, and latency at half and full load
    Whole,
    /// A day's backlog of one site, drained while all sites go on at a quarter of full load
    Backlog,
    /// Bytes on the wire, in Kafka and in ClickHouse
    Sizes,
}

/// Runs the command.
pub(crate) async fn run(arguments: &Pipeline) -> Result<()> {
    let mut report = Report::new(arguments.command());
    if arguments.has(Part::Decode) {
        say("sensor: frames into batches");
        report.add("sensor: frame to batch", decode::measure(arguments.rounds, arguments.records)?);
    }
    if Part::value_variants().iter().any(|part| *part != Part::Decode && arguments.has(*part)) {
        arguments.on_engines(&mut report).await?;
    }
    report.print(arguments.format)
}

impl Pipeline {
    fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    fn command(&self) -> String {
        let Self { seconds, sites, rounds, records, outage, only, .. } = self;
        let backlog::Outage { hours, per_second } = outage;
        let only: Vec<_> = only.iter().filter_map(Part::to_possible_value).collect();
        let only = only.iter().flat_map(|part| [" --only ", part.get_name()]).collect::<String>();
        format!(
            "cargo xtask bench pipeline --seconds {seconds} --sites {sites} --rounds {rounds} --records {records} \
             --hours {hours} --per-second {per_second}{only}"
        )
    }

    async fn on_engines(&self, report: &mut Report) -> Result<()> {
        let Self { seconds, rounds, records, .. } = *self;
        say("starting Kafka and ClickHouse");
        let sites = load::sites(self.sites);
        let mut cluster = Cluster::start(&sites).await?;
        let (mut collected, mut enriched) = (collect::Rounds::default(), enrich::Rounds::default());
        // The writer writes what the enricher has written.
        let hops = if self.has(Part::Hops) { rounds } else { u8::from(self.has(Part::Writer)) };
        for round in 1..=hops {
            say(&format!("round {round} of {hops}: uplink, collector, Kafka, next to a bare producer"));
            collect::round(&mut cluster, &sites, records, &mut collected).await?;
            say(&format!("round {round} of {hops}: Kafka, enricher, ClickHouse"));
            enrich::round(&mut cluster, &mut enriched).await?;
        }
        if self.has(Part::Hops) {
            report.add("uplink, collector, Kafka", collected.figures());
            report.add("Kafka, enricher, ClickHouse", enriched.figures());
        }
        if self.has(Part::Writer) {
            say("the writer of the enricher, next to bare inserts");
            report.add("enricher's writer", writer::measure(&cluster, rounds, records).await?);
        }
        if self.has(Part::Alerter) {
            say("events, alerter, ClickHouse");
            report.add(
                "events, alerter, ClickHouse",
                alert::measure(&mut cluster, rounds, records / 10).await?,
            );
        }
        if self.has(Part::Whole) || self.has(Part::Backlog) {
            let (figures, rate) = whole::measure(&mut cluster, &sites, seconds).await?;
            report.add("everything together", figures);
            if self.has(Part::Whole) {
                for (name, share, limit) in [("half", 0.5, Some(LATENCY)), ("full", 1.0, None)] {
                    let figures = whole::latency(&cluster, &sites, seconds, rate * share, limit).await?;
                    report.add(format!("from stated to queryable at {name} load"), figures);
                }
            }
            if self.has(Part::Backlog) {
                let figures = backlog::measure(&cluster, &sites, rate * 0.25, LATENCY, self.outage).await?;
                report.add("a backlog beside a quarter of full load", figures);
            }
        }
        if self.has(Part::Sizes) {
            say("sizes");
            report.add("bytes of a flow record", sizes::measure(&mut cluster, &sites).await?);
        }
        Ok(())
    }
}

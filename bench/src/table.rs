//! `table`: what a packet of an established flow costs on one core, headers and flow table, from a thousand flows to a million,
//! and what a million idle flows take of memory.
//!
//! Packets are of random flows, so each of them meets memory that was not used lately. Its frame does not: frames are
//! written a thousand at a time, as a card leaves them in the processor's cache, and writing them is not counted. All
//! takers get the same frames in turns: parsing alone, parsing and a counter in a hash table (the least that knowing flows can
//! cost), parsing and the flow table, and the sensor's whole worker.

mod flows;
pub(crate) mod resident;
mod turns;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::report::{Figure, Format, Report, listed, say};
use resident::Kept;
use turns::{AHEAD, AIM, Bare, Flows, Parsing, Sensor, establish, turn};

/// The most memory that a million idle flows may take, in MiB; reassembly has its own budget.
const MEMORY: f64 = 256.0;

/// Flows of which memory is told.
const MILLION: u32 = 1_000_000;

/// What is measured, and how often.
#[derive(Args, Debug)]
pub(crate) struct Table {
    /// Established flows: six of ten TCP over IPv4, three UDP, one IPv6
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000,1000000",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MILLION)))]
    flows: Vec<u32>,
    /// Packets of random flows that each taker gets in a round; their clock goes on by 200 ns each
    #[arg(long, default_value_t = 12_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    packets: u32,
    /// Rounds of every taker
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// How the figures are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the command.
pub(crate) fn run(arguments: &Table) -> Result<()> {
    let Table { flows: sizes, packets, rounds, format } = arguments;
    let mut report = Report::new(format!(
        "cargo xtask bench table --flows {} --packets {packets} --rounds {rounds}",
        listed(sizes)
    ));
    for flows in sizes {
        report.add(format!("one core: packets of {flows} flows"), speed(*flows, *packets, *rounds)?);
    }
    report.add("memory of 1000000 idle flows", memory()?);
    report.print(*format)
}

/// What a packet costs, in each round.
#[derive(Default)]
struct Costs {
    parsing: Vec<f64>,
    bare: Vec<f64>,
    single: Vec<f64>,
    ahead: Vec<f64>,
    worker_single: Vec<f64>,
    worker_ahead: Vec<f64>,
}

fn speed(flows: u32, packets: u32, rounds: u8) -> Result<Vec<Figure>> {
    let (mut bare, mut table) = (Bare::new(flows), Flows::new());
    establish(&mut bare, flows).context("establish flows in a hash table")?;
    establish(&mut table, flows).context("establish flows in the flow table")?;
    let mut sensor = Sensor::of(flows).context("establish flows in the sensor's worker")?;
    let mut costs = Costs::default();
    for round in 1..=rounds {
        say(&format!("{flows} flows: round {round} of {rounds}"));
        let seed = u64::from(round);
        costs.parsing.push(turn(&mut Parsing, flows, packets, seed));
        costs.bare.push(turn(&mut bare, flows, packets, seed));
        table.looks_ahead = false;
        costs.single.push(turn(&mut table, flows, packets, seed));
        table.looks_ahead = true;
        costs.ahead.push(turn(&mut table, flows, packets, seed));
        sensor.step = 1;
        costs.worker_single.push(turn(&mut sensor, flows, packets, seed));
        sensor.step = AHEAD;
        costs.worker_ahead.push(turn(&mut sensor, flows, packets, seed));
    }
    let record = table.state_all();
    Ok(figures(flows, costs, record))
}

fn figures(flows: u32, costs: Costs, record: f64) -> Vec<Figure> {
    let unit = "ns a packet";
    let Costs { parsing, bare, single, ahead, worker_single, worker_ahead } = costs;
    let rate = |name: &str, costs: &[f64]| {
        let rates = costs.iter().map(|nanos| 1e9 / nanos).collect();
        let rate = Figure::of(name, "packets a CPU second", rates);
        if flows == MILLION { rate.at_least(AIM) } else { rate }
    };
    let (single_rate, ahead_rate) =
        (rate("the same, one by one", &single), rate("the same, 32 at a time", &ahead));
    let ratios = ahead.iter().zip(&bare).map(|(table, bare)| table / bare).collect();
    let gains = worker_single.iter().zip(&worker_ahead).map(|(single, ahead)| single / ahead).collect();
    // Every flow is reported once in a minute, whose packets share the cost.
    let share = record * f64::from(flows) / (60.0 * AIM);
    vec![
        Figure::of("parsing alone", unit, parsing),
        Figure::of("parsing and a bare hash table", unit, bare),
        Figure::of("parsing and flow table, one by one", unit, single),
        Figure::of("parsing and flow table, 32 at a time", unit, ahead).noting("memory is asked for ahead"),
        Figure::of("the latter to parsing and a bare hash table", "times", ratios),
        single_rate,
        ahead_rate,
        Figure::of("the sensor's worker, one by one", unit, worker_single),
        Figure::of("the sensor's worker, 32 at a time", unit, worker_ahead),
        Figure::of("the former to the latter", "times", gains),
        Figure::once("a record of each flow, once a minute", "ns a record", record)
            .noting(format!("{share:.2} ns a packet at the rate that is the aim")),
    ]
}

fn memory() -> Result<Vec<Figure>> {
    let mebibytes = |kept| {
        say(&format!("memory of {MILLION} flows: {kept:?}"));
        resident::of(kept, MILLION).map(|bytes| bytes as f64 / f64::from(1 << 20))
    };
    Ok(vec![
        Figure::once("the flow table, one packet of each", "MiB", mebibytes(Kept::Table)?).at_most(MEMORY),
        Figure::once("the sensor's worker, a SYN or a datagram of each", "MiB", mebibytes(Kept::Begun)?)
            .noting("with duplicates, dissectors and reassembly, of which none holds anything"),
        Figure::once("the same, a handshake of each", "MiB", mebibytes(Kept::Established)?)
            .noting("every TCP connection waits to be recognised"),
    ])
}

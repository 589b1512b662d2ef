//! The fault suite at a terminal: `cargo xtask test faults` builds it and becomes it.

#![forbid(unsafe_code)]

mod commands;
mod summary;

use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{io, str};

use anyhow::Context as _;
use clap::Parser;
use wardwatch_fault_suite::guards::Named;
use wardwatch_fault_suite::plan::Side;
use wardwatch_fault_suite::stage::Log;

/// Kill, stall and restart everything while it works, and hold the result against a run without faults.
///
/// Every run is made from a number, its seed: who runs, how often each is killed at which point, what befalls the engines.
/// Three of ten seeds are on the embedded log, the others on Apache Kafka; with every fifth the sensors and collectors
/// fall, with the others the enrichers and alerters.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask test faults")]
struct Arguments {
    /// Run this seed
    #[arg(long, value_name = "N", conflicts_with_all = ["seeds", "guards", "summary"])]
    seed: Option<u64>,
    /// Run these seeds, but for those that the ledger says have passed with this build
    #[arg(long, value_name = "A..B", value_parser = range, conflicts_with_all = ["guards", "summary"])]
    seeds: Option<Range<u64>>,
    /// Which log; without it the seed says
    #[arg(long, value_enum)]
    bus: Option<Log>,
    /// On which side of the log things happen; without it the seed says
    #[arg(long, value_enum)]
    side: Option<Side>,
    /// Switch a guard off; may be repeated. Alone it runs what that guard is for, which then must fail
    #[arg(long, value_enum, value_name = "GUARD")]
    without: Vec<Named>,
    /// Run for each guard what it is for, with it and without it: the one must pass, the other must fail
    #[arg(long, conflicts_with = "summary")]
    guards: bool,
    /// Say what the ledger holds, and run nothing
    #[arg(long)]
    summary: bool,
    /// Where every run is written down [default: faults/ledger.jsonl in the target folder]
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Keep what the services of a failed run said
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new().context("start the runtime");
    let outcome = runtime.and_then(|runtime| runtime.block_on(commands::run(arguments)));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// `A..B`, without B.
fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("it is not of the form A..B")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    let range = number(from)?..number(to)?;
    if range.is_empty() { Err("it holds no seed".to_owned()) } else { Ok(range) }
}

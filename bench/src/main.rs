//! Benchmarks of the data path on real engines, run by `cargo xtask bench`; `docs/benchmarks.md` has the figures.
//!
//! - [`pipeline`]: each hop and the whole, with every service a process of its own
//! - [`soak`]: the product in one process, for minutes
//! - [`decode`]: frames of all captures through the sensor, next to other programs
//! - [`table`]: packets of up to a million flows on one core, and their memory
//! - [`inventory`]: observations of up to a million devices on one core, and their memory
//! - [`takeup`]: how long the enricher takes until it knows a site again
//! - [`behaviour`]: kinds of devices by what they do, and the model of it
//! - [`capture`]: frames from an interface, without loss
//! - [`traffic`], [`load`]: the hospitals that all of it is about, and their sensors
//! - [`cluster`]: Apache Kafka, ClickHouse and the services
//! - [`cpu`], [`stretch`], [`seen`], [`report`]: how it is measured and told

#![forbid(unsafe_code)]

mod behaviour;
mod capture;
mod cluster;
mod cpu;
mod decode;
mod inventory;
mod load;
mod pipeline;
mod report;
mod seen;
mod soak;
mod stretch;
mod table;
mod takeup;
mod traffic;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Benchmarks of Wardwatch's data path on real engines.
#[derive(Parser)]
#[command(name = "wardwatch-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Records per second, CPU, latency and bytes: each hop and the whole, on Kafka and ClickHouse
    Pipeline(pipeline::Pipeline),
    /// Rows per second and memory of `wardwatch up` for minutes, next to ClickHouse alone
    Soak(soak::Soak),
    /// Packets per CPU second of all captures through the sensor, next to nDPI and tshark
    Decode(decode::Decode),
    /// Nanoseconds per packet of a thousand to a million flows, headers and flow table, and their memory
    Table(table::Table),
    /// Observations per CPU second of a thousand to a million devices, and their memory
    Inventory(inventory::Inventory),
    /// Seconds in which the enricher takes up the stored memory of a large site, on Kafka and ClickHouse
    TakeUp(takeup::TakeUp),
    /// Frames per second from an interface without loss, by each means of capturing, decoding included
    Capture(capture::Capture),
    /// Accuracy of telling devices by their behaviour, on labelled captures; writes the model for a knowledge pack
    Behaviour(behaviour::Behaviour),
    /// Keeps flows, and says how many bytes of memory that took
    #[command(hide = true)]
    Resident { kept: table::resident::Kept, flows: u32 },
    /// Becomes one of the services that are measured
    #[command(hide = true)]
    Service { name: String },
}

fn main() -> ExitCode {
    wardwatch_engine::serve_if_asked();
    let command = Arguments::parse().command;
    if let Command::Service { name } = &command {
        return cluster::become_service(name);
    }
    let ran = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from);
    let ran = ran.and_then(|runtime| {
        runtime.block_on(async {
            match &command {
                Command::Pipeline(arguments) => pipeline::run(arguments).await,
                Command::Soak(arguments) => soak::run(arguments).await,
                Command::Behaviour(arguments) => behaviour::run(arguments),
                Command::Decode(arguments) => decode::run(arguments),
                Command::Capture(arguments) => capture::run(arguments),
                Command::Table(arguments) => table::run(arguments),
                Command::Inventory(arguments) => inventory::run(arguments),
                Command::TakeUp(arguments) => takeup::run(arguments).await,
                Command::Resident { kept, flows } => {
                    let bytes = table::resident::measure(*kept, *flows)?;
                    writeln!(std::io::stdout(), "{bytes}").map_err(anyhow::Error::from)
                }
                Command::Service { .. } => Ok(()),
            }
        })
    });
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::say(&wardwatch_service::run::error_text(&error));
            ExitCode::FAILURE
        }
    }
}

//! Developer commands: `cargo xtask demo | test | bench | fuzz | lab | lint | fetch`.
//!
//! They fetch what is not in the repository, install what a test needs from the system's packages, and run cargo
//! with it. This crate builds in seconds: it depends on none of the services.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is for people")]

mod bench;
mod cargo;
mod demo;
mod fetch;
mod fuzz;
mod lab;
mod lint;
mod packages;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build Wardwatch for release and run its demonstration; further arguments go to `wardwatch demo`
    Demo {
        /// Passed to `wardwatch demo`, such as --keep
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every test with the engines it needs; ends with the line "N passed, N failed, N skipped"
    Test(test::Selection),
    /// Measure the data path, built for release; ends with a table. Further arguments go to the benchmark
    Bench {
        /// What to measure
        #[arg(value_enum)]
        what: bench::What,
        /// Passed to the benchmark, such as --seconds 60 or --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Fuzz every dissector, the reassembly and the whole decoder; ends with a table
    Fuzz(fuzz::Request),
    /// Play a hospital of real software with the sensor at its mirror port, compare with the truth, record captures; as root
    #[command(disable_help_flag = true)]
    Lab {
        /// Passed to the lab, such as radiology, --record, --hospital FILE or --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Check formatting and run clippy with warnings denied
    Lint,
    /// Fetch ClickHouse's library and Apache Kafka into the cache
    Fetch {
        /// What to fetch
        #[arg(value_enum, default_value = "all")]
        what: fetch::What,
    },
}

fn main() -> ExitCode {
    let ran = match Arguments::parse().command {
        Command::Demo { arguments } => demo::run(&arguments),
        Command::Test(selection) => test::run(&selection),
        Command::Bench { what, arguments } => bench::run(what, &arguments),
        Command::Fuzz(request) => fuzz::run(&request),
        Command::Lab { arguments } => lab::run(&arguments),
        Command::Lint => lint::run(),
        Command::Fetch { what } => fetch::run(what).map(|()| ExitCode::SUCCESS),
    };
    ran.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

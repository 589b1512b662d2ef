//! `wardwatch-sensor`: decode capture files, or watch an interface and stream facts to a collector.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use wardwatch_sensor::decode::{Decode, decode};

/// Wardwatch sensor: states what devices say on the wire, and sends no payload anywhere.
#[derive(Parser, Debug)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Decode(Decode),
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let result = match command {
        Command::Decode(arguments) => decode(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "wardwatch-sensor: {error:#}");
            ExitCode::FAILURE
        }
    }
}

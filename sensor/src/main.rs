//! `wardwatch-sensor`: decode capture files, or watch an interface and stream facts to a collector.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use wardwatch_sensor::decode::{Decode, decode};
use wardwatch_service::{ServiceInfo, run};

/// Wardwatch sensor: states what devices say on the wire, and sends no payload anywhere.
#[derive(Parser, Debug)]
#[command(name = "wardwatch-sensor", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Decode(Decode),
    /// Watch the configured input and stream facts to a collector. See `run --help`.
    #[command(disable_help_flag = true)]
    Run {
        /// `--config FILE`, `--check-config`, `--log FILTER`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
        options: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Decode(arguments) => match decode(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                use std::io::Write as _;
                let _ = writeln!(std::io::stderr(), "{}", run::error_text(&error));
                ExitCode::FAILURE
            }
        },
        Command::Run { options } => {
            let service = ServiceInfo { name: "sensor", version: env!("CARGO_PKG_VERSION") };
            let arguments = std::iter::once(OsString::from("wardwatch-sensor run")).chain(options);
            wardwatch_service::run(service, arguments, wardwatch_sensor::serve)
        }
    }
}

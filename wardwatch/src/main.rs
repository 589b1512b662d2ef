//! `wardwatch`: the whole product in one process, and the way in for people.
//!
//! - [`up`]: sensor, collector, enricher and alerter on embedded parts, on captures or an interface
//! - [`demo`]: the same on captures that this project recorded, with a tour of what came out
//! - [`read`]: what is known: `devices`, `device`, `alerts`, `commands`, `query`
//! - [`decide`]: what people decide: `acknowledge`, `override`, `label`, `join`, `knowledge` and others
//! - [`import`]: what others know, brought in: `import cmms`, `import sbom` and others
//! - [`doctor`]: whether everything that went in has come out
//! - [`migrate`]: the tables and topics of a cluster
//! - [`platform`]: how the services are put together in one process
//! - [`engine`]: which ClickHouse is used

#![forbid(unsafe_code)]

mod cli;
mod csv;
mod decide;
mod demo;
mod doctor;
mod door;
mod engine;
mod folder;
mod import;
mod migrate;
mod platform;
mod progress;
mod read;
mod table;
mod up;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // The ClickHouse engine runs as a child process of this same program.
    wardwatch_engine::serve_if_asked();
    let arguments = cli::Arguments::parse();
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}", wardwatch_service::run::error_text(&error));
            if error.is::<decide::PartlyRefused>() {
                ExitCode::from(decide::PartlyRefused::CODE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

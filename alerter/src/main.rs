//! The alerter as a program of its own.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use wardwatch_service::ServiceInfo;

fn main() -> ExitCode {
    let service = ServiceInfo { name: "alerter", version: env!("CARGO_PKG_VERSION") };
    wardwatch_service::run(service, std::env::args_os(), wardwatch_alerter::serve)
}

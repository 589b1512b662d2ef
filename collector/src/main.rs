//! `wardwatch-collector`: see the crate's documentation.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    let service = wardwatch_service::ServiceInfo { name: "collector", version: env!("CARGO_PKG_VERSION") };
    wardwatch_service::run(service, std::env::args_os(), wardwatch_collector::serve)
}

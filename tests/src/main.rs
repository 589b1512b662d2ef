//! The engines for tests, in a process of their own.
//!
//! As `wardwatch-tests engines` it starts what this machine has, prints where it answers as lines of
//! `NAME=value` and then an empty line, and keeps it running until its standard input is closed. The runner does
//! that for tests of packages that cannot start engines themselves; at a terminal, `cargo run -p wardwatch-tests
//! engines` and Ctrl-D do the same.

#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use tokio::runtime::Runtime;
use wardwatch_tests::clickhouse::Server;
use wardwatch_tests::kafka::Broker;
use wardwatch_tests::skip;

fn main() -> ExitCode {
    wardwatch_engine::serve_if_asked();
    if let Err(error) = engines_until_input_ends() {
        let _ = writeln!(io::stderr(), "error: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn engines_until_input_ends() -> Result<()> {
    if !std::env::args().skip(1).eq(["engines"]) {
        bail!("usage: wardwatch-tests engines");
    }
    let runtime = Runtime::new().context("start the runtime")?;
    let server = if let Some(why) = skip::no_clickhouse() {
        writeln!(io::stderr(), "no ClickHouse for tests: {why}")?;
        None
    } else {
        Some(runtime.block_on(Server::start()).context("start ClickHouse")?)
    };
    let broker = if let Some(why) = skip::no_kafka() {
        writeln!(io::stderr(), "no Kafka for tests: {why}")?;
        None
    } else {
        Some(runtime.block_on(Broker::start()).context("start Kafka")?)
    };
    let mut output = io::stdout().lock();
    if let Some(server) = &server {
        writeln!(output, "WARDWATCH_TEST_CLICKHOUSE={}", server.url())?;
    }
    if let Some(broker) = &broker {
        writeln!(output, "WARDWATCH_TEST_KAFKA={}", broker.bootstrap_servers())?;
    }
    writeln!(output)?;
    output.flush()?;
    io::stdin().read_to_end(&mut Vec::new()).context("wait for the end of the input")?;
    Ok(())
}

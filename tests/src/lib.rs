//! End-to-end tests and the engines they run on.
//!
//! The engines are the real ones: [`kafka::Broker`] is Apache Kafka, [`clickhouse::Server`] is ClickHouse. Each is a
//! child process on loopback with its data in a folder of its own, dies with the test program whatever happens to
//! it, and can be stopped, killed and started again on the same data. A test that needs one that is not on this
//! machine [skips](skip) by name.

#![forbid(unsafe_code)]

pub mod behaviour;
pub mod clickhouse;
pub mod kafka;
pub mod oracle;
pub mod pipeline;
mod scratch;
pub mod skip;
pub mod traffic;

use std::env;

use anyhow::{Context, Result};
use wardwatch_engine::Runner;

/// The program that the engines' processes run in: this package's own, which cargo builds beside its tests.
fn runner() -> Result<Runner> {
    let this = env::current_exe().context("find this program")?;
    let ours = this.ancestors().skip(1).take(2).map(|folder| folder.join("wardwatch-tests"));
    let ours = ours.into_iter().find(|program| program.is_file());
    Ok(Runner::find(ours.as_deref())?)
}

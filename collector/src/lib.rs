//! The collector: receives batches from sensors, authenticates, checks, publishes to the log, and acknowledges what the
//! log holds. It reads no facts and keeps no state: resends are recognised behind it. On the same port it takes the
//! commands of people (`control`).
//!
//! In the order of a batch: a connection is accepted ([`listener`]), the sensor behind it admitted ([`admission`]), its
//! stream spoken with ([`session`]), and its batches laid into the partition of its site.
//!
//! Back-pressure goes end to end: while the log is slow a session stops reading, gRPC's flow control stops the sensor,
//! and the sensor keeps what it has.

#![forbid(unsafe_code)]

pub mod admission;
mod batch;
pub mod config;
mod control;
mod ingest;
mod listener;
mod server;
mod session;
mod telling;

pub use config::Config;
pub use server::Collector;

use std::sync::Arc;

use anyhow::Context as _;
use wardwatch_bus::Bus;
use wardwatch_service::Context;

/// Runs the collector as its own process does: opens the bus, binds, serves until shutdown.
pub async fn serve(config: Config, context: Context) -> anyhow::Result<()> {
    let bus: Arc<dyn Bus> =
        wardwatch_bus::open(&config.bus, &context.counters).await.context("cannot open the bus")?;
    Collector::bind(config).await?.serve(context, bus).await
}

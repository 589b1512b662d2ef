//! The service.

use std::sync::Arc;

use anyhow::Context as _;
use wardwatch_processor::{Parts, Progress};
use wardwatch_proto::topic;
use wardwatch_service::Context;
use wardwatch_store::Store;

use crate::alerter::Alerter;
use crate::config::Config;
use crate::outputs::SiemPartitions;

/// Runs the alerter on the log and the ClickHouse of its configuration, until the context is shut down.
pub async fn serve(config: Config, context: Context) -> anyhow::Result<()> {
    let bus = wardwatch_bus::open(&config.bus, &context.counters).await.context("cannot open the log")?;
    let store = Store::connect(&config.store)?;
    serve_on(config, context, Parts { bus, store, progress: Progress::default() }).await
}

/// Runs the alerter on parts that are open already, until the context is shut down; then what has been gathered is
/// committed.
///
/// # Errors
/// When the tables or topics are not there, or the log fails for good. A partition that fails does not end the service:
/// it stands still, the readiness check `alerter partitions` says why, and it is taken up again from its stored memory.
pub async fn serve_on(config: Config, context: Context, parts: Parts) -> anyhow::Result<()> {
    let Config { intake, commit, memory: limits, .. } = config;
    let bus = Arc::clone(&parts.bus);
    let prepared = async move {
        let siem = SiemPartitions {
            detection: bus.partitions(topic::SIEM_DETECTION).await?,
            inventory: bus.partitions(topic::SIEM_INVENTORY).await?,
        };
        Ok(Alerter { limits, siem })
    };
    wardwatch_processor::serve(prepared, intake, commit, context, parts).await
}

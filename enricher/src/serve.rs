//! The service.

use std::sync::Arc;

use anyhow::Context as _;
use tracing::info;
use wardwatch_knowledge::Knowledge;
use wardwatch_processor::{Parts, Progress};
use wardwatch_proto::topic;
use wardwatch_service::Context;
use wardwatch_store::Store;

use crate::config::{Config, KnowledgeConfig};
use crate::enricher::Enricher;
use crate::error::Error;
use crate::library::Library;

/// Runs the enricher on the log and the ClickHouse of its configuration, until the context is shut down.
pub async fn serve(config: Config, context: Context) -> anyhow::Result<()> {
    let bus = wardwatch_bus::open(&config.bus, &context.counters).await.context("cannot open the log")?;
    let store = Store::connect(&config.store)?;
    serve_on(config, context, Parts { bus, store, progress: Progress::default() }).await
}

/// Runs the enricher on parts that are open already, until the context is shut down; then what has been gathered is
/// committed.
///
/// # Errors
/// When the tables or topics are not there, the topics do not fit each other, or the log fails for good. A partition
/// that fails does not end the service: it stands still, the readiness check `enricher partitions` says why, and it
/// is taken up again from its stored memory.
pub async fn serve_on(config: Config, context: Context, parts: Parts) -> anyhow::Result<()> {
    let Config { inventory, knowledge, intake, commit, memory: limits, .. } = config;
    let bus = Arc::clone(&parts.bus);
    let prepared = async move {
        let knowledge = read(&knowledge)?;
        let partitions = (bus.partitions(topic::EVENTS).await?, bus.partitions(topic::FACTS).await?);
        check_partitions(partitions.0, partitions.1)?;
        info!(knowledge = knowledge.version(), "what identifies a device has been read");
        Ok(Enricher { library: Arc::new(Library::new(Arc::new(knowledge))), inventory, limits })
    };
    wardwatch_processor::serve(prepared, intake, commit, context, parts).await
}

fn read(config: &KnowledgeConfig) -> anyhow::Result<Knowledge> {
    let knowledge = match &config.overlay {
        Some(path) => Knowledge::with(path),
        None => Knowledge::builtin(),
    };
    knowledge.context("cannot read what identifies a device")
}

/// Events go to the partition of the same number as their source's.
fn check_partitions(found: u32, wanted: u32) -> Result<(), Error> {
    if found == wanted {
        return Ok(());
    }
    Err(Error::PartitionCounts { events: topic::EVENTS.into(), found, facts: topic::FACTS.into(), wanted })
}

//! The service.

use std::sync::Arc;

use anyhow::Context as _;
use tracing::info;
use wardwatch_bus::Bus;
use wardwatch_knowledge::Knowledge;
use wardwatch_proto::topic;
use wardwatch_service::Context;
use wardwatch_store::Store;

use crate::config::Config;
use crate::error::Error;
use crate::faults::Faults;
use crate::intake::Intake;
use crate::partition::Shared;
use crate::progress::Progress;

/// What the service stands on. A program that runs several services opens these once and gives each the same.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The log, with its topics made.
    pub bus: Arc<dyn Bus>,
    /// ClickHouse, migrated.
    pub store: Store,
    /// Where the service shows how far it has come.
    pub progress: Progress,
}

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
    let Parts { bus, store, progress } = parts;
    let prepare = async {
        let knowledge = match &config.knowledge.overlay {
            Some(path) => Knowledge::with(path),
            None => Knowledge::builtin(),
        };
        let knowledge = knowledge.context("cannot read what identifies a device")?;
        store.check_migrated().await?;
        let incarnation = store.incarnation(topic::FACTS, "").await?;
        let partitions = bus.partitions(topic::FACTS).await?;
        let found = bus.partitions(topic::EVENTS).await?;
        if found != partitions {
            let (events, facts) = (topic::EVENTS.into(), topic::FACTS.into());
            return Err(Error::PartitionCounts { events, found, facts, wanted: partitions }.into());
        }
        let deadletter_partitions = bus.partitions(topic::DEADLETTER).await?;
        let consumer = bus.subscribe(&config.intake.group, &[topic::FACTS]).await?;
        info!(knowledge = knowledge.version(), incarnation, partitions, "the enricher is ready");
        anyhow::Ok(Shared {
            config: Arc::new(config),
            knowledge: Arc::new(knowledge),
            store: store.clone(),
            bus: Arc::clone(&bus),
            consumer,
            counters: context.counters.clone(),
            progress: progress.clone(),
            faults: Faults::new(&context),
            incarnation,
            deadletter_partitions,
        })
    };
    let shared = tokio::select! {
        () = context.shutdown.cancelled() => return Ok(()),
        shared = prepare => shared.context("the enricher cannot start")?,
    };
    Intake::new(shared).run(context.shutdown.clone()).await.context("the enricher cannot go on")
}

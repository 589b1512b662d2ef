//! The service around a processor.

use std::future::Future;
use std::sync::Arc;

use anyhow::Context as _;
use tracing::info;
use wardwatch_bus::Bus;
use wardwatch_proto::topic;
use wardwatch_service::Context;
use wardwatch_store::Store;

use crate::config::{CommitConfig, IntakeConfig};
use crate::faults::Faults;
use crate::intake::Intake;
use crate::partition::Shared;
use crate::processor::Processor;
use crate::progress::Progress;
use crate::turn::Turns;

/// What a service stands on. A program that runs several services opens the log and the store once and gives each the
/// same.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The log, with its topics made.
    pub bus: Arc<dyn Bus>,
    /// ClickHouse, migrated.
    pub store: Store,
    /// Where the service shows how far it has come: one for each service.
    pub progress: Progress,
}

/// Works on the topic of a processor, once that is `prepared`, until the context is shut down; then what has been
/// gathered is committed.
///
/// # Errors
/// When the processor cannot be prepared, the tables or topics are not there, or the log fails for good. A partition
/// that fails does not end the service: it stands still, the readiness check `<service> partitions` says why, and it is
/// taken up again from its stored memory.
pub async fn serve<P: Processor>(
    prepared: impl Future<Output = anyhow::Result<P>>,
    intake: IntakeConfig,
    commit: CommitConfig,
    context: Context,
    parts: Parts,
) -> anyhow::Result<()> {
    let Parts { bus, store, progress } = parts;
    let faults = Faults::new(&context, P::NAME);
    let prepare = async {
        store.check_migrated().await?;
        let processor = prepared.await?;
        let incarnation = store.incarnation(P::INPUT, "").await?;
        let partitions = bus.partitions(P::INPUT).await?;
        let deadletter_partitions = bus.partitions(topic::DEADLETTER).await?;
        let group = intake.group.clone().unwrap_or_else(|| format!("wardwatch-{}", P::NAME));
        let consumer = bus.subscribe(&group, &[P::INPUT]).await?;
        info!(service = P::NAME, group, incarnation, partitions, "ready to work on {}", P::INPUT);
        faults.started();
        let turns = Turns::new(commit.at_once, commit.age);
        anyhow::Ok(Shared {
            processor,
            intake,
            commit,
            store: store.clone(),
            bus: Arc::clone(&bus),
            consumer,
            counters: context.counters.clone(),
            progress: progress.clone(),
            faults,
            turns,
            deadletter_partitions,
        })
    };
    let shared = tokio::select! {
        () = context.shutdown.cancelled() => return Ok(()),
        shared = prepare => shared.with_context(|| format!("the {} cannot start", P::NAME))?,
    };
    let intake = Intake::new(Arc::new(shared));
    intake.run(context.shutdown.clone()).await.with_context(|| format!("the {} cannot go on", P::NAME))
}

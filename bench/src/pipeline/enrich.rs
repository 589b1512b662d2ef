//! What lies in Kafka through the enricher into ClickHouse.

use anyhow::Result;
use wardwatch_proto::topic;

use crate::cluster::{Cluster, ENRICHER, until};
use crate::report::Figure;
use crate::stretch::{OTHERS, Stretch};

/// What the rounds have brought.
#[derive(Default)]
pub(super) struct Rounds {
    rates: Vec<f64>,
    enricher: Vec<f64>,
    server: Vec<f64>,
    memory: Vec<f64>,
    others: Vec<f64>,
}

impl Rounds {
    pub(super) fn figures(self) -> Vec<Figure> {
        vec![
            Figure::of("flow records", "a second", self.rates)
                .noting("a backlog, from the first stored range to the last"),
            Figure::of("CPU of the enricher", "s per million records", self.enricher),
            Figure::of("CPU of ClickHouse, merges among it", "s per million records", self.server),
            Figure::of("memory of the enricher", "MiB", self.memory),
            Figure::of(OTHERS, "cores", self.others),
        ]
    }
}

/// Starts the enricher, lets it store what lies in the log, and stops it.
pub(super) async fn round(cluster: &mut Cluster, rounds: &mut Rounds) -> Result<()> {
    let stored = cluster.rows().await?;
    let facts: u64 = cluster.bus.topic_watermarks(topic::FACTS).await?.iter().map(|marks| marks.end).sum();
    cluster.launch(ENRICHER)?;
    until("a row", async || Ok(cluster.rows().await? > stored)).await?;
    let (first, stretch) = (cluster.rows().await?, Stretch::begin(cluster)?);
    // Every message gives rise to rows: the table reaches the end of the log when it has the last offsets.
    let highest = "SELECT sum(highest) FROM (SELECT max(source_offset) + 1 AS highest FROM flows \
                   GROUP BY source_partition, source_incarnation)";
    until("the end of the log", async || Ok(cluster.number(highest).await? >= facts)).await?;
    let spent = stretch.end(cluster)?;
    let memory = cluster.costs()?.get(ENRICHER).map_or(0, |cost| cost.resident);
    let records = cluster.rows().await? - first;
    anyhow::ensure!(records > 0, "the enricher was done with its first range: more --records are needed");
    let million = records as f64 / 1e6;
    cluster.stop(ENRICHER)?;
    rounds.rates.push(records as f64 / spent.took.as_secs_f64());
    rounds.enricher.push(spent.cpu(ENRICHER) / million);
    rounds.server.push(spent.cpu("ClickHouse") / million);
    rounds.memory.push(memory as f64 / f64::from(1 << 20));
    rounds.others.push(spent.others_cores());
    Ok(())
}

//! When rows could be queried, and how long after they were stated.
//!
//! A light question asked again and again (how far each partition of the log is in `flows`, which a projection answers) says
//! when each message's rows were there; they are there at once, since they are one block. Afterwards the rows say when
//! they were stated. A message counts as seen when the answer that has it has come: late by up to the pause between two
//! questions, never early.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clickhouse::Row;
use serde::Deserialize;
use tokio::task::JoinHandle;
use wardwatch_service::CancellationToken;
use wardwatch_store::Store;

use crate::load;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks at the table until it is stopped.
pub(crate) struct Watcher {
    task: JoinHandle<Result<Seen>>,
    stop: CancellationToken,
}

/// For each partition, up to which offset rows were there, and since when (nanoseconds since the Unix epoch).
#[derive(Debug, Default)]
pub(crate) struct Seen(HashMap<u32, BTreeMap<u64, u64>>);

#[derive(Row, Deserialize)]
struct Mark {
    source_partition: u32,
    highest: u64,
}

/// Rows of one message that were stated in one millisecond.
#[derive(Row, Deserialize)]
struct Stated {
    source_partition: u32,
    source_offset: u64,
    at: i64,
    rows: u64,
}

impl Watcher {
    /// Begins to look.
    pub(crate) fn start(store: &Store) -> Self {
        let (store, stop) = (store.clone(), CancellationToken::new());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut seen = Seen::default();
            loop {
                let is_last = stopped.is_cancelled();
                let marks = "SELECT source_partition, max(source_offset) AS highest FROM flows \
                             WHERE source_incarnation = 1 GROUP BY source_partition, source_incarnation";
                for mark in store.fetch::<Mark>(marks).await? {
                    let now = load::now();
                    seen.0.entry(mark.source_partition).or_default().entry(mark.highest).or_insert(now);
                }
                if is_last {
                    return Ok(seen);
                }
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        });
        Self { task, stop }
    }

    /// Looks once more and ends.
    pub(crate) async fn finish(self) -> Result<Seen> {
        self.stop.cancel();
        self.task.await.context("looking at the table panicked")?
    }
}

impl Seen {
    /// Seconds from statement to sight, of all rows that meet a condition.
    pub(crate) async fn latencies(&self, store: &Store, condition: &str) -> Result<Latencies> {
        let query = format!(
            "SELECT source_partition, source_offset, toUnixTimestamp64Milli(end) AS at, count() AS rows FROM flows \
             WHERE {condition} GROUP BY ALL"
        );
        let mut latencies = Vec::new();
        for Stated { source_partition, source_offset, at, rows } in store.fetch::<Stated>(&query).await? {
            let marks = self.0.get(&source_partition);
            let since = marks.and_then(|marks| marks.range(source_offset..).next());
            let (_, since) = since.context("a row is there that nobody saw")?;
            let latency = (*since as f64 / 1e9) - (at as f64 / 1e3);
            latencies.push((latency, rows));
        }
        latencies.sort_by(|one, other| one.0.total_cmp(&other.0));
        Ok(Latencies(latencies))
    }
}

/// Seconds, and how many rows took so long; ascending.
#[derive(Debug)]
pub(crate) struct Latencies(Vec<(f64, u64)>);

impl Latencies {
    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.0.iter().map(|(_, rows)| rows).sum()
    }

    /// The latency that this share of the rows did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let wanted = share * self.rows() as f64;
        let mut below = 0;
        for (latency, rows) in &self.0 {
            below += rows;
            if below as f64 >= wanted {
                return *latency;
            }
        }
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_counts_rows_and_not_messages() {
        let latencies = Latencies(vec![(0.1, 90), (0.5, 9), (2.0, 1)]);
        assert_eq!(latencies.rows(), 100);
        assert!((latencies.quantile(0.5) - 0.1).abs() < 1e-9);
        assert!((latencies.quantile(0.99) - 0.5).abs() < 1e-9);
        assert!((latencies.quantile(1.0) - 2.0).abs() < 1e-9);
    }
}

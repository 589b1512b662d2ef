//! Facts into batches: a batch is what travels, is acknowledged, and becomes one message in the log.

use std::time::{Duration, Instant};

use prost::Message as _;
use prost::bytes::Bytes;
use serde::{Deserialize, Serialize};
use wardwatch_proto::v1::{Batch, Fact};

use crate::clock;

/// When a batch is full.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchLimits {
    /// Most facts in a batch.
    pub facts: usize,
    /// Most octets of an encoded batch, well under the broker's limit of 1 MiB.
    pub bytes: usize,
    /// Longest time that a fact waits for company.
    #[serde(with = "humantime_serde")]
    pub age: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        // A little under a power of two, which is what a batch takes of the spool's disk.
        Self { facts: 4096, bytes: 500 * 1024, age: Duration::from_millis(250) }
    }
}

/// A batch that has been cut: its identity and content will not change any more.
#[derive(Clone, Debug)]
pub struct CutBatch {
    /// Its number within the boot epoch.
    pub sequence: u64,
    /// How many facts it holds.
    pub facts: u64,
    /// The encoded [`Batch`].
    pub encoded: Bytes,
}

/// Collects facts and cuts batches.
#[derive(Debug)]
pub struct Batcher {
    open: Batch,
    bytes: usize,
    opened: Option<Instant>,
    limits: BatchLimits,
}

impl Batcher {
    /// For one run of a sensor; `epoch` as in [`Batch`].
    pub fn new(site: &str, sensor: &str, epoch: u64, limits: BatchLimits) -> Self {
        let open =
            Batch { site: site.into(), sensor: sensor.into(), epoch, sequence: 1, ..Default::default() };
        Self { open, bytes: 0, opened: None, limits }
    }

    /// The same for a sensor that stands in a network scope of its site.
    #[must_use]
    pub fn in_scope(mut self, scope: &str) -> Self {
        scope.clone_into(&mut self.open.scope);
        self
    }

    /// Adds a fact; gives the batch when it is full.
    pub fn add(&mut self, fact: Fact) -> Option<CutBatch> {
        self.opened.get_or_insert_with(Instant::now);
        self.bytes += fact.encoded_len() + 4;
        self.open.facts.push(fact);
        let full = self.open.facts.len() >= self.limits.facts || self.bytes >= self.limits.bytes;
        if full { self.cut() } else { None }
    }

    /// How many facts the open batch has.
    pub fn waiting(&self) -> usize {
        self.open.facts.len()
    }

    /// The open batch, if its oldest fact has waited long enough.
    pub fn cut_if_old(&mut self) -> Option<CutBatch> {
        self.opened.filter(|opened| opened.elapsed() >= self.limits.age).and_then(|_| self.cut())
    }

    /// The open batch, if there is anything in it.
    pub fn cut(&mut self) -> Option<CutBatch> {
        if self.open.facts.is_empty() {
            return None;
        }
        self.open.cut_at = clock::now();
        let batch = CutBatch {
            sequence: self.open.sequence,
            facts: self.open.facts.len() as u64,
            encoded: self.open.encode_to_vec().into(),
        };
        self.open.sequence += 1;
        self.open.facts.clear();
        self.bytes = 0;
        self.opened = None;
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_proto::v1::{Flow, Observation, fact};

    fn observation(length: usize) -> Fact {
        let observation = Observation { value: "x".repeat(length), ..Default::default() };
        Fact { fact: Some(fact::Fact::Observation(observation)) }
    }

    #[test]
    fn batches_are_numbered_from_one_and_keep_the_order() {
        let limits = BatchLimits { facts: 2, ..BatchLimits::default() };
        let mut batcher = Batcher::new("north", "s1", 7, limits);
        let ids: Vec<Fact> = (1..=5)
            .map(|id| Fact { fact: Some(fact::Fact::Flow(Flow { id, ..Default::default() })) })
            .collect();
        let mut batches: Vec<_> = ids.iter().filter_map(|fact| batcher.add(fact.clone())).collect();
        batches.extend(batcher.cut());
        assert!(batcher.cut().is_none());
        assert_eq!(
            batches.iter().map(|batch| (batch.sequence, batch.facts)).collect::<Vec<_>>(),
            [(1, 2), (2, 2), (3, 1)]
        );
        let facts: Vec<Fact> = batches
            .iter()
            .flat_map(|batch| Batch::decode(batch.encoded.clone()).expect("our own encoding").facts)
            .collect();
        assert_eq!(facts, ids);
    }

    #[test]
    fn a_batch_stays_within_its_bytes_by_at_most_one_fact() {
        let limits = BatchLimits { bytes: 10_000, ..BatchLimits::default() };
        let mut batcher = Batcher::new("north", "s1", 7, limits);
        let batch = (0..100)
            .find_map(|_| batcher.add(observation(300)))
            .expect("100 facts of 300 bytes are more than 10,000");
        assert!(batch.encoded.len() < 10_000 + 400);
    }
}

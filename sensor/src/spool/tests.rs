//! What the spool promises.

mod crash;
mod disk;
mod lanes;
mod store;
mod thread;

use std::path::Path;

use wardwatch_service::Counters;
use wardwatch_service::health::Health;

use super::*;

/// A spool with its counters and health.
struct Bench {
    counters: Counters,
    health: Health,
    spool: Spool,
    intake: Intake,
}

/// A plan with room for everything, in memory and on the disk.
fn roomy(directory: &Path) -> Plan {
    Plan {
        config: SpoolConfig {
            directory: directory.to_owned(),
            bytes: 1 << 30,
            drain_bytes_per_second: 1 << 30,
        },
        owner: "sensor s1 at site north".to_owned(),
        millis: 1,
        memory: 64 << 20,
        overflow: Overflow::Spill,
    }
}

fn open(plan: Plan) -> Bench {
    let (counters, health) = (Counters::default(), Health::default());
    let (spool, intake) =
        Spool::open(plan, Telling::new(&counters), health.check("spool")).expect("the spool opens");
    Bench { counters, health, spool, intake }
}

/// What a batch of this epoch and sequence holds: nothing else has these bytes.
fn content(epoch: u64, sequence: u64, bytes: usize) -> Vec<u8> {
    let seed = epoch.wrapping_mul(31).wrapping_add(sequence).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..bytes as u64).map(|index| (seed ^ index.wrapping_mul(seed | 1)).to_be_bytes()[2]).collect()
}

fn batch(epoch: u64, sequence: u64, bytes: usize) -> CutBatch {
    CutBatch { sequence, facts: 3, encoded: content(epoch, sequence, bytes).into() }
}

/// Waits until something holds, far longer than it takes.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it never came to pass that {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Bench {
    fn epoch(&self) -> u64 {
        self.spool.epoch()
    }

    fn keep(&self, sequence: u64, bytes: usize) {
        self.intake.keep(batch(self.epoch(), sequence, bytes)).expect("the spool is open");
    }

    /// Waits until so many batches have been synced.
    async fn kept(&self, count: u64) {
        until("they are kept", || self.counters.total("sensor_spool_batches_kept") >= count).await;
    }

    fn dropped(&self, reason: &str) -> u64 {
        self.counters.counter("sensor_spool_batches_dropped", &[("reason", reason)]).value()
    }

    /// Why the check is not ready; empty when it is.
    fn trouble(&self) -> String {
        self.health.states().remove("spool").map(|state| state.detail).unwrap_or_default()
    }

    /// Takes everything in the live lane and acknowledges it; gives the sequences.
    fn drain_live(&self) -> Vec<u64> {
        let mut all = Vec::new();
        while let Some(batch) = self.spool.take_live() {
            assert_eq!(batch.encoded, content(self.epoch(), batch.sequence, batch.encoded.len()));
            assert!(self.spool.settle_live(batch.sequence), "it was in memory");
            all.push(batch.sequence);
        }
        all
    }

    /// Reads the whole backlog of an epoch and acknowledges it; gives the sequences.
    async fn drain_backlog(&self, epoch: u64) -> Vec<u64> {
        let (mut all, mut next) = (Vec::new(), 0);
        while next < u64::MAX {
            let chunk = self.spool.read_backlog(epoch, next, 64 << 10).await.expect("the disk can be read");
            for batch in chunk.batches {
                assert_eq!(batch.encoded, content(epoch, batch.sequence, batch.encoded.len()));
                assert_eq!(batch.facts, 3);
                assert!(self.spool.settle_backlog(epoch, batch.sequence, batch.facts));
                all.push(batch.sequence);
            }
            next = chunk.next;
        }
        all
    }
}

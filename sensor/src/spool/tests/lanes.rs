//! Whatever happens in whatever order, a batch is in one place until it is settled or counted as lost.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::lanes::{Lanes, Overflow};
use super::super::store::{Dropped, Tally};
use super::*;

const LIMIT: usize = 10_000;
const LARGEST: usize = 2000;
const EPOCH: u64 = 7;

#[derive(Clone, Debug)]
enum Step {
    Cut(usize),
    /// Writes what waits; so many of the oldest on the disk give way.
    Write {
        dropped: usize,
    },
    /// A write that fails.
    Fail,
    /// The disk turns out to be corrupt.
    LoseDisk,
    Send,
    Acknowledge(prop::sample::Index),
    OpenStream {
        late: bool,
    },
    EndStream,
    /// Reads some of the backlog and acknowledges it.
    Drain(u64),
    Hasten,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..LARGEST).prop_map(Step::Cut),
        6 => prop_oneof![3 => Just(0), 1 => 0..4_usize].prop_map(|dropped| Step::Write { dropped }),
        1 => Just(Step::Fail),
        1 => Just(Step::LoseDisk),
        6 => Just(Step::Send),
        5 => any::<prop::sample::Index>().prop_map(Step::Acknowledge),
        1 => any::<bool>().prop_map(|late| Step::OpenStream { late }),
        1 => Just(Step::EndStream),
        2 => (1..5_u64).prop_map(Step::Drain),
        1 => Just(Step::Hasten),
    ]
}

/// Lanes with a disk that is a set.
struct World {
    lanes: Lanes,
    cut: BTreeMap<u64, CutBatch>,
    disk: BTreeSet<u64>,
    sent: BTreeSet<u64>,
    settled: BTreeSet<u64>,
    lost: u64,
    lost_facts: u64,
}

impl World {
    fn apply(&mut self, step: &Step, now: Instant) {
        match step {
            Step::Cut(bytes) => {
                if self.lanes.has_room() {
                    let sequence = self.cut.len() as u64 + 1;
                    let batch = batch(EPOCH, sequence, *bytes);
                    self.cut.insert(sequence, batch.clone());
                    self.lanes.push(batch, now);
                }
            }
            Step::Write { dropped } => self.write(*dropped),
            Step::Fail => self.lanes.disk_failed(),
            Step::LoseDisk => {
                let tally = self.disk.iter().filter_map(|sequence| self.cut.get(sequence));
                let tally = tally.fold(Tally::default(), |sum, batch| Tally {
                    batches: sum.batches + 1,
                    facts: sum.facts + batch.facts,
                    bytes: 0,
                });
                self.disk.clear();
                self.lanes.disk_lost(&BTreeMap::from([(EPOCH, tally)]));
            }
            Step::Send => {
                if let Some(batch) = self.lanes.take_live() {
                    self.sent.insert(batch.sequence);
                }
            }
            Step::Acknowledge(index) => {
                let sent: Vec<_> = self.sent.iter().copied().collect();
                if !sent.is_empty() {
                    let sequence = *index.get(&sent);
                    self.sent.remove(&sequence);
                    if self.lanes.settle_live(sequence) {
                        assert!(self.settled.insert(sequence), "settled once");
                    }
                }
            }
            Step::OpenStream { late } => {
                self.lanes.stream_ended();
                self.sent.clear();
                self.lanes.stream_opened(if *late { now + Duration::from_mins(1) } else { now });
            }
            Step::EndStream => {
                assert_eq!(self.lanes.stream_ended(), self.sent.len());
                self.sent.clear();
            }
            Step::Drain(count) => self.drain(*count),
            Step::Hasten => self.lanes.spill_over(),
        }
        self.count_lost();
    }

    fn count_lost(&mut self) {
        for lost in self.lanes.take_lost() {
            self.lost += lost.tally.batches;
            self.lost_facts += lost.tally.facts;
        }
    }

    fn write(&mut self, dropped: usize) {
        let batches = self.lanes.to_write(LIMIT / 4);
        let removals = self.lanes.removals().to_vec();
        for removal in &removals {
            assert!(self.disk.remove(&removal.sequence), "only what is there is removed");
        }
        self.disk.extend(batches.iter().map(|batch| batch.sequence));
        let dropped: Vec<_> = (0..dropped).filter_map(|_| self.disk.pop_first()).collect();
        let dropped: Vec<_> = dropped
            .into_iter()
            .map(|sequence| Dropped { epoch: EPOCH, sequence, facts: 3, bytes: 0 })
            .collect();
        self.lanes.written(&batches, removals.len(), &dropped);
    }

    fn drain(&mut self, count: u64) {
        let Some(run) = self.lanes.backlog_run(EPOCH, 0) else { return };
        let run = run.start..run.end.min(run.start + count);
        let found: Vec<_> = self.disk.range(run.clone()).copied().collect();
        self.lanes.backlog_read(EPOCH, run, &found, &[]);
        for sequence in found {
            if self.lanes.settle_backlog(EPOCH, sequence, 3) {
                assert!(self.settled.insert(sequence), "settled once");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_missing_and_memory_is_bounded(
        waits: bool, steps in prop::collection::vec(step(), 1..150),
    ) {
        let overflow = if waits { Overflow::Wait } else { Overflow::Spill };
        let mut world = World {
            lanes: Lanes::new(EPOCH, LIMIT, overflow),
            cut: BTreeMap::new(),
            disk: BTreeSet::new(),
            sent: BTreeSet::new(),
            settled: BTreeSet::new(),
            lost: 0,
            lost_facts: 0,
        };
        let now = Instant::now();
        for step in &steps {
            world.apply(step, now);
            let waiting = world.lanes.unsettled(world.disk.len() as u64);
            prop_assert_eq!(waiting + world.settled.len() as u64 + world.lost, world.cut.len() as u64);
            prop_assert!(world.lanes.bytes() <= LIMIT + 2 * LARGEST, "{} bytes in memory", world.lanes.bytes());
        }
        // Everything comes right in the end.
        world.lanes.stream_ended();
        while !world.lanes.is_empty() {
            world.write(0);
            world.drain(u64::MAX / 2);
            while let Some(batch) = world.lanes.take_live() {
                prop_assert!(world.lanes.settle_live(batch.sequence));
                prop_assert!(world.settled.insert(batch.sequence));
            }
        }
        world.write(0);
        world.count_lost();
        prop_assert!(world.disk.is_empty(), "left behind on the disk: {:?}", world.disk);
        prop_assert_eq!(world.settled.len() as u64 + world.lost, world.cut.len() as u64);
        prop_assert_eq!(3 * world.settled.len() as u64 + world.lost_facts, 3 * world.cut.len() as u64);
    }
}

#[test]
fn after_an_outage_what_is_fresh_comes_first() {
    let now = Instant::now();
    let mut lanes = Lanes::new(EPOCH, LIMIT, Overflow::Spill);
    for sequence in 1..=3 {
        lanes.push(batch(EPOCH, sequence, 100), now);
    }
    let late = now + Duration::from_mins(1);
    lanes.push(batch(EPOCH, 4, 100), late);
    let all = lanes.to_write(LIMIT);
    lanes.written(&all, 0, &[]);
    lanes.stream_opened(late);
    assert_eq!(lanes.take_live().map(|batch| batch.sequence), Some(4));
    assert_eq!(lanes.backlog_run(EPOCH, 0), Some(1..4));
}

#[test]
fn a_file_waits_for_room_and_is_never_spilled() {
    let now = Instant::now();
    let mut lanes = Lanes::new(EPOCH, 250, Overflow::Wait);
    for sequence in 1..=3 {
        assert!(lanes.has_room());
        lanes.push(batch(EPOCH, sequence, 100), now);
    }
    assert!(!lanes.has_room());
    let all = lanes.to_write(LIMIT);
    lanes.written(&all, 0, &[]);
    lanes.stream_opened(now + Duration::from_mins(1));
    assert_eq!(lanes.backlog_epoch(), None);
    assert_eq!(lanes.take_live().map(|batch| batch.sequence), Some(1));
    assert!(lanes.settle_live(1));
    assert!(lanes.has_room());
}

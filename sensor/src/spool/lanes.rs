//! Which batch is where: the live lane in memory, the backlog on the disk. It does nothing by itself and knows no clock.
//!
//! The *live lane* holds the newest batches of this boot, in memory within a bound: first those that are on a stream, then
//! those that may be sent, then those that wait to be synced. The *backlog* is what is on the disk and not in memory: batches of
//! earlier boots, and those of this one that the live lane had no room for or that an outage has made old.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::{Duration, Instant};

use rangemap::RangeSet;

use super::store::{Dropped, Removal, Tally};
use crate::batch::CutBatch;

/// What was cut longer ago than this when a stream opens is backlog.
const FRESH: Duration = Duration::from_secs(5);

/// What happens to a batch that memory has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// Nothing is read until there is room: a file can be read later.
    Wait,
    /// The oldest that was not sent yet becomes backlog: what is on the wire now will not be there later.
    Spill,
}

/// Why a batch was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loss {
    /// The spool had reached its bound.
    Full,
    /// It could not be written, and memory had no room for it.
    Disk,
    /// What was read back is not what was written.
    Corrupt,
}

impl Loss {
    pub(crate) const ALL: [Self; 3] = [Self::Full, Self::Disk, Self::Corrupt];

    /// As it labels counters.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Disk => "disk",
            Self::Corrupt => "corrupt",
        }
    }
}

/// Batches that were lost, and where the gap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) loss: Loss,
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    pub(crate) tally: Tally,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In memory alone, to be written.
    Waiting,
    /// On the disk too.
    Kept,
    /// In memory alone: the spool was full and the disk has dropped it.
    Displaced,
}

#[derive(Debug)]
struct Held {
    batch: CutBatch,
    place: Place,
    since: Instant,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Lanes {
    epoch: u64,
    limit: usize,
    overflow: Overflow,
    /// By sequence: those on a stream, then those kept, then those waiting.
    live: VecDeque<Held>,
    sent: usize,
    bytes: usize,
    sent_bytes: usize,
    waiting_bytes: usize,
    /// How many are in memory alone.
    unkept: usize,
    backlog: BTreeMap<u64, RangeSet<u64>>,
    removals: Vec<Removal>,
    /// Whether what waits can be expected to be on the disk soon.
    disk: bool,
    lost: Vec<Lost>,
}

impl Lanes {
    /// `limit` bounds the bytes in memory.
    pub(crate) fn new(epoch: u64, limit: usize, overflow: Overflow) -> Self {
        Self {
            epoch,
            limit: limit.max(1),
            overflow,
            live: VecDeque::new(),
            sent: 0,
            bytes: 0,
            sent_bytes: 0,
            waiting_bytes: 0,
            unkept: 0,
            backlog: BTreeMap::new(),
            removals: Vec::new(),
            disk: true,
            lost: Vec::new(),
        }
    }

    /// What was found on the disk of an earlier boot.
    pub(crate) fn found(&mut self, epoch: u64, sequences: Range<u64>) {
        if epoch != self.epoch && !sequences.is_empty() {
            self.backlog.entry(epoch).or_default().insert(sequences);
        }
    }

    /// From now on the oldest becomes backlog where memory has no room.
    pub(crate) fn spill_over(&mut self) {
        self.overflow = Overflow::Spill;
        self.spill();
    }

    pub(crate) fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Whether a batch may be pushed.
    pub(crate) fn has_room(&self) -> bool {
        match self.overflow {
            Overflow::Wait => self.bytes < self.limit,
            Overflow::Spill => !self.disk || self.waiting_bytes < (self.limit / 2).max(1),
        }
    }

    /// Takes the newest batch.
    pub(crate) fn push(&mut self, batch: CutBatch, now: Instant) {
        self.bytes += batch.encoded.len();
        self.waiting_bytes += batch.encoded.len();
        self.unkept += 1;
        self.live.push_back(Held { batch, place: Place::Waiting, since: now });
        self.spill();
    }

    /// How many bytes wait to be written, and since when.
    pub(crate) fn waiting(&self) -> Option<(usize, Instant)> {
        self.live.get(self.first_waiting()).map(|held| (self.waiting_bytes, held.since))
    }

    /// The batches that wait to be written, up to so many bytes but at least one.
    pub(crate) fn to_write(&self, bytes: usize) -> Vec<CutBatch> {
        let mut taken = 0;
        let waiting = self.live.range(self.first_waiting()..).map(|held| &held.batch);
        waiting
            .take_while(|batch| {
                let fits = taken == 0 || taken + batch.encoded.len() <= bytes;
                taken += batch.encoded.len().max(1);
                fits
            })
            .cloned()
            .collect()
    }

    /// What need not be on the disk any longer.
    pub(crate) fn removals(&self) -> &[Removal] {
        &self.removals
    }

    /// A write has come through: these batches and so many removals, and what was dropped for them.
    pub(crate) fn written(&mut self, batches: &[CutBatch], removals: usize, dropped: &[Dropped]) {
        self.disk = true;
        self.removals.drain(..removals.min(self.removals.len()));
        for batch in batches {
            match self.find(batch.sequence).and_then(|at| self.live.get_mut(at)) {
                Some(held) if held.place == Place::Waiting => {
                    held.place = Place::Kept;
                    self.waiting_bytes -= held.batch.encoded.len();
                    self.unkept -= 1;
                }
                Some(_) => {}
                // Acknowledged or dropped in the meantime.
                None => self.removals.push(removal(self.epoch, batch)),
            }
        }
        for dropped in dropped {
            let Dropped { epoch, sequence, facts, bytes } = *dropped;
            let in_memory = if epoch == self.epoch { self.find(sequence) } else { None };
            if let Some(held) = in_memory.and_then(|at| self.live.get_mut(at)) {
                self.unkept += usize::from(held.place == Place::Kept);
                held.place = Place::Displaced;
            } else if self.forget_backlog(epoch, sequence) {
                let tally = Tally { batches: 1, facts, bytes };
                self.lost.push(Lost { loss: Loss::Full, epoch, sequence, tally });
            }
        }
        self.spill();
    }

    /// The first batch that waits never has room on the disk.
    pub(crate) fn displace(&mut self, sequence: u64) {
        if let Some(held) = self.find(sequence).and_then(|at| self.live.get_mut(at))
            && held.place == Place::Waiting
        {
            held.place = Place::Displaced;
            self.waiting_bytes -= held.batch.encoded.len();
        }
        self.spill();
    }

    /// Nothing can be written for now: what waits may be sent from memory, and the oldest goes where memory has no room.
    pub(crate) fn disk_failed(&mut self) {
        self.disk = false;
        self.spill();
    }

    /// The disk holds nothing any more. What is in memory will be written anew; the rest is lost, `tallies` of it where that is
    /// known.
    pub(crate) fn disk_lost(&mut self, tallies: &BTreeMap<u64, Tally>) {
        let mut in_memory = Tally::default();
        let backlog = std::mem::take(&mut self.backlog);
        for held in &mut self.live {
            if held.place == Place::Kept {
                in_memory.batches += 1;
                in_memory.facts += held.batch.facts;
                in_memory.bytes += held.batch.encoded.len() as u64;
            }
            if held.place != Place::Waiting {
                self.waiting_bytes += held.batch.encoded.len();
                held.place = Place::Waiting;
            }
        }
        self.unkept = self.live.len();
        // Acknowledged already, but still counted there.
        let acknowledged = std::mem::take(&mut self.removals);
        for (epoch, tally) in tallies {
            let mut tally = *tally;
            let gone = acknowledged.iter().filter(|removal| removal.epoch == *epoch);
            let gone = gone.fold(Tally::default(), |sum, removal| Tally {
                batches: sum.batches + 1,
                facts: sum.facts + removal.facts,
                bytes: 0,
            });
            let spared = if *epoch == self.epoch { in_memory } else { Tally::default() };
            tally.batches = tally.batches.saturating_sub(gone.batches + spared.batches);
            tally.facts = tally.facts.saturating_sub(gone.facts + spared.facts);
            tally.bytes = tally.bytes.saturating_sub(spared.bytes);
            let sequence = backlog.get(epoch).and_then(RangeSet::first).map_or(0, |range| range.start);
            if tally.batches > 0 {
                self.lost.push(Lost { loss: Loss::Corrupt, epoch: *epoch, sequence, tally });
            }
        }
        self.spill();
    }

    /// What was lost since the last time.
    pub(crate) fn take_lost(&mut self) -> Vec<Lost> {
        std::mem::take(&mut self.lost)
    }

    /// A stream has been opened: what has waited for long goes with the backlog, so that the newest comes first.
    pub(crate) fn stream_opened(&mut self, now: Instant) {
        if self.overflow == Overflow::Wait {
            return;
        }
        while let Some(held) = self.live.front() {
            if held.place != Place::Kept || now.saturating_duration_since(held.since) < FRESH {
                break;
            }
            self.take_out(0);
        }
    }

    /// The stream has ended: what was not acknowledged on it is sent again. Gives how many those are.
    pub(crate) fn stream_ended(&mut self) -> usize {
        self.sent_bytes = 0;
        std::mem::take(&mut self.sent)
    }

    /// Whether there is a batch for the live stream now.
    pub(crate) fn has_live(&self) -> bool {
        let may_send = match self.overflow {
            Overflow::Wait => self.limit,
            Overflow::Spill => (self.limit / 2).max(1),
        };
        self.sent_bytes < may_send && self.live_waits()
    }

    /// Whether a batch could be sent on the live stream, however many are on it.
    pub(crate) fn live_waits(&self) -> bool {
        let is_sendable = |held: &Held| held.place != Place::Waiting || !self.disk;
        self.live.get(self.sent).is_some_and(is_sendable)
    }

    /// The next batch for the live stream.
    pub(crate) fn take_live(&mut self) -> Option<CutBatch> {
        if !self.has_live() {
            return None;
        }
        let batch = self.live.get(self.sent)?.batch.clone();
        self.sent += 1;
        self.sent_bytes += batch.encoded.len();
        Some(batch)
    }

    /// How many batches are on the live stream.
    pub(crate) fn on_stream(&self) -> usize {
        self.sent
    }

    /// A batch of the live lane need not be kept any longer. Says whether it was.
    pub(crate) fn settle_live(&mut self, sequence: u64) -> bool {
        let Some(at) = self.find(sequence) else {
            return false;
        };
        let Some(held) = self.remove(at) else { return false };
        if held.place == Place::Kept {
            self.removals.push(removal(self.epoch, &held.batch));
        }
        true
    }

    /// A batch of the backlog need not be kept any longer. Says whether it was.
    pub(crate) fn settle_backlog(&mut self, epoch: u64, sequence: u64, facts: u64) -> bool {
        let was_kept = self.forget_backlog(epoch, sequence);
        if was_kept {
            self.removals.push(Removal { epoch, sequence, facts });
        }
        was_kept
    }

    /// The epoch whose backlog is to be sent first.
    pub(crate) fn backlog_epoch(&self) -> Option<u64> {
        self.backlog.keys().next().copied()
    }

    /// The first run of an epoch's backlog from a sequence on.
    pub(crate) fn backlog_run(&self, epoch: u64, from: u64) -> Option<Range<u64>> {
        let runs = self.backlog.get(&epoch)?;
        let run = runs.overlapping(&(from..u64::MAX)).next()?;
        Some(run.start.max(from)..run.end)
    }

    /// A run of an epoch's backlog was read: what is not in `found` is not there, and what is `corrupt` never will be.
    pub(crate) fn backlog_read(&mut self, epoch: u64, run: Range<u64>, found: &[u64], corrupt: &[u64]) {
        for sequence in corrupt {
            if self.forget_backlog(epoch, *sequence) {
                let tally = Tally { batches: 1, ..Tally::default() };
                self.lost.push(Lost { loss: Loss::Corrupt, epoch, sequence: *sequence, tally });
                self.removals.push(Removal { epoch, sequence: *sequence, facts: 0 });
            }
        }
        let Some(runs) = self.backlog.get_mut(&epoch) else { return };
        let mut from = run.start;
        for sequence in found.iter().copied().chain([run.end]) {
            if from < sequence {
                runs.remove(from..sequence);
            }
            from = sequence.saturating_add(1);
        }
        if runs.is_empty() {
            self.backlog.remove(&epoch);
        }
    }

    /// Whether everything has been settled.
    pub(crate) fn is_empty(&self) -> bool {
        self.live.is_empty() && self.backlog.is_empty()
    }

    /// Whether everything that is on the disk has been settled.
    pub(crate) fn needs_no_disk(&self) -> bool {
        self.backlog.is_empty() && self.live.iter().all(|held| held.place != Place::Kept)
    }

    /// How many records of an epoch without a backlog the disk must hold.
    pub(crate) fn expected(&self, epoch: u64) -> Option<u64> {
        if self.backlog.contains_key(&epoch) {
            return None;
        }
        let removals = self.removals.iter().filter(|removal| removal.epoch == epoch).count();
        let kept = self.live.iter().filter(|held| epoch == self.epoch && held.place == Place::Kept).count();
        Some((removals + kept) as u64)
    }

    /// How many batches are not settled, when the disk holds so many.
    pub(crate) fn unsettled(&self, on_disk: u64) -> u64 {
        on_disk.saturating_sub(self.removals.len() as u64) + self.unkept as u64
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Batches in memory that are not on the disk, with their facts and bytes.
    pub(crate) fn unkept(&self) -> Tally {
        let unkept = self.live.iter().filter(|held| held.place != Place::Kept);
        unkept.fold(Tally::default(), |sum, held| Tally {
            batches: sum.batches + 1,
            facts: sum.facts + held.batch.facts,
            bytes: sum.bytes + held.batch.encoded.len() as u64,
        })
    }

    /// Makes room in memory, where the oldest may give way.
    fn spill(&mut self) {
        while self.overflow == Overflow::Spill && self.bytes > self.limit {
            match self.live.get(self.sent).map(|held| held.place) {
                None => break,
                Some(Place::Waiting) if self.disk => break,
                Some(_) => self.take_out(self.sent),
            }
        }
    }

    /// Takes a batch out of memory: it is backlog when the disk has it, else lost.
    fn take_out(&mut self, at: usize) {
        let Some(held) = self.remove(at) else { return };
        let sequence = held.batch.sequence;
        let loss = match held.place {
            Place::Kept => {
                self.backlog.entry(self.epoch).or_default().insert(sequence..sequence + 1);
                return;
            }
            Place::Waiting => Loss::Disk,
            Place::Displaced => Loss::Full,
        };
        let tally = Tally { batches: 1, facts: held.batch.facts, bytes: held.batch.encoded.len() as u64 };
        self.lost.push(Lost { loss, epoch: self.epoch, sequence, tally });
    }

    fn remove(&mut self, at: usize) -> Option<Held> {
        let held = self.live.remove(at)?;
        let bytes = held.batch.encoded.len();
        self.bytes -= bytes;
        if at < self.sent {
            self.sent -= 1;
            self.sent_bytes -= bytes;
        }
        if held.place == Place::Waiting {
            self.waiting_bytes -= bytes;
        }
        self.unkept -= usize::from(held.place != Place::Kept);
        Some(held)
    }

    fn forget_backlog(&mut self, epoch: u64, sequence: u64) -> bool {
        let Some(runs) = self.backlog.get_mut(&epoch) else { return false };
        let was_there = runs.contains(&sequence);
        if was_there {
            runs.remove(sequence..sequence + 1);
        }
        if runs.is_empty() {
            self.backlog.remove(&epoch);
        }
        was_there
    }

    fn find(&self, sequence: u64) -> Option<usize> {
        self.live.binary_search_by_key(&sequence, |held| held.batch.sequence).ok()
    }

    /// Those behind the first that waits all wait.
    fn first_waiting(&self) -> usize {
        self.live.partition_point(|held| held.place != Place::Waiting)
    }
}

fn removal(epoch: u64, batch: &CutBatch) -> Removal {
    Removal { epoch, sequence: batch.sequence, facts: batch.facts }
}

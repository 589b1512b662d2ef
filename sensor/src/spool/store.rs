//! Batches on the disk: one stream of the journal for each boot epoch, in which a batch's offset is its sequence.
//!
//! Each change is one transaction: what it appends, removes and drops is on the disk together or not at all.

use std::collections::BTreeMap;
use std::path::Path;

use wardwatch_journal::{Journal, Limits, Writer};

use super::record;
use crate::batch::CutBatch;

/// The sensor whose batches these are.
const OWNER: &str = "owner";
/// The newest boot epoch, so that none is used twice when the clock is set back.
const EPOCH: &str = "epoch";
/// Followed by the epoch: what is there of it.
const TALLY: &str = "tally/";

/// What went wrong with the batches on the disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Journal(#[from] wardwatch_journal::Error),
    /// They would be sent under another name.
    #[error(
        "the spool {directory} holds batches of {owner}: name the sensor so until they are sent, or move the directory away"
    )]
    Foreign { directory: String, owner: String },
    #[error("cannot start the spool's thread")]
    Thread(#[source] std::io::Error),
}

/// What lies on the disk of one epoch, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) batches: u64,
    pub(crate) facts: u64,
    /// What they take of the disk.
    pub(crate) bytes: u64,
}

impl Tally {
    fn add(&mut self, facts: u64, bytes: u64) {
        self.batches += 1;
        self.facts += facts;
        self.bytes += bytes;
    }

    fn subtract(&mut self, facts: u64, bytes: u64) {
        self.batches = self.batches.saturating_sub(1);
        self.facts = self.facts.saturating_sub(facts);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    fn to_value(self) -> [u8; 24] {
        let mut value = [0; 24];
        value[..8].copy_from_slice(&self.batches.to_le_bytes());
        value[8..16].copy_from_slice(&self.facts.to_le_bytes());
        value[16..].copy_from_slice(&self.bytes.to_le_bytes());
        value
    }

    fn from_value(value: &[u8]) -> Option<Self> {
        let (batches, rest) = value.split_first_chunk::<8>()?;
        let (facts, rest) = rest.split_first_chunk::<8>()?;
        let (bytes, _) = rest.split_first_chunk::<8>()?;
        let [batches, facts, bytes] = [batches, facts, bytes].map(|field| u64::from_le_bytes(*field));
        Some(Self { batches, facts, bytes })
    }
}

/// A batch that need not be kept any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Removal {
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    pub(crate) facts: u64,
}

/// A batch that was dropped to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
    /// 0 where the record could not be read.
    pub(crate) facts: u64,
    pub(crate) bytes: u64,
}

/// What a change came to.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// How many of the batches were appended: all, unless there is no room and none may be made.
    pub(crate) appended: usize,
    pub(crate) dropped: Vec<Dropped>,
}

/// Batches of one epoch, read back.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) batches: Vec<CutBatch>,
    /// Sequences of those that do not match their checksum.
    pub(crate) corrupt: Vec<u64>,
    /// Where to go on.
    pub(crate) next: u64,
}

/// The batches on the disk.
#[derive(Debug)]
pub(crate) struct Store {
    journal: Journal,
    bound: u64,
    tallies: BTreeMap<u64, Tally>,
    last_epoch: u64,
}

impl Store {
    /// Opens or makes it. `owner` names the sensor for people.
    pub(crate) fn open(directory: &Path, bound: u64, owner: &str) -> Result<Self, Error> {
        // The bound is kept here, in bytes of the disk; the journal counts bytes of records.
        let journal = Journal::open(directory, Limits { max_bytes: u64::MAX })?;
        let corrupt = |problem: &str| wardwatch_journal::Error::Corrupt {
            path: journal.path().to_owned(),
            problem: problem.to_owned(),
        };
        let mut tallies = BTreeMap::new();
        for name in journal.streams() {
            let epoch: u64 = name.parse().map_err(|_| corrupt("a stream is named after no epoch"))?;
            let value = journal.value(&format!("{TALLY}{name}"))?;
            let tally = value.as_deref().and_then(Tally::from_value);
            tallies.insert(epoch, tally.ok_or_else(|| corrupt("an epoch has no tally"))?);
        }
        let last_epoch = match journal.value(EPOCH)?.as_deref().map(<[u8; 8]>::try_from) {
            None => 0,
            Some(Ok(epoch)) => u64::from_le_bytes(epoch),
            Some(Err(_)) => return Err(corrupt("the last epoch is no number").into()),
        };
        let found = journal.value(OWNER)?.map(|found| String::from_utf8_lossy(&found).into_owned());
        let is_ours = found.as_deref() == Some(owner);
        if let Some(found) = found.filter(|found| found != owner)
            && tallies.values().any(|tally| tally.batches > 0)
        {
            let directory = directory.display().to_string();
            return Err(Error::Foreign { directory, owner: found });
        }
        if !is_ours {
            let mut writer = journal.writer()?;
            writer.put(OWNER, owner.as_bytes())?;
            writer.sync()?;
        }
        Ok(Self { journal, bound, tallies, last_epoch })
    }

    /// The newest epoch that was ever begun here.
    pub(crate) fn last_epoch(&self) -> u64 {
        self.last_epoch
    }

    /// Remembers that an epoch has begun.
    pub(crate) fn begin(&mut self, epoch: u64) -> Result<(), Error> {
        // When it is opened again, perhaps on a full disk, there is nothing to write.
        if epoch > self.last_epoch {
            let mut writer = self.journal.writer()?;
            writer.put(EPOCH, &epoch.to_le_bytes())?;
            writer.sync()?;
            self.last_epoch = epoch;
        }
        Ok(())
    }

    /// What there is, by epoch.
    pub(crate) fn tallies(&self) -> &BTreeMap<u64, Tally> {
        &self.tallies
    }

    /// What there is altogether.
    pub(crate) fn total(&self) -> Tally {
        total(&self.tallies)
    }

    /// The sequences that may be there of an epoch; not all of them need be.
    pub(crate) fn extent(&self, epoch: u64) -> std::ops::Range<u64> {
        let extent = self.journal.extent(&stream(epoch));
        extent.start..extent.end
    }

    /// Appends batches of one epoch, in their order, and removes others; returns when all that is on the disk. Where there is
    /// no room the oldest batches are dropped, or, when they may not be, fewer are appended.
    pub(crate) fn change(
        &mut self,
        epoch: u64,
        append: &[CutBatch],
        remove: &[Removal],
        may_drop: bool,
    ) -> Result<Changed, Error> {
        let mut transaction = Transaction {
            writer: self.journal.writer()?,
            tallies: self.tallies.clone(),
            bound: self.bound,
            dropped: Vec::new(),
        };
        for removal in remove {
            transaction.remove(removal)?;
        }
        if !append.is_empty() {
            wardwatch_faults::point_blocking("sensor.spool-before-append");
        }
        let mut appended = 0;
        for batch in append {
            if !transaction.append(epoch, batch, may_drop)? {
                break;
            }
            appended += 1;
        }
        wardwatch_faults::point_blocking("sensor.spool-before-sync");
        let (tallies, dropped) = transaction.sync(epoch, &self.tallies)?;
        wardwatch_faults::point_blocking("sensor.spool-after-sync");
        if !remove.is_empty() {
            wardwatch_faults::point_blocking("sensor.spool-after-remove");
        }
        self.tallies = tallies;
        Ok(Changed { appended, dropped })
    }

    /// Batches of an epoch by their sequence, at most those in this range, and no more once they make `bytes`.
    pub(crate) fn read(
        &self,
        epoch: u64,
        sequences: std::ops::Range<u64>,
        bytes: usize,
    ) -> Result<Read, Error> {
        let found = self.journal.read_sparse(&stream(epoch), sequences.start, sequences.end, bytes)?;
        let (mut batches, mut corrupt) = (Vec::with_capacity(found.records.len()), found.corrupt);
        for record in found.records {
            match record::read(record.offset, &record.payload) {
                Some(batch) => batches.push(batch),
                None => corrupt.push(record.offset),
            }
        }
        Ok(Read { batches, corrupt, next: found.next })
    }
}

struct Transaction<'a> {
    writer: Writer<'a>,
    tallies: BTreeMap<u64, Tally>,
    bound: u64,
    dropped: Vec<Dropped>,
}

impl Transaction<'_> {
    fn remove(&mut self, removal: &Removal) -> Result<(), Error> {
        let freed = self.writer.remove_at(&stream(removal.epoch), removal.sequence)?;
        if freed > 0 {
            let tally = self.tallies.entry(removal.epoch).or_default();
            tally.subtract(removal.facts, record::on_disk(freed));
        }
        Ok(())
    }

    /// Says whether there was room.
    fn append(&mut self, epoch: u64, batch: &CutBatch, may_drop: bool) -> Result<bool, Error> {
        let stream = stream(epoch);
        if batch.sequence < self.writer.extent(&stream).end {
            // A sync that said it failed after it had come through.
            return Ok(true);
        }
        let payload = record::lay_out(batch);
        let bytes = record::on_disk(Journal::stored_bytes(payload.len()));
        while total(&self.tallies).bytes.saturating_add(bytes) > self.bound {
            if !may_drop || !self.drop_oldest()? {
                return Ok(false);
            }
        }
        self.writer.append_at(&stream, batch.sequence, &payload)?;
        self.tallies.entry(epoch).or_default().add(batch.facts, bytes);
        Ok(true)
    }

    /// Says whether there was anything to drop.
    fn drop_oldest(&mut self) -> Result<bool, Error> {
        for (epoch, tally) in &mut self.tallies {
            let stream = stream(*epoch);
            let Some(oldest) = self.writer.oldest(&stream)? else {
                *tally = Tally::default();
                continue;
            };
            self.writer.remove_at(&stream, oldest.offset)?;
            let batch = oldest.record.and_then(|record| record::read(oldest.offset, &record.payload));
            let facts = batch.map_or(0, |batch| batch.facts);
            let bytes = record::on_disk(oldest.bytes);
            tally.subtract(facts, bytes);
            self.dropped.push(Dropped { epoch: *epoch, sequence: oldest.offset, facts, bytes });
            return Ok(true);
        }
        Ok(false)
    }

    /// Writes the tallies that changed, ends epochs of which nothing is left, and syncs.
    fn sync(
        mut self,
        live: u64,
        before: &BTreeMap<u64, Tally>,
    ) -> Result<(BTreeMap<u64, Tally>, Vec<Dropped>), Error> {
        let mut ended = Vec::new();
        for (epoch, tally) in &self.tallies {
            let stream = stream(*epoch);
            if *epoch != live && self.writer.extent(&stream).bytes == 0 {
                self.writer.remove_stream(&stream)?;
                self.writer.remove(&format!("{TALLY}{stream}"))?;
                ended.push(*epoch);
            } else if before.get(epoch) != Some(tally) {
                self.writer.put(&format!("{TALLY}{stream}"), &tally.to_value())?;
            }
        }
        for epoch in ended {
            self.tallies.remove(&epoch);
        }
        wardwatch_journal::Writer::sync(self.writer)?;
        Ok((self.tallies, self.dropped))
    }
}

fn total(tallies: &BTreeMap<u64, Tally>) -> Tally {
    tallies.values().fold(Tally::default(), |sum, tally| Tally {
        batches: sum.batches + tally.batches,
        facts: sum.facts + tally.facts,
        bytes: sum.bytes.saturating_add(tally.bytes),
    })
}

/// Names sort as epochs do.
fn stream(epoch: u64) -> String {
    format!("{epoch:020}")
}

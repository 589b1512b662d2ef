//! The spool's thread: writes what waits, removes what was acknowledged, reads the backlog.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use wardwatch_service::health::Check;

use super::gaps::Gaps;
use super::lanes::{Loss, Lost, Overflow};
use super::store::{Error, Removal, Store};
use super::{Chunk, Request, Shared, SpoolConfig, State, files};
use crate::batch::CutBatch;
use crate::telling::Telling;

/// While the uplink has something to send, batches wait so long for others to be synced with.
const GATHER: Duration = Duration::from_millis(20);

/// That much is synced at once, however short it has waited.
const GATHERED: usize = 1 << 20;

/// Most octets of batches in one sync, unless a single batch has more.
const GROUP: usize = 8 << 20;

/// Removals alone wait so long for a batch to be synced with: a crash before merely sends again.
const REMOVE: Duration = Duration::from_secs(1);

/// That many removals are synced at once.
const REMOVALS: usize = 1024;

/// The spool counts as full from its first drop until it is less than this part of its bound, in percent.
const RELIEVED: u64 = 90;

/// What is to be done next.
enum Work {
    Write { batches: Vec<CutBatch>, removals: Vec<Removal>, may_drop: bool },
    Read(Request),
    Open,
    End,
}

/// The thread and what it alone knows.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    config: SpoolConfig,
    owner: String,
    epoch: u64,
    store: Option<Store>,
    /// How many batches the disk held when that was last known.
    on_disk: u64,
    /// Whether what earlier boots have left is known.
    has_looked: bool,
    pauses: ExponentialBackoff,
    retry_at: Instant,
    /// Why the disk cannot be written, while it cannot.
    trouble: Option<String>,
    /// Whether batches were dropped since the spool was full.
    is_full: bool,
    /// There is no room and none may be made: only removals make some.
    is_stuck: bool,
    removals_since: Option<Instant>,
    telling: Telling,
    gaps: Gaps,
    check: Check,
}

impl Keeper {
    pub(super) fn new(
        shared: Arc<Shared>,
        config: SpoolConfig,
        owner: String,
        epoch: u64,
        telling: Telling,
        check: Check,
    ) -> Self {
        Self {
            shared,
            config,
            owner,
            epoch,
            store: None,
            on_disk: 0,
            has_looked: false,
            pauses: pauses(),
            retry_at: Instant::now(),
            trouble: None,
            is_full: false,
            is_stuck: false,
            removals_since: None,
            gaps: Gaps::default(),
            telling,
            check,
        }
    }

    /// Goes on with a store, or without one for now.
    pub(super) fn take_up(&mut self, opened: Option<Store>) {
        let Some(mut store) = opened else {
            self.suspend("the disk cannot be written".to_owned());
            return;
        };
        if let Err(error) = store.begin(self.epoch) {
            drop(store);
            self.failed(&error);
            return;
        }
        if !std::mem::replace(&mut self.has_looked, true) {
            self.find_backlog(&store);
        }
        self.store = Some(store);
        self.tell();
    }

    /// What earlier boots have left is the backlog of their epochs.
    fn find_backlog(&self, store: &Store) {
        let earlier = store.tallies().iter().filter(|(epoch, _)| **epoch != self.epoch);
        for (epoch, tally) in earlier.filter(|(_, tally)| tally.batches > 0) {
            self.shared.change(|state| state.lanes.found(*epoch, store.extent(*epoch)));
            self.telling.spool_found.add(tally.batches);
            tracing::info!(
                epoch,
                batches = tally.batches,
                facts = tally.facts,
                "an earlier boot has left batches"
            );
        }
    }

    pub(super) fn run(mut self) {
        loop {
            match self.next_work() {
                Work::Write { batches, removals, may_drop } => self.write(&batches, &removals, may_drop),
                Work::Read(request) => self.read(request),
                Work::Open => self.open(),
                Work::End => break,
            }
            self.tell();
        }
        let unkept = self.shared.lock().lanes.unkept();
        if unkept.batches > 0 {
            tracing::error!(
                batches = unkept.batches,
                facts = unkept.facts,
                "batches are lost: the disk could not take them"
            );
            self.telling.lost(Loss::Disk, &unkept);
        }
        self.gaps.tell_now();
    }

    fn tell_lost(&mut self, lost: &[Lost]) {
        for lost in lost {
            self.telling.lost(lost.loss, &lost.tally);
        }
        self.gaps.add(lost);
    }

    fn next_work(&mut self) -> Work {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        loop {
            self.tell_lost(&state.lanes.take_lost());
            self.on_disk = self.store.as_ref().map_or(self.on_disk, |store| store.total().batches);
            self.telling.held(state.lanes.bytes() as u64, state.lanes.unsettled(self.on_disk));
            if state.abandoned && !state.closing {
                return Work::End;
            }
            if let Some(request) = state.requests.pop() {
                return Work::Read(request);
            }
            let wait = if self.store.is_none() {
                let now = Instant::now();
                if state.closing {
                    return Work::End;
                }
                if now >= self.retry_at {
                    return Work::Open;
                }
                self.retry_at - now
            } else {
                match self.write_now(&state) {
                    Ok(work) => return work,
                    Err(_) if state.closing => return Work::End,
                    Err(wait) => wait,
                }
            };
            // At times there is something to tell.
            state = shared.wait(state, wait.clamp(Duration::from_millis(1), Duration::from_secs(1)));
        }
    }

    /// What is to be written now, or how long that has time.
    fn write_now(&mut self, state: &State) -> Result<Work, Duration> {
        let lanes = &state.lanes;
        let removals = lanes.removals();
        if removals.is_empty() {
            self.removals_since = None;
        } else {
            self.removals_since.get_or_insert_with(Instant::now);
        }
        let batches = lanes.waiting().map(|(bytes, since)| {
            let may_gather = lanes.has_live() && bytes < GATHERED && !state.closing;
            if may_gather { GATHER.saturating_sub(since.elapsed()) } else { Duration::ZERO }
        });
        let may_drop = lanes.overflow() == Overflow::Spill;
        let batches = batches.filter(|_| !self.is_stuck || !removals.is_empty() || may_drop);
        let removed = self.removals_since.map(|since| {
            let is_due = removals.len() >= REMOVALS || self.is_stuck || state.closing;
            if is_due { Duration::ZERO } else { REMOVE.saturating_sub(since.elapsed()) }
        });
        let wait = batches.into_iter().chain(removed).min().unwrap_or(Duration::MAX);
        if !wait.is_zero() {
            return Err(wait);
        }
        let group = GROUP.min(usize::try_from(self.config.bytes / 4).unwrap_or(usize::MAX));
        Ok(Work::Write { batches: lanes.to_write(group), removals: removals.to_vec(), may_drop })
    }

    fn write(&mut self, batches: &[CutBatch], removals: &[Removal], may_drop: bool) {
        let Some(store) = &mut self.store else { return };
        match store.change(self.epoch, batches, removals, may_drop) {
            Ok(changed) => {
                let kept = batches.get(..changed.appended).unwrap_or(batches);
                self.is_stuck = kept.len() < batches.len();
                self.is_full |= !changed.dropped.is_empty();
                self.telling.spool_syncs.increment();
                self.telling.spool_kept.add(kept.len() as u64);
                self.shared.change(|state| {
                    state.lanes.written(kept, removals.len(), &changed.dropped);
                    if may_drop && kept.is_empty() {
                        // It has not even room when it is alone.
                        batches.first().into_iter().for_each(|batch| state.lanes.displace(batch.sequence));
                    }
                });
                if !kept.is_empty() {
                    self.pauses = pauses();
                    if self.trouble.take().is_some() {
                        tracing::info!("the spool is written again");
                    }
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    fn read(&mut self, request: Request) {
        let Request { epoch, from, bytes, reply } = request;
        let Some(store) = &self.store else {
            let _ = reply.send(None);
            return;
        };
        let Some(run) = self.shared.lock().lanes.backlog_run(epoch, from) else {
            let _ = reply.send(Some(Chunk { batches: Vec::new(), next: u64::MAX }));
            return;
        };
        match store.read(epoch, run.clone(), bytes) {
            Ok(read) => {
                let found: Vec<u64> = read.batches.iter().map(|batch| batch.sequence).collect();
                if !read.corrupt.is_empty() {
                    tracing::error!(epoch, sequences = ?read.corrupt, "batches in the spool are corrupt and skipped");
                }
                let seen = run.start..read.next;
                self.shared.change(|state| state.lanes.backlog_read(epoch, seen, &found, &read.corrupt));
                let _ = reply.send(Some(Chunk { batches: read.batches, next: read.next }));
                self.audit(epoch);
            }
            Err(error) => {
                self.failed(&error);
                let _ = reply.send(None);
            }
        }
    }

    /// When an epoch's backlog has been read to its end, the disk holds what is known to be there and no more: else records were
    /// not found that nobody removed.
    fn audit(&mut self, epoch: u64) {
        let Some(expected) = self.shared.lock().lanes.expected(epoch) else { return };
        let held = self.store.as_ref().and_then(|store| store.tallies().get(&epoch));
        let missing = held.map_or(0, |tally| tally.batches.saturating_sub(expected));
        if missing > 0 {
            let path = self.config.directory.clone();
            let problem = format!("{missing} batches of epoch {epoch} are not there");
            self.failed(&wardwatch_journal::Error::Corrupt { path, problem }.into());
        }
    }

    /// The disk could not be written or read.
    fn failed(&mut self, error: &Error) {
        self.telling.spool_errors.increment();
        let tallies = self.store.take().map(|store| store.tallies().clone()).unwrap_or_default();
        if files::is_corrupt(error) {
            tracing::error!(error = files::text(error), "the spool is corrupt");
            match files::set_aside(&self.config.directory, &self.telling) {
                Ok(()) => {
                    self.on_disk = 0;
                    self.shared.change(|state| state.lanes.disk_lost(&tallies));
                    // Not at once: a disk that keeps on lying must not keep us busy.
                    self.retry_at = Instant::now() + self.pauses.next().unwrap_or(Duration::from_secs(10));
                    self.trouble = Some("the spool was corrupt".to_owned());
                    return;
                }
                Err(error) => tracing::error!(%error, "the corrupt spool cannot be set aside"),
            }
        }
        self.suspend(files::text(error));
    }

    /// Goes on from memory until the next attempt.
    fn suspend(&mut self, why: String) {
        let pause = self.pauses.next().unwrap_or(Duration::from_secs(10));
        tracing::warn!(reason = why, ?pause, "the spool cannot be written: batches are kept in memory");
        self.trouble = Some(why);
        self.retry_at = Instant::now() + pause;
        self.shared.change(|state| state.lanes.disk_failed());
        self.tell();
    }

    fn open(&mut self) {
        // On a full disk not even removals can be written; a file that nobody needs any more makes room by going.
        if self.has_looked && self.shared.lock().lanes.needs_no_disk() {
            match files::remove(&self.config.directory) {
                Ok(()) => {
                    self.on_disk = 0;
                    self.shared.change(|state| state.lanes.disk_lost(&BTreeMap::new()));
                }
                Err(error) => tracing::warn!(%error, "the spool's file cannot be removed"),
            }
        }
        match files::open(&self.config, &self.owner, &self.telling) {
            Ok(opened) => self.take_up(opened),
            Err(error) => self.failed(&error),
        }
    }

    /// Brings counters, gauges and the readiness check up to date.
    fn tell(&mut self) {
        if let Some(store) = &self.store {
            let total = store.total();
            self.telling.spool_bytes.set(i64::try_from(total.bytes).unwrap_or(i64::MAX));
            self.telling.spool_batches.set(i64::try_from(total.batches).unwrap_or(i64::MAX));
            self.is_full &= total.bytes > self.config.bytes / 100 * RELIEVED;
        }
        match &self.trouble {
            Some(why) => self.check.not_ready(format!("the spool cannot be written: {why}")),
            None if self.is_full => self.check.not_ready("the spool is full: the oldest batches are dropped"),
            None => self.check.ready(),
        }
    }
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(10))
        .without_max_times()
        .build()
}

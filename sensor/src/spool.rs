//! The spool: what the collector has not acknowledged, on the disk and within bounds.
//!
//! A batch that has been cut is *kept* once it is synced, and only then sent: it survives `kill -9` and a power cut from then
//! on. A thread writes what waits, several batches in one sync when they come fast. Batches are removed when they are
//! acknowledged; a crash in between sends them again, which is recognised by their number.
//!
//! Memory holds the newest batches within `uplink.unacknowledged_bytes`; the rest is on the disk alone and read back when its
//! turn comes ([`lanes`]). The disk holds `spool.bytes`; then the oldest goes, and that is counted and told. While the disk
//! cannot be written the sensor goes on from memory.

mod files;
mod gaps;
mod keeper;
mod lanes;
mod record;
mod store;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use wardwatch_service::health::Check;

use crate::batch::CutBatch;
use crate::telling::Telling;
use keeper::Keeper;
use lanes::Lanes;
pub(crate) use lanes::{Loss, Overflow};
pub(crate) use store::{Error, Tally};

/// Where batches are kept until they are acknowledged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpoolConfig {
    /// The directory on the local disk; one process at a time owns it.
    pub directory: PathBuf,
    /// Octets of the disk that it takes at most. Then the oldest batches go.
    pub bytes: u64,
    /// Octets in a second that the backlog of an outage is sent with at most, beside what is cut now.
    pub drain_bytes_per_second: u64,
}

impl Default for SpoolConfig {
    fn default() -> Self {
        Self {
            directory: PathBuf::from("/var/lib/wardwatch/sensor"),
            bytes: 2 << 30,
            drain_bytes_per_second: 1 << 20,
        }
    }
}

/// What a spool needs to know beside its settings.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) config: SpoolConfig,
    /// The sensor's name, for people.
    pub(crate) owner: String,
    /// Milliseconds since 1970: the epoch of this boot, unless there was a later one before.
    pub(crate) millis: u64,
    /// Octets in memory.
    pub(crate) memory: usize,
    pub(crate) overflow: Overflow,
}

/// A run of the backlog, read back.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) batches: Vec<CutBatch>,
    /// The sequence to go on from.
    pub(crate) next: u64,
}

struct Request {
    epoch: u64,
    from: u64,
    bytes: usize,
    reply: oneshot::Sender<Option<Chunk>>,
}

/// What the capture thread, the keeper and the uplink share.
struct Shared {
    state: Mutex<State>,
    /// For the capture thread and the keeper.
    work: Condvar,
    /// For the uplink.
    changed: watch::Sender<()>,
}

struct State {
    lanes: Lanes,
    requests: Vec<Request>,
    /// No more batches will be cut.
    intake_ended: bool,
    /// The keeper is to write what it can, and end.
    closing: bool,
    /// The uplink is gone: nobody needs anything any more.
    abandoned: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes all who may have waited for that.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let outcome = change(&mut self.lock());
        self.work.notify_all();
        self.changed.send_replace(());
        outcome
    }

    /// Waits until woken, for some time at most.
    fn wait<'a>(&self, state: MutexGuard<'a, State>, at_most: Duration) -> MutexGuard<'a, State> {
        self.work.wait_timeout(state, at_most).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The uplink has ended: there is nobody left to cut batches for.
#[derive(Debug, thiserror::Error)]
#[error("the uplink has ended")]
pub(crate) struct UplinkEnded;

/// The capture thread's end of the spool. Dropping it says that no more batches will be cut.
pub(crate) struct Intake(Arc<Shared>);

impl Intake {
    /// Hands a batch over. Waits while the spool can take none: the disk is slow, or memory is full of batches of a file.
    pub(crate) fn keep(&self, batch: CutBatch) -> Result<(), UplinkEnded> {
        let mut state = self.0.lock();
        while !state.lanes.has_room() && !state.abandoned {
            state = self.0.wait(state, Duration::from_secs(1));
        }
        if state.abandoned {
            return Err(UplinkEnded);
        }
        state.lanes.push(batch, Instant::now());
        drop(state);
        self.0.work.notify_all();
        self.0.changed.send_replace(());
        Ok(())
    }
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Intake")
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.0.change(|state| state.intake_ended = true);
    }
}

/// The uplink's end of the spool. Dropping it is a crash: what is not synced is gone.
pub(crate) struct Spool {
    shared: Arc<Shared>,
    epoch: u64,
    keeper: Option<JoinHandle<()>>,
}

impl Spool {
    /// Opens the spool, which may wait for a disk, and starts its thread. The disk being full is no error: the sensor
    /// goes on from memory until there is room.
    pub(crate) fn open(plan: Plan, telling: Telling, check: Check) -> Result<(Self, Intake), Error> {
        let opened = files::open(&plan.config, &plan.owner, &telling)?;
        let last = opened.as_ref().map_or(0, store::Store::last_epoch);
        let epoch = plan.millis.max(last.saturating_add(1));
        let lanes = Lanes::new(epoch, plan.memory, plan.overflow);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                lanes,
                requests: Vec::new(),
                intake_ended: false,
                closing: false,
                abandoned: false,
            }),
            work: Condvar::new(),
            changed: watch::Sender::new(()),
        });
        let mut keeper = Keeper::new(Arc::clone(&shared), plan.config, plan.owner, epoch, telling, check);
        keeper.take_up(opened);
        let keeper = std::thread::Builder::new().name("spool".to_owned()).spawn(move || keeper.run());
        let keeper = Some(keeper.map_err(Error::Thread)?);
        Ok((Self { shared: Arc::clone(&shared), epoch, keeper }, Intake(shared)))
    }

    /// The epoch of this boot: no boot before had it.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Sees every change from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.shared.changed.subscribe()
    }

    /// Waits until no more batches will be cut and all have been settled.
    pub(crate) async fn until_finished(&self) {
        self.until(|state| state.intake_ended && state.lanes.is_empty()).await;
    }

    /// Waits until no more batches will be cut.
    pub(crate) async fn until_cut(&self) {
        self.until(|state| state.intake_ended).await;
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            if holds(&self.shared.lock()) {
                return;
            }
            // The sender is ours, so there is always one.
            let _ = changes.changed().await;
        }
    }

    /// From now on nobody waits for room in memory: what is cut goes to the disk.
    pub(crate) fn hasten(&self) {
        self.shared.change(|state| state.lanes.spill_over());
    }

    /// A stream for this boot has been opened.
    pub(crate) fn stream_opened(&self) {
        self.shared.change(|state| state.lanes.stream_opened(Instant::now()));
    }

    /// It has ended. Gives how many batches on it were not acknowledged.
    pub(crate) fn stream_ended(&self) -> usize {
        self.shared.change(|state| state.lanes.stream_ended())
    }

    /// Whether there is a batch for the live stream.
    pub(crate) fn has_live(&self) -> bool {
        self.shared.lock().lanes.has_live()
    }

    /// Whether a live batch waits to be sent, however many are on the stream.
    pub(crate) fn live_waits(&self) -> bool {
        self.shared.lock().lanes.live_waits()
    }

    /// The next batch for the live stream.
    pub(crate) fn take_live(&self) -> Option<CutBatch> {
        self.shared.change(|state| state.lanes.take_live())
    }

    /// How many batches wait for an acknowledgement on the live stream.
    pub(crate) fn on_stream(&self) -> usize {
        self.shared.lock().lanes.on_stream()
    }

    /// A batch on the live stream was acknowledged or rejected. Says whether it was one that was kept.
    pub(crate) fn settle_live(&self, sequence: u64) -> bool {
        self.shared.change(|state| state.lanes.settle_live(sequence))
    }

    /// The epoch whose backlog is to be sent first, if there is any backlog.
    pub(crate) fn backlog_epoch(&self) -> Option<u64> {
        self.shared.lock().lanes.backlog_epoch()
    }

    /// Reads an epoch's backlog from a sequence on, some bytes of it but at least one batch where there is one. `None` while
    /// the disk cannot be read.
    pub(crate) async fn read_backlog(&self, epoch: u64, from: u64, bytes: usize) -> Option<Chunk> {
        let (reply, answer) = oneshot::channel();
        self.shared.change(|state| state.requests.push(Request { epoch, from, bytes, reply }));
        answer.await.ok().flatten()
    }

    /// A batch of the backlog was acknowledged or rejected. Says whether it was one that was kept.
    pub(crate) fn settle_backlog(&self, epoch: u64, sequence: u64, facts: u64) -> bool {
        self.shared.change(|state| state.lanes.settle_backlog(epoch, sequence, facts))
    }

    /// Writes what is not on the disk yet and gives the spool back to whoever comes next, within some time.
    pub(crate) async fn close(mut self, at_most: Duration) {
        self.shared.change(|state| state.closing = true);
        let Some(keeper) = self.keeper.take() else { return };
        let joined = tokio::task::spawn_blocking(move || keeper.join());
        match tokio::time::timeout(at_most, joined).await {
            Ok(Ok(Ok(()))) => {}
            Ok(_) => tracing::error!("the spool's thread panicked"),
            Err(_) => tracing::error!(?at_most, "the spool could not be closed in time"),
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.shared.change(|state| state.abandoned = true);
    }
}

#[cfg(test)]
mod tests;

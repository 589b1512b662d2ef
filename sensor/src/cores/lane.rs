//! One worker, as the thread that shares out knows it.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use anyhow::Context as _;

use super::batch::Batch;
use crate::worker::{Flows, Limits, Totals};

/// Batches of each worker: with [`super::batch::PACKETS`] this bridges a pause of 40 ms at 400,000 packets a second.
const BATCHES: usize = 64;

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) filling: Batch,
    spare: Vec<Batch>,
    to: Option<SyncSender<Batch>>,
    from: Receiver<Batch>,
    thread: Option<JoinHandle<()>>,
    /// As of the last round that was merged.
    pub(super) totals: Totals,
    /// Frames of packets that found no batch.
    pub(super) dropped: u64,
}

impl Lane {
    pub(super) fn start(limits: &Limits, number: usize, workers: usize) -> anyhow::Result<Self> {
        let (to, taken) = mpsc::sync_channel::<Batch>(BATCHES);
        // There is room for all batches, so a worker never waits to give one back.
        let (give, from) = mpsc::sync_channel(BATCHES);
        let mut flows = Flows::one_of(limits, number, workers);
        let work = move || {
            while let Ok(mut batch) = taken.recv() {
                batch.work(&mut flows);
                if give.send(batch).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(work);
        Ok(Self {
            filling: Batch::default(),
            spare: (1..BATCHES).map(|_| Batch::default()).collect(),
            to: Some(to),
            from,
            thread: Some(thread.context("no thread for a worker")?),
            totals: Totals::default(),
            dropped: 0,
        })
    }

    /// Whether all its batches but the one being filled are under way.
    pub(super) fn is_behind(&self) -> bool {
        self.spare.is_empty()
    }

    /// Whether any batch is under way.
    pub(super) fn is_working(&self) -> bool {
        self.spare.len() + 1 < BATCHES
    }

    /// Sends what was filled; says whether it did. Without a batch to fill instead, its packets are dropped.
    pub(super) fn send(&mut self, round: u64) -> anyhow::Result<bool> {
        if self.filling.is_empty() {
            return Ok(false);
        }
        let Some(next) = self.spare.pop() else {
            self.dropped += self.filling.drop_packets();
            return Ok(false);
        };
        let mut batch = std::mem::replace(&mut self.filling, next);
        batch.round = round;
        let to = self.to.as_ref().context("no way to a worker")?;
        to.send(batch).ok().context("a worker's thread has died")?;
        Ok(true)
    }

    /// A batch that has come back.
    pub(super) fn returned(&self) -> Option<Batch> {
        self.from.try_recv().ok()
    }

    pub(super) fn wait(&self) -> anyhow::Result<Batch> {
        self.from.recv().context("a worker's thread has died")
    }

    /// Takes a batch to be filled again.
    pub(super) fn keep(&mut self, mut batch: Batch) {
        batch.clear();
        self.spare.push(batch);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // Without a sender the worker ends; a thread that panicked has said so.
        self.to = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

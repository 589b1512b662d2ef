//! What an outage or an earlier boot has left: one stream for one epoch at a time, the oldest first, at a bounded rate and
//! only while no live batch waits.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep, sleep_until};
use tonic::transport::Channel;
use wardwatch_proto::v1::{Lane, collector_message::Message as Reply};
use wardwatch_service::Counter;

use super::{Stream, Uplink, submission};
use crate::batch::CutBatch;
use crate::spool::Spool;

/// Octets that are read back from the disk at a time.
const CHUNK: usize = 1 << 20;

/// Octets that may be without an acknowledgement; less than a collector holds of one stream, so that it never stops reading this
/// one and with it the connection that live batches share.
const IN_FLIGHT: usize = 2 << 20;

/// The drain of one epoch.
struct Drain<'a> {
    uplink: &'a Uplink,
    spool: &'a Spool,
    epoch: u64,
    /// Read back, to be sent.
    ready: VecDeque<CutBatch>,
    /// Where to read on.
    next: u64,
    is_read: bool,
    /// Sent: facts and octets by sequence.
    sent: BTreeMap<u64, (u64, usize)>,
    sent_bytes: usize,
    /// When the next batch may go.
    due: Instant,
}

impl Uplink {
    /// Drains the backlog for as long as the connection lives. A stream that fails is opened again after a pause.
    pub(super) async fn backlog(&self, channel: &Channel, spool: &Spool) -> Infallible {
        let mut changes = spool.changes();
        let mut pauses = self.pauses();
        let mut due = Instant::now();
        loop {
            changes.mark_unchanged();
            let Some(epoch) = spool.backlog_epoch() else {
                let _ = changes.changed().await;
                continue;
            };
            match self.drain(channel, spool, epoch, &mut due).await {
                Ok(()) => pauses = self.pauses(),
                Err(error) => {
                    let pause = pauses.next().unwrap_or(self.config.longest_pause);
                    let reason = format!("{error:#}");
                    tracing::warn!(epoch, reason, ?pause, "the backlog could not be sent");
                    sleep(pause).await;
                }
            }
        }
    }

    async fn drain(
        &self,
        channel: &Channel,
        spool: &Spool,
        epoch: u64,
        due: &mut Instant,
    ) -> anyhow::Result<()> {
        let stream = self.open(channel.clone(), epoch).await?;
        self.telling.backlog_streams.increment();
        let mut drain = Drain {
            uplink: self,
            spool,
            epoch,
            ready: VecDeque::new(),
            next: 0,
            is_read: false,
            sent: BTreeMap::new(),
            sent_bytes: 0,
            due: *due,
        };
        let outcome = drain.run(stream).await;
        *due = drain.due;
        self.telling.resent.add(drain.sent.len() as u64);
        outcome
    }
}

impl Drain<'_> {
    /// Sends the epoch's backlog to its end, or until the collector asks to come back on another stream.
    async fn run(&mut self, stream: Stream) -> anyhow::Result<()> {
        let Stream { outbound, mut replies, mut packer } = stream;
        let mut changes = self.spool.changes();
        let mut is_recycled = false;
        loop {
            changes.mark_unchanged();
            if self.ready.is_empty() && !self.is_read && !is_recycled {
                self.read().await?;
            }
            if self.is_read && self.ready.is_empty() && self.sent.is_empty() {
                return Ok(());
            }
            let has_next = !self.ready.is_empty() && !is_recycled;
            let gives_way = self.spool.live_waits();
            let is_due = self.due <= Instant::now();
            let may_send = has_next && !gives_way && is_due && self.sent_bytes < IN_FLIGHT;
            tokio::select! {
                reply = replies.message() => match reply.context("the stream broke")?.map(|reply| reply.message) {
                    None if is_recycled => return Ok(()),
                    None => anyhow::bail!("the collector ended the stream"),
                    Some(Some(Reply::Acknowledgement(acknowledgement))) => {
                        wardwatch_faults::point("sensor.uplink-after-ack").await;
                        for sequence in acknowledgement.sequences {
                            self.settle(sequence, &self.uplink.telling.acknowledged);
                        }
                    }
                    Some(Some(Reply::Rejection(rejection))) => {
                        let (sequence, reason) = (rejection.sequence, rejection.reason);
                        tracing::error!(epoch = self.epoch, sequence, reason, "batch dropped");
                        self.settle(sequence, &self.uplink.telling.rejected);
                    }
                    Some(Some(Reply::Recycle(_))) => is_recycled = true,
                    Some(Some(Reply::Refusal(refusal))) => anyhow::bail!("refused: {}", refusal.reason),
                    Some(Some(Reply::Welcome(_)) | None) => {}
                },
                permit = outbound.reserve(), if may_send => {
                    let permit = permit.context("the stream was closed")?;
                    if let Some(batch) = self.ready.pop_front() {
                        permit.send(submission(Lane::Backfill, &batch, &mut packer)?);
                        self.sent(&batch);
                        wardwatch_faults::point("sensor.uplink-after-send").await;
                    }
                }
                () = sleep_until(self.due), if has_next && !is_due => {}
                _ = changes.changed(), if has_next && gives_way => {}
            }
        }
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let chunk = self.spool.read_backlog(self.epoch, self.next, CHUNK).await;
        let chunk = chunk.context("the spool cannot be read for now")?;
        self.is_read = chunk.batches.is_empty() && chunk.next == u64::MAX;
        self.next = chunk.next;
        self.ready.extend(chunk.batches);
        Ok(())
    }

    fn sent(&mut self, batch: &CutBatch) {
        let bytes = batch.encoded.len();
        self.sent.insert(batch.sequence, (batch.facts, bytes));
        self.sent_bytes += bytes;
        let pause = Duration::from_secs_f64(bytes as f64 / self.uplink.backlog_bytes_per_second as f64);
        self.due = self.due.max(Instant::now()) + pause;
    }

    fn settle(&mut self, sequence: u64, counter: &Counter) {
        let Some((facts, bytes)) = self.sent.remove(&sequence) else { return };
        self.sent_bytes -= bytes;
        if self.spool.settle_backlog(self.epoch, sequence, facts) {
            counter.increment();
        }
    }
}

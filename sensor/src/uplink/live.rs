//! The stream of this boot: what is cut goes up at once.

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep_until};
use wardwatch_proto::v1::{Lane, collector_message::Message as Reply};

use super::{Stream, Uplink, submission};
use crate::spool::Spool;

/// A stream on which nothing was acknowledged for so long is told as standing still.
const STALLED: Duration = Duration::from_secs(15);

impl Uplink {
    /// Sends live batches until the collector asks to come back on another stream.
    pub(super) async fn live(&self, stream: Stream, spool: &Spool) -> anyhow::Result<()> {
        let Stream { outbound, mut replies, mut packer } = stream;
        let mut changes = spool.changes();
        let mut is_recycled = false;
        let mut progress = Instant::now();
        loop {
            changes.mark_unchanged();
            let may_send = !is_recycled && spool.has_live();
            if spool.on_stream() == 0 {
                progress = Instant::now();
            }
            tokio::select! {
                reply = replies.message() => match reply.context("the stream broke")?.map(|reply| reply.message) {
                    None if is_recycled => return Ok(()),
                    None => anyhow::bail!("the collector ended the stream"),
                    Some(Some(Reply::Acknowledgement(acknowledgement))) => {
                        wardwatch_faults::point("sensor.uplink-after-ack").await;
                        progress = Instant::now();
                        self.check.ready();
                        for sequence in acknowledgement.sequences {
                            if spool.settle_live(sequence) {
                                self.telling.acknowledged.increment();
                            }
                        }
                    }
                    Some(Some(Reply::Rejection(rejection))) => {
                        tracing::error!(sequence = rejection.sequence, reason = rejection.reason, "batch dropped");
                        if spool.settle_live(rejection.sequence) {
                            self.telling.rejected.increment();
                        }
                    }
                    Some(Some(Reply::Recycle(_))) => is_recycled = true,
                    Some(Some(Reply::Refusal(refusal))) => anyhow::bail!("refused: {}", refusal.reason),
                    Some(Some(Reply::Welcome(_)) | None) => {}
                },
                permit = outbound.reserve(), if may_send => {
                    let permit = permit.context("the stream was closed")?;
                    if let Some(batch) = spool.take_live() {
                        permit.send(submission(Lane::Live, &batch, &mut packer)?);
                        wardwatch_faults::point("sensor.uplink-after-send").await;
                    }
                }
                _ = changes.changed(), if !may_send => {}
                () = sleep_until(progress + STALLED) => {
                    progress = Instant::now();
                    if spool.on_stream() > 0 {
                        self.check.not_ready(format!(
                            "the collector has acknowledged nothing for {STALLED:?}: its log may be away"
                        ));
                    }
                }
            }
        }
    }
}

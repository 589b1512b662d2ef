//! The receiver that is measured: an interface, and what is done with its frames.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use wardwatch_capture::{CaptureMode, Interface, InterfaceOptions, Source as _, Step};
use wardwatch_sensor::batch::{BatchLimits, Batcher};
use wardwatch_sensor::worker::{Limits, Worker};

/// How long frames may be on their way when the sender has ended.
const LATECOMERS: Duration = Duration::from_millis(200);

/// What is done with each frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Nothing: it is counted.
    Count,
    /// What the sensor does: headers, flows, reassembly, dissectors, batches.
    Decode,
}

impl Work {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Count => "counting only",
            Self::Decode => "decoding",
        }
    }
}

/// What came of what was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    sent: u64,
    taken: u64,
    /// Frames that the source says it has lost.
    dropped: u64,
    /// Frames that never came to its interface.
    pub(super) refused: u64,
    seconds: f64,
}

impl Seen {
    /// Frames that were sent and did not arrive, wherever they were lost.
    pub(super) fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.taken)
    }

    /// Frames that were lost and that nobody counts as such, or that are counted and were not lost.
    pub(super) fn uncounted(&self) -> u64 {
        self.lost().abs_diff(self.dropped + self.refused)
    }

    pub(super) fn taken_a_second(&self) -> f64 {
        self.taken as f64 / self.seconds
    }

    pub(super) fn sent_a_second(&self) -> f64 {
        self.sent as f64 / self.seconds
    }
}

/// Captures until the sender that `send` starts has ended and nothing more comes.
pub(super) fn receive(
    interface: &str,
    mode: CaptureMode,
    ring_mebibytes: u32,
    work: Work,
    seconds: Duration,
    send: impl FnOnce() -> Result<Child>,
) -> Result<Seen> {
    let mut source =
        Interface::open(InterfaceOptions { mode, ring_mebibytes, ..InterfaceOptions::new(interface) })?;
    let mut worker = Worker::new(&Limits::default());
    let mut batcher = Batcher::new("site-1", "site-1", 1, BatchLimits::default());
    let mut facts = Vec::new();
    let mut sender = send()?;
    let mut ended: Option<Instant> = None;
    loop {
        match source.next()? {
            Step::Frames(frames) if work == Work::Decode => {
                worker.frames(&frames, &mut facts);
                for fact in facts.drain(..) {
                    std::hint::black_box(batcher.add(fact));
                }
            }
            Step::Frames(frames) => {
                for frame in frames {
                    std::hint::black_box(frame.bytes.first());
                }
            }
            Step::Idle => {
                if ended.is_some_and(|ended| ended.elapsed() > LATECOMERS) {
                    break;
                }
                if ended.is_none() && sender.try_wait().context("wait for the sender")?.is_some() {
                    ended = Some(Instant::now());
                }
            }
            Step::End => break,
        }
    }
    let output = sender.wait_with_output().context("wait for the sender")?;
    anyhow::ensure!(output.status.success(), "the sender failed");
    let sent = String::from_utf8_lossy(&output.stdout).trim().parse().context("what the sender says")?;
    let statistics = source.statistics();
    Ok(Seen {
        sent,
        taken: statistics.frames,
        dropped: statistics.dropped,
        refused: 0,
        seconds: seconds.as_secs_f64(),
    })
}

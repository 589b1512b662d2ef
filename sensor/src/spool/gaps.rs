//! Telling of gaps: what was lost is counted at once, and put into words now and then.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::lanes::{Loss, Lost};
use super::store::Tally;

/// The least time between two lines about the same kind of loss.
const PAUSE: Duration = Duration::from_secs(10);

/// What was lost since it was last told.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    untold: BTreeMap<(Loss, u64), Gap>,
    told: Option<Instant>,
}

#[derive(Debug)]
struct Gap {
    first: u64,
    last: u64,
    tally: Tally,
}

impl Gaps {
    pub(super) fn add(&mut self, lost: &[Lost]) {
        for Lost { loss, epoch, sequence, tally } in lost {
            let gap = self.untold.entry((*loss, *epoch)).or_insert(Gap {
                first: *sequence,
                last: *sequence,
                tally: Tally::default(),
            });
            gap.first = gap.first.min(*sequence);
            gap.last = gap.last.max(*sequence);
            gap.tally.batches += tally.batches;
            gap.tally.facts += tally.facts;
            gap.tally.bytes += tally.bytes;
        }
        self.tell(PAUSE);
    }

    /// Says what has not been said yet, however lately something was.
    pub(super) fn tell_now(&mut self) {
        self.tell(Duration::ZERO);
    }

    fn tell(&mut self, pause: Duration) {
        if self.untold.is_empty() || self.told.is_some_and(|told| told.elapsed() < pause) {
            return;
        }
        self.told = Some(Instant::now());
        for ((loss, epoch), Gap { first, last, tally }) in std::mem::take(&mut self.untold) {
            let Tally { batches, facts, bytes } = tally;
            let reason = loss.name();
            tracing::warn!(reason, epoch, first, last, batches, facts, bytes, "batches were lost");
        }
    }
}

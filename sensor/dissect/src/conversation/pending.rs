//! What waits in one direction, and when it is worth showing again.
//!
//! A dissector that needs more may begin anew with all that is held each time it is shown it. Were that for each segment, a
//! long message in segments of one byte would cost the square of its length. So what is shown again is paid for by what came:
//! a segment earns some bytes, each of its bytes earns some, and what is held is shown when as much has been earned.

use super::BUFFER_BYTES;

/// What a segment earns: a message no longer than this is shown with every byte that comes.
const PER_SEGMENT: usize = 1024;

/// What each byte earns. Full segments of Ethernet earn enough that messages of some 70 KiB are shown with each of them.
const PER_BYTE: usize = 32;

/// Bytes of one direction that wait for more, or bytes to come that nobody wants.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) bytes: Vec<u8>,
    pub(super) skip: u64,
    /// Held bytes that may be shown again, for what came.
    credit: usize,
}

impl Pending {
    /// A segment brought so many bytes. One look at the longest that is held may be saved up, and no more.
    pub(super) fn earn(&mut self, fresh: usize) {
        let earned = fresh.saturating_mul(PER_BYTE).saturating_add(PER_SEGMENT);
        self.credit = self.credit.saturating_add(earned).min(BUFFER_BYTES);
    }

    /// Holds these bytes, too. What is held grows by a share of itself, so that it is not moved for every byte; within the
    /// bound nothing is allotted beyond it.
    pub(super) fn hold(&mut self, fresh: &[u8]) {
        let held = self.bytes.len();
        let length = held.saturating_add(fresh.len());
        if length > self.bytes.capacity() {
            let ahead = (held + held / 8).min(BUFFER_BYTES - 1);
            self.bytes.reserve_exact(length.max(ahead) - held);
        }
        self.bytes.extend_from_slice(fresh);
    }

    /// Whether what is held may be shown now; pays for it. Where the bound is reached it is, since then it is decided whether
    /// the flow goes on.
    pub(super) fn may_be_shown(&mut self) -> bool {
        let cost = self.bytes.len();
        if cost < BUFFER_BYTES && cost > self.credit {
            return false;
        }
        self.credit = self.credit.saturating_sub(cost);
        true
    }
}

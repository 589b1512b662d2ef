//! Packet time, made steady.
//!
//! Timers run on the sum of the forward steps of packet time, so that a clock that is set back, or one wild timestamp,
//! neither stops the timers nor fires them for ever. Flow records carry the packets' own times.

/// A step back of at most this (ns) is reordering between queues, not a clock that was set.
const REORDERING: u64 = 10 * 1_000_000_000;
/// A step forward of more than this (ns) is counted as a jump.
const JUMP: u64 = 3_600 * 1_000_000_000;
/// The most (ns) that one step forward moves the timers: longer than any timeout.
pub(super) const LONGEST_STEP: u64 = 30 * 86_400 * 1_000_000_000;
/// Timers count in units of 2^26 ns, about 67 ms: 32 bits of them last nine years.
const TICK_SHIFT: u32 = 26;

/// A duration in ticks, rounded down, at most [`LONGEST_STEP`].
pub(super) fn ticks(duration: std::time::Duration) -> u32 {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(LONGEST_STEP).min(LONGEST_STEP);
    (nanos >> TICK_SHIFT) as u32
}

/// Turns packet times into ticks that never go back.
#[derive(Debug, Default)]
pub(super) struct Clock {
    reference: Option<u64>,
    elapsed: u64,
    /// How often time went back by more than reordering explains.
    pub(super) backward_jumps: u64,
    /// How often time went forward by more than an hour.
    pub(super) forward_jumps: u64,
}

impl Clock {
    /// The tick of a packet time (ns since the Unix epoch). Ticks wrap; compare them by wrapping subtraction.
    pub(super) fn tick(&mut self, at: u64) -> u32 {
        let reference = *self.reference.get_or_insert(at);
        match at.checked_sub(reference) {
            Some(step) => {
                self.reference = Some(at);
                self.elapsed = self.elapsed.wrapping_add(step.min(LONGEST_STEP));
                self.forward_jumps += u64::from(step > JUMP);
            }
            None if reference - at > REORDERING => {
                self.reference = Some(at);
                self.backward_jumps += 1;
            }
            None => {}
        }
        (self.elapsed >> TICK_SHIFT) as u32
    }
}

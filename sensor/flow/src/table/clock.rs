//! Packet time, made steady.
//!
//! Timers run on the sum of the forward steps of packet time, so that a clock that is set back, or one wild timestamp,
//! neither stops the timers nor fires them for ever. Flow records carry the packets' own times.

/// A step back of at most this (ns) is no clock that was set: packets of several queues overtake each other, and
/// fragments that were given up are counted at the time they came.
const REORDERING: u64 = 60 * 1_000_000_000;
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

/// Intervals are measured in units of 2^4 ticks, about a second: 16 bits of them wrap after 19 hours.
const INTERVAL_SHIFT: u32 = 4;

/// A tick in units of intervals, which wrap; compare them by wrapping subtraction.
pub(super) const fn interval_units(tick: u32) -> u16 {
    (tick >> INTERVAL_SHIFT) as u16
}

/// The length of intervals in their units, rounded up: at least one, at most half of what wraps.
pub(super) fn interval(duration: std::time::Duration) -> u16 {
    let units = ticks(duration).div_ceil(1 << INTERVAL_SHIFT).clamp(1, u32::from(u16::MAX / 2));
    units as u16
}

/// The length of intervals in ticks.
pub(super) fn interval_ticks(interval: u16) -> u32 {
    u32::from(interval) << INTERVAL_SHIFT
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

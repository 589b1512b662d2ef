//! From the kernel's monotonic clock, which the program stores, to the time of day.

use rustix::time::{ClockId, clock_gettime};

/// Attempts at reading two clocks at once; the one with the least time between counts.
const ATTEMPTS: usize = 5;

/// How far the time of day is ahead of the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    ahead: u64,
}

impl Clock {
    /// As it is now. The time of day is set and slewed, so this wants to be done again now and then.
    pub(super) fn new() -> Self {
        let readings = (0..ATTEMPTS).map(|_| {
            let before = monotonic();
            let utc = nanoseconds(ClockId::Realtime);
            let after = monotonic();
            let took = after.saturating_sub(before);
            (took, utc.saturating_sub(before + took / 2))
        });
        Self { ahead: readings.min().map_or(0, |(_, ahead)| ahead) }
    }

    /// The time of day, in nanoseconds since the epoch, that it was at a time of the monotonic clock.
    pub(super) fn utc(self, monotonic: u64) -> u64 {
        self.ahead.saturating_add(monotonic)
    }
}

/// The monotonic clock in nanoseconds.
pub(super) fn monotonic() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_told_from_the_monotonic_clock() {
        let clock = Clock::new();
        let told = clock.utc(monotonic());
        assert!(nanoseconds(ClockId::Realtime).abs_diff(told) < 1_000_000_000);
    }
}

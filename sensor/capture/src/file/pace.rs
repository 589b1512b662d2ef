//! How fast a file is read: as fast as it goes, or as fast as it was recorded.

use std::time::{Duration, Instant};

/// How fast frames are handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Pace {
    /// As fast as the caller takes them.
    #[default]
    Full,
    /// In the distances of their time stamps.
    Original {
        /// 1 for the original pace, 2 for twice as fast.
        speed: f64,
    },
}

/// When each frame of a file is due.
pub(super) struct Schedule {
    speed: f64,
    /// The time stamp of the first frame, and when it was handed over.
    begin: Option<(u64, Instant)>,
}

impl Schedule {
    pub(super) fn new(speed: f64) -> Self {
        Self { speed, begin: None }
    }

    /// How long a frame has to wait, seen from `now`. The first frame is due at once, and so is one that goes back in time.
    pub(super) fn wait(&mut self, at: u64, now: Instant) -> Duration {
        let (first, started) = *self.begin.get_or_insert((at, now));
        let recorded = Duration::from_nanos(at.saturating_sub(first));
        // Beyond what a duration holds only with speeds near zero: then never.
        let replayed =
            Duration::try_from_secs_f64(recorded.as_secs_f64() / self.speed).unwrap_or(Duration::MAX);
        replayed.saturating_sub(now.saturating_duration_since(started))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn frames_are_due_in_the_distances_of_their_time_stamps() {
        let start = Instant::now();
        let mut schedule = Schedule::new(1.0);
        assert_eq!(schedule.wait(50 * SECOND, start), Duration::ZERO);
        assert_eq!(schedule.wait(53 * SECOND, start + Duration::from_secs(1)), Duration::from_secs(2));
        assert_eq!(schedule.wait(53 * SECOND, start + Duration::from_secs(9)), Duration::ZERO);
    }

    #[test]
    fn a_speed_of_ten_makes_ten_seconds_one() {
        let start = Instant::now();
        let mut schedule = Schedule::new(10.0);
        schedule.wait(0, start);
        assert_eq!(schedule.wait(10 * SECOND, start), Duration::from_secs(1));
    }

    #[test]
    fn a_frame_from_the_past_does_not_wait() {
        let start = Instant::now();
        let mut schedule = Schedule::new(1.0);
        schedule.wait(50 * SECOND, start);
        assert_eq!(schedule.wait(20 * SECOND, start), Duration::ZERO);
    }

    #[test]
    fn no_time_stamp_and_no_speed_is_too_much() {
        let start = Instant::now();
        let mut schedule = Schedule::new(f64::MIN_POSITIVE);
        schedule.wait(0, start);
        assert_eq!(schedule.wait(u64::MAX, start), Duration::MAX);
    }
}

//! When an endpoint was in use, to the minute: enough to tell whether two were ever in use together.

/// Minutes without a packet that do not end a time of use.
const PAUSE: u32 = 10;
/// Times of use that are kept; the oldest go. Of an endpoint that is always on there is one.
const MOST_TIMES: usize = 32;
/// Two endpoints that take turns more often than this are in use together, though no minute shows both: a device that is
/// plugged in somewhere else does that a few times a day.
const MOST_TURNS: usize = 6;

const MINUTE: u64 = 60 * 1_000_000_000;

/// A time of use: its first and last minute since the Unix epoch.
pub(crate) type Times = (u32, u32);

/// When an endpoint was in use: times in order, each more than [`PAUSE`] after the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Activity {
    times: Vec<Times>,
}

impl Activity {
    /// From times in any order.
    pub(crate) fn from_times(times: impl IntoIterator<Item = Times>) -> Self {
        let mut activity = Self::default();
        for (first, last) in times {
            activity.add(first, last.max(first));
        }
        activity
    }

    /// It was in use between these times (nanoseconds since the Unix epoch). Whether that was not known.
    pub(crate) fn note(&mut self, first: u64, last: u64) -> bool {
        let minute = |at: u64| u32::try_from(at / MINUTE).unwrap_or(u32::MAX);
        self.add(minute(first), minute(last.max(first)))
    }

    pub(crate) fn times(&self) -> &[Times] {
        &self.times
    }

    fn add(&mut self, first: u32, last: u32) -> bool {
        let start = self.times.partition_point(|(_, known)| known.saturating_add(PAUSE) < first);
        let end = self.times.partition_point(|(known, _)| *known <= last.saturating_add(PAUSE));
        let near = self.times.get(start..end).unwrap_or_default();
        if let [(known_first, known_last)] = near
            && *known_first <= first
            && last <= *known_last
        {
            return false;
        }
        let joined = near.iter().fold((first, last), |all, near| (all.0.min(near.0), all.1.max(near.1)));
        self.times.splice(start..end.max(start), [joined]);
        if self.times.len() > MOST_TIMES {
            self.times.remove(0);
        }
        true
    }

    /// Whether both were in use at the same time, or took turns all the time.
    pub(crate) fn is_together_with(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.times.iter().peekable(), other.times.iter().peekable());
        let (mut turns, mut was_ours) = (0, None);
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            if a.0 < b.1 && b.0 < a.1 {
                return true;
            }
            if a == b {
                // The same minute, in whichever order.
                ours.next();
                theirs.next();
                was_ours = None;
                continue;
            }
            let is_ours = a < b;
            turns += usize::from(was_ours.is_some_and(|was_ours| was_ours != is_ours));
            was_ours = Some(is_ours);
            if is_ours {
                ours.next()
            } else {
                theirs.next()
            };
        }
        turns > MOST_TURNS
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_pause_does_not_end_a_time_of_use() {
        let activity = Activity::from_times([(100, 101), (111, 112), (130, 130)]);
        assert_eq!(activity.times(), [(100, 112), (130, 130)]);
    }

    #[test]
    fn a_dock_is_used_before_or_after_and_a_second_interface_meanwhile() {
        let on_the_move = Activity::from_times([(0, 100), (300, 400)]);
        assert!(!on_the_move.is_together_with(&Activity::from_times([(100, 290)])));
        assert!(on_the_move.is_together_with(&Activity::from_times([(50, 60)])));
        assert!(on_the_move.is_together_with(&Activity::from_times([(50, 50)])), "a single minute within");
    }

    #[test]
    fn who_takes_turns_all_day_is_in_use_together() {
        let every = |from: u32| Activity::from_times((0..10).map(|n| (from + n * 60, from + n * 60)));
        assert!(every(0).is_together_with(&every(30)));
    }

    proptest! {
        #[test]
        fn neither_comes_first(
            ours in prop::collection::vec((0..300_u32, 0..20_u32), 0..25),
            theirs in prop::collection::vec((0..300_u32, 0..20_u32), 0..25),
        ) {
            let activity = |times: &[(u32, u32)]| Activity::from_times(times.iter().map(|(at, long)| (*at, at + long)));
            let (ours, theirs) = (activity(&ours), activity(&theirs));
            prop_assert_eq!(ours.is_together_with(&theirs), theirs.is_together_with(&ours));
        }

        #[test]
        fn the_order_of_sightings_does_not_matter(
            mut times in prop::collection::vec((0..300_u32, 0..20_u32), 0..25)
        ) {
            let activity = |times: &[(u32, u32)]| Activity::from_times(times.iter().map(|(at, long)| (*at, at + long)));
            let forwards = activity(&times);
            times.reverse();
            prop_assert_eq!(&forwards, &activity(&times));
            prop_assert!(forwards.times().windows(2).all(|pair| pair[0].1 + PAUSE < pair[1].0));
        }
    }
}

//! Which batches of a sensor's boot have been received, so that a resend is recognised.
//!
//! A highest sequence would not do: 5 times out, 6 lands, 5 comes again. So the set itself is kept, as the runs of
//! numbers that it is made of: `1..=4, 6..=9`. It is bounded by the number of runs; beyond, the oldest run is forgotten,
//! which is counted, and means that a resend from there would be taken for new: rather twice than never.
//!
//! What came in the batches is counted beside it, so that each sensor's losses before the log can be named, and what the
//! enricher took in can be compared with what stands in the tables.

use std::collections::BTreeMap;

use prost::Message as _;

/// The sequences received in one boot of one sensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// First number of a run, and its last.
    runs: BTreeMap<u64, u64>,
    /// Log time of the newest, in nanoseconds: what was not heard of for longest is forgotten first.
    last_heard: u64,
    /// Log time of the first that came, in nanoseconds.
    first_heard: u64,
    counts: Counts,
}

/// What has come of a boot, since it was first heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Batches, each once.
    pub(crate) batches: u64,
    /// Batches that had come before.
    pub(crate) resent: u64,
    /// Facts in the batches: flows, observations, and what was not believed.
    pub(crate) facts: u64,
    /// Flows that became rows.
    pub(crate) flows: u64,
    /// Observations that were believed.
    pub(crate) observations: u64,
    /// Numbers that are no longer remembered.
    pub(crate) forgotten: u64,
}

/// What became of a sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is there for the first time.
    New {
        /// How many numbers had to be forgotten to stay within the bound.
        forgotten: u64,
    },
    /// It was there before.
    Resent,
}

/// As it is kept: the runs one after the other, each as its distance from the one before and its length less one.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Kept {
    #[prost(uint64, repeated, tag = "1")]
    runs: Vec<u64>,
    #[prost(fixed64, tag = "2")]
    last_heard: u64,
    #[prost(fixed64, tag = "3")]
    first_heard: u64,
    #[prost(uint64, tag = "4")]
    batches: u64,
    #[prost(uint64, tag = "5")]
    resent: u64,
    #[prost(uint64, tag = "6")]
    facts: u64,
    #[prost(uint64, tag = "7")]
    flows: u64,
    #[prost(uint64, tag = "8")]
    observations: u64,
    #[prost(uint64, tag = "9")]
    forgotten: u64,
}

impl Received {
    /// Takes a sequence number that came at a log time.
    pub(crate) fn take(&mut self, sequence: u64, log_time: u64, holes: usize) -> Arrival {
        let below = self.runs.range(..=sequence).next_back().map(|(first, last)| (*first, *last));
        if below.is_some_and(|(_, last)| sequence <= last) {
            self.counts.resent += 1;
            return Arrival::Resent;
        }
        if self.counts.batches == 0 {
            self.first_heard = log_time;
        }
        self.last_heard = self.last_heard.max(log_time);
        self.counts.batches += 1;
        // A neighbour below and one above grow together with the new number.
        let first = below
            .filter(|(_, last)| last.checked_add(1) == Some(sequence))
            .map_or(sequence, |(first, _)| first);
        let last = sequence.checked_add(1).and_then(|next| self.runs.remove(&next)).unwrap_or(sequence);
        self.runs.insert(first, last);
        let mut forgotten = 0_u64;
        while self.runs.len() > holes.max(1) {
            if let Some((first, last)) = self.runs.pop_first() {
                forgotten = forgotten.saturating_add((last - first).saturating_add(1));
            }
        }
        self.counts.forgotten = self.counts.forgotten.saturating_add(forgotten);
        Arrival::New { forgotten }
    }

    /// What stood in the batch that was taken last.
    pub(crate) fn count(&mut self, facts: usize, flows: usize, observations: usize) {
        self.counts.facts += facts as u64;
        self.counts.flows += flows as u64;
        self.counts.observations += observations as u64;
    }

    /// What has come so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// The highest number that has come; 0 when none has.
    pub(crate) fn highest(&self) -> u64 {
        self.runs.last_key_value().map_or(0, |(_, last)| *last)
    }

    /// How many numbers below the highest have not come; a sensor begins with 1.
    pub(crate) fn missing(&self) -> u64 {
        self.highest().saturating_sub(self.counts.batches)
    }

    /// The newest holes in the numbers, as first and last of each, in rising order. What lies before a part that was forgotten
    /// is not known.
    pub(crate) fn holes(&self, most: usize) -> Vec<(u64, u64)> {
        let firsts = self.runs.keys().copied();
        let before = self.runs.values().map(|last| last.saturating_add(1));
        let begin = (self.counts.forgotten == 0).then_some(1);
        let begin = begin.or_else(|| self.runs.keys().next().copied());
        let mut holes: Vec<_> = begin
            .into_iter()
            .chain(before)
            .zip(firsts)
            .filter(|(hole, next)| hole < next)
            .map(|(hole, next)| (hole, next - 1))
            .collect();
        holes.drain(..holes.len().saturating_sub(most));
        holes
    }

    /// Log time of the newest, in nanoseconds.
    pub(crate) fn last_heard(&self) -> u64 {
        self.last_heard
    }

    /// Log time of the first that came, in nanoseconds.
    pub(crate) fn first_heard(&self) -> u64 {
        self.first_heard
    }

    /// As it is kept in the stored memory.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut runs = Vec::with_capacity(self.runs.len() * 2);
        let mut reached = 0;
        for (first, last) in &self.runs {
            runs.push(first - reached);
            runs.push(last - first);
            reached = *last;
        }
        let Counts { batches, resent, facts, flows, observations, forgotten } = self.counts;
        let (last_heard, first_heard) = (self.last_heard, self.first_heard);
        Kept { runs, last_heard, first_heard, batches, resent, facts, flows, observations, forgotten }
            .encode_to_vec()
    }

    /// From what [`Received::encode`] gave.
    pub(crate) fn decode(kept: &[u8]) -> Result<Self, String> {
        let kept = Kept::decode(kept).map_err(|error| error.to_string())?;
        let Kept { runs, last_heard, first_heard, batches, resent, facts, flows, observations, forgotten } =
            kept;
        let counts = Counts { batches, resent, facts, flows, observations, forgotten };
        let mut received = Self { runs: BTreeMap::new(), last_heard, first_heard, counts };
        let mut reached = 0_u64;
        for run in runs.chunks(2) {
            let &[distance, length] = run else { return Err("a run without a length".into()) };
            let first = reached.checked_add(distance).ok_or("a run beyond the last number")?;
            reached = first.checked_add(length).ok_or("a run beyond the last number")?;
            received.runs.insert(first, reached);
        }
        Ok(received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Arrival = Arrival::New { forgotten: 0 };

    #[test]
    fn a_late_one_is_new_and_a_repeat_is_not() {
        let mut received = Received::default();
        for sequence in [1, 2, 3, 4, 6] {
            assert_eq!(received.take(sequence, 0, 10), NEW);
        }
        assert_eq!(received.take(5, 0, 10), NEW, "5 was out when 6 landed");
        assert_eq!(received.take(5, 0, 10), Arrival::Resent);
        assert_eq!(received.take(1, 0, 10), Arrival::Resent);
        assert_eq!(received.take(u64::MAX, 0, 10), NEW);
        assert_eq!(received.take(u64::MAX, 0, 10), Arrival::Resent);
    }

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        let numbers = [7, 1, 3, 2, 9, 8, 4, 20];
        let mut forth = Received::default();
        let mut back = Received::default();
        for number in numbers {
            forth.take(number, 5, 100);
        }
        for number in numbers.iter().rev() {
            back.take(*number, 5, 100);
        }
        assert_eq!(forth, back);
        assert_eq!(forth.runs, BTreeMap::from([(1, 4), (7, 9), (20, 20)]));
    }

    #[test]
    fn what_has_not_come_is_named() {
        let mut received = Received::default();
        assert_eq!((received.highest(), received.missing(), received.holes(9)), (0, 0, vec![]));
        for sequence in [3, 4, 7, 12, 10, 7] {
            received.take(sequence, 0, 100);
        }
        let counts = received.counts();
        assert_eq!((counts.batches, counts.resent), (5, 1));
        assert_eq!(received.highest(), counts.batches + received.missing());
        assert_eq!(received.holes(9), [(1, 2), (5, 6), (8, 9), (11, 11)]);
        assert_eq!(received.holes(2), [(8, 9), (11, 11)], "the newest");
        for sequence in 1..=11 {
            received.take(sequence, 0, 100);
        }
        assert_eq!((received.missing(), received.holes(9)), (0, vec![]));
    }

    #[test]
    fn what_was_forgotten_is_not_called_missing() {
        let mut received = Received::default();
        for sequence in [1, 3, 5, 7] {
            received.take(sequence, 0, 2);
        }
        assert_eq!(received.holes(9), [(6, 6)], "of what is below 5 nothing is known any more");
        assert_eq!(received.missing(), 3, "but how many have come was counted");
        assert_eq!(received.counts().forgotten, 2);
    }

    #[test]
    fn beyond_the_bound_the_oldest_run_is_forgotten_and_counted() {
        let mut received = Received::default();
        for sequence in [1, 2, 3, 10, 20] {
            received.take(sequence, 0, 3);
        }
        assert_eq!(received.take(30, 0, 3), Arrival::New { forgotten: 3 });
        assert_eq!(received.take(10, 0, 3), Arrival::Resent);
        assert_eq!(received.take(2, 0, 4), NEW, "rather twice than never");
    }

    #[test]
    fn it_survives_a_restart() {
        let mut received = Received::default();
        for sequence in [1, 2, 5, 6, 7, 1_000_000, u64::MAX] {
            received.take(sequence, 42, 100);
            received.count(9, 5, 3);
        }
        received.take(5, 42, 100);
        assert_eq!(Received::decode(&received.encode()), Ok(received));
        assert!(Received::decode(&[0x0a, 0x01, 0x05]).is_err(), "a run without a length");
    }
}

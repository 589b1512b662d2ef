//! Which batches of a sensor's boot have been received, so that a resend is recognised.
//!
//! A highest sequence would not do: 5 times out, 6 lands, 5 comes again. So the set itself is kept, as the runs of
//! numbers that it is made of: `1..=4, 6..=9`. It is bounded by the number of runs; beyond, the oldest run is forgotten,
//! which is counted, and means that a resend from there would be taken for new: rather twice than never.

use std::collections::BTreeMap;

use prost::Message as _;

/// The sequences received in one boot of one sensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// First number of a run, and its last.
    runs: BTreeMap<u64, u64>,
    /// Log time of the newest, in nanoseconds: what was not heard of for longest is forgotten first.
    last_heard: u64,
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
}

impl Received {
    /// Takes a sequence number that came at a log time.
    pub(crate) fn take(&mut self, sequence: u64, log_time: u64, holes: usize) -> Arrival {
        let below = self.runs.range(..=sequence).next_back().map(|(first, last)| (*first, *last));
        if below.is_some_and(|(_, last)| sequence <= last) {
            return Arrival::Resent;
        }
        self.last_heard = self.last_heard.max(log_time);
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
        Arrival::New { forgotten }
    }

    /// Log time of the newest, in nanoseconds.
    pub(crate) fn last_heard(&self) -> u64 {
        self.last_heard
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
        Kept { runs, last_heard: self.last_heard }.encode_to_vec()
    }

    /// From what [`Received::encode`] gave.
    pub(crate) fn decode(kept: &[u8]) -> Result<Self, String> {
        let kept = Kept::decode(kept).map_err(|error| error.to_string())?;
        let mut received = Self { runs: BTreeMap::new(), last_heard: kept.last_heard };
        let mut reached = 0_u64;
        for run in kept.runs.chunks(2) {
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
        }
        assert_eq!(Received::decode(&received.encode()), Ok(received));
        assert!(Received::decode(&[0x0a, 0x01, 0x05]).is_err(), "a run without a length");
    }
}

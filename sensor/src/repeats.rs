//! The same fact once per interval: a browser says who it is with every request, and one statement is enough.
//!
//! Remembers what was stated in two generations of bounded maps. A fact found in either is counted and held back;
//! when the interval has passed, or a generation is full, the older one is forgotten, so that a fact that goes on
//! being said is stated again, with the count of what was held back. Memory is bounded by twice the capacity.

use std::hash::BuildHasher as _;

use hashbrown::DefaultHashBuilder;
use wardwatch_proto::v1::{Observation, Subject};

use crate::generations::Generations;

/// What was stated lately.
#[derive(Debug)]
pub(crate) struct Repeats {
    interval: u64,
    hasher: DefaultHashBuilder,
    /// How often each fact was held back.
    stated: Generations<u64>,
    turned_at: u64,
    held_back: u64,
}

impl Repeats {
    /// `interval` in nanoseconds of packet time; `capacity` facts for each generation.
    pub(crate) fn new(interval: u64, capacity: usize) -> Self {
        Self {
            interval,
            hasher: DefaultHashBuilder::default(),
            stated: Generations::new(capacity),
            turned_at: 0,
            held_back: 0,
        }
    }

    /// Whether this observation is to be stated now; sets its count to what it stands for.
    pub(crate) fn admit(&mut self, observation: &mut Observation) -> bool {
        // Either way: after one wild time in the future, what is said now must not be held back until then.
        if observation.at.abs_diff(self.turned_at) >= self.interval || self.stated.is_full() {
            self.stated.turn();
            self.turned_at = observation.at;
        }
        let fact = self.fingerprint(observation);
        if let Some(count) = self.stated.current(fact) {
            *count += 1;
            self.held_back += 1;
            return false;
        }
        let unsent = self.stated.take_previous(fact).unwrap_or(0);
        observation.count = unsent + 1;
        self.stated.put(fact, 0);
        true
    }

    /// Observations that were not stated because they had been.
    pub(crate) fn held_back(&self) -> u64 {
        self.held_back
    }

    /// A client's port changes with each connection, so ports are not part of a fact's identity.
    fn fingerprint(&self, observation: &Observation) -> u64 {
        let subject = observation.subject.as_ref();
        let endpoint = subject.and_then(|Subject { endpoint, .. }| endpoint.as_ref());
        self.hasher.hash_one((
            observation.attribute,
            &observation.value,
            &observation.network,
            observation.protocol,
            subject.map(|subject| (subject.role, &subject.key)),
            endpoint.map(|endpoint| (&endpoint.mac, &endpoint.ip)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardwatch_proto::v1::{Endpoint, subject::Role};

    const SECOND: u64 = 1_000_000_000;

    fn observation(value: &str, at: u64, port: u32) -> Observation {
        let endpoint = Some(Endpoint { mac: vec![2; 6], ip: vec![192, 0, 2, 1], port });
        let subject = Some(Subject { role: Role::Sender.into(), endpoint, key: String::new() });
        Observation { value: value.into(), at, subject, ..Default::default() }
    }

    #[test]
    fn a_fact_is_stated_once_per_interval_with_the_count_of_what_was_held_back() {
        let mut repeats = Repeats::new(60 * SECOND, 100);
        let mut stated = Vec::new();
        for second in 0..150 {
            let mut observation = observation("same", SECOND * (1000 + second), 40_000 + second as u32);
            if repeats.admit(&mut observation) {
                stated.push((second, observation.count));
            }
        }
        assert_eq!(stated, [(0, 1), (60, 60), (120, 60)]);
        assert_eq!(repeats.held_back(), 147);
    }

    #[test]
    fn a_time_that_was_far_in_the_future_holds_nothing_back() {
        let mut repeats = Repeats::new(60 * SECOND, 100);
        assert!(repeats.admit(&mut observation("same", 1_000_000 * SECOND, 1)));
        assert!(repeats.admit(&mut observation("other", SECOND, 1)));
        assert!(!repeats.admit(&mut observation("other", 2 * SECOND, 1)));
        assert!(repeats.admit(&mut observation("other", 61 * SECOND, 1)));
    }

    #[test]
    fn other_facts_are_other_facts() {
        let mut repeats = Repeats::new(60 * SECOND, 100);
        assert!(repeats.admit(&mut observation("one", SECOND, 1)));
        assert!(repeats.admit(&mut observation("two", SECOND, 1)));
        let mut elsewhere = observation("one", SECOND, 1);
        elsewhere.subject.get_or_insert_default().key = "serial=1".into();
        assert!(repeats.admit(&mut elsewhere));
        let mut in_another_network = observation("one", SECOND, 1);
        in_another_network.network = "vxlan-5001".into();
        assert!(repeats.admit(&mut in_another_network));
    }

    #[test]
    fn memory_is_bounded_however_many_facts_there_are() {
        let mut repeats = Repeats::new(u64::MAX, 10);
        for number in 0..1000 {
            assert!(repeats.admit(&mut observation(&number.to_string(), 1, 1)));
        }
    }
}

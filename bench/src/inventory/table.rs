//! The least that anything does which knows devices: find each thing that one says in a table, and count it. Machines differ,
//! and so does one from hour to hour, so the inventory's cost is told in multiples of this as well.

use std::hint::black_box;

use fastrand::Rng;
use hashbrown::{Equivalent, HashMap};
use wardwatch_proto::v1::fact::Fact as Stated;
use wardwatch_proto::v1::{Fact, Observation};

use super::site::Asked;
use super::ward::{BATCH, BEGIN, SECOND, first_visits, says};
use crate::cpu;

/// Who says what in which protocol.
#[derive(Hash, PartialEq, Eq)]
struct Key {
    mac: Box<[u8]>,
    attribute: i32,
    protocol: i32,
    value: Box<str>,
}

/// The same, as it stands in an observation.
#[derive(Hash)]
struct Borrowed<'a> {
    mac: &'a [u8],
    attribute: i32,
    protocol: i32,
    value: &'a str,
}

impl<'a> Borrowed<'a> {
    fn of(observation: &'a Observation) -> Self {
        let endpoint = observation.subject.as_ref().and_then(|subject| subject.endpoint.as_ref());
        Self {
            mac: endpoint.map(|endpoint| endpoint.mac.as_slice()).unwrap_or_default(),
            attribute: observation.attribute,
            protocol: observation.protocol,
            value: &observation.value,
        }
    }

    fn to_key(&self) -> Key {
        let Self { mac, attribute, protocol, value } = *self;
        Key { mac: mac.into(), attribute, protocol, value: value.into() }
    }
}

impl Equivalent<Key> for Borrowed<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        (self.attribute, self.protocol, self.value) == (key.attribute, key.protocol, &*key.value)
            && *self.mac == *key.mac
    }
}

/// What is known of it.
struct Counted {
    first_seen: u64,
    last_seen: u64,
    count: u64,
}

/// Nanoseconds of CPU that each observation takes which was made before, by round.
pub(crate) fn measure(asked: &Asked) -> Vec<f64> {
    let Asked { devices, statements, observations, rounds, .. } = *asked;
    let mut known: HashMap<Key, Counted> = HashMap::new();
    first_visits(devices, statements).for_each(|fact| take(&mut known, [fact]));
    let mut rng = Rng::with_seed(7);
    let mut at = BEGIN + 600 * SECOND;
    let mut found = Vec::new();
    for _ in 0..rounds {
        let (mut spent, mut taken) = (0, 0);
        while taken < observations {
            let mut batch: Vec<Fact> = Vec::with_capacity(BATCH);
            while batch.len() < BATCH {
                at += 600 * SECOND / u64::from(devices);
                batch.extend(says(rng.u32(1..=devices), statements, at, None));
            }
            taken += batch.len() as u64;
            let begun = cpu::of_thread();
            take(&mut known, batch);
            spent += cpu::of_thread().saturating_sub(begun).as_nanos();
        }
        found.push(spent as f64 / taken as f64);
    }
    black_box(known);
    found
}

fn take(known: &mut HashMap<Key, Counted>, facts: impl IntoIterator<Item = Fact>) {
    for fact in facts {
        let Some(Stated::Observation(observation)) = fact.fact else { continue };
        let (said, at) = (Borrowed::of(&observation), observation.at);
        if let Some(counted) = known.get_mut(&said) {
            counted.first_seen = counted.first_seen.min(at);
            counted.last_seen = counted.last_seen.max(at);
            counted.count += observation.count;
        } else {
            let count = observation.count;
            known.insert(said.to_key(), Counted { first_seen: at, last_seen: at, count });
        }
    }
}

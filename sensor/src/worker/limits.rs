//! The worker's bounds, as an operator sets them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wardwatch_flow::table;

use super::networks::{NetworkKind, Networks};
use crate::repeats::Repeats;

/// What a worker may hold, and how long. Durations are of packet time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Most flows at a time; the longest idle gives way.
    pub flows: usize,
    /// A packet that is seen again within this time is a mirror's second copy, and counted apart; `0s` counts both.
    #[serde(with = "humantime_serde")]
    pub duplicate_window: Duration,
    /// VNIs and GRE keys of tunnels in which a mirror sends its copies: they keep no flows apart.
    pub mirrors: Vec<u32>,
    /// Kinds of tunnels that are networks of their own, each tunnel one: an address in it is another device's than outside.
    pub own_networks: Vec<NetworkKind>,
    /// Most of them; what is in further ones is stated as of one network together, and counted.
    pub networks: usize,
    /// A flow that lasts is reported this often.
    #[serde(with = "humantime_serde")]
    pub active_interval: Duration,
    /// Octets of TCP segments that wait for what is missing before them, over all flows.
    pub reassembly_bytes: usize,
    /// Octets of messages that are not complete yet, over all flows.
    pub conversation_bytes: usize,
    /// The same fact is stated once in this time.
    #[serde(with = "humantime_serde")]
    pub repeat_interval: Duration,
    /// Facts that are remembered for that, times two.
    pub remembered_facts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: 1_000_000,
            duplicate_window: Duration::from_millis(20),
            mirrors: Vec::new(),
            own_networks: Vec::new(),
            networks: 256,
            active_interval: Duration::from_mins(1),
            reassembly_bytes: 64 << 20,
            conversation_bytes: 64 << 20,
            repeat_interval: Duration::from_mins(10),
            remembered_facts: 262_144,
        }
    }
}

impl Limits {
    pub(super) fn table(&self) -> table::Config {
        table::Config {
            max_flows: self.flows,
            active_interval: self.active_interval,
            mirrors: self.mirrors.clone(),
            ..table::Config::default()
        }
    }

    /// The part of one of several workers.
    pub(super) fn share(&self, workers: usize) -> Self {
        let part = |whole: usize| whole.div_ceil(workers.max(1));
        Self {
            flows: part(self.flows),
            reassembly_bytes: part(self.reassembly_bytes),
            conversation_bytes: part(self.conversation_bytes),
            ..self.clone()
        }
    }

    pub(super) fn networks(&self) -> Networks {
        Networks::new(&self.own_networks, &self.mirrors)
    }

    /// Octets that the name of a network may have, to be added to that of the sensor's scope; 0 where there is none.
    pub(crate) fn longest_network(&self) -> usize {
        if self.own_networks.is_empty() { 0 } else { "/".len() + Networks::LONGEST_NAME }
    }

    pub(crate) fn repeats(&self) -> Repeats {
        let interval = u64::try_from(self.repeat_interval.as_nanos()).unwrap_or(u64::MAX);
        Repeats::new(interval, self.remembered_facts)
    }
}

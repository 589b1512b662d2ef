//! What a worker has counted.

use std::collections::BTreeMap;

use serde::Serialize;
use wardwatch_dissect::Outcome;

/// Totals since the worker began.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    /// Frames taken.
    pub packets: u64,
    /// Octets of these frames on the wire.
    pub bytes: u64,
    /// Packets found inside tunnels. Each is counted below as if it had been a frame of its own.
    pub packets_in_tunnels: u64,
    /// Packets that were there before, and are counted nowhere else.
    pub duplicates: u64,
    /// Octets of their frames.
    pub duplicate_bytes: u64,
    /// Frames of packets that a worker had no room for.
    pub behind: u64,
    /// Frames of packets that are on their way to a worker now.
    pub under_way: u64,
    /// Frames counted with a flow.
    pub packets_in_flows: u64,
    /// Frames of other protocols than IP (ARP, LLC and others), which belong to no flow.
    pub packets_not_ip: u64,
    /// Fragments that wait for the others of their datagram now.
    pub fragments_held: u64,
    /// Flows begun.
    pub flows: u64,
    /// Flow records stated.
    pub flow_records: u64,
    /// Observations stated.
    pub observations: u64,
    /// Observations held back since they had been stated lately.
    pub repeats: u64,
    /// Values not stated: empty, a word for nothing, or outside their attribute's grammar.
    pub refused: u64,
    /// Networks of their own that facts were stated of.
    pub networks: u64,
    /// Facts of networks beyond as many as are told apart.
    pub facts_of_further_networks: u64,
    /// Flows that gave way since the table was full.
    pub evicted_flows: u64,
    /// Times that the packets' clock went back, or forward by more than an hour.
    pub clock_jumps: u64,
    /// Datagrams of which not all fragments came; what came counts with their flow.
    pub incomplete_datagrams: u64,
    /// Fragments that contradicted others.
    pub fragments_refused: u64,
    /// Frames of datagrams given up that are counted with no flow.
    pub fragments_lost: u64,
    /// Octets of TCP streams that never came.
    pub missing_bytes: u64,
    /// Holes in TCP streams that were given up since too much waited behind them.
    pub reassembly_given_up: u64,
    /// Frames whose headers could not be read, by reason. The reasons are a closed list.
    pub malformed: BTreeMap<&'static str, u64>,
    /// Conversations that ended before their flow, by how. The words are a closed list.
    pub conversations: BTreeMap<&'static str, u64>,
}

impl Totals {
    pub(super) fn malformed(&mut self, reason: &'static str, frames: u32) {
        *self.malformed.entry(reason).or_default() += u64::from(frames);
    }

    pub(super) fn conversation(&mut self, outcome: Outcome, is_over_bound: bool) {
        let word = match outcome {
            _ if is_over_bound => "given up: too much held",
            Outcome::Going => "given up",
            Outcome::Unrecognised => "unrecognised",
            Outcome::Learned => "learned",
            Outcome::Broken(reason) => reason,
            Outcome::Hole => "bytes lost",
        };
        *self.conversations.entry(word).or_default() += 1;
    }

    /// Adds what another worker counted.
    pub fn add(&mut self, other: &Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.packets_in_tunnels += other.packets_in_tunnels;
        self.duplicates += other.duplicates;
        self.duplicate_bytes += other.duplicate_bytes;
        self.behind += other.behind;
        self.under_way += other.under_way;
        self.packets_in_flows += other.packets_in_flows;
        self.packets_not_ip += other.packets_not_ip;
        self.fragments_held += other.fragments_held;
        self.flows += other.flows;
        self.flow_records += other.flow_records;
        self.observations += other.observations;
        self.repeats += other.repeats;
        self.refused += other.refused;
        self.networks = self.networks.max(other.networks);
        self.facts_of_further_networks += other.facts_of_further_networks;
        self.evicted_flows += other.evicted_flows;
        self.clock_jumps += other.clock_jumps;
        self.incomplete_datagrams += other.incomplete_datagrams;
        self.fragments_refused += other.fragments_refused;
        self.fragments_lost += other.fragments_lost;
        self.missing_bytes += other.missing_bytes;
        self.reassembly_given_up += other.reassembly_given_up;
        for (reason, count) in &other.malformed {
            *self.malformed.entry(reason).or_default() += count;
        }
        for (outcome, count) in &other.conversations {
            *self.conversations.entry(outcome).or_default() += count;
        }
    }
}

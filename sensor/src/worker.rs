//! Frames in, facts out: the path of one packet through the sensor, on one core.
//!
//! 1. the headers are read ([`wardwatch_flow::packet`]), fragments joined
//! 2. the flow is found and the packet counted ([`wardwatch_flow::table`])
//! 3. TCP payload is put in order ([`wardwatch_flow::reassembly`])
//! 4. the flow's conversation recognises the protocol and states what it learns ([`wardwatch_dissect`])
//! 5. what was stated lately is held back ([`crate::repeats`])
//!
//! The worker has no clock and does no input or output: time comes with the frames.

use wardwatch_capture::{Frame, LinkType};
use wardwatch_dissect::{Interest, Statements};
use wardwatch_flow::Link;
use wardwatch_flow::fragments::{self, Defragmenter, Fragmented};
use wardwatch_flow::packet::{self, Network, Packet, Transport, VlanTag};
use wardwatch_flow::reassembly::Budget;
use wardwatch_flow::table::{self, FlowTable};
use wardwatch_proto::v1::{Fact, Observation, Protocol, fact};

mod application;
mod flow_fact;
mod limits;
mod link;
mod portless;
mod records;
mod totals;

pub use limits::Limits;
pub use totals::Totals;

use crate::repeats::Repeats;
use application::Application;
use records::Records;

/// Set in a flow's tag once nothing more is wanted of it; the lower bits hold the protocol.
const OVER: u32 = 1 << 31;

/// Octets of one TCP direction that wait for what is missing before them.
const STREAM_BYTES: usize = 1 << 20;

/// Packet time between two runs of the timers.
const TIMER_INTERVAL: u64 = 250_000_000;

/// Everything that one core knows about the packets it sees.
pub struct Worker {
    fragments: Defragmenter,
    table: FlowTable<Application>,
    budget: Budget,
    repeats: Repeats,
    statements: Statements,
    totals: Totals,
    /// Octets that conversations hold for later, against the bound.
    held_bytes: usize,
    held_bound: usize,
    timers_at: u64,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("totals", &self.totals).finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker that has seen nothing yet.
    pub fn new(limits: &Limits) -> Self {
        Self {
            fragments: Defragmenter::new(fragments::Config::default()),
            table: FlowTable::new(&limits.table()),
            budget: Budget::new(limits.reassembly_bytes, STREAM_BYTES),
            repeats: Repeats::new(limits.repeat_nanoseconds(), limits.remembered_facts),
            statements: Statements::default(),
            totals: Totals::default(),
            held_bytes: 0,
            held_bound: limits.conversation_bytes,
            timers_at: 0,
        }
    }

    /// Takes a frame and appends what there is to state.
    pub fn frame(&mut self, frame: &Frame<'_>, facts: &mut Vec<Fact>) {
        self.totals.packets += 1;
        self.totals.bytes += u64::from(frame.wire_length);
        let Some(link) = link_of(frame.link) else {
            self.totals.malformed("link type that is not decoded", 1);
            return;
        };
        let tag = frame.vlan.map(|tag| VlanTag { tpid: tag.protocol, tci: tag.control });
        let tag_length = if tag.is_some() { wardwatch_capture::VlanTag::LENGTH } else { 0 };
        match packet::parse(link, tag, frame.bytes, frame.wire_length.saturating_sub(tag_length)) {
            Ok(packet) => self.packet(&packet, frame.at, facts),
            Err(reason) => self.totals.malformed(reason.name(), 1),
        }
        if frame.at.abs_diff(self.timers_at) >= TIMER_INTERVAL {
            self.advance(frame.at, facts);
        }
    }

    /// Runs the timers at `now`, in nanoseconds since the Unix epoch on the packets' clock. To be called now and then
    /// while no frames come.
    pub fn advance(&mut self, now: u64, facts: &mut Vec<Fact>) {
        self.timers_at = now;
        let mut incomplete = Vec::new();
        self.fragments.expire(now, &mut |datagram| incomplete.push(datagram));
        self.credit(&incomplete, facts);
        self.with_records(facts, |table, records| table.advance(now, records));
    }

    /// The input has ended: states everything that is still open.
    pub fn finish(&mut self, facts: &mut Vec<Fact>) {
        let mut incomplete = Vec::new();
        self.fragments.finish(&mut |datagram| incomplete.push(datagram));
        self.credit(&incomplete, facts);
        self.with_records(facts, |table, records| table.finish(records));
    }

    /// What has been counted so far.
    pub fn totals(&self) -> Totals {
        Totals {
            flows: self.table.stats().flows,
            flow_records: self.table.stats().records,
            evicted_flows: self.table.stats().evicted,
            clock_jumps: self.table.stats().backward_jumps + self.table.stats().forward_jumps,
            incomplete_datagrams: self.fragments.stats().timed_out + self.fragments.stats().evicted,
            fragments_refused: self.fragments.stats().invalid + self.fragments.stats().overlaps,
            fragments_lost: self.fragments.stats().lost_frames,
            fragments_held: self.fragments.frames(),
            missing_bytes: self.budget.stats().gap_bytes,
            reassembly_given_up: self.budget.stats().stream_full + self.budget.stats().budget_full,
            repeats: self.repeats.held_back(),
            ..self.totals.clone()
        }
    }

    fn packet(&mut self, packet: &Packet<'_>, at: u64, facts: &mut Vec<Fact>) {
        match &packet.network {
            Network::Ip(_) => {}
            Network::Arp(_) | Network::Other(_) | Network::Llc(_) => {
                self.totals.packets_not_ip += 1;
                link::dissect(packet, at, &mut self.statements);
                self.take_statements(facts);
                return;
            }
        }
        if packet.fragment().is_none() {
            return self.transport(packet, at, facts);
        }
        let fragmented = self.fragments.push(packet, at);
        if let Fragmented::Complete(datagram) = fragmented {
            match datagram.packet() {
                Ok(whole) => self.transport(&whole, at, facts),
                Err(reason) => self.totals.malformed(reason.name(), datagram.frames()),
            }
        }
    }

    /// Counts fragments whose datagram never became complete with the flow they belong to.
    fn credit(&mut self, incomplete: &[fragments::Datagram], facts: &mut Vec<Fact>) {
        for datagram in incomplete {
            match datagram.packet() {
                Ok(part) => self.transport(&part, datagram.first_at(), facts),
                Err(reason) => self.totals.malformed(reason.name(), datagram.frames()),
            }
        }
    }

    fn transport(&mut self, packet: &Packet<'_>, at: u64, facts: &mut Vec<Fact>) {
        self.totals.packets_in_flows += u64::from(packet.frames);
        let mut records = Records {
            facts,
            statements: &mut self.statements,
            budget: &self.budget,
            held_bytes: &mut self.held_bytes,
        };
        let observed = self.table.observe(packet, at, &mut records);
        let Some(table::Observed { flow, direction, .. }) = observed else {
            return;
        };
        if matches!(packet.transport, Transport::Icmp { .. } | Transport::Other) {
            let found = portless::dissect(packet, direction, at, flow.id(), &mut self.statements);
            if found != Protocol::Unspecified {
                flow.tag = found as u32;
            }
            return self.take_statements(facts);
        }
        if flow.tag & OVER != 0 {
            return;
        }
        if flow.state.is_none() {
            let Some(application) = Application::begin(packet) else { return };
            flow.state = Some(Box::new(application));
        }
        let id = flow.id();
        let Some(application) = flow.state.as_deref_mut() else { return };
        let before = application.held_bytes();
        let interest = application.packet(packet, direction, at, id, &self.budget, &mut self.statements);
        flow.tag = application.protocol() as u32;
        self.held_bytes = self.held_bytes.saturating_sub(before) + application.held_bytes();
        let is_over_bound = self.held_bytes > self.held_bound && application.held_bytes() > 0;
        if interest == Interest::Lost || is_over_bound {
            self.totals.conversation(application.outcome(), is_over_bound);
            self.held_bytes = self.held_bytes.saturating_sub(application.held_bytes());
            flow.state = None;
            flow.tag |= OVER;
        }
        self.take_statements(facts);
    }

    /// Lets the table state records, and then what the ends of conversations brought.
    fn with_records(
        &mut self,
        facts: &mut Vec<Fact>,
        work: impl FnOnce(&mut FlowTable<Application>, &mut Records<'_>),
    ) {
        let mut records = Records {
            facts,
            statements: &mut self.statements,
            budget: &self.budget,
            held_bytes: &mut self.held_bytes,
        };
        work(&mut self.table, &mut records);
        self.take_statements(facts);
    }

    fn take_statements(&mut self, facts: &mut Vec<Fact>) {
        self.totals.refused += std::mem::take(&mut self.statements.refused);
        for mut observation in self.statements.observations.drain(..) {
            if self.repeats.admit(&mut observation) {
                self.totals.observations += 1;
                facts.push(observation_fact(observation));
            }
        }
    }
}

fn observation_fact(observation: Observation) -> Fact {
    Fact { fact: Some(fact::Fact::Observation(observation)) }
}

/// The header parser's name for the capture's link type; none where it knows no such link.
fn link_of(link: LinkType) -> Option<Link> {
    match link {
        LinkType::Ethernet => Some(Link::Ethernet),
        LinkType::RawIp => Some(Link::RawIp),
        LinkType::LinuxSll => Some(Link::LinuxSll),
        LinkType::LinuxSll2 => Some(Link::LinuxSll2),
        LinkType::Null | LinkType::Loop => Some(Link::BsdLoopback),
        LinkType::Other(_) => None,
    }
}

#[cfg(test)]
mod tests;

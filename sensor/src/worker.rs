//! Frames in, facts out: the path of one packet through the sensor.
//!
//! 1. the headers are read ([`wardwatch_flow::packet`]), fragments joined, tunnels opened
//! 2. the flow is found and the packet counted ([`wardwatch_flow::table`])
//! 3. TCP payload is put in order ([`wardwatch_flow::reassembly`])
//! 4. the flow's conversation recognises the protocol and states what it learns ([`wardwatch_dissect`])
//! 5. what several flows tell together is added, what was stated lately is held back ([`crate::outgoing`])
//!
//! The first step is that of [`Headers`], the next are those of [`Flows`]; a [`Worker`] does all of them on one core, and
//! [`crate::cores`] shares them out. Several frames are taken at a time, so that the memory of their flows is asked for all at
//! once. There is no clock here, and this does no input or output: time comes with the frames.

use wardwatch_dissect::{Interest, Statements};
use wardwatch_flow::packet::{Network, Packet, Transport};
use wardwatch_flow::reassembly::Budget;
use wardwatch_flow::table::{self, FlowTable};
use wardwatch_proto::v1::{Fact, Protocol, fact};

mod alone;
mod application;
mod claims;
mod flow_fact;
mod headers;
mod limits;
mod link;
mod networks;
mod portless;
mod records;
mod shown;
mod totals;

pub use alone::Worker;
pub use headers::{Headers, Take, link_of};
pub use limits::Limits;
pub use networks::NetworkKind;
pub use shown::{Shown, direction_of};
pub use totals::Totals;

use application::{Application, later};
use claims::AddressClaims;
use networks::Networks;
use records::{Numbering, Records};

/// Set in a flow's tag once nothing more is wanted of it; the lower bits hold the protocol.
const OVER: u32 = 1 << 31;

/// Octets of one TCP direction that wait for what is missing before them.
const STREAM_BYTES: usize = 1 << 20;

/// Whole packets in, facts out: everything that is kept about flows.
pub(crate) struct Flows {
    table: FlowTable<Application>,
    budget: Budget,
    claims: AddressClaims,
    networks: Networks,
    numbering: Numbering,
    statements: Statements,
    totals: Totals,
    /// Octets that conversations hold for later, against the bound.
    held_bytes: usize,
    held_bound: usize,
}

impl std::fmt::Debug for Flows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flows").field("totals", &self.totals).finish_non_exhaustive()
    }
}

impl Flows {
    /// Nothing has been seen yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            table: FlowTable::new(&limits.table()),
            budget: Budget::new(limits.reassembly_bytes, STREAM_BYTES),
            claims: AddressClaims::default(),
            networks: limits.networks(),
            numbering: Numbering { first: 0, step: 1 },
            statements: Statements::default(),
            totals: Totals::default(),
            held_bytes: 0,
            held_bound: limits.conversation_bytes,
        }
    }

    /// One worker of several: its share of the bounds, and of the numbers of flows.
    pub(crate) fn one_of(limits: &Limits, number: usize, workers: usize) -> Self {
        let numbering = Numbering { first: number as u64, step: workers as u64 };
        Self { numbering, ..Self::new(&limits.share(workers)) }
    }

    /// Brings the flows of packets that come next into the processor's caches; see [`FlowTable::prefetch`].
    pub(crate) fn prefetch<'a>(&self, packets: impl Iterator<Item = &'a Packet<'a>>) {
        self.table.prefetch(packets);
    }

    /// Runs the timers at `now`, in nanoseconds since the Unix epoch on the packets' clock.
    pub(crate) fn advance(&mut self, now: u64, facts: &mut Vec<Fact>) {
        self.with_records(facts, |table, records| table.advance(now, records));
    }

    /// The input has ended: states everything that is still open.
    pub(crate) fn finish(&mut self, facts: &mut Vec<Fact>) {
        self.with_records(facts, |table, records| table.finish(records));
    }

    /// What has been counted so far.
    pub(crate) fn totals(&self) -> Totals {
        Totals {
            flows: self.table.stats().flows,
            flow_records: self.table.stats().records,
            evicted_flows: self.table.stats().evicted,
            clock_jumps: self.table.stats().backward_jumps + self.table.stats().forward_jumps,
            missing_bytes: self.budget.stats().gap_bytes,
            reassembly_given_up: self.budget.stats().stream_full + self.budget.stats().budget_full,
            ..self.totals.clone()
        }
    }

    /// Takes a packet, no fragment, and appends what there is to state. `is_tunnel`: the packet inside it follows.
    pub(crate) fn packet(&mut self, packet: &Packet<'_>, at: u64, is_tunnel: bool, facts: &mut Vec<Fact>) {
        match &packet.network {
            Network::Ip(_) => {}
            Network::Arp(_) | Network::Other(_) | Network::Llc(_) => {
                self.totals.packets_not_ip += 1;
                let others = self.statements.observations.len();
                link::dissect(packet, at, &mut self.statements);
                self.networks.mark(&packet.tunnels, &mut self.statements, others);
                if matches!(packet.network, Network::Arp(_)) {
                    let vlans: Vec<u16> = packet.vlans.ids().collect();
                    self.claims.see(&vlans, &mut self.statements);
                }
                self.take_statements(facts);
                return;
            }
        }
        self.transport(packet, at, is_tunnel, facts);
    }

    fn transport(&mut self, packet: &Packet<'_>, at: u64, is_tunnel: bool, facts: &mut Vec<Fact>) {
        self.totals.packets_in_flows += u64::from(packet.frames);
        let mut records = Records {
            facts,
            statements: &mut self.statements,
            networks: &self.networks,
            budget: &self.budget,
            held_bytes: &mut self.held_bytes,
            numbering: self.numbering,
        };
        let observed = self.table.observe(packet, at, &mut records);
        let Some(table::Observed { flow, direction, .. }) = observed else {
            return;
        };
        // What was stated at the ends of other flows is marked already.
        let others = self.statements.observations.len();
        if matches!(packet.transport, Transport::Icmp { .. } | Transport::Other) {
            let id = self.numbering.of(flow.id());
            let found = portless::dissect(packet, direction, at, id, &mut self.statements);
            if found != Protocol::Unspecified {
                flow.tag = found as u32;
            }
            self.networks.mark(&packet.tunnels, &mut self.statements, others);
            return self.take_statements(facts);
        }
        // What a tunnel carries speaks for itself.
        if flow.tag & OVER != 0 || is_tunnel {
            return;
        }
        if flow.state.is_none() {
            let Some(application) = Application::begin(packet) else { return };
            flow.state = Some(Box::new(application));
        }
        let id = self.numbering.of(flow.id());
        let Some(application) = flow.state.as_deref_mut() else { return };
        let held_by_others = self.held_bytes.saturating_sub(application.held_bytes());
        let mut interest = application.packet(packet, direction, at, id, &self.budget, &mut self.statements);
        if held_by_others + application.held_bytes() > self.held_bound {
            // Nothing is given up before it has been read.
            interest = later(interest, application.catch_up(&mut self.statements));
        }
        flow.tag = application.protocol() as u32;
        self.held_bytes = held_by_others + application.held_bytes();
        let is_over_bound = self.held_bytes > self.held_bound && application.held_bytes() > 0;
        if interest == Interest::Lost || is_over_bound {
            self.totals.conversation(application.outcome(), is_over_bound);
            self.held_bytes = self.held_bytes.saturating_sub(application.held_bytes());
            flow.state = None;
            flow.tag |= OVER;
        }
        self.networks.mark(&packet.tunnels, &mut self.statements, others);
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
            networks: &self.networks,
            budget: &self.budget,
            held_bytes: &mut self.held_bytes,
            numbering: self.numbering,
        };
        work(&mut self.table, &mut records);
        self.take_statements(facts);
    }

    fn take_statements(&mut self, facts: &mut Vec<Fact>) {
        self.totals.refused += std::mem::take(&mut self.statements.refused);
        let observations = self.statements.observations.drain(..).map(fact::Fact::Observation);
        facts.extend(observations.map(|fact| Fact { fact: Some(fact) }));
    }
}

#[cfg(test)]
mod tests;

//! The flow table: which flow a packet belongs to, who began it, how much it carried, and when it ended.
//!
//! A flow is a 5-tuple in time. Its records are intervals with delta counters (see [`FlowRecord`]). The number of flows
//! is bounded; when the table is full, the flow idle longest gives way. Timers run on packet time through lists that
//! are ordered by it, so nothing ever scans the table.

mod clock;
mod config;
mod encapsulations;
mod flow;
mod index;
mod initiator;
mod key;
mod lists;
mod record;
mod server_ports;
mod share;

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

pub use config::Config;
pub use flow::Flow;
pub use record::{Counters, Direction, EndReason, Endpoint, FlowRecord};
pub use share::Share;

use self::{
    clock::{Clock, interval, interval_ticks},
    config::{IdleRule, idle_rules},
    encapsulations::Encapsulations,
    flow::{Class, Continuity},
    index::Index,
    key::{Key, Side},
    lists::{BY_IDLENESS, BY_INTERVAL, List, NONE},
};
use crate::packet::{Ip, Packet, Tunnels};

/// What the table did, in totals since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// IP packets counted in a flow; a datagram joined from fragments is one.
    pub packets: u64,
    /// Packets without an IP header, which belong to no flow.
    pub not_ip: u64,
    /// Flows begun.
    pub flows: u64,
    /// Records stated.
    pub records: u64,
    /// Flows ended because the table was full.
    pub evicted: u64,
    /// How often packet time went back by more than a minute; timers then go on from the new time.
    pub backward_jumps: u64,
    /// How often packet time went forward by more than an hour at once.
    pub forward_jumps: u64,
}

/// The flow of a packet.
#[derive(Debug)]
pub struct Observed<'a, S> {
    /// The flow, with the packet counted.
    pub flow: &'a mut Flow<S>,
    /// Which way the packet went.
    pub direction: Direction,
    /// Whether this packet began the flow.
    pub is_new: bool,
}

/// What takes the records of a table.
///
/// It is given each record with the state of its flow. After a record whose [`EndReason::is_end`] holds, what is left
/// of the state is dropped. Closures of this shape are sinks.
pub trait Sink<S> {
    /// Takes one record.
    fn record(&mut self, record: FlowRecord, state: &mut Option<Box<S>>);
}

impl<S, F: FnMut(FlowRecord, &mut Option<Box<S>>)> Sink<S> for F {
    fn record(&mut self, record: FlowRecord, state: &mut Option<Box<S>>) {
        self(record, state);
    }
}

/// All flows of one stream of packets. `S` is what the owner keeps for a flow.
#[derive(Debug)]
pub struct FlowTable<S> {
    /// Slots by hash of the key.
    index: Index,
    hasher: DefaultHashBuilder,
    flows: Vec<Flow<S>>,
    /// Slots of `flows` that hold no flow.
    free: List<BY_IDLENESS>,
    /// Flows by the time of their last packet, roughly, for each class.
    idle: [List<BY_IDLENESS>; Class::COUNT],
    idle_rules: [IdleRule; Class::COUNT],
    /// Flows with an open interval, by its beginning.
    intervals: List<BY_INTERVAL>,
    active_interval: u16,
    max_flows: usize,
    encapsulations: Encapsulations,
    clock: Clock,
    stats: Stats,
}

impl<S> FlowTable<S> {
    /// An empty table.
    ///
    /// Address space for all its flows is reserved now, so that they never move; memory is taken as flows come, and the index
    /// grows with them.
    pub fn new(config: &Config) -> Self {
        let max_flows = config.max_flows.clamp(1, NONE as usize - 1);
        let mut flows = Vec::new();
        // Where not even address space is to be had, they move as they need.
        let _ = flows.try_reserve_exact(max_flows);
        Self {
            index: Index::default(),
            hasher: DefaultHashBuilder::default(),
            flows,
            free: List::default(),
            idle: [List::default(); Class::COUNT],
            idle_rules: idle_rules(config),
            intervals: List::default(),
            active_interval: interval(config.active_interval),
            max_flows,
            encapsulations: Encapsulations::new(&config.mirrors),
            clock: Clock::default(),
            stats: Stats::default(),
        }
    }

    /// How many flows are in the table.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// How many different tunnels the flows in the table are in.
    pub fn encapsulations(&self) -> usize {
        self.encapsulations.len()
    }

    /// Whether no flow is in the table.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Totals so far.
    pub fn stats(&self) -> Stats {
        Stats {
            backward_jumps: self.clock.backward_jumps,
            forward_jumps: self.clock.forward_jumps,
            ..self.stats
        }
    }

    /// Brings the flows of packets into the processor's caches, all at once, before they are observed one by one.
    ///
    /// Changes nothing. Worth it for a few dozen packets at a time, when there are more flows than the caches hold: the
    /// table's memory is then read for all of them in parallel, where [`Self::observe`] waits for one after the other.
    pub fn prefetch<'a>(&self, packets: impl Iterator<Item = &'a Packet<'a>>) {
        const AT_A_TIME: usize = 32;
        let mut hashes = packets.filter_map(|packet| {
            let separating = self.encapsulations.separating(&packet.tunnels);
            let (key, _) = Key::of(packet.ip()?, &packet.transport, !separating.is_empty());
            Some(hash(&self.hasher, &key, &separating))
        });
        let mut batch = [0; AT_A_TIME];
        loop {
            // One loop for each step: the shorter it is, the more reads the processor has under way.
            let mut found = 0;
            for (place, hash) in batch.iter_mut().zip(&mut hashes) {
                *place = hash;
                found += 1;
            }
            let batch = &batch[..found];
            std::hint::black_box(batch.iter().fold(0, |all, hash| all ^ self.index.touch(*hash)));
            let flows = batch.iter().filter_map(|hash| {
                // The first slot whose hash looks alike is nearly always the flow's; if not, nothing is lost.
                self.flows.get(self.index.find(*hash, |_| true)? as usize)
            });
            std::hint::black_box(flows.fold(0, |all, flow| all ^ flow.touch()));
            if found < AT_A_TIME {
                return;
            }
        }
    }

    /// Counts a packet at its time (ns since the Unix epoch) and gives its flow; `None` for packets that are not IP.
    ///
    /// Records that this packet brings about go to `sink` first: of a flow on the same ports that had ended or was idle,
    /// of the one that gave way, of the interval that was due.
    pub fn observe(
        &mut self,
        packet: &Packet<'_>,
        at: u64,
        sink: &mut impl Sink<S>,
    ) -> Option<Observed<'_, S>> {
        let Some(ip) = packet.ip() else {
            self.stats.not_ip += 1;
            return None;
        };
        let tick = self.clock.tick(at);
        let separating = self.encapsulations.separating(&packet.tunnels);
        let (key, sender) = Key::of(ip, &packet.transport, !separating.is_empty());
        let hash = hash(&self.hasher, &key, &separating);
        let (flows, encapsulations) = (&self.flows, &self.encapsulations);
        let is_same = |slot: u32| {
            let flow = &flows[slot as usize];
            *flow.key() == key
                && (!key.is_tunnelled() || encapsulations.separating_of(flow.encapsulation) == separating)
        };
        let found = self.index.find(hash, is_same);
        let (slot, is_new) = match found {
            Some(slot) => (slot, self.renew(slot, packet, ip, sender, tick, sink)),
            None => (self.begin(hash, key, packet, ip, sender, tick, sink), true),
        };
        self.count(slot, packet, sender, at, tick, is_new);
        self.stats.packets += 1;
        let flow = &mut self.flows[slot as usize];
        Some(Observed { direction: flow.direction_of(sender), flow, is_new })
    }

    /// Moves the timers to `now` (ns since the Unix epoch, on the packets' clock) and states what is due.
    ///
    /// To be called about every second, without packets too.
    pub fn advance(&mut self, now: u64, sink: &mut impl Sink<S>) {
        let tick = self.clock.tick(now);
        for class in 0..Class::COUNT {
            while let Some(slot) = self.idle[class].first()
                && self.is_idle(slot, tick)
            {
                self.end(slot, EndReason::Idle, sink);
            }
        }
        while let Some(slot) = self.intervals.first()
            && self.interval_is_due(slot, tick)
        {
            if self.ends_soon(slot, tick) {
                // One record instead of two: its last one will say it all, or the next packet will cut the interval.
                self.unlist_interval(slot);
            } else {
                self.state(slot, EndReason::Active, sink);
            }
        }
    }

    /// Ends all flows and states their last records.
    pub fn finish(&mut self, sink: &mut impl Sink<S>) {
        for class in 0..Class::COUNT {
            while let Some(slot) = self.idle[class].first() {
                self.end(slot, EndReason::Shutdown, sink);
            }
        }
    }

    /// Begins a flow in a free slot.
    #[expect(clippy::too_many_arguments, reason = "the parts of one packet, taken apart once")]
    fn begin(
        &mut self,
        hash: u64,
        key: Key,
        packet: &Packet<'_>,
        ip: &Ip,
        sender: Side,
        tick: u32,
        sink: &mut impl Sink<S>,
    ) -> u32 {
        if self.index.len() >= self.max_flows {
            self.evict(tick, sink);
        }
        let initiator = initiator::of_first_packet(packet, ip, sender);
        let encapsulation = self.encapsulations.take(&packet.tunnels);
        let flow = Flow::new(self.stats.flows, key, sender, initiator, packet, encapsulation);
        self.stats.flows += 1;
        let slot = if let Some(slot) = self.free.first() {
            self.free.remove(&mut self.flows, slot);
            self.flows[slot as usize] = flow;
            slot
        } else {
            self.flows.push(flow);
            (self.flows.len() - 1) as u32
        };
        self.index.insert(hash, slot);
        slot
    }

    /// Ends the flow in a slot if this packet is not of it, and begins another there; otherwise ends its interval if
    /// that is due. Says whether a flow began.
    fn renew(
        &mut self,
        slot: u32,
        packet: &Packet<'_>,
        ip: &Ip,
        sender: Side,
        tick: u32,
        sink: &mut impl Sink<S>,
    ) -> bool {
        let flow = &self.flows[slot as usize];
        let reason = if self.is_idle(slot, tick) {
            EndReason::Idle
        } else if flow.continuity(packet, sender) == Continuity::Another {
            EndReason::Reused
        } else {
            if self.interval_is_due(slot, tick) || flow.is_full() {
                self.state(slot, EndReason::Active, sink);
            }
            return false;
        };
        self.unlist(slot, reason, sink);
        let key = *self.flows[slot as usize].key();
        let initiator = initiator::of_first_packet(packet, ip, sender);
        let encapsulation = self.encapsulations.take(&packet.tunnels);
        self.flows[slot as usize] =
            Flow::new(self.stats.flows, key, sender, initiator, packet, encapsulation);
        self.stats.flows += 1;
        true
    }

    /// Counts a packet and keeps the flow's places in the lists.
    fn count(&mut self, slot: u32, packet: &Packet<'_>, sender: Side, at: u64, tick: u32, is_new: bool) {
        let flow = &mut self.flows[slot as usize];
        let (class, last_tick, was_open) = (flow.class, flow.last_tick, flow.interval_is_open());
        flow.count(packet, sender, at, tick);
        let new_class = flow.class;
        let epoch = self.idle_rules[new_class as usize].epoch;
        if is_new {
            self.idle[new_class as usize].push(&mut self.flows, slot);
        } else if new_class != class || last_tick >> epoch != tick >> epoch {
            self.idle[class as usize].remove(&mut self.flows, slot);
            self.idle[new_class as usize].push(&mut self.flows, slot);
        }
        if !was_open {
            self.flows[slot as usize].set_interval_listed(true);
            self.intervals.push(&mut self.flows, slot);
        }
    }

    fn is_idle(&self, slot: u32, tick: u32) -> bool {
        let flow = &self.flows[slot as usize];
        tick.wrapping_sub(flow.last_tick) > self.idle_rules[flow.class as usize].timeout
    }

    fn interval_is_due(&self, slot: u32, tick: u32) -> bool {
        let flow = &self.flows[slot as usize];
        flow.interval_is_open() && flow.interval_age(tick) >= self.active_interval
    }

    /// Whether a flow will be idle within another interval if no packet comes.
    fn ends_soon(&self, slot: u32, tick: u32) -> bool {
        let flow = &self.flows[slot as usize];
        let idle = tick.wrapping_sub(flow.last_tick);
        self.idle_rules[flow.class as usize].timeout.saturating_sub(idle)
            <= interval_ticks(self.active_interval)
    }

    /// Makes room: ends the flow that has been idle longest. Where more than half of all flows are of one class, it is one of
    /// these: so a flood of SYNs, or of datagrams from everywhere, pushes out itself and not those that speak.
    fn evict(&mut self, tick: u32, sink: &mut impl Sink<S>) {
        let idle_for = |slot: &u32| tick.wrapping_sub(self.flows[*slot as usize].last_tick);
        let crowd = self.idle.iter().find(|list| list.len() > self.index.len() / 2);
        let of_crowd = crowd.and_then(|list| list.first());
        let longest_idle = of_crowd
            .or_else(|| self.idle.iter().filter_map(|list| list.first()).max_by_key(|slot| idle_for(slot)));
        if let Some(slot) = longest_idle {
            self.stats.evicted += 1;
            self.end(slot, EndReason::Evicted, sink);
        }
    }

    /// Ends a flow and frees its slot.
    fn end(&mut self, slot: u32, reason: EndReason, sink: &mut impl Sink<S>) {
        // While its tunnels are known.
        let hash = flow_hash(&self.hasher, &self.encapsulations, &self.flows[slot as usize]);
        self.unlist(slot, reason, sink);
        self.index.remove(hash, slot);
        self.free.push(&mut self.flows, slot);
    }

    /// States a flow's last record, drops its state and takes it out of all lists.
    fn unlist(&mut self, slot: u32, reason: EndReason, sink: &mut impl Sink<S>) {
        let class = self.flows[slot as usize].class;
        // Whatever made this the moment to say so, a connection that was closed has finished.
        let reason = match (class, reason) {
            (Class::TcpClosing, EndReason::Evicted) | (_, EndReason::Active) => reason,
            (Class::TcpClosing, _) => EndReason::Finished,
            _ => reason,
        };
        self.state(slot, reason, sink);
        let flow = &mut self.flows[slot as usize];
        flow.state = None;
        self.encapsulations.give_back(flow.encapsulation);
        self.idle[class as usize].remove(&mut self.flows, slot);
    }

    /// States the interval of a flow and closes it.
    fn state(&mut self, slot: u32, reason: EndReason, sink: &mut impl Sink<S>) {
        let flow = &mut self.flows[slot as usize];
        let record = flow.record(reason, self.encapsulations.tunnels_of(flow.encapsulation));
        flow.next_interval();
        sink.record(record, &mut flow.state);
        self.stats.records += 1;
        self.unlist_interval(slot);
    }

    fn unlist_interval(&mut self, slot: u32) {
        let flow = &mut self.flows[slot as usize];
        if flow.interval_is_listed() {
            flow.set_interval_listed(false);
            self.intervals.remove(&mut self.flows, slot);
        }
    }
}

/// The hash of a packet's key and of what keeps its flow apart besides.
fn hash(hasher: &DefaultHashBuilder, key: &Key, separating: &Tunnels) -> u64 {
    if key.is_tunnelled() { hasher.hash_one((key, separating)) } else { hasher.hash_one(key) }
}

/// The same, of a flow in the table.
fn flow_hash<S>(hasher: &DefaultHashBuilder, encapsulations: &Encapsulations, flow: &Flow<S>) -> u64 {
    let key = flow.key();
    if key.is_tunnelled() {
        hash(hasher, key, &encapsulations.separating_of(flow.encapsulation))
    } else {
        hasher.hash_one(key)
    }
}

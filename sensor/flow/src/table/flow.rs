//! One flow in the table: three cache lines.

use super::{
    clock,
    key::{Key, Side},
    lists::Links,
    record::{Counters, Direction, EndReason, Endpoint, FlowRecord, vlan_ids},
};
use crate::{
    community_id::CommunityId,
    packet::{Mac, Packet, Tunnels, Vlans, tcp_flags},
};

/// Flows of one class share an idle timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    /// TCP of which only SYN and SYN-ACK were seen.
    TcpOpening,
    /// TCP with data or acknowledgments.
    TcpEstablished,
    /// TCP after a FIN from both sides, or an RST.
    TcpClosing,
    Udp,
    Icmp,
    Other,
}

impl Class {
    pub(super) const COUNT: usize = 6;
}

/// What one side has sent in the current interval, and where its sequence numbers began.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
struct Sent {
    packets: u32,
    /// Sequence number of the SYN; until one is seen, of the byte before the first segment seen.
    initial_sequence: u32,
    frame_bytes: u64,
    ip_bytes: u64,
    payload_bytes: u64,
}

impl Sent {
    fn counters(&self) -> Counters {
        Counters {
            packets: u64::from(self.packets),
            frame_bytes: self.frame_bytes,
            ip_bytes: self.ip_bytes,
            payload_bytes: self.payload_bytes,
        }
    }
}

/// Bits of `Flow::bits`; the per-side ones are for the first side, shifted by one for the second.
mod bit {
    pub(super) const INITIATOR_IS_SECOND: u8 = 1;
    pub(super) const GUESSED: u8 = 1 << 1;
    pub(super) const INTERVAL_OPEN: u8 = 1 << 2;
    pub(super) const HAS_SENT: u8 = 1 << 3;
    pub(super) const SYN_KNOWN: u8 = 1 << 5;
    pub(super) const INTERVAL_LISTED: u8 = 1 << 7;
}

/// What a TCP segment means for the flow that has its 5-tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Continuity {
    /// It belongs to the flow.
    Same,
    /// Its SYN begins another connection.
    Another,
}

/// A flow in the table, with what the table's owner keeps for it.
///
/// The order of the fields is that of their use: the first 64 bytes are read for each packet, the second 64 written,
/// the rest is touched when a flow begins, is reported, or moves in a list.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Flow<S> {
    key: Key,
    tcp_flags: [u8; 2],
    pub(super) class: Class,
    bits: u8,
    /// When the interval began, in [`clock::interval_units`].
    interval_start: u16,
    pub(super) last_tick: u32,
    last_at: u64,
    /// State of the application above, if its owner keeps any; handed out with each record of the flow.
    pub state: Option<Box<S>>,

    sent: [Sent; 2],

    start: u64,
    id: u64,
    pub(super) links: [Links; 2],
    segment: u32,
    /// A number for its owner, copied into each record: the recognised protocol, say. It outlives `state`.
    pub tag: u32,
    macs: [Mac; 2],
    vlans: [u16; Vlans::MAX],
    /// Number of the tunnels that its first packet was in.
    pub(super) encapsulation: u32,
}

impl<S> Flow<S> {
    pub(super) fn new(
        id: u64,
        key: Key,
        sender: Side,
        (initiator, guessed): (Side, bool),
        packet: &Packet<'_>,
        encapsulation: u32,
    ) -> Self {
        let mut bits = 0;
        if initiator == Side::Second {
            bits |= bit::INITIATOR_IS_SECOND;
        }
        if guessed {
            bits |= bit::GUESSED;
        }
        let mut macs = [Mac::default(); 2];
        macs[sender.index()] = packet.source_mac.unwrap_or_default();
        macs[sender.other().index()] = packet.destination_mac.unwrap_or_default();
        Self {
            key,
            tcp_flags: [0; 2],
            class: match packet.transport {
                crate::packet::Transport::Tcp(_) => Class::TcpOpening,
                crate::packet::Transport::Udp { .. } => Class::Udp,
                crate::packet::Transport::Icmp { .. } => Class::Icmp,
                _ => Class::Other,
            },
            bits,
            interval_start: 0,
            last_tick: 0,
            last_at: 0,
            state: None,
            sent: [Sent::default(); 2],
            start: 0,
            id,
            links: [Links::LOOSE; 2],
            segment: 0,
            tag: 0,
            macs,
            vlans: vlan_ids(packet.vlans.as_slice()),
            encapsulation,
        }
    }

    /// Number of the flow, unique within its table.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// IP protocol number.
    pub const fn ip_protocol(&self) -> u8 {
        self.key.protocol
    }

    /// The endpoint that began the flow, as far as is known by now.
    pub fn initiator(&self) -> Endpoint {
        self.endpoint(self.initiator_side())
    }

    /// The endpoint that was addressed, as far as is known by now.
    pub fn responder(&self) -> Endpoint {
        self.endpoint(self.initiator_side().other())
    }

    /// Whether the initiator was concluded from ports.
    pub const fn initiator_guessed(&self) -> bool {
        self.bits & bit::GUESSED != 0
    }

    /// TCP flags seen so far in one direction, or-ed.
    pub const fn tcp_flags(&self, direction: Direction) -> u8 {
        self.tcp_flags[self.side(direction).index()]
    }

    /// Reads from both cache lines that counting a packet needs.
    pub(super) const fn touch(&self) -> u32 {
        self.last_tick ^ self.sent[1].packets
    }

    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn direction_of(&self, sender: Side) -> Direction {
        if sender == self.initiator_side() { Direction::FromInitiator } else { Direction::FromResponder }
    }

    pub(super) const fn interval_is_open(&self) -> bool {
        self.bits & bit::INTERVAL_OPEN != 0
    }

    /// How long the interval has been open, in [`clock::interval_units`].
    pub(super) const fn interval_age(&self, tick: u32) -> u16 {
        clock::interval_units(tick).wrapping_sub(self.interval_start)
    }

    /// Whether the flow is in the list of open intervals.
    pub(super) const fn interval_is_listed(&self) -> bool {
        self.bits & bit::INTERVAL_LISTED != 0
    }

    pub(super) fn set_interval_listed(&mut self, listed: bool) {
        self.bits = if listed { self.bits | bit::INTERVAL_LISTED } else { self.bits & !bit::INTERVAL_LISTED };
    }

    /// Whether the counters of this interval are nearing their ends.
    pub(super) const fn is_full(&self) -> bool {
        (self.sent[0].packets | self.sent[1].packets) >> 31 != 0
    }

    const fn initiator_side(&self) -> Side {
        if self.bits & bit::INITIATOR_IS_SECOND == 0 { Side::First } else { Side::Second }
    }

    const fn side(&self, direction: Direction) -> Side {
        match direction {
            Direction::FromInitiator => self.initiator_side(),
            Direction::FromResponder => self.initiator_side().other(),
        }
    }

    fn endpoint(&self, side: Side) -> Endpoint {
        let (ip, port) = self.key.endpoint(side);
        let mac = self.macs[side.index()];
        Endpoint { mac: (!mac.is_zero()).then_some(mac), ip, port }
    }

    const fn has(&self, bit: u8, side: Side) -> bool {
        self.bits & (bit << side.index()) != 0
    }

    /// Whether a packet continues this flow, or its SYN begins another one between the same ports.
    pub(super) fn continuity(&self, packet: &Packet<'_>, sender: Side) -> Continuity {
        let Some(tcp) = packet.tcp() else { return Continuity::Same };
        if tcp.flags & tcp_flags::SYN == 0 {
            return Continuity::Same;
        }
        let initial = self.sent[sender.index()].initial_sequence;
        let another = if tcp.flags & tcp_flags::ACK != 0 {
            // A SYN-ACK alone proves nothing on a live connection. After a reset it may still answer the flow's SYN.
            let peer = sender.other();
            let acknowledged = tcp.acknowledgment.wrapping_sub(1);
            let answers =
                self.has(bit::SYN_KNOWN, peer) && self.sent[peer.index()].initial_sequence == acknowledged;
            self.class == Class::TcpClosing && !answers
        } else if self.has(bit::SYN_KNOWN, sender) {
            // The same number again is a retransmission.
            tcp.sequence != initial
        } else if self.has(bit::HAS_SENT, sender) {
            // Segments overtook their own SYN if they are just ahead of it.
            const OVERTAKEN: u32 = 1 << 16;
            self.class == Class::TcpClosing || initial.wrapping_sub(tcp.sequence) >= OVERTAKEN
        } else {
            self.class == Class::TcpClosing
        };
        if another { Continuity::Another } else { Continuity::Same }
    }

    /// Counts a packet of the flow.
    pub(super) fn count(&mut self, packet: &Packet<'_>, sender: Side, at: u64, tick: u32) {
        if self.interval_is_open() {
            self.last_at = self.last_at.max(at);
        } else {
            self.bits |= bit::INTERVAL_OPEN;
            self.start = at;
            self.interval_start = clock::interval_units(tick);
            self.last_at = at;
        }
        self.last_tick = tick;
        let first_of_side = !self.has(bit::HAS_SENT, sender);
        if first_of_side {
            self.bits |= bit::HAS_SENT << sender.index();
            if let Some(mac) = packet.source_mac {
                self.macs[sender.index()] = mac;
            }
        }
        let sent = &mut self.sent[sender.index()];
        sent.packets += packet.frames.min(1 << 16);
        sent.frame_bytes += u64::from(packet.frame_length);
        sent.ip_bytes += u64::from(packet.ip_length);
        sent.payload_bytes += u64::from(packet.payload_length);
        if let Some(tcp) = packet.tcp() {
            if first_of_side {
                sent.initial_sequence = tcp.sequence.wrapping_sub(1);
            }
            self.follow_tcp(tcp.flags, tcp.sequence, sender);
        }
    }

    /// Keeps flags, the initiator and the class in step with a TCP segment.
    fn follow_tcp(&mut self, flags: u8, sequence: u32, sender: Side) {
        self.tcp_flags[sender.index()] |= flags;
        if flags & tcp_flags::SYN != 0 {
            if !self.has(bit::SYN_KNOWN, sender) {
                self.sent[sender.index()].initial_sequence = sequence;
                self.bits |= bit::SYN_KNOWN << sender.index();
                self.correct_initiator(flags, sender);
            }
            if self.class == Class::TcpClosing {
                // The same connection is tried again after a refusal.
                self.class = Class::TcpOpening;
            }
        } else if self.class == Class::TcpOpening {
            self.class = Class::TcpEstablished;
        }
        let [first, second] = self.tcp_flags;
        if flags & tcp_flags::RST != 0 || first & second & tcp_flags::FIN != 0 {
            self.class = Class::TcpClosing;
        }
    }

    fn correct_initiator(&mut self, flags: u8, sender: Side) {
        let initiator = if flags & tcp_flags::ACK == 0 { sender } else { sender.other() };
        // Both sent a SYN (simultaneous open): the first one stays the initiator.
        if self.has(bit::SYN_KNOWN, initiator.other()) && !self.initiator_guessed() {
            return;
        }
        self.bits &= !(bit::INITIATOR_IS_SECOND | bit::GUESSED);
        if initiator == Side::Second {
            self.bits |= bit::INITIATOR_IS_SECOND;
        }
    }

    /// States the interval that ends here.
    pub(super) fn record(&self, end_reason: EndReason, tunnels: Tunnels) -> FlowRecord {
        let initiator = self.initiator();
        let responder = self.responder();
        let side = self.initiator_side();
        let start = if self.interval_is_open() { self.start } else { self.last_at };
        FlowRecord {
            id: self.id,
            segment: self.segment,
            community_id: CommunityId::new(
                self.key.protocol,
                (initiator.ip, initiator.port),
                (responder.ip, responder.port),
            ),
            initiator,
            responder,
            initiator_guessed: self.initiator_guessed(),
            ip_protocol: self.key.protocol,
            vlans: self.vlans,
            tunnels,
            start,
            end: self.last_at.max(start),
            from_initiator: self.sent[side.index()].counters(),
            from_responder: self.sent[side.other().index()].counters(),
            tcp_flags_initiator: self.tcp_flags[side.index()],
            tcp_flags_responder: self.tcp_flags[side.other().index()],
            end_reason,
            tag: self.tag,
        }
    }

    /// Begins the next interval with counters at zero.
    pub(super) fn next_interval(&mut self) {
        for sent in &mut self.sent {
            *sent = Sent { initial_sequence: sent.initial_sequence, ..Sent::default() };
        }
        self.bits &= !bit::INTERVAL_OPEN;
        self.segment = self.segment.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_flow_takes_three_cache_lines() {
        assert_eq!(size_of::<super::Flow<[u8; 4096]>>(), 192);
    }
}

//! Seeds for the dissectors: what passed on each flow of a capture, as the sensor would show it to them.

use wardwatch_capture::{Frame, LinkType};
use wardwatch_dissect::fuzzing::{Recording, Row, Table, What};
use wardwatch_dissect::{Address, Carrier, Direction};
use wardwatch_flow::fragments::{Defragmenter, Fragmented};
use wardwatch_flow::packet::{self, Llc, Network, Packet, Transport, VlanTag, protocol};
use wardwatch_flow::reassembly::{Budget, Delivery, Segment, Stream};
use wardwatch_flow::table::{self, FlowRecord, FlowTable};
use wardwatch_flow::{Link, Mac};

use super::corpus::{Corpus, LONGEST};

/// What is kept of one flow.
struct Passed {
    table: Table,
    recording: Recording,
    length: usize,
    streams: [Stream; 2],
}

/// Frames in, recordings out.
pub(crate) struct Flows {
    fragments: Defragmenter,
    table: FlowTable<Passed>,
    budget: Budget,
}

impl Flows {
    /// Nothing has been seen yet.
    pub(crate) fn new() -> Self {
        Self {
            fragments: Defragmenter::default(),
            table: FlowTable::new(&table::Config { max_flows: 65_536, ..table::Config::default() }),
            budget: Budget::new(16 << 20, 1 << 20),
        }
    }

    /// Takes a frame.
    pub(crate) fn frame(&mut self, frame: &Frame<'_>, corpus: &mut Corpus) {
        let Some(link) = link_of(frame.link) else { return };
        let tag = frame.vlan.map(|tag| VlanTag { tpid: tag.protocol, tci: tag.control });
        if let Ok(packet) = packet::parse(link, tag, frame.bytes, frame.wire_length) {
            self.packet(&packet, frame.at, corpus);
        }
    }

    /// The capture has ended.
    pub(crate) fn finish(mut self, corpus: &mut Corpus) {
        let budget = &self.budget;
        self.table.finish(&mut |record: FlowRecord, passed: &mut Option<Box<Passed>>| {
            end(&record, passed, budget, corpus);
        });
    }

    fn packet(&mut self, packet: &Packet<'_>, at: u64, corpus: &mut Corpus) {
        if packet.fragment().is_some() {
            if let Fragmented::Complete(datagram) = self.fragments.push(packet, at)
                && let Ok(whole) = datagram.packet()
            {
                self.whole(&whole, at, corpus);
            }
            return;
        }
        self.whole(packet, at, corpus);
    }

    fn whole(&mut self, packet: &Packet<'_>, at: u64, corpus: &mut Corpus) {
        if packet.ip().is_none() {
            return link(packet, corpus);
        }
        if let Some(Ok(inside)) = packet::inside(packet) {
            return self.packet(&inside, at, corpus);
        }
        let budget = &self.budget;
        let mut sink = |record: FlowRecord, passed: &mut Option<Box<Passed>>| {
            end(&record, passed, budget, corpus);
        };
        let Some(observed) = self.table.observe(packet, at, &mut sink) else { return };
        let direction = match observed.direction {
            table::Direction::FromInitiator => Direction::FromInitiator,
            table::Direction::FromResponder => Direction::FromResponder,
        };
        let begun = || Box::new(Passed::begin(packet, direction));
        observed.flow.state.get_or_insert_with(begun).packet(packet, direction, budget);
    }
}

impl Passed {
    fn begin(packet: &Packet<'_>, direction: Direction) -> Self {
        let table = match packet.transport {
            Transport::Tcp(_) => Table::Tcp,
            Transport::Udp { .. } => Table::Udp,
            _ => Table::Ip,
        };
        let mut ends = ends(packet);
        if direction == Direction::FromResponder {
            ends.reverse();
        }
        let recording = Recording { ends, rows: Vec::new() };
        let length = recording.encode().len();
        Self { table, recording, length, streams: Default::default() }
    }

    fn packet(&mut self, packet: &Packet<'_>, direction: Direction, budget: &Budget) {
        let Transport::Tcp(tcp) = &packet.transport else {
            let what = What::Bytes(packet.payload.to_vec());
            return self.row(Row { direction, carrier: carrier(packet), what });
        };
        let [mut this, mut other] = std::mem::take(&mut self.streams);
        if direction == Direction::FromResponder {
            std::mem::swap(&mut this, &mut other);
        }
        if tcp.flags & packet::tcp_flags::ACK != 0 {
            let reverse = direction.reverse();
            other.acknowledge(tcp.acknowledgment, budget, &mut |delivery| self.delivery(reverse, delivery));
        }
        this.push(Segment::of(tcp, packet), budget, &mut |delivery| self.delivery(direction, delivery));
        if direction == Direction::FromResponder {
            std::mem::swap(&mut this, &mut other);
        }
        self.streams = [this, other];
    }

    fn delivery(&mut self, direction: Direction, delivery: Delivery<'_>) {
        let carrier = Carrier::Transport;
        match delivery {
            Delivery::Bytes(bytes) => {
                for piece in bytes.chunks(usize::from(u16::MAX)) {
                    self.row(Row { direction, carrier, what: What::Bytes(piece.to_vec()) });
                }
            }
            Delivery::Gap(missing) => {
                let missing = u16::try_from(missing).unwrap_or(u16::MAX);
                self.row(Row { direction, carrier, what: What::Missing(missing) });
            }
            Delivery::End => {}
        }
    }

    /// Keeps a row, as long as the seed is not too long; what comes after that is not kept either.
    fn row(&mut self, row: Row) {
        self.length += row.encoded_length();
        if self.length <= LONGEST {
            self.recording.rows.push(row);
        }
    }
}

/// A flow's record: its last one brings the seed.
fn end(record: &FlowRecord, passed: &mut Option<Box<Passed>>, budget: &Budget, corpus: &mut Corpus) {
    if !record.end_reason.is_end() {
        return;
    }
    let Some(mut passed) = passed.take() else { return };
    let [mut first, mut second] = std::mem::take(&mut passed.streams);
    first.finish(budget, &mut |delivery| passed.delivery(Direction::FromInitiator, delivery));
    second.finish(budget, &mut |delivery| passed.delivery(Direction::FromResponder, delivery));
    corpus.take_recording(passed.table, &passed.recording);
}

/// A frame without IP is all there is.
fn link(packet: &Packet<'_>, corpus: &mut Corpus) {
    let (carrier, bytes) = match &packet.network {
        Network::Arp(bytes) | Network::Other(bytes) => (Carrier::EtherType(packet.ethertype), *bytes),
        Network::Llc(Llc { snap: Some((organisation, protocol)), payload, .. }) => {
            (Carrier::Snap { organisation: *organisation, protocol: *protocol }, *payload)
        }
        Network::Llc(Llc { dsap, ssap, payload, .. }) => {
            (Carrier::Llc { dsap: *dsap, ssap: *ssap }, *payload)
        }
        Network::Ip(_) => return,
    };
    let rows = vec![Row { direction: Direction::FromInitiator, carrier, what: What::Bytes(bytes.to_vec()) }];
    corpus.take_recording(Table::Link, &Recording { ends: ends(packet), rows });
}

fn carrier(packet: &Packet<'_>) -> Carrier {
    match (&packet.transport, packet.ip()) {
        (Transport::Icmp { kind, code, .. }, Some(ip)) if ip.protocol == protocol::ICMPV6 => {
            Carrier::Icmpv6 { kind: *kind, code: *code, hop_limit: ip.hop_limit }
        }
        (Transport::Icmp { kind, code, .. }, _) => Carrier::Icmp { kind: *kind, code: *code },
        (Transport::Other, Some(ip)) => Carrier::Ip(ip.protocol),
        _ => Carrier::Transport,
    }
}

/// The sender's end and the receiver's.
fn ends(packet: &Packet<'_>) -> [Address; 2] {
    let (source_port, destination_port) = match &packet.transport {
        Transport::Tcp(tcp) => (tcp.source_port, tcp.destination_port),
        Transport::Udp { source_port, destination_port } => (*source_port, *destination_port),
        _ => (0, 0),
    };
    let end = |mac: Option<Mac>, ip, port| Address { mac: mac.map(|mac| mac.0), ip, port };
    [
        end(packet.source_mac, packet.ip().map(|ip| ip.source), source_port),
        end(packet.destination_mac, packet.ip().map(|ip| ip.destination), destination_port),
    ]
}

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

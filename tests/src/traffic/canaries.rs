//! The canary generator's streams as packets: each a connection or an exchange of datagrams of two hosts of its own, with
//! handshake, segments, acknowledgements and end.

use etherparse::PacketBuilder;
use wardwatch_dissect::canary::{CanaryStream, Transport};
use wardwatch_dissect::{Carrier, Direction};

use super::Capture;

/// 2025-11-03 08:00:00 UTC.
const BEGIN: u64 = 1_762_156_800_000_000_000;
/// Between two packets: 0.1 ms, in nanoseconds.
const GAP: u64 = 100_000;
/// The most octets of payload in a segment, as over Ethernet.
const SEGMENT: usize = 1460;
/// What every side can take.
const WINDOW: u16 = 65_535;

/// All streams, one after the other.
pub fn capture(streams: impl IntoIterator<Item = CanaryStream>) -> Capture {
    let mut writer = Writer { capture: Capture::default(), at: BEGIN };
    for (number, stream) in (0_u16..).zip(streams) {
        writer.stream(number, &stream);
    }
    writer.capture
}

struct Writer {
    capture: Capture,
    at: u64,
}

/// The two ends of a stream.
struct Ends {
    macs: [[u8; 6]; 2],
    ips: [[u8; 4]; 2],
    ports: [u16; 2],
}

impl Ends {
    /// Stream `number` is from 10.71.x.y to 10.72.x.y, unless it says itself where it comes from.
    fn of(number: u16, stream: &CanaryStream) -> Self {
        let [high, low] = (number + 1).to_be_bytes();
        let initiator = stream.initiator().map_or([10, 71, high, low], |address| address.octets());
        // Whoever has an address of his own is one device in all of his streams.
        let mac = stream.initiator().map_or([0x02, 0x71, 0, 0, high, low], |address| {
            let [.., third, last] = address.octets();
            [0x02, 0x73, 0, 0, third, last]
        });
        Self {
            macs: [mac, [0x02, 0x72, 0, 0, high, low]],
            ips: [initiator, [10, 72, high, low]],
            ports: [40_000, stream.port],
        }
    }

    fn builder(&self, from: usize) -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
        let to = 1 - from;
        PacketBuilder::ethernet2(self.macs[from], self.macs[to]).ipv4(self.ips[from], self.ips[to], 64)
    }
}

impl Writer {
    fn stream(&mut self, number: u16, stream: &CanaryStream) {
        let ends = Ends::of(number, stream);
        match stream.transport {
            Transport::Udp => {
                for turn in &stream.turns {
                    let from = side(turn.direction);
                    let packet = ends.builder(from).udp(ends.ports[from], ends.ports[1 - from]);
                    let mut frame = Vec::with_capacity(packet.size(turn.bytes.len()));
                    packet.write(&mut frame, &turn.bytes).expect("a vector takes everything");
                    self.frame(frame);
                }
            }
            Transport::Link(carrier) => {
                for turn in &stream.turns {
                    let from = side(turn.direction);
                    self.frame(link(&ends, from, carrier, &turn.bytes));
                }
            }
            Transport::Tcp => {
                let mut next = [1_000_u32, 2_000_000];
                self.segment(&ends, 0, &mut next, Flags::Syn, &[]);
                self.segment(&ends, 1, &mut next, Flags::SynAck, &[]);
                self.segment(&ends, 0, &mut next, Flags::Ack, &[]);
                for turn in &stream.turns {
                    let from = side(turn.direction);
                    for piece in turn.bytes.chunks(SEGMENT) {
                        self.segment(&ends, from, &mut next, Flags::Ack, piece);
                    }
                    self.segment(&ends, 1 - from, &mut next, Flags::Ack, &[]);
                }
                self.segment(&ends, 0, &mut next, Flags::FinAck, &[]);
                self.segment(&ends, 1, &mut next, Flags::FinAck, &[]);
                self.segment(&ends, 0, &mut next, Flags::Ack, &[]);
            }
        }
    }

    fn segment(&mut self, ends: &Ends, from: usize, next: &mut [u32; 2], flags: Flags, payload: &[u8]) {
        let to = 1 - from;
        let mut packet = ends.builder(from).tcp(ends.ports[from], ends.ports[to], next[from], WINDOW);
        if flags != Flags::Syn {
            packet = packet.ack(next[to]);
        }
        if matches!(flags, Flags::Syn | Flags::SynAck) {
            packet = packet.syn();
        }
        if flags == Flags::FinAck {
            packet = packet.fin();
        }
        let mut frame = Vec::with_capacity(packet.size(payload.len()));
        packet.write(&mut frame, payload).expect("a vector takes everything");
        // SYN and FIN take a place in the sequence (RFC 9293, 3.4).
        next[from] += payload.len() as u32 + u32::from(flags != Flags::Ack);
        self.frame(frame);
    }

    fn frame(&mut self, bytes: Vec<u8>) {
        self.capture.frame(self.at, bytes);
        self.at += GAP;
    }
}

/// A frame without IP: behind an EtherType, or behind LLC and its length.
fn link(ends: &Ends, from: usize, carrier: Carrier, payload: &[u8]) -> Vec<u8> {
    let ends = [ends.macs[1 - from], ends.macs[from]].concat();
    let framed = |llc: &[u8]| {
        let length = (llc.len() + payload.len()) as u16;
        [&ends, &length.to_be_bytes()[..], llc, payload].concat()
    };
    match carrier {
        Carrier::EtherType(number) => [&ends, &number.to_be_bytes()[..], payload].concat(),
        Carrier::Llc { dsap, ssap } => framed(&[dsap, ssap, 3]),
        Carrier::Snap { organisation: [o0, o1, o2], protocol } => {
            let [p0, p1] = protocol.to_be_bytes();
            framed(&[0xAA, 0xAA, 3, o0, o1, o2, p0, p1])
        }
        other => panic!("{other:?} is no link"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flags {
    Syn,
    SynAck,
    Ack,
    FinAck,
}

fn side(direction: Direction) -> usize {
    match direction {
        Direction::FromInitiator => 0,
        Direction::FromResponder => 1,
    }
}

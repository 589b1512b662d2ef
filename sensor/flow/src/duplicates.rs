//! The same packet, seen twice.
//!
//! A mirror of several ports sends a packet once for the port where it comes in and once for the one where it goes out; one
//! that sees both sides of a router sends it with other hardware addresses, another VLAN tag and a hop less. Counted twice,
//! a conversation has twice its bytes.
//!
//! A packet is taken for one that was there before if, within a short time, everything is the same that does not change on
//! its way: addresses, protocol, lengths, IPv4 identification, fragment offset; the transport's ports, sequence and
//! acknowledgment numbers, flags, and its checksum, which vouches for the payload. The hop limit and the link are left out.
//!
//! What could be wrong with that:
//! - A retransmission is a packet of its own, and has an IPv4 identification of its own: hosts count it up with each packet.
//!   It also comes later than the window, apart from fast retransmission on short paths.
//! - IPv6 has no identification, and some hosts send 0 in IPv4 where fragmentation is forbidden (RFC 6864 allows it). There
//!   a retransmission or a repeated acknowledgment may look the same in every field. So without an identification a packet
//!   is a duplicate only if it came another way, which a sender's second packet does not: other hardware addresses, other
//!   tags or another hop limit. Twins that came the same way are counted as two packets; reassembly drops the bytes.
//! - An identification comes again after 65,536 packets: at a million packets a second of one sender, not within the window.

use std::hash::BuildHasher;
use std::time::Duration;

use hashbrown::DefaultHashBuilder;

use crate::packet::{Packet, Transport};

/// Packets that are remembered, a power of two: in 20 ms, those of 400,000 packets a second.
const REMEMBERED: usize = 8192;

/// Bytes of a payload without a checksum that are compared.
const SAMPLE: usize = 64;

/// A packet that was seen.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Hash of what stays the same.
    packet: u64,
    /// When, in units of 1024 ns, which wrap after more than an hour.
    at: u32,
    /// Hash of what changes with the way; only compared.
    way: u32,
}

/// Recognises packets that were seen before. Bounded: a packet is forgotten when another one needs its place.
#[derive(Debug)]
pub struct Duplicates {
    seen: Box<[Seen]>,
    window: u32,
    hasher: DefaultHashBuilder,
}

impl Duplicates {
    /// Packets count as duplicates within `window` of packet time, at most half an hour.
    pub fn new(window: Duration) -> Self {
        let window = u32::try_from(window.as_nanos() >> 10).unwrap_or(u32::MAX).min(u32::MAX / 4);
        Self {
            seen: vec![Seen::default(); REMEMBERED].into_boxed_slice(),
            window,
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Whether this packet was there before, within the window before `at` (ns since the Unix epoch) or after it: the
    /// queues of a card overtake each other. Remembers it if not.
    pub fn is_one(&mut self, packet: &Packet<'_>, at: u64) -> bool {
        let Some(ip) = packet.ip() else { return false };
        let numbers = match packet.transport {
            Transport::Tcp(ref tcp) => [
                u64::from(tcp.source_port) << 16
                    | u64::from(tcp.destination_port)
                    | u64::from(tcp.flags) << 32,
                u64::from(tcp.sequence) << 32 | u64::from(tcp.acknowledgment),
            ],
            Transport::Udp { source_port, destination_port }
            | Transport::Sctp { source_port, destination_port } => {
                [u64::from(source_port) << 16 | u64::from(destination_port), 0]
            }
            Transport::Icmp { kind, code, .. } => [u64::from(kind) << 8 | u64::from(code), 1],
            Transport::Fragment => [
                ip.fragment.map_or(0, |fragment| u64::from(fragment.offset) << 1 | u64::from(fragment.more)),
                2,
            ],
            Transport::Other => [0, 3],
        };
        let lengths = u64::from(packet.ip_length) << 32
            | u64::from(packet.transport_checksum) << 16
            | u64::from(ip.protocol);
        let identification = ip.identification;
        // Nothing vouches for the payload of other protocols, of fragments, and of UDP without a checksum: then its beginning
        // must be the same.
        let sample = match packet.transport_checksum {
            0 => packet.payload.get(..SAMPLE).unwrap_or(packet.payload),
            _ => &[],
        };
        let tunnels = (!packet.tunnels.is_empty()).then(|| packet.tunnels.separating(&[]));
        let packet_hash = self.hasher.hash_one((
            ip.source,
            ip.destination,
            numbers,
            lengths,
            identification,
            tunnels,
            sample,
        ));
        let way = (packet.source_mac, packet.destination_mac, packet.vlans, ip.hop_limit);
        let way = self.hasher.hash_one(way) as u32;
        // In the wrapping clock's units.
        let at = (at >> 10) as u32;
        let Some(seen) = self.seen.get_mut(packet_hash as usize % REMEMBERED) else { return false };
        let age = at.wrapping_sub(seen.at);
        let is_recent = age <= self.window || age.wrapping_neg() <= self.window;
        if seen.packet == packet_hash && is_recent && (identification != 0 || seen.way != way) {
            return true;
        }
        *seen = Seen { packet: packet_hash, at, way };
        false
    }
}

//! A packet apart from its frame, so that another core can have it: headers by value, bytes in a buffer of many.

use super::{Llc, Network, Packet, Tcp, Transport};

/// The headers of a packet whose bytes stand in a buffer.
#[derive(Debug, Clone)]
pub struct Detached {
    /// With nothing in its slices.
    packet: Packet<'static>,
    /// Where its bytes begin: first those of the payload, or of the network layer where that is not IP; then the options.
    from: usize,
    bytes: usize,
    options: usize,
}

impl Packet<'_> {
    /// Appends the packet's bytes to `buffer`, once, and gives what has to be known to find them again. Headers are not
    /// among them: they have been read.
    pub fn detach(&self, buffer: &mut Vec<u8>) -> Detached {
        let (network, bytes) = match self.network {
            Network::Ip(ip) => (Network::Ip(ip), self.payload),
            Network::Arp(bytes) => (Network::Arp(&[][..]), bytes),
            Network::Llc(llc) => (Network::Llc(Llc { payload: &[], ..llc }), llc.payload),
            Network::Other(bytes) => (Network::Other(&[][..]), bytes),
        };
        let (transport, options) = match self.transport {
            Transport::Tcp(tcp) => (Transport::Tcp(Tcp { options: &[], ..tcp }), tcp.options),
            Transport::Udp { source_port, destination_port } => {
                (Transport::Udp { source_port, destination_port }, &[][..])
            }
            Transport::Sctp { source_port, destination_port } => {
                (Transport::Sctp { source_port, destination_port }, &[][..])
            }
            Transport::Icmp { kind, code, identifier } => {
                (Transport::Icmp { kind, code, identifier }, &[][..])
            }
            Transport::Fragment => (Transport::Fragment, &[][..]),
            Transport::Other => (Transport::Other, &[][..]),
        };
        let from = buffer.len();
        buffer.extend_from_slice(bytes);
        buffer.extend_from_slice(options);
        let Packet {
            source_mac,
            destination_mac,
            vlans,
            tunnels,
            ethertype,
            transport_checksum,
            frames,
            frame_length,
            ip_length,
            payload_length,
            ..
        } = *self;
        Detached {
            packet: Packet {
                source_mac,
                destination_mac,
                vlans,
                tunnels,
                ethertype,
                network,
                transport,
                payload: &[],
                transport_checksum,
                frames,
                frame_length,
                ip_length,
                payload_length,
            },
            from,
            bytes: bytes.len(),
            options: options.len(),
        }
    }
}

impl Detached {
    /// The headers alone: they name the packet's flow.
    pub const fn headers(&self) -> &Packet<'static> {
        &self.packet
    }

    /// The packet, with its bytes in the buffer that it was detached into.
    pub fn packet<'a>(&self, buffer: &'a [u8]) -> Packet<'a> {
        let all = buffer.get(self.from..).unwrap_or_default();
        let bytes = all.get(..self.bytes).unwrap_or_default();
        let mut packet: Packet<'a> = self.packet.clone();
        match &mut packet.network {
            Network::Ip(_) => packet.payload = bytes,
            Network::Arp(place) | Network::Other(place) => *place = bytes,
            Network::Llc(llc) => llc.payload = bytes,
        }
        if let Transport::Tcp(tcp) = &mut packet.transport {
            tcp.options = all.get(self.bytes..self.bytes + self.options).unwrap_or_default();
        }
        packet
    }
}

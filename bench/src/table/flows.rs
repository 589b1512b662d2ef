//! Flows by number, and frames of theirs: nothing is kept of a flow, so that the tables alone are what is remembered.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// Servers, with all of which every device has a flow.
const SERVERS: u32 = 50;

/// Ports of servers: HL7, DICOM, HTTPS; and of those that answer datagrams: SNMP, NTP, BACnet.
const TCP_PORTS: [u16; 3] = [2575, 104, 443];
const UDP_PORTS: [u16; 3] = [161, 123, 47808];

/// What is said: nothing that any protocol begins with.
const TEXT: [u8; 32] = [0xff; 32];

/// One packet of a flow. Over UDP each of them is a datagram that says something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    is_from_device: bool,
    flags: u8,
    says: bool,
}

/// What begins a flow, and completes the handshake.
pub(super) const HANDSHAKE: [Segment; 3] = [
    Segment { is_from_device: true, flags: SYN, says: false },
    Segment { is_from_device: false, flags: SYN | ACK, says: false },
    Segment { is_from_device: true, flags: ACK, says: false },
];

/// What is said while a flow lasts, either way.
pub(super) const TALK: [Segment; 2] = [
    Segment { is_from_device: true, flags: PSH | ACK, says: true },
    Segment { is_from_device: false, flags: PSH | ACK, says: true },
];

#[derive(Clone, Copy)]
struct End {
    mac: [u8; 6],
    ip: IpAddr,
    port: u16,
}

/// Writes a frame of the flow that has this number: Ethernet, IPv4 or IPv6, TCP or UDP (RFC 894, 791, 8200, 9293, 768).
/// Of ten flows six are TCP over IPv4, three UDP; the tenth is over IPv6, every other time UDP. Checksums are left out, as on
/// a mirror port behind network cards that fill them in.
pub(super) fn frame(out: &mut Vec<u8>, number: u32, segment: Segment) {
    let is_v6 = number % 10 == 9;
    let is_tcp = matches!(number % 10, 0..6) || number % 20 == 9;
    let (device, server) = ends(number, is_v6, is_tcp);
    let (from, to) = if segment.is_from_device { (device, server) } else { (server, device) };
    let text: &[u8] = if segment.says || !is_tcp { &TEXT } else { &[] };
    let protocol = if is_tcp { 6 } else { 17 };
    let length = (text.len() + if is_tcp { 20 } else { 8 }) as u16;
    out.clear();
    out.extend(to.mac);
    out.extend(from.mac);
    match (from.ip, to.ip) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            out.extend([0x08, 0x00, 0x45, 0]);
            out.extend((length + 20).to_be_bytes());
            out.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            out.extend(source.octets());
            out.extend(destination.octets());
        }
        (source, destination) => {
            out.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            out.extend(length.to_be_bytes());
            out.extend([protocol, 64]);
            out.extend([source, destination].into_iter().flat_map(octets));
        }
    }
    out.extend(from.port.to_be_bytes());
    out.extend(to.port.to_be_bytes());
    if is_tcp {
        let begins = segment.flags & SYN != 0;
        out.extend(u32::from(!begins).to_be_bytes());
        out.extend(u32::from(segment.flags & ACK != 0).to_be_bytes());
        out.extend([0x50, segment.flags, 0xff, 0xff, 0, 0, 0, 0]);
    } else {
        out.extend(length.to_be_bytes());
        out.extend([0, 0]);
    }
    out.extend(text);
}

fn ends(number: u32, is_v6: bool, is_tcp: bool) -> (End, End) {
    let (device, server) = (number / SERVERS, number % SERVERS);
    let [_, d0, d1, d2] = device.to_be_bytes();
    let s0 = server as u8;
    let ips: [IpAddr; 2] = if is_v6 {
        // RFC 3849.
        let [high, low] = [(device >> 16) as u16, device as u16];
        [
            Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, high, low).into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, server as u16).into(),
        ]
    } else {
        [Ipv4Addr::new(10, d0, d1, d2).into(), Ipv4Addr::new(10, 255, 0, s0).into()]
    };
    let ports = if is_tcp { TCP_PORTS } else { UDP_PORTS };
    (
        End { mac: [2, 0, 0, d0, d1, d2], ip: ips[0], port: 49_152 + (number % 16_384) as u16 },
        End { mac: [2, 0, 1, 0, 0, s0], ip: ips[1], port: ports[server as usize % ports.len()] },
    )
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use wardwatch_flow::packet::{Link, parse};

    use super::*;

    #[test]
    fn every_number_is_a_flow_of_its_own_in_the_mix_that_is_told() {
        let mut frame = Vec::new();
        let (mut tuples, mut tcp, mut v6) = (HashSet::new(), 0, 0);
        for number in 0..10_000 {
            super::frame(&mut frame, number, TALK[0]);
            let packet = parse(Link::Ethernet, None, &frame, frame.len() as u32).expect("a whole frame");
            let ip = packet.ip().expect("IP");
            assert_eq!((packet.payload, packet.payload_length), (&TEXT[..], 32));
            let ports = packet.ports().expect("TCP or UDP");
            tcp += usize::from(ip.protocol == 6);
            v6 += usize::from(ip.source.is_ipv6());
            tuples.insert((ip.source, ip.destination, ports, ip.protocol));
        }
        assert_eq!((tuples.len(), tcp, v6), (10_000, 6500, 1000));
    }
}

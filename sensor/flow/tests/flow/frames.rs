//! Frames for the tests, after the layouts of the RFCs.

use std::net::Ipv4Addr;

use wardwatch_flow::packet::{self, Link, Packet};

pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;
pub(crate) const ACK: u8 = 0x10;

pub(crate) const CLIENT_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
pub(crate) const SERVER_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x02];

/// Ethernet II: destination, source, EtherType.
pub(crate) fn ethernet(source: [u8; 6], destination: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&destination[..], &source, &ethertype.to_be_bytes(), payload].concat()
}

/// Ethernet from the client to the server.
pub(crate) fn frame(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    ethernet(CLIENT_MAC, SERVER_MAC, ethertype, payload)
}

/// RFC 791, section 3.1; `field` is flags and fragment offset.
pub(crate) fn ipv4_fields(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    identification: u16,
    field: u16,
    payload: &[u8],
) -> Vec<u8> {
    let total = u16::try_from(20 + payload.len()).expect("fits an IPv4 packet");
    let mut header = vec![0x45, 0];
    header.extend(total.to_be_bytes());
    header.extend(identification.to_be_bytes());
    header.extend(field.to_be_bytes());
    header.extend([64, protocol, 0, 0]);
    header.extend(source.octets());
    header.extend(destination.octets());
    header.extend(payload);
    header
}

/// An IPv4 packet that may not be fragmented.
pub(crate) fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_fields(source, destination, protocol, 0, 0x4000, payload)
}

/// RFC 8200, section 3.
pub(crate) fn ipv6(source: [u8; 16], destination: [u8; 16], next_header: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("fits an IPv6 packet");
    let mut header = vec![0x60, 0, 0, 0];
    header.extend(length.to_be_bytes());
    header.extend([next_header, 64]);
    header.extend(source);
    header.extend(destination);
    header.extend(payload);
    header
}

/// RFC 768.
pub(crate) fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).expect("fits a UDP datagram");
    let mut header = Vec::new();
    header.extend(source.to_be_bytes());
    header.extend(destination.to_be_bytes());
    header.extend(length.to_be_bytes());
    header.extend([0, 0]);
    header.extend(payload);
    header
}

/// RFC 9293, section 3.1; `options` is a multiple of four bytes.
pub(crate) fn tcp(
    ports: (u16, u16),
    sequence: u32,
    acknowledgment: u32,
    flags: u8,
    options: &[u8],
    payload: &[u8],
) -> Vec<u8> {
    let words = u8::try_from(5 + options.len() / 4).expect("fits the data offset");
    let mut header = Vec::new();
    header.extend(ports.0.to_be_bytes());
    header.extend(ports.1.to_be_bytes());
    header.extend(sequence.to_be_bytes());
    header.extend(acknowledgment.to_be_bytes());
    header.extend([words << 4, flags, 0x20, 0, 0, 0, 0, 0]);
    header.extend(options);
    header.extend(payload);
    header
}

/// RFC 792: type, code, checksum, and what follows.
pub(crate) fn icmp(kind: u8, code: u8, rest: &[u8]) -> Vec<u8> {
    [&[kind, code, 0, 0], rest].concat()
}

/// Parses an Ethernet frame that was captured whole.
pub(crate) fn parse(frame: &[u8]) -> Packet<'_> {
    packet::parse(Link::Ethernet, None, frame, u32::try_from(frame.len()).expect("short frame"))
        .expect("a sound frame")
}

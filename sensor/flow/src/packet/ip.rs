//! IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Fragment, Ip, Malformed, Network, Packet, Transport, transport};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;

/// Real packets have a handful; a longer chain only costs time.
const LONGEST_EXTENSION_CHAIN: usize = 12;

/// The payload of an IP packet: the captured bytes, and how many there were by the header.
#[derive(Clone, Copy)]
pub(super) struct Body<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) length: u32,
}

impl<'a> Body<'a> {
    /// The first `length` bytes of `rest`: padding is cut off, and what a snap length took stays in the length.
    fn new(rest: &'a [u8], length: u32) -> Self {
        let bytes = rest.get(..length as usize).unwrap_or(rest);
        Self { bytes, length }
    }

    /// The body behind a header of `size` bytes.
    pub(super) fn behind(self, size: usize) -> Option<Self> {
        let length = self.length.checked_sub(u32::try_from(size).ok()?)?;
        Some(Self { bytes: self.bytes.get(size..)?, length })
    }
}

pub(super) fn v4<'a>(packet: &mut Packet<'a>, bytes: &'a [u8], cut: u32) -> Result<(), Malformed> {
    let header = bytes.first_chunk::<20>().ok_or(Malformed::Ipv4Truncated)?;
    let [first, traffic_class, l0, l1, i0, i1, f0, f1, hop_limit, protocol, _, _, addresses @ ..] = *header;
    if first >> 4 != 4 {
        return Err(Malformed::Ipv4Version);
    }
    let header_length = usize::from(first & 0x0f) * 4;
    if header_length < 20 {
        return Err(Malformed::Ipv4HeaderLength);
    }
    let rest = bytes.get(header_length..).ok_or(Malformed::Ipv4Truncated)?;
    let total = match u16::from_be_bytes([l0, l1]) {
        // Segmentation offload: the sender's kernel leaves the length to the card. The frame tells it.
        0 => (bytes.len() as u32).saturating_add(cut),
        length => u32::from(length),
    };
    let length = total.checked_sub(header_length as u32).ok_or(Malformed::Ipv4TotalLength)?;
    let body = Body::new(rest, length);

    let flags = u16::from_be_bytes([f0, f1]);
    let (more, offset) = (flags & 0x2000 != 0, (flags & 0x1fff) * 8);
    let identification = u32::from(u16::from_be_bytes([i0, i1]));
    let [s0, s1, s2, s3, d0, d1, d2, d3] = addresses;
    let ip = Ip {
        source: IpAddr::V4(Ipv4Addr::new(s0, s1, s2, s3)),
        destination: IpAddr::V4(Ipv4Addr::new(d0, d1, d2, d3)),
        protocol,
        hop_limit,
        traffic_class,
        dont_fragment: flags & 0x4000 != 0,
        identification: u16::from_be_bytes([i0, i1]),
        fragment: (more || offset != 0).then_some(Fragment {
            identification,
            offset,
            more,
            length: body.length,
        }),
    };
    packet.ip_length = total;
    finish(packet, ip, body)
}

pub(super) fn v6<'a>(packet: &mut Packet<'a>, bytes: &'a [u8], cut: u32) -> Result<(), Malformed> {
    let (header, rest) = bytes.split_first_chunk::<40>().ok_or(Malformed::Ipv6Truncated)?;
    let [v0, v1, _, _, l0, l1, next_header, hop_limit, addresses @ ..] = header;
    if v0 >> 4 != 6 {
        return Err(Malformed::Ipv6Version);
    }
    let length = match u16::from_be_bytes([*l0, *l1]) {
        // A jumbogram (RFC 2675) or segmentation offload: the frame tells the length.
        0 if *next_header != NO_NEXT_HEADER => (rest.len() as u32).saturating_add(cut),
        length => u32::from(length),
    };
    let (source, rest_of_header) = addresses.split_first_chunk::<16>().ok_or(Malformed::Ipv6Truncated)?;
    let destination = rest_of_header.first_chunk::<16>().ok_or(Malformed::Ipv6Truncated)?;
    packet.ip_length = length.saturating_add(40);
    let (protocol, body, fragment) = extensions(*next_header, Body::new(rest, length))?;
    let ip = Ip {
        source: IpAddr::V6(Ipv6Addr::from(*source)),
        destination: IpAddr::V6(Ipv6Addr::from(*destination)),
        protocol,
        hop_limit: *hop_limit,
        traffic_class: (v0 << 4) | (v1 >> 4),
        dont_fragment: true,
        identification: 0,
        fragment,
    };
    finish(packet, ip, body)
}

/// Walks IPv6 extension headers up to the payload, or up to a fragment header that has to be joined first.
fn extensions(next_header: u8, body: Body<'_>) -> Result<(u8, Body<'_>, Option<Fragment>), Malformed> {
    let (mut next_header, mut body) = (next_header, body);
    for _ in 0..LONGEST_EXTENSION_CHAIN {
        if !matches!(next_header, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION_OPTIONS) {
            return Ok((next_header, body, None));
        }
        let &[following, length, o0, o1, i0, i1, i2, i3] =
            body.bytes.first_chunk::<8>().ok_or(Malformed::Ipv6ExtensionTruncated)?;
        let size = match next_header {
            FRAGMENT => 8,
            AUTHENTICATION => (usize::from(length) + 2) * 4,
            _ => (usize::from(length) + 1) * 8,
        };
        body = body.behind(size).ok_or(Malformed::Ipv6ExtensionTruncated)?;
        if next_header == FRAGMENT {
            let field = u16::from_be_bytes([o0, o1]);
            let (offset, more) = (field & 0xfff8, field & 1 == 1);
            // A fragment that is the whole datagram ("atomic", RFC 6946) needs no joining.
            if offset != 0 || more {
                let identification = u32::from_be_bytes([i0, i1, i2, i3]);
                let fragment = Fragment { identification, offset, more, length: body.length };
                return Ok((following, body, Some(fragment)));
            }
        }
        next_header = following;
    }
    Err(Malformed::Ipv6ExtensionChain)
}

fn finish<'a>(packet: &mut Packet<'a>, ip: Ip, body: Body<'a>) -> Result<(), Malformed> {
    packet.network = Network::Ip(ip);
    if ip.fragment.is_some() {
        packet.transport = Transport::Fragment;
        packet.payload = body.bytes;
        packet.payload_length = body.length;
        return Ok(());
    }
    transport::parse(packet, ip.protocol, body)
}

/// Reads the transport of a datagram that was joined from fragments. In IPv6 the joined part may begin with further
/// extension headers, so the protocol in the packet's IP header is corrected.
pub(crate) fn joined<'a>(packet: &mut Packet<'a>, bytes: &'a [u8], length: u32) -> Result<(), Malformed> {
    let Network::Ip(mut ip) = packet.network else { return Ok(()) };
    let mut body = Body { bytes, length };
    if ip.source.is_ipv6() {
        let nested;
        (ip.protocol, body, nested) = extensions(ip.protocol, body)?;
        if nested.is_some() {
            return Err(Malformed::Ipv6ExtensionChain);
        }
    }
    ip.fragment = None;
    finish(packet, ip, body)
}

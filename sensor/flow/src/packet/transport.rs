//! TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP (RFC 792) and ICMPv6 (RFC 4443) headers.

use super::{Malformed, Packet, Tcp, Transport, ip::Body, protocol};

/// A header, what is behind it, and its checksum.
type Read<'a> = (Transport<'a>, Body<'a>, u16);

pub(super) fn parse<'a>(packet: &mut Packet<'a>, number: u8, body: Body<'a>) -> Result<(), Malformed> {
    let (transport, payload, checksum) = match number {
        protocol::TCP => tcp(body)?,
        protocol::UDP => udp(body)?,
        protocol::ICMP | protocol::ICMPV6 => icmp(number, body)?,
        protocol::SCTP => {
            let [s0, s1, d0, d1, _, _, _, _, c0, c1, _, _] =
                *body.bytes.first_chunk::<12>().ok_or(Malformed::SctpTruncated)?;
            let source_port = u16::from_be_bytes([s0, s1]);
            let destination_port = u16::from_be_bytes([d0, d1]);
            let chunks = body.behind(12).ok_or(Malformed::SctpTruncated)?;
            // Half of its 32 bits tell packets apart well enough.
            (Transport::Sctp { source_port, destination_port }, chunks, u16::from_be_bytes([c0, c1]))
        }
        _ => (Transport::Other, body, 0),
    };
    packet.transport = transport;
    packet.transport_checksum = checksum;
    packet.payload = payload.bytes;
    packet.payload_length = payload.length;
    Ok(())
}

fn tcp(body: Body<'_>) -> Result<Read<'_>, Malformed> {
    let header = body.bytes.first_chunk::<20>().ok_or(Malformed::TcpTruncated)?;
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, w0, w1, c0, c1, _, _] = *header;
    let size = usize::from(offset >> 4) * 4;
    if size < 20 || size as u32 > body.length {
        return Err(Malformed::TcpDataOffset);
    }
    let captured = size.min(body.bytes.len());
    let tcp = Tcp {
        source_port: u16::from_be_bytes([s0, s1]),
        destination_port: u16::from_be_bytes([d0, d1]),
        sequence: u32::from_be_bytes([q0, q1, q2, q3]),
        acknowledgment: u32::from_be_bytes([a0, a1, a2, a3]),
        flags,
        window: u16::from_be_bytes([w0, w1]),
        options: body.bytes.get(20..captured).unwrap_or_default(),
    };
    // Options cut by a snap length leave no payload, but its length is still known.
    let payload =
        Body { bytes: body.bytes.get(size..).unwrap_or_default(), length: body.length - size as u32 };
    Ok((Transport::Tcp(tcp), payload, u16::from_be_bytes([c0, c1])))
}

fn udp(body: Body<'_>) -> Result<Read<'_>, Malformed> {
    let [s0, s1, d0, d1, l0, l1, c0, c1] = *body.bytes.first_chunk::<8>().ok_or(Malformed::UdpTruncated)?;
    let behind = body.behind(8).ok_or(Malformed::UdpTruncated)?;
    let length = match u16::from_be_bytes([l0, l1]) {
        // A jumbogram (RFC 2675) or segmentation offload: IP tells the length.
        0 => behind.length,
        stated => u32::from(stated).checked_sub(8).ok_or(Malformed::UdpLength)?.min(behind.length),
    };
    let bytes = behind.bytes.get(..length as usize).unwrap_or(behind.bytes);
    let transport = Transport::Udp {
        source_port: u16::from_be_bytes([s0, s1]),
        destination_port: u16::from_be_bytes([d0, d1]),
    };
    Ok((transport, Body { bytes, length }, u16::from_be_bytes([c0, c1])))
}

fn icmp(number: u8, body: Body<'_>) -> Result<Read<'_>, Malformed> {
    let [kind, code, c0, c1] = *body.bytes.first_chunk::<4>().ok_or(Malformed::IcmpTruncated)?;
    let payload = body.behind(4).ok_or(Malformed::IcmpTruncated)?;
    let is_echo = match number {
        protocol::ICMP => matches!(kind, 0 | 8),
        _ => matches!(kind, 128 | 129),
    };
    let identifier = payload.bytes.first_chunk::<2>().filter(|_| is_echo).map(|id| u16::from_be_bytes(*id));
    Ok((Transport::Icmp { kind, code, identifier }, payload, u16::from_be_bytes([c0, c1])))
}

//! The packet inside a packet: tunnels that IP carries.
//!
//! IP protocol numbers say what they carry. A UDP port does not: there the tunnel's own header must say it too, or the
//! datagram is taken for what any other is. What follows a header that does say it is read as a frame of its own, and
//! what is wrong with it is an error, to be counted.

use super::{Link, Malformed, Packet, Transport, Tunnel, TunnelKind, VlanTag, Vlans, link, protocol};

/// Ports of tunnels (IANA), and the one that Linux used for VXLAN before there was a number for it.
mod port {
    pub(super) const GTP_U: u16 = 2152;
    pub(super) const VXLAN: u16 = 4789;
    pub(super) const VXLAN_GPE: u16 = 4790;
    pub(super) const GENEVE: u16 = 6081;
    pub(super) const VXLAN_OF_OLD: u16 = 8472;
}

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_ETHERNET: u16 = 0x6558;
const ETHERTYPE_ERSPAN: u16 = 0x88be;
const ETHERTYPE_ERSPAN_III: u16 = 0x22eb;

/// Real GTP-U packets have one or two extension headers.
const LONGEST_EXTENSION_CHAIN: usize = 8;

/// What a tunnel's header announces.
#[derive(Clone, Copy)]
enum Carried {
    /// An Ethernet frame.
    Frame,
    /// What this EtherType says.
    Typed(u16),
    /// An IP packet of either version.
    Ip,
}

/// A tunnel's header, read.
struct Header<'a> {
    tunnel: Tunnel,
    carried: Carried,
    /// A tag that the mirror took off the frame.
    vlan: Option<VlanTag>,
    rest: &'a [u8],
}

/// The packet that this whole one carries, if it is a tunnel's.
///
/// The inner packet has hardware addresses and VLAN tags of its own, none where the tunnel carries bare IP. Its
/// `frame_length` and `frames` are those of the frame on the wire, the outer headers counted, as with tags and labels;
/// its `ip_length` is its own.
///
/// # Errors
/// The tunnel's header or the packet in it cannot be read, or there are more tunnels than [`super::Tunnels::MAX`].
#[inline]
pub fn inside<'a>(packet: &Packet<'a>) -> Option<Result<Packet<'a>, Malformed>> {
    // Few packets get past this.
    match packet.transport {
        Transport::Udp {
            destination_port: port::VXLAN | port::VXLAN_GPE | port::VXLAN_OF_OLD | port::GENEVE | port::GTP_U,
            ..
        } => {}
        Transport::Other
            if packet
                .ip()
                .is_some_and(|ip| matches!(ip.protocol, protocol::IPV4 | protocol::IPV6 | protocol::GRE)) => {
        }
        _ => return None,
    }
    read(packet)
}

#[inline(never)]
fn read<'a>(packet: &Packet<'a>) -> Option<Result<Packet<'a>, Malformed>> {
    let bytes = packet.payload;
    let header = match packet.transport {
        Transport::Udp { destination_port, .. } => match destination_port {
            port::VXLAN | port::VXLAN_OF_OLD => vxlan(bytes)?,
            port::VXLAN_GPE => vxlan_gpe(bytes)?,
            port::GENEVE => geneve(bytes)?,
            _ => gtp(bytes)?,
        },
        _ if bytes.is_empty() => return None,
        _ if packet.ip()?.protocol == protocol::GRE => match gre(bytes).transpose()? {
            Ok(header) => header,
            Err(reason) => return Some(Err(reason)),
        },
        _ => {
            let ethertype =
                if packet.ip()?.protocol == protocol::IPV4 { ETHERTYPE_IPV4 } else { ETHERTYPE_IPV6 };
            let tunnel = Tunnel { kind: TunnelKind::Ip, id: 0 };
            Header { tunnel, carried: Carried::Typed(ethertype), vlan: None, rest: bytes }
        }
    };
    Some(unwrap(packet, &header))
}

/// Reads what a header announces.
fn unwrap<'a>(outer: &Packet<'a>, header: &Header<'a>) -> Result<Packet<'a>, Malformed> {
    let mut inner = Packet {
        source_mac: None,
        destination_mac: None,
        vlans: Vlans::default(),
        ethertype: 0,
        ip_length: 0,
        payload: &[],
        payload_length: 0,
        transport_checksum: 0,
        network: super::Network::Other(&[]),
        transport: Transport::Other,
        ..outer.clone()
    };
    if !inner.tunnels.push(header.tunnel) {
        return Err(Malformed::TunnelDepth);
    }
    if let Some(tag) = header.vlan {
        inner.vlans.push(tag);
    }
    // What a snap length took of the outer packet is missing at the end of the inner one.
    let cut = outer.payload_length.saturating_sub(outer.payload.len() as u32);
    match header.carried {
        Carried::Frame => link::parse(&mut inner, Link::Ethernet, header.rest, cut)?,
        Carried::Typed(ethertype) => link::typed(&mut inner, ethertype, header.rest, cut)?,
        Carried::Ip => link::parse(&mut inner, Link::RawIp, header.rest, cut)?,
    }
    Ok(inner)
}

/// RFC 7348, section 5: the I flag is set and no other. Group policy (draft-smith-vxlan-group-policy) adds G, D and A.
fn vxlan(bytes: &[u8]) -> Option<Header<'_>> {
    let (&[flags, policy, g0, g1, v0, v1, v2, reserved], rest) = bytes.split_first_chunk::<8>()?;
    let is_plain = flags == 0x08 && [policy, g0, g1] == [0; 3];
    let is_of_group = flags == 0x88 && policy & !0x48 == 0;
    let tunnel = Tunnel { kind: TunnelKind::Vxlan, id: u32::from_be_bytes([0, v0, v1, v2]) };
    ((is_plain || is_of_group) && reserved == 0).then_some(Header {
        tunnel,
        carried: Carried::Frame,
        vlan: None,
        rest,
    })
}

/// draft-ietf-nvo3-vxlan-gpe, section 3.1: version 0, the I and P flags; the next protocol is in the fourth octet.
fn vxlan_gpe(bytes: &[u8]) -> Option<Header<'_>> {
    let (&[flags, r0, r1, next, v0, v1, v2, reserved], rest) = bytes.split_first_chunk::<8>()?;
    let carried = match next {
        1 => Carried::Typed(ETHERTYPE_IPV4),
        2 => Carried::Typed(ETHERTYPE_IPV6),
        3 => Carried::Frame,
        _ => return None,
    };
    let tunnel = Tunnel { kind: TunnelKind::Vxlan, id: u32::from_be_bytes([0, v0, v1, v2]) };
    (flags & !0x02 == 0x0c && [r0, r1, reserved] == [0; 3]).then_some(Header {
        tunnel,
        carried,
        vlan: None,
        rest,
    })
}

/// RFC 8926, section 3.4: version 0, options in words of four octets, an EtherType.
fn geneve(bytes: &[u8]) -> Option<Header<'_>> {
    let (&[first, flags, t0, t1, v0, v1, v2, reserved], rest) = bytes.split_first_chunk::<8>()?;
    if first >> 6 != 0 || flags & 0x3f != 0 || reserved != 0 {
        return None;
    }
    let rest = rest.get(usize::from(first & 0x3f) * 4..)?;
    let carried = match u16::from_be_bytes([t0, t1]) {
        ETHERTYPE_ETHERNET => Carried::Frame,
        ethertype @ (ETHERTYPE_IPV4 | ETHERTYPE_IPV6) => Carried::Typed(ethertype),
        _ => return None,
    };
    let tunnel = Tunnel { kind: TunnelKind::Geneve, id: u32::from_be_bytes([0, v0, v1, v2]) };
    Some(Header { tunnel, carried, vlan: None, rest })
}

/// 3GPP TS 29.281, section 5.1: version 1, protocol type GTP, message type G-PDU; the length must be that of the
/// datagram. It carries what the bearer does: here IP, other bearers are left alone.
fn gtp(bytes: &[u8]) -> Option<Header<'_>> {
    const G_PDU: u8 = 255;
    let (&[flags, kind, l0, l1, t0, t1, t2, t3], mut rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if flags & 0xf8 != 0x30 || kind != G_PDU || rest.len() > length {
        return None;
    }
    // Sequence number, N-PDU number and the next extension's type are there if any of the three flags is set.
    if flags & 0x07 != 0 {
        let (&[_, _, _, next], behind) = rest.split_first_chunk::<4>()?;
        rest = behind;
        let mut next = if flags & 0x04 == 0 { 0 } else { next };
        for _ in 0..LONGEST_EXTENSION_CHAIN {
            if next == 0 {
                break;
            }
            let size = usize::from(*rest.first()?) * 4;
            next = *rest.get(size.checked_sub(1)?)?;
            rest = rest.get(size..)?;
        }
        if next != 0 {
            return None;
        }
    }
    let tunnel = Tunnel { kind: TunnelKind::Gtp, id: u32::from_be_bytes([t0, t1, t2, t3]) };
    matches!(rest.first()? >> 4, 4 | 6).then_some(Header { tunnel, carried: Carried::Ip, vlan: None, rest })
}

/// RFC 2784 and RFC 2890, version 0. None for what is not read further: source routes (RFC 1701), PPTP (version 1), and
/// EtherTypes other than those of IP, Ethernet, MPLS and ERSPAN.
fn gre(bytes: &[u8]) -> Result<Option<Header<'_>>, Malformed> {
    const CHECKSUM: u8 = 0x80;
    const ROUTING: u8 = 0x40;
    const KEY: u8 = 0x20;
    const SEQUENCE: u8 = 0x10;
    let (&[flags, version, t0, t1], mut rest) =
        bytes.split_first_chunk::<4>().ok_or(Malformed::TunnelTruncated)?;
    if flags & ROUTING != 0 || version & 0x07 != 0 {
        return Ok(None);
    }
    let mut word = |is_there: bool| -> Result<Option<u32>, Malformed> {
        if !is_there {
            return Ok(None);
        }
        let (word, behind) = rest.split_first_chunk::<4>().ok_or(Malformed::TunnelTruncated)?;
        rest = behind;
        Ok(Some(u32::from_be_bytes(*word)))
    };
    word(flags & CHECKSUM != 0)?;
    let key = word(flags & KEY != 0)?;
    let sequence = word(flags & SEQUENCE != 0)?;
    let mut tunnel = Tunnel { kind: TunnelKind::Gre, id: key.unwrap_or(0) };
    let carried = match u16::from_be_bytes([t0, t1]) {
        ETHERTYPE_ERSPAN => return erspan(sequence.is_some(), rest).map(Some),
        ETHERTYPE_ERSPAN_III => return erspan_iii(rest),
        ETHERTYPE_ETHERNET => {
            // NVGRE: the lower eight bits say which flow it is, so that paths are shared out.
            tunnel.id = key.map_or(0, |key| key >> 8);
            Carried::Frame
        }
        ethertype @ (ETHERTYPE_IPV4 | ETHERTYPE_IPV6 | 0x8847 | 0x8848) => Carried::Typed(ethertype),
        _ => return Ok(None),
    };
    Ok(Some(Header { tunnel, carried, vlan: None, rest }))
}

/// draft-foschiano-erspan-03, section 4: without a sequence number there is no header at all (type I), with one there are
/// eight octets (type II).
fn erspan(has_sequence: bool, bytes: &[u8]) -> Result<Header<'_>, Malformed> {
    let kind = TunnelKind::Erspan;
    if !has_sequence {
        return Ok(Header {
            tunnel: Tunnel { kind, id: 0 },
            carried: Carried::Frame,
            vlan: None,
            rest: bytes,
        });
    }
    let (&[v0, v1, s0, s1, ..], rest) = bytes.split_first_chunk::<8>().ok_or(Malformed::TunnelTruncated)?;
    let tunnel = Tunnel { kind, id: u32::from(u16::from_be_bytes([s0, s1]) & 0x03ff) };
    Ok(Header { tunnel, carried: Carried::Frame, vlan: mirrored_vlan(v0, v1, s0), rest })
}

/// The same, section 4.2: type III, twelve octets and eight more if the last bit says so. Frames of other links than
/// Ethernet and IP are left alone.
fn erspan_iii(bytes: &[u8]) -> Result<Option<Header<'_>>, Malformed> {
    let (&[v0, v1, s0, s1, _, _, _, _, _, _, f0, f1], mut rest) =
        bytes.split_first_chunk::<12>().ok_or(Malformed::TunnelTruncated)?;
    if f1 & 0x01 != 0 {
        rest = rest.get(8..).ok_or(Malformed::TunnelTruncated)?;
    }
    let carried = match (f0 >> 2) & 0x1f {
        0 => Carried::Frame,
        2 => Carried::Ip,
        _ => return Ok(None),
    };
    let tunnel = Tunnel { kind: TunnelKind::Erspan, id: u32::from(u16::from_be_bytes([s0, s1]) & 0x03ff) };
    // The two bits beside the truncation bit say something else here: a VLAN of 0 is none.
    let tag = VlanTag { tpid: 0, tci: u16::from_be_bytes([v0 & 0x0f, v1]) };
    Ok(Some(Header { tunnel, carried, vlan: (tag.id() != 0).then_some(tag), rest }))
}

/// The VLAN of the mirrored frame, if the switch took its tag off: encapsulations 1 and 2. Without a tag it is 0, and 3
/// says that the tag is still in the frame.
fn mirrored_vlan(v0: u8, v1: u8, s0: u8) -> Option<VlanTag> {
    let tag = VlanTag { tpid: 0, tci: u16::from_be_bytes([v0 & 0x0f, v1]) };
    (matches!((s0 >> 3) & 0x03, 1 | 2) && tag.id() != 0).then_some(tag)
}

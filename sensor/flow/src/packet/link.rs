//! Link layers, tags and labels: everything before the network layer.

use super::{Link, Llc, Mac, Malformed, Network, Packet, Tunnel, TunnelKind, VlanTag, Vlans, ip};

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_PPPOE_SESSION: u16 = 0x8864;

/// Values up to this are an IEEE 802.3 length, values from 0x0600 an EtherType.
const LARGEST_802_3_LENGTH: u16 = 1500;

/// No label stack in use is this deep.
const DEEPEST_LABEL_STACK: usize = 16;

/// `cut` is how many bytes the frame had on the wire behind those in `bytes`.
pub(super) fn parse<'a>(
    packet: &mut Packet<'a>,
    link: Link,
    bytes: &'a [u8],
    cut: u32,
) -> Result<(), Malformed> {
    match link {
        Link::Ethernet => {
            let (header, rest) = bytes.split_first_chunk::<14>().ok_or(Malformed::LinkTruncated)?;
            let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
            packet.destination_mac = Some(Mac([d0, d1, d2, d3, d4, d5]));
            packet.source_mac = Some(Mac([s0, s1, s2, s3, s4, s5]));
            typed(packet, u16::from_be_bytes([t0, t1]), rest, cut)
        }
        Link::RawIp => by_version(packet, bytes, cut),
        Link::LinuxSll => {
            let (header, rest) = bytes.split_first_chunk::<16>().ok_or(Malformed::LinkTruncated)?;
            let [_, _, _, _, l0, l1, a0, a1, a2, a3, a4, a5, _, _, t0, t1] = *header;
            if u16::from_be_bytes([l0, l1]) == 6 {
                packet.source_mac = Some(Mac([a0, a1, a2, a3, a4, a5]));
            }
            cooked(packet, u16::from_be_bytes([t0, t1]), rest, cut)
        }
        Link::LinuxSll2 => {
            let (header, rest) = bytes.split_first_chunk::<20>().ok_or(Malformed::LinkTruncated)?;
            let [t0, t1, _, _, _, _, _, _, _, _, _, length, a0, a1, a2, a3, a4, a5, _, _] = *header;
            if length == 6 {
                packet.source_mac = Some(Mac([a0, a1, a2, a3, a4, a5]));
            }
            cooked(packet, u16::from_be_bytes([t0, t1]), rest, cut)
        }
        Link::BsdLoopback => {
            let (family, rest) = bytes.split_first_chunk::<4>().ok_or(Malformed::LinkTruncated)?;
            // In the byte order of the machine that captured; families are small, so either order can be told.
            match u32::from_be_bytes(*family).min(u32::from_le_bytes(*family)) {
                2 => typed(packet, ETHERTYPE_IPV4, rest, cut),
                // AF_INET6 of NetBSD and OpenBSD, FreeBSD, Darwin, Linux.
                24 | 28 | 30 | 10 => typed(packet, ETHERTYPE_IPV6, rest, cut),
                _ => Err(Malformed::LoopbackFamily),
            }
        }
    }
}

/// The protocol field of Linux cooked captures: an EtherType, or a small number of Linux's own.
fn cooked<'a>(packet: &mut Packet<'a>, protocol: u16, rest: &'a [u8], cut: u32) -> Result<(), Malformed> {
    const LINUX_802_2: u16 = 4;
    match protocol {
        LINUX_802_2 => llc(packet, rest, cut),
        0..=LARGEST_802_3_LENGTH => {
            packet.network = Network::Other(rest);
            Ok(())
        }
        ethertype => typed(packet, ethertype, rest, cut),
    }
}

/// What an EtherType announces; `rest` begins behind it.
pub(super) fn typed<'a>(
    packet: &mut Packet<'a>,
    ethertype: u16,
    rest: &'a [u8],
    cut: u32,
) -> Result<(), Malformed> {
    let (mut ethertype, mut rest) = (ethertype, rest);
    while let 0x8100 | 0x88a8 | 0x9100 = ethertype {
        let (tag, behind) = rest.split_first_chunk::<4>().ok_or(Malformed::Vlan)?;
        let [c0, c1, t0, t1] = *tag;
        if !packet.vlans.push(VlanTag { tpid: ethertype, tci: u16::from_be_bytes([c0, c1]) }) {
            debug_assert_eq!(packet.vlans.as_slice().len(), Vlans::MAX);
            return Err(Malformed::Vlan);
        }
        (ethertype, rest) = (u16::from_be_bytes([t0, t1]), behind);
    }
    packet.ethertype = ethertype;
    match ethertype {
        ETHERTYPE_IPV4 => ip::v4(packet, rest, cut),
        ETHERTYPE_IPV6 => ip::v6(packet, rest, cut),
        ETHERTYPE_ARP => {
            packet.network = Network::Arp(rest);
            Ok(())
        }
        0x8847 | 0x8848 => mpls(packet, rest, cut),
        ETHERTYPE_PPPOE_SESSION => pppoe(packet, rest, cut),
        length if length <= LARGEST_802_3_LENGTH => {
            packet.ethertype = 0;
            let (body, cut) = within(rest, length, cut);
            llc(packet, body, cut)
        }
        _ => {
            packet.network = Network::Other(rest);
            Ok(())
        }
    }
}

/// Cuts padding off: the first `length` bytes of `rest`, and how many of them were not captured.
fn within(rest: &[u8], length: u16, cut: u32) -> (&[u8], u32) {
    match rest.get(..usize::from(length)) {
        Some(body) => (body, 0),
        None => (rest, cut.min(u32::from(length).saturating_sub(rest.len() as u32))),
    }
}

/// IEEE 802.2 LLC; a SNAP header of organisation 0 holds an EtherType (RFC 1042).
fn llc<'a>(packet: &mut Packet<'a>, bytes: &'a [u8], cut: u32) -> Result<(), Malformed> {
    let (&[dsap, ssap, control], rest) = bytes.split_first_chunk::<3>().ok_or(Malformed::LlcTruncated)?;
    let mut llc = Llc { dsap, ssap, control, snap: None, payload: rest };
    if (dsap, ssap, control) == (0xaa, 0xaa, 0x03) {
        let (&[o0, o1, o2, p0, p1], rest) = rest.split_first_chunk::<5>().ok_or(Malformed::LlcTruncated)?;
        let (organisation, protocol) = ([o0, o1, o2], u16::from_be_bytes([p0, p1]));
        if organisation == [0, 0, 0] && protocol > LARGEST_802_3_LENGTH {
            return typed(packet, protocol, rest, cut);
        }
        llc.snap = Some((organisation, protocol));
        llc.payload = rest;
    }
    packet.network = Network::Llc(llc);
    Ok(())
}

/// Skips a label stack (RFC 3032). What follows is IP if it looks like it; MPLS does not say.
fn mpls<'a>(packet: &mut Packet<'a>, bytes: &'a [u8], cut: u32) -> Result<(), Malformed> {
    let mut rest = bytes;
    for _ in 0..DEEPEST_LABEL_STACK {
        let (&[l0, l1, bottom, _], behind) = rest.split_first_chunk::<4>().ok_or(Malformed::Mpls)?;
        rest = behind;
        if bottom & 1 == 1 {
            if let Some(4 | 6) = rest.first().map(|first| first >> 4) {
                let label = u32::from_be_bytes([0, l0, l1, bottom]) >> 4;
                note(packet, TunnelKind::Mpls, label)?;
                return by_version(packet, rest, cut);
            }
            packet.network = Network::Other(rest);
            return Ok(());
        }
    }
    Err(Malformed::Mpls)
}

/// A PPPoE session frame (RFC 2516) that carries IP; other PPP protocols are left alone.
fn pppoe<'a>(packet: &mut Packet<'a>, bytes: &'a [u8], cut: u32) -> Result<(), Malformed> {
    let (&[_, _, s0, s1, l0, l1], rest) = bytes.split_first_chunk::<6>().ok_or(Malformed::PppoeTruncated)?;
    let (body, cut) = within(rest, u16::from_be_bytes([l0, l1]), cut);
    let (&[p0, p1], ppp) = body.split_first_chunk::<2>().ok_or(Malformed::PppoeTruncated)?;
    let protocol = u16::from_be_bytes([p0, p1]);
    if let 0x0021 | 0x0057 = protocol {
        note(packet, TunnelKind::Pppoe, u32::from(u16::from_be_bytes([s0, s1])))?;
    }
    match protocol {
        0x0021 => typed(packet, ETHERTYPE_IPV4, ppp, cut),
        0x0057 => typed(packet, ETHERTYPE_IPV6, ppp, cut),
        _ => {
            packet.network = Network::Other(body);
            Ok(())
        }
    }
}

fn note(packet: &mut Packet<'_>, kind: TunnelKind, id: u32) -> Result<(), Malformed> {
    if packet.tunnels.push(Tunnel { kind, id }) { Ok(()) } else { Err(Malformed::TunnelDepth) }
}

fn by_version<'a>(packet: &mut Packet<'a>, bytes: &'a [u8], cut: u32) -> Result<(), Malformed> {
    let first = bytes.first().ok_or(Malformed::LinkTruncated)?;
    match first >> 4 {
        4 => {
            packet.ethertype = ETHERTYPE_IPV4;
            ip::v4(packet, bytes, cut)
        }
        6 => {
            packet.ethertype = ETHERTYPE_IPV6;
            ip::v6(packet, bytes, cut)
        }
        _ => Err(Malformed::IpVersion),
    }
}

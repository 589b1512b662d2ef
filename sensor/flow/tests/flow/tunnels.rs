//! Packets in packets: each tunnel laid out octet by octet after its standard.

use std::net::Ipv4Addr;

use etherparse::SlicedPacket;
use proptest::prelude::*;
use wardwatch_flow::packet::{self, Link, Mac, Malformed, Packet, Tunnel, TunnelKind, Tunnels};
use wardwatch_flow::table::{Config, FlowRecord, FlowTable};

use crate::frames::{self, ACK, CLIENT_MAC, SERVER_MAC, ethernet, frame, ipv4, ipv6, parse, udp};
use crate::packet_properties::{assert_agree, damaged_frames};

const SWITCH: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const ANALYSER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const INNER_MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 9, 1], [2, 0, 0, 0, 9, 2]];
const GRE: u8 = 47;

/// From one end of a tunnel to the other.
fn outer(protocol: u8, payload: &[u8]) -> Vec<u8> {
    frame(0x0800, &ipv4(SWITCH, ANALYSER, protocol, payload))
}

fn outer_udp(port: u16, payload: &[u8]) -> Vec<u8> {
    outer(17, &udp(50_000, port, payload))
}

/// RFC 7348: I flag, VNI.
fn vxlan(vni: u32, inner: &[u8]) -> Vec<u8> {
    outer_udp(4789, &[&[0x08, 0, 0, 0], &(vni << 8).to_be_bytes()[..], inner].concat())
}

/// RFC 8926: one option of four octets of data, Ethernet.
fn geneve(vni: u32, inner: &[u8]) -> Vec<u8> {
    let options = [0x01, 0x02, 0x03, 0x01, 9, 9, 9, 9];
    let vni = (vni << 8).to_be_bytes();
    outer_udp(6081, &[&[0x02, 0, 0x65, 0x58], &vni[..], &options, inner].concat())
}

/// RFC 2784 and 2890 with checksum, key and sequence number.
fn gre_ethernet(key: u32, inner: &[u8]) -> Vec<u8> {
    let header = [&[0xb0, 0, 0x65, 0x58, 0xab, 0xcd, 0, 0], &key.to_be_bytes()[..], &[0, 0, 0, 7]].concat();
    outer(GRE, &[&header[..], inner].concat())
}

/// Type II: a sequence number, then version 1, VLAN 23, encapsulation 1, the session.
fn erspan(session: u16, inner: &[u8]) -> Vec<u8> {
    let [s0, s1] = (session | 1 << 11).to_be_bytes();
    outer(GRE, &[&[0x10, 0, 0x88, 0xbe, 0, 0, 7, 4, 0x10, 23, s0, s1, 0, 0, 0, 1], inner].concat())
}

/// Type III with its optional subheader.
fn erspan_iii(session: u16, inner: &[u8]) -> Vec<u8> {
    let [s0, s1] = session.to_be_bytes();
    let header = [0x10, 0, 0x22, 0xeb, 0, 0, 7, 4, 0x20, 23, s0, s1, 1, 2, 3, 4, 0, 5, 0x80, 0x01];
    outer(GRE, &[&header[..], &[0; 8], inner].concat())
}

/// Without a sequence number there is no header: type I.
fn erspan_i(inner: &[u8]) -> Vec<u8> {
    outer(GRE, &[&[0, 0, 0x88, 0xbe], inner].concat())
}

/// TS 29.281 with a sequence number and an extension header of four octets.
fn gtp(teid: u32, inner: &[u8]) -> Vec<u8> {
    let optional = [0, 1, 0, 0x85, 1, 0x10, 9, 0];
    let length = (optional.len() + inner.len()) as u16;
    let header = [&[0x36, 255], &length.to_be_bytes()[..], &teid.to_be_bytes(), &optional].concat();
    outer_udp(2152, &[&header[..], inner].concat())
}

fn datagram(text: &[u8]) -> Vec<u8> {
    ipv4(CLIENT, SERVER, 17, &udp(41_111, 42_222, text))
}

fn inner_frame(text: &[u8]) -> Vec<u8> {
    ethernet(INNER_MACS[0], INNER_MACS[1], 0x0800, &datagram(text))
}

/// The packet in a frame's tunnel.
fn inner(frame: &[u8]) -> Packet<'_> {
    packet::inside(&parse(frame)).expect("a tunnel").expect("a sound packet")
}

fn tunnels(packet: &Packet<'_>) -> Vec<(TunnelKind, u32)> {
    packet.tunnels.iter().map(|Tunnel { kind, id }| (kind, id)).collect()
}

#[test]
fn frames_in_tunnels_are_read_with_their_own_addresses() {
    let bare = inner_frame(b"hello");
    for (frame, kind, id) in [
        (vxlan(0x12_3456, &bare), TunnelKind::Vxlan, 0x12_3456),
        (geneve(77, &bare), TunnelKind::Geneve, 77),
        // The lower eight bits of the key are NVGRE's flow, not its network.
        (gre_ethernet(0x0050_0199, &bare), TunnelKind::Gre, 0x5001),
        (erspan(100, &bare), TunnelKind::Erspan, 100),
        (erspan_iii(1023, &bare), TunnelKind::Erspan, 1023),
        (erspan_i(&bare), TunnelKind::Erspan, 0),
    ] {
        let packet = inner(&frame);
        assert_eq!(tunnels(&packet), [(kind, id)]);
        assert_eq!(packet.payload, b"hello");
        assert_eq!(packet.source_mac, Some(Mac(INNER_MACS[0])));
        assert_eq!(packet.destination_mac, Some(Mac(INNER_MACS[1])));
        assert_eq!(packet.ip().expect("IP").source, CLIENT);
        // Bytes of the whole frame on the wire, of the inner packet, of its payload.
        assert_eq!(packet.frame_length as usize, frame.len());
        assert_eq!((packet.ip_length, packet.payload_length), (33, 5));
    }
}

#[test]
fn packets_in_tunnels_have_no_hardware_address() {
    let six = ipv6([0xfd; 16], [0xfe; 16], 17, &udp(41_111, 42_222, b"six"));
    for (frame, kind, id, payload) in [
        (outer(4, &datagram(b"four")), TunnelKind::Ip, 0, &b"four"[..]),
        (outer(41, &six), TunnelKind::Ip, 0, b"six"),
        (frame(0x86dd, &ipv6([1; 16], [2; 16], 4, &datagram(b"four"))), TunnelKind::Ip, 0, b"four"),
        (
            outer(GRE, &[&[0x20, 0, 0x08, 0, 0, 0, 0, 5], &datagram(b"k")[..]].concat()),
            TunnelKind::Gre,
            5,
            b"k",
        ),
        (outer(GRE, &[&[0, 0, 0x86, 0xdd], &six[..]].concat()), TunnelKind::Gre, 0, b"six"),
        (gtp(0xdead_beef, &datagram(b"bearer")), TunnelKind::Gtp, 0xdead_beef, b"bearer"),
        (gtp(1, &six), TunnelKind::Gtp, 1, b"six"),
    ] {
        let packet = inner(&frame);
        assert_eq!((tunnels(&packet), packet.payload), (vec![(kind, id)], payload));
        assert_eq!((packet.source_mac, packet.destination_mac), (None, None));
    }
    // VXLAN's generic extension carries IP as well.
    let gpe = outer_udp(4790, &[&[0x0c, 0, 0, 1, 0, 0, 9, 0], &datagram(b"bare")[..]].concat());
    assert_eq!(tunnels(&inner(&gpe)), [(TunnelKind::Vxlan, 9)]);
}

#[test]
fn a_mirror_tells_the_vlan_of_a_frame_without_its_tag() {
    let frame = erspan(100, &inner_frame(b""));
    assert_eq!(inner(&frame).vlans.ids().collect::<Vec<_>>(), [23]);
    let tagged =
        ethernet(INNER_MACS[0], INNER_MACS[1], 0x8100, &[&[0, 42, 8, 0], &datagram(b"")[..]].concat());
    assert_eq!(inner(&vxlan(1, &tagged)).vlans.ids().collect::<Vec<_>>(), [42]);
}

#[test]
fn tunnels_in_tunnels_are_opened_to_a_bound() {
    let first = inner_frame(b"core");
    let second = vxlan(5, &first);
    let third = erspan(9, &second);
    let fourth = geneve(6, &third);
    let outermost = parse(&fourth);
    let mut depth = 0;
    let mut packet = outermost.clone();
    while let Some(inside) = packet::inside(&packet) {
        packet = inside.expect("sound");
        depth += 1;
    }
    assert_eq!((depth, packet.payload), (3, &b"core"[..]));
    let kinds = [(TunnelKind::Geneve, 6), (TunnelKind::Erspan, 9), (TunnelKind::Vxlan, 5)];
    assert_eq!(tunnels(&packet), kinds);

    let mut frame = first;
    for _ in 0..=Tunnels::MAX {
        frame = vxlan(1, &frame);
    }
    let mut packet = parse(&frame);
    for _ in 0..Tunnels::MAX {
        packet = packet::inside(&packet).expect("a tunnel").expect("sound");
    }
    assert_eq!(packet::inside(&packet), Some(Err(Malformed::TunnelDepth)));
}

#[test]
fn labels_and_sessions_of_the_link_are_noted() {
    let labels = [&[0, 0x01, 0x00, 64, 0x00, 0x7d, 0x01, 64], &datagram(b"x")[..]].concat();
    let frame_of_labels = frame(0x8847, &labels);
    assert_eq!(tunnels(&parse(&frame_of_labels)), [(TunnelKind::Mpls, 2000)]);
    let mut session = vec![0x11, 0, 0x12, 0x34];
    session.extend((datagram(b"x").len() as u16 + 2).to_be_bytes());
    session.extend([0x00, 0x21]);
    session.extend(datagram(b"x"));
    let frame_of_session = frame(0x8864, &session);
    assert_eq!(tunnels(&parse(&frame_of_session)), [(TunnelKind::Pppoe, 0x1234)]);
}

#[test]
fn what_only_has_the_port_of_a_tunnel_is_none() {
    let bare = inner_frame(b"hello");
    let plain = [&[0x08, 0, 0, 0, 0, 0, 1, 0], &bare[..]].concat();
    for place in [0, 1, 2, 3, 7] {
        let mut other = plain.clone();
        other[place] ^= 0x01;
        assert_eq!(packet::inside(&parse(&outer_udp(4789, &other))), None, "octet {place}");
    }
    assert_eq!(packet::inside(&parse(&outer_udp(4788, &plain))), None);
    assert_eq!(packet::inside(&parse(&outer_udp(4789, &plain[..7]))), None);
    // GENEVE of another version; with options beyond its end; carrying what is not known.
    for header in [[0x42, 0, 0x65, 0x58], [0x3f, 0, 0x65, 0x58], [0x00, 0, 0x12, 0x34]] {
        let other = [&header[..], &[0, 0, 1, 0], &bare].concat();
        assert_eq!(packet::inside(&parse(&outer_udp(6081, &other))), None, "{header:?}");
    }
    // GTP-U echo request; a length beyond the datagram's; an extension header of no length.
    let echo = [0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0];
    let long = [&[0x30, 255, 0, 9, 0, 0, 0, 1], &datagram(b"x")[..]].concat();
    let endless = [&[0x34, 255, 0, 37, 0, 0, 0, 1, 0, 0, 0, 0x85, 0], &datagram(b"x")[..]].concat();
    for other in [&echo[..], &long, &endless] {
        assert_eq!(packet::inside(&parse(&outer_udp(2152, other))), None);
    }
    // TCP on a tunnel's port, PPTP, a source route, a GRE keepalive.
    let tcp = frame(0x0800, &ipv4(SWITCH, ANALYSER, 6, &frames::tcp((1, 4789), 0, 0, ACK, &[], &plain)));
    assert_eq!(packet::inside(&parse(&tcp)), None);
    for header in [[0x30, 0x01, 0x88, 0x0b], [0x40, 0, 0x08, 0], [0, 0, 0, 0]] {
        assert_eq!(packet::inside(&parse(&outer(GRE, &[&header[..], &[0; 40]].concat()))), None);
    }
}

#[test]
fn what_is_wrong_inside_a_tunnel_is_named() {
    let error = |frame: &[u8]| packet::inside(&parse(frame)).expect("a tunnel").expect_err("a fault");
    assert_eq!(error(&outer(GRE, &[0xb0, 0, 8, 0, 1, 2])), Malformed::TunnelTruncated);
    assert_eq!(error(&outer(GRE, &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1])), Malformed::TunnelTruncated);
    assert_eq!(error(&outer(GRE, &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1])), Malformed::TunnelTruncated);
    assert_eq!(error(&vxlan(1, &inner_frame(b"")[..13])), Malformed::LinkTruncated);
    assert_eq!(error(&outer(4, &[0x65; 40])), Malformed::Ipv4Version);
    assert_eq!(error(&outer(41, &[0x60; 39])), Malformed::Ipv6Truncated);
    assert_eq!(error(&outer(4, &datagram(b"")[..22])), Malformed::UdpTruncated);
}

#[test]
fn a_snap_length_cuts_inner_bytes_but_not_lengths() {
    let whole = vxlan(3, &ethernet(CLIENT_MAC, SERVER_MAC, 0x0800, &datagram(&[9; 1000])));
    let cut = &whole[..whole.len() - 900];
    let outer = packet::parse(Link::Ethernet, None, cut, whole.len() as u32).expect("headers are there");
    let packet = packet::inside(&outer).expect("a tunnel").expect("sound");
    assert_eq!((packet.payload.len(), packet.payload_length), (100, 1000));
    assert_eq!(packet.frame_length as usize, whole.len());
}

/// The records of a table that was given the inner packets of these frames.
fn flows(mirrors: &[u32], frames: &[Vec<u8>]) -> Vec<FlowRecord> {
    let mut table: FlowTable<()> = FlowTable::new(&Config { mirrors: mirrors.to_vec(), ..Config::default() });
    let mut records = Vec::new();
    let mut sink = |record, _: &mut _| records.push(record);
    for frame in frames {
        table.observe(&inner(frame), 1_700_000_000_000_000_000, &mut sink).expect("IP");
    }
    table.finish(&mut sink);
    assert_eq!(table.encapsulations(), 0, "what no flow is in is not kept");
    records
}

fn answer(text: &[u8]) -> Vec<u8> {
    ethernet(INNER_MACS[1], INNER_MACS[0], 0x0800, &ipv4(SERVER, CLIENT, 17, &udp(42_222, 41_111, text)))
}

fn packets(records: &[FlowRecord]) -> Vec<(u64, u64)> {
    records.iter().map(|record| (record.from_initiator.packets, record.from_responder.packets)).collect()
}

#[test]
fn the_same_addresses_in_two_virtual_networks_are_two_flows() {
    for (one, other) in [
        (vxlan(1, &inner_frame(b"a")), vxlan(2, &answer(b"b"))),
        (geneve(1, &inner_frame(b"a")), geneve(2, &answer(b"b"))),
        (gre_ethernet(0x100, &inner_frame(b"a")), gre_ethernet(0x200, &answer(b"b"))),
        (vxlan(1, &inner_frame(b"a")), geneve(1, &answer(b"b"))),
    ] {
        assert_eq!(packets(&flows(&[], &[one.clone(), other.clone()])), [(1, 0), (1, 0)]);
        assert_eq!(packets(&flows(&[], &[one.clone(), one, other])), [(2, 0), (1, 0)]);
    }
    let both = flows(&[], &[vxlan(7, &inner_frame(b"a")), vxlan(7, &answer(b"b"))]);
    assert_eq!(packets(&both), [(1, 1)]);
    let noted: Vec<Tunnel> = both[0].tunnels.iter().collect();
    assert_eq!(noted, [Tunnel { kind: TunnelKind::Vxlan, id: 7 }]);
}

#[test]
fn a_flow_mirrored_in_two_sessions_is_one() {
    let directions = [erspan(1, &inner_frame(b"a")), erspan(2, &answer(b"b"))];
    assert_eq!(packets(&flows(&[], &directions)), [(1, 1)]);
    let directions = [vxlan(11, &inner_frame(b"a")), vxlan(12, &answer(b"b"))];
    assert_eq!(packets(&flows(&[11, 12], &directions)), [(1, 1)]);
    // What is mirrored may itself be in virtual networks.
    let tenants = [erspan(1, &vxlan(1, &inner_frame(b"a"))), erspan(1, &vxlan(2, &answer(b"b")))];
    let inner_of = |frame: &Vec<u8>| {
        let outer = inner(frame);
        let packet = packet::inside(&outer).expect("a tunnel").expect("sound");
        packet.tunnels.separating(&[])
    };
    assert_ne!(inner_of(&tenants[0]), inner_of(&tenants[1]));
}

#[test]
fn a_packet_in_a_tunnel_is_of_another_flow_than_its_twin_outside() {
    let mut table: FlowTable<()> = FlowTable::new(&Config::default());
    let mut records = Vec::new();
    let mut sink = |record, _: &mut _| records.push(record);
    let tunnelled = outer(4, &datagram(b"x"));
    let plain = frame(0x0800, &datagram(b"x"));
    table.observe(&parse(&plain), 1, &mut sink);
    table.observe(&inner(&tunnelled), 1, &mut sink);
    table.observe(&parse(&tunnelled), 1, &mut sink);
    table.finish(&mut sink);
    assert_eq!(packets(&records), [(1, 0); 3]);
    // The flows in no tunnel add up to the wire.
    let wire: u64 = records
        .iter()
        .filter(|record| !record.tunnels.iter().any(|tunnel| tunnel.kind.has_flow()))
        .map(|record| record.from_initiator.frame_bytes)
        .sum();
    assert_eq!(wire as usize, tunnelled.len() + plain.len());
}

#[test]
fn tunnels_are_kept_only_while_flows_are_in_them() {
    let mut table: FlowTable<()> = FlowTable::new(&Config { max_flows: 50, ..Config::default() });
    let mut records = 0;
    for vni in 0..1000 {
        let frame = vxlan(vni, &inner_frame(b"flood"));
        table.observe(&inner(&frame), 1, &mut |_, _: &mut _| records += 1);
        assert!(table.len() <= 50 && table.encapsulations() <= 50);
    }
    assert_eq!(records, 950);
}

#[test]
fn fragments_of_two_virtual_networks_are_not_joined() {
    use wardwatch_flow::fragments::{Defragmenter, Fragmented};
    let whole = udp(41_111, 42_222, &[7; 24]);
    let part = |field, bytes: &[u8]| {
        ethernet(
            INNER_MACS[0],
            INNER_MACS[1],
            0x0800,
            &frames::ipv4_fields(CLIENT, SERVER, 17, 77, field, bytes),
        )
    };
    let (first, last) = (part(0x2000, &whole[..16]), part(0x0002, &whole[16..]));
    let mut fragments = Defragmenter::default();
    assert!(matches!(fragments.push(&inner(&vxlan(1, &first)), 1), Fragmented::Held));
    assert!(matches!(fragments.push(&inner(&vxlan(2, &last)), 1), Fragmented::Held));
    let Fragmented::Complete(datagram) = fragments.push(&inner(&vxlan(1, &last)), 1) else {
        panic!("both are there");
    };
    let packet = datagram.packet().expect("sound");
    assert_eq!((tunnels(&packet), packet.frames), (vec![(TunnelKind::Vxlan, 1)], 2));
}

proptest! {
    /// What is inside is read as it would have been alone; `etherparse` agrees.
    #[test]
    fn a_damaged_frame_in_a_tunnel_is_read_as_outside_of_it(frame in damaged_frames()) {
        let alone = packet::parse(Link::Ethernet, None, &frame, frame.len() as u32);
        for tunnelled in
            [vxlan(1, &frame), geneve(2, &frame), gre_ethernet(3, &frame), erspan_i(&frame), erspan_iii(5, &frame)]
        {
            let outer = parse(&tunnelled);
            let Some(inside) = packet::inside(&outer) else {
                prop_assert!(frame.is_empty());
                continue;
            };
            match (&inside, &alone) {
                (Ok(inside), Ok(alone)) => {
                    prop_assert_eq!(&inside.network, &alone.network);
                    prop_assert_eq!(&inside.transport, &alone.transport);
                    prop_assert_eq!(inside.payload, alone.payload);
                    prop_assert_eq!(inside.payload_length, alone.payload_length);
                    if let Ok(theirs) = SlicedPacket::from_ethernet(&frame) {
                        assert_agree(inside, &theirs);
                    }
                }
                (inside, alone) => prop_assert_eq!(inside.as_ref().err(), alone.as_ref().err()),
            }
        }
    }

    #[test]
    fn any_bytes_in_any_tunnel_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..120),
        port in prop::sample::select(vec![2152_u16, 4789, 4790, 6081, 8472]),
        protocol in prop::sample::select(vec![4_u8, 41, 47]),
    ) {
        for frame in [outer_udp(port, &bytes), outer(protocol, &bytes)] {
            let mut packet = parse(&frame);
            let mut depth = 0;
            while let Some(Ok(inside)) = packet::inside(&packet) {
                prop_assert!(inside.payload.len() as u32 <= inside.payload_length);
                prop_assert_eq!(inside.frame_length, packet.frame_length);
                packet = inside;
                depth += 1;
            }
            prop_assert!(depth <= Tunnels::MAX);
        }
    }
}

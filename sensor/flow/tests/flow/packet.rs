//! Headers of every kind, and what is wrong with them.

use std::net::{IpAddr, Ipv4Addr};

use wardwatch_flow::packet::{self, Link, Mac, Malformed, Network, Transport, VlanTag};

use crate::frames::{
    self, ACK, CLIENT_MAC, SERVER_MAC, SYN, frame, icmp, ipv4, ipv4_fields, ipv6, parse, udp,
};

const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const A6: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const B6: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

fn error(bytes: &[u8]) -> Malformed {
    packet::parse(Link::Ethernet, None, bytes, bytes.len() as u32).expect_err("a malformed frame")
}

#[test]
fn a_tcp_segment_is_read_from_ethernet_to_payload() {
    let options = [2, 4, 0x05, 0xb4]; // maximum segment size 1460
    let segment = frames::tcp((34567, 104), 0x0102_0304, 0x0506_0708, SYN | ACK, &options, b"A-ASSOCIATE");
    let frame = frame(0x0800, &ipv4(A, B, 6, &segment));
    let packet = parse(&frame);

    assert_eq!(packet.source_mac, Some(Mac(CLIENT_MAC)));
    assert_eq!(packet.destination_mac, Some(Mac(SERVER_MAC)));
    assert!(packet.vlans.is_empty());
    assert_eq!(packet.ethertype, 0x0800);
    let ip = packet.ip().expect("an IP packet");
    assert_eq!((ip.source, ip.destination), (IpAddr::V4(A), IpAddr::V4(B)));
    assert_eq!((ip.protocol, ip.hop_limit, ip.dont_fragment, ip.fragment), (6, 64, true, None));
    let tcp = packet.tcp().expect("a TCP segment");
    assert_eq!((tcp.source_port, tcp.destination_port), (34567, 104));
    assert_eq!((tcp.sequence, tcp.acknowledgment), (0x0102_0304, 0x0506_0708));
    assert_eq!((tcp.flags, tcp.window, tcp.options), (SYN | ACK, 0x2000, &options[..]));
    assert_eq!(packet.payload, b"A-ASSOCIATE");
    assert_eq!(
        (packet.frame_length, packet.ip_length, packet.payload_length),
        (14 + 20 + 24 + 11, 20 + 24 + 11, 11)
    );
}

#[test]
fn padding_is_no_payload() {
    let mut frame = frame(0x0800, &ipv4(A, B, 17, &udp(1000, 2000, b"x")));
    frame.resize(60, 0xee);
    let packet = parse(&frame);
    assert_eq!(packet.payload, b"x");
    assert_eq!((packet.frame_length, packet.ip_length, packet.payload_length), (60, 29, 1));
}

#[test]
fn ipv4_options_are_skipped() {
    let mut packet = ipv4(A, B, 17, &[&[1, 1, 1, 0], &udp(1, 2, b"after options")[..]].concat());
    packet[0] = 0x46;
    let frame = frame(0x0800, &packet);
    assert_eq!(parse(&frame).payload, b"after options");
}

#[test]
fn tags_inline_and_taken_off_are_kept_outermost_first() {
    let inner = ipv4(A, B, 17, &udp(1, 2, b""));
    let tagged = [&[0x20, 0x0a, 0x81, 0x00, 0x00, 0x14, 0x08, 0x00], &inner[..]].concat();
    let frame = frame(0x88a8, &tagged);
    let stripped = VlanTag { tpid: 0x8100, tci: 0xe005 };
    let packet = packet::parse(Link::Ethernet, Some(stripped), &frame, frame.len() as u32).expect("sound");
    assert_eq!(packet.vlans.ids().collect::<Vec<_>>(), [5, 10, 20]);
    assert_eq!(packet.vlans.as_slice()[1], VlanTag { tpid: 0x88a8, tci: 0x200a });
    assert_eq!(packet.frame_length, frame.len() as u32 + 4);
    assert!(matches!(packet.transport, Transport::Udp { .. }));
}

#[test]
fn a_fifth_tag_is_malformed() {
    let tags = [0, 1, 0x81, 0x00].repeat(5);
    assert_eq!(error(&frame(0x8100, &tags)), Malformed::Vlan);
}

#[test]
fn an_802_3_frame_has_an_llc_header() {
    // A bridge PDU to 01-80-C2-00-00-00: length 38, LLC 42-42-03, then padding.
    let mut frame = frame(38, &[&[0x42, 0x42, 0x03][..], &[0; 35]].concat());
    frame.resize(60, 0xee);
    let packet = parse(&frame);
    let Network::Llc(llc) = packet.network else { panic!("not LLC: {packet:?}") };
    assert_eq!((llc.dsap, llc.ssap, llc.control, llc.snap), (0x42, 0x42, 0x03, None));
    assert_eq!(llc.payload, [0; 35]);
    assert_eq!(packet.ethertype, 0);
}

#[test]
fn snap_names_an_organisation_or_an_ethertype() {
    let cdp = frame(12, &[0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x20, 0x00, 2, 180, 0, 0]);
    let packet = parse(&cdp);
    let Network::Llc(llc) = packet.network else { panic!("not LLC: {packet:?}") };
    assert_eq!((llc.snap, llc.payload), (Some(([0, 0, 0x0c], 0x2000)), &[2, 180, 0, 0][..]));

    let ip = ipv4(A, B, 17, &udp(1, 2, b"snap"));
    let body = [&[0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00], &ip[..]].concat();
    assert_eq!(parse(&frame(body.len() as u16, &body)).payload, b"snap");
}

#[test]
fn arp_and_unknown_ethertypes_are_handed_on_as_bytes() {
    let arp = [0, 1, 8, 0, 6, 4, 0, 1];
    assert_eq!(parse(&frame(0x0806, &arp)).network, Network::Arp(&arp));
    let lldp = frame(0x88cc, &[2, 7, 4]);
    let packet = parse(&lldp);
    assert_eq!((packet.ethertype, packet.network.clone()), (0x88cc, Network::Other(&[2, 7, 4])));
    assert_eq!((packet.ip_length, packet.payload_length), (0, 0));
}

#[test]
fn ipv6_extension_headers_are_walked() {
    let hop_by_hop = [60, 0, 5, 2, 0, 0, 1, 0]; // router alert; next: destination options
    let options = [17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // 16 bytes; next: UDP
    let body = [&hop_by_hop[..], &options, &udp(5353, 5353, b"mdns")].concat();
    let frame = frame(0x86dd, &ipv6(A6, B6, 0, &body));
    let packet = parse(&frame);
    let ip = packet.ip().expect("IP");
    assert_eq!((ip.source, ip.destination), (IpAddr::from(A6), IpAddr::from(B6)));
    assert_eq!((ip.protocol, ip.fragment), (17, None));
    assert_eq!(packet.transport, Transport::Udp { source_port: 5353, destination_port: 5353 });
    assert_eq!((packet.payload, packet.ip_length), (&b"mdns"[..], 40 + 8 + 16 + 8 + 4));
}

#[test]
fn an_endless_chain_of_extension_headers_is_malformed() {
    let chain = [60, 0, 1, 4, 0, 0, 0, 0].repeat(40);
    assert_eq!(error(&frame(0x86dd, &ipv6(A6, B6, 60, &chain))), Malformed::Ipv6ExtensionChain);
}

#[test]
fn fragments_are_told_by_offset_and_more_flag() {
    let packet = ipv4_fields(A, B, 17, 0x1234, 0x20b9, &[7; 16]);
    let frame4 = frame(0x0800, &packet);
    let packet = parse(&frame4);
    let (_, fragment) = packet.fragment().expect("a fragment");
    assert_eq!(
        (fragment.identification, fragment.offset, fragment.more, fragment.length),
        (0x1234, 1480, true, 16)
    );
    assert_eq!((packet.transport.clone(), packet.payload), (Transport::Fragment, &[7; 16][..]));

    let header = [17, 0, 0x05, 0xc8, 0xde, 0xad, 0xbe, 0xef]; // offset 1480, no more
    let frame6 = frame(0x86dd, &ipv6(A6, B6, 44, &[&header[..], &[7; 10]].concat()));
    let packet = parse(&frame6);
    let (_, fragment) = packet.fragment().expect("a fragment");
    assert_eq!(
        (fragment.identification, fragment.offset, fragment.more, fragment.length),
        (0xdead_beef, 1480, false, 10)
    );
}

#[test]
fn an_ipv6_fragment_that_is_the_whole_datagram_is_none() {
    let body = [&[17, 0, 0, 0, 0, 0, 0, 1][..], &udp(1, 2, b"atomic")].concat();
    let frame = frame(0x86dd, &ipv6(A6, B6, 44, &body));
    let packet = parse(&frame);
    assert_eq!((packet.fragment(), packet.payload), (None, &b"atomic"[..]));
}

#[test]
fn icmp_echo_has_an_identifier() {
    let frame4 = frame(0x0800, &ipv4(A, B, 1, &icmp(8, 0, &[0x12, 0x34, 0, 1, b'p'])));
    let packet = parse(&frame4);
    assert_eq!(packet.transport, Transport::Icmp { kind: 8, code: 0, identifier: Some(0x1234) });
    assert_eq!(packet.payload_length, 5);
    let frame6 = frame(0x86dd, &ipv6(A6, B6, 58, &icmp(135, 0, &[0; 20])));
    assert_eq!(parse(&frame6).transport, Transport::Icmp { kind: 135, code: 0, identifier: None });
}

#[test]
fn other_protocols_carry_their_bytes() {
    let frame = frame(0x0800, &ipv4(A, B, 89, b"ospf"));
    let packet = parse(&frame);
    assert_eq!((packet.transport.clone(), packet.payload), (Transport::Other, &b"ospf"[..]));
}

#[test]
fn links_without_ethernet() {
    let ip = ipv4(A, B, 17, &udp(1, 2, b"hello"));
    let sll = [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00], &ip[..]].concat();
    let sll2 = [&[0x08, 0x00, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &ip[..]].concat();
    let little = [&[2, 0, 0, 0], &ip[..]].concat();
    let big = [&[0, 0, 0, 2], &ip[..]].concat();
    for (link, bytes, mac) in [
        (Link::LinuxSll, &sll, Some(Mac(CLIENT_MAC))),
        (Link::LinuxSll2, &sll2, Some(Mac(CLIENT_MAC))),
        (Link::BsdLoopback, &little, None),
        (Link::BsdLoopback, &big, None),
        (Link::RawIp, &ip, None),
    ] {
        let packet = packet::parse(link, None, bytes, bytes.len() as u32).expect("sound");
        assert_eq!((packet.payload, packet.source_mac), (&b"hello"[..], mac), "{link:?}");
    }
    let v6 = ipv6(A6, B6, 17, &udp(1, 2, b"six"));
    assert_eq!(packet::parse(Link::RawIp, None, &v6, 0).expect("sound").payload, b"six");
    for family in [10, 24, 28, 30] {
        let bytes = [&[family, 0, 0, 0], &v6[..]].concat();
        assert_eq!(packet::parse(Link::BsdLoopback, None, &bytes, 0).expect("sound").payload, b"six");
    }
}

#[test]
fn labels_and_pppoe_are_passed_through() {
    let ip = ipv4(A, B, 17, &udp(1, 2, b"inside"));
    let labels = [&[0, 1, 0x00, 64, 0, 2, 0x01, 64], &ip[..]].concat();
    assert_eq!(parse(&frame(0x8847, &labels)).payload, b"inside");
    let mut session = vec![0x11, 0, 0, 1];
    session.extend((ip.len() as u16 + 2).to_be_bytes());
    session.extend([0x00, 0x21]);
    session.extend(&ip);
    assert_eq!(parse(&frame(0x8864, &session)).payload, b"inside");
    assert_eq!(error(&frame(0x8847, &[0, 1, 0, 64].repeat(20))), Malformed::Mpls);
}

#[test]
fn a_snap_length_cuts_bytes_but_not_lengths() {
    let whole = frame(0x0800, &ipv4(A, B, 6, &frames::tcp((1, 2), 0, 0, ACK, &[1; 12], &[9; 1000])));
    let cut = &whole[..14 + 20 + 32 + 100];
    let packet = packet::parse(Link::Ethernet, None, cut, whole.len() as u32).expect("headers are there");
    assert_eq!((packet.payload.len(), packet.payload_length), (100, 1000));
    assert_eq!((packet.frame_length, packet.ip_length), (whole.len() as u32, 1052));

    let in_options = &whole[..14 + 20 + 24];
    let packet =
        packet::parse(Link::Ethernet, None, in_options, whole.len() as u32).expect("header is there");
    assert_eq!((packet.payload, packet.payload_length), (&[][..], 1000));
    assert_eq!(packet.tcp().expect("TCP").options, [1; 4]);

    assert_eq!(
        packet::parse(Link::Ethernet, None, &whole[..14 + 20 + 19], whole.len() as u32),
        Err(Malformed::TcpTruncated)
    );
}

#[test]
fn the_frame_tells_the_length_of_a_superframe_without_one() {
    let mut ip = ipv4(A, B, 6, &frames::tcp((1, 2), 0, 0, ACK, &[], &vec![9; 60_000]));
    let whole = frame(0x0800, &ip);
    let packet = parse(&whole);
    assert_eq!((packet.ip_length, packet.payload_length), (60_040, 60_000));

    ip[2..4].copy_from_slice(&[0, 0]);
    let without = frame(0x0800, &ip);
    let packet = packet::parse(Link::Ethernet, None, &without[..200], without.len() as u32).expect("sound");
    assert_eq!((packet.ip_length, packet.payload_length, packet.payload.len()), (60_040, 60_000, 146));
}

#[test]
fn contradictions_are_named() {
    let sound = ipv4(A, B, 6, &frames::tcp((1, 2), 0, 0, ACK, &[], b""));
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut packet = sound.clone();
        change(&mut packet);
        error(&frame(0x0800, &packet))
    };
    assert_eq!(with(&|packet| packet[0] = 0x55), Malformed::Ipv4Version);
    assert_eq!(with(&|packet| packet[0] = 0x44), Malformed::Ipv4HeaderLength);
    assert_eq!(with(&|packet| packet[3] = 19), Malformed::Ipv4TotalLength);
    assert_eq!(with(&|packet| packet.truncate(19)), Malformed::Ipv4Truncated);
    assert_eq!(with(&|packet| packet[32] = 0x40), Malformed::TcpDataOffset);
    assert_eq!(with(&|packet| packet[32] = 0x60), Malformed::TcpDataOffset);
    assert_eq!(error(&[0; 13]), Malformed::LinkTruncated);
    assert_eq!(error(&frame(0x86dd, &ipv6(A6, B6, 17, &[])[..39])), Malformed::Ipv6Truncated);
    assert_eq!(
        error(&frame(0x86dd, &ipv6(A6, B6, 0, &[17, 200, 0, 0, 0, 0, 0, 0]))),
        Malformed::Ipv6ExtensionTruncated
    );
    assert_eq!(error(&frame(0x0800, &ipv4(A, B, 17, &[0, 1, 0, 2, 0, 7, 0, 0]))), Malformed::UdpLength);
    assert_eq!(error(&frame(0x0800, &ipv4(A, B, 17, &[0, 1, 0]))), Malformed::UdpTruncated);
    assert_eq!(error(&frame(0x0800, &ipv4(A, B, 1, &[8, 0, 0]))), Malformed::IcmpTruncated);
    assert_eq!(error(&frame(0x0800, &ipv4(A, B, 132, &[0; 11]))), Malformed::SctpTruncated);
    assert_eq!(packet::parse(Link::RawIp, None, &[0x50], 1), Err(Malformed::IpVersion));
    assert_eq!(packet::parse(Link::BsdLoopback, None, &[7, 0, 0, 0], 4), Err(Malformed::LoopbackFamily));
}

#[test]
fn each_reason_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> = Malformed::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(names.len(), Malformed::ALL.len());
}

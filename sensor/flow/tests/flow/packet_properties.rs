//! No bytes bring the parser down, and where `etherparse` reads a frame too, both read the same.

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use proptest::prelude::*;
use wardwatch_flow::packet::{self, Link, Packet, Transport};

const LINKS: [Link; 5] = [Link::Ethernet, Link::RawIp, Link::LinuxSll, Link::LinuxSll2, Link::BsdLoopback];

/// Frames that look like real ones, with a few bytes changed and the end cut off or padded.
pub(crate) fn damaged_frames() -> impl Strategy<Value = Vec<u8>> {
    let frame = (
        any::<[u8; 4]>(),
        any::<bool>(),
        0u8..3,
        any::<[u16; 2]>(),
        prop::collection::vec(any::<u8>(), 0..100),
    )
        .prop_map(|(tail, is_v6, kind, [from, to], payload)| {
            let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
            let mut six = [0xfd; 16];
            six[12..].copy_from_slice(&tail);
            let net = if is_v6 { link.ipv6(six, [0xfe; 16], 64) } else { link.ipv4(tail, [10, 0, 0, 1], 64) };
            let mut frame = Vec::new();
            match (kind, is_v6) {
                (0, _) => net.tcp(from, to, 1, 1024).write(&mut frame, &payload),
                (1, _) => net.udp(from, to).write(&mut frame, &payload),
                (_, false) => net.icmpv4_echo_request(from, to).write(&mut frame, &payload),
                (_, true) => net.icmpv6_echo_request(from, to).write(&mut frame, &payload),
            }
            .expect("writing to memory");
            frame
        });
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (frame, damage, any::<prop::sample::Index>(), 0usize..3, 0usize..20).prop_map(
        |(mut frame, damage, cut, how, padding)| {
            for (place, byte) in damage {
                let place = place.index(frame.len());
                frame[place] = byte;
            }
            match how {
                0 => frame.truncate(cut.index(frame.len())),
                1 => frame.resize(frame.len() + padding, 0),
                _ => {}
            }
            frame
        },
    )
}

fn assert_sound(packet: &Packet<'_>, wire_length: u32) {
    assert!(packet.payload.len() as u32 <= packet.payload_length);
    assert!(packet.payload_length <= packet.ip_length || packet.ip().is_none());
    assert!(packet.frame_length >= wire_length);
}

pub(crate) fn assert_agree(ours: &Packet<'_>, theirs: &SlicedPacket<'_>) {
    let ip = ours.ip();
    match &theirs.net {
        Some(NetSlice::Ipv4(v4)) => {
            let ip = ip.expect("etherparse reads IPv4");
            assert_eq!(ip.source, v4.header().source_addr());
            assert_eq!(ip.destination, v4.header().destination_addr());
            assert_eq!(ip.hop_limit, v4.header().ttl());
        }
        Some(NetSlice::Ipv6(v6)) => {
            let ip = ip.expect("etherparse reads IPv6");
            assert_eq!(ip.source, v6.header().source_addr());
            assert_eq!(ip.destination, v6.header().destination_addr());
            assert_eq!(ip.hop_limit, v6.header().hop_limit());
        }
        _ => assert!(ip.is_none()),
    }
    match &theirs.transport {
        Some(TransportSlice::Tcp(theirs)) => {
            let tcp = ours.tcp().expect("etherparse reads TCP");
            assert_eq!(
                (tcp.source_port, tcp.destination_port),
                (theirs.source_port(), theirs.destination_port())
            );
            assert_eq!((tcp.sequence, tcp.window), (theirs.sequence_number(), theirs.window_size()));
            assert_eq!((tcp.options, ours.payload), (theirs.options(), theirs.payload()));
        }
        Some(TransportSlice::Udp(theirs)) => {
            let ports = Transport::Udp {
                source_port: theirs.source_port(),
                destination_port: theirs.destination_port(),
            };
            assert_eq!((&ours.transport, ours.payload), (&ports, theirs.payload()));
        }
        Some(TransportSlice::Icmpv4(theirs)) => {
            assert!(matches!(ours.transport, Transport::Icmp { kind, .. } if kind == theirs.type_u8()));
        }
        Some(TransportSlice::Icmpv6(theirs)) => {
            assert!(matches!(ours.transport, Transport::Icmp { kind, .. } if kind == theirs.type_u8()));
        }
        Some(TransportSlice::Igmp(_)) | None => {}
    }
}

proptest! {
    #[test]
    fn any_bytes_on_any_link_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        wire_length in 0u32..300,
    ) {
        for link in LINKS {
            if let Ok(packet) = packet::parse(link, None, &bytes, wire_length) {
                assert_sound(&packet, wire_length);
            }
        }
    }

    #[test]
    fn etherparse_reads_the_same(frame in damaged_frames()) {
        let length = frame.len() as u32;
        let ours = packet::parse(Link::Ethernet, None, &frame, length);
        if let Ok(packet) = &ours {
            assert_sound(packet, length);
        }
        if let (Ok(ours), Ok(theirs)) = (&ours, &SlicedPacket::from_ethernet(&frame)) {
            assert_agree(ours, theirs);
        }
    }
}

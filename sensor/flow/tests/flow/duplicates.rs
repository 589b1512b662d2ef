//! The same packet twice, and what only looks like it.

use std::{net::Ipv4Addr, time::Duration};

use wardwatch_flow::duplicates::Duplicates;

use crate::frames::{ACK, CLIENT_MAC, SERVER_MAC, ethernet, frame, ipv4_fields, ipv6, parse, tcp, udp};

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const MILLISECOND: u64 = 1_000_000;
const START: u64 = 1_700_000_000_000_000_000;
const ROUTER: [u8; 6] = [2, 0, 0, 0, 7, 7];

/// Whether each of these frames is a duplicate, one after the other.
fn judged(frames: &[(u64, Vec<u8>)]) -> Vec<bool> {
    let mut duplicates = Duplicates::new(Duration::from_millis(20));
    frames.iter().map(|(at, frame)| duplicates.is_one(&parse(frame), START + at * MILLISECOND)).collect()
}

fn segment(identification: u16, sequence: u32) -> Vec<u8> {
    let mut segment = tcp((40_000, 80), sequence, 1, ACK, &[], b"payload");
    segment[16..18].copy_from_slice(&(sequence as u16 ^ 0x5a5a).to_be_bytes());
    ipv4_fields(CLIENT, SERVER, 6, identification, 0x4000, &segment)
}

/// A router's copy: a hop less, other hardware addresses, a VLAN tag.
fn routed(mut packet: Vec<u8>, hop_limit: usize) -> Vec<u8> {
    packet[hop_limit] -= 1;
    let ethertype: &[u8] = if hop_limit == 8 { &[0x08, 0x00] } else { &[0x86, 0xdd] };
    ethernet(ROUTER, SERVER_MAC, 0x8100, &[&[0, 30], ethertype, &packet].concat())
}

fn six(text: &[u8]) -> Vec<u8> {
    ipv6([0xfd; 16], [0xfe; 16], 17, &udp(5000, 6000, text))
}

#[test]
fn a_packet_seen_at_two_ports_is_one() {
    let packet = frame(0x0800, &segment(7, 100));
    assert_eq!(judged(&[(0, packet.clone()), (0, packet.clone()), (1, packet)]), [false, true, true]);
}

#[test]
fn a_packet_seen_on_both_sides_of_a_router_is_one() {
    let first = frame(0x0800, &segment(7, 100));
    assert_eq!(judged(&[(0, first), (1, routed(segment(7, 100), 8))]), [false, true]);
    assert_eq!(judged(&[(0, frame(0x86dd, &six(b"x"))), (1, routed(six(b"x"), 7))]), [false, true]);
}

#[test]
fn a_copy_may_have_the_earlier_time() {
    let packet = frame(0x0800, &segment(7, 100));
    assert_eq!(judged(&[(10, packet.clone()), (9, packet)]), [false, true]);
}

#[test]
fn a_retransmission_is_a_packet_of_its_own() {
    let frames = [(0, frame(0x0800, &segment(7, 100))), (1, frame(0x0800, &segment(8, 100)))];
    assert_eq!(judged(&frames), [false, false]);
    // After the window, whatever it looks like.
    let packet = frame(0x0800, &segment(7, 100));
    assert_eq!(judged(&[(0, packet.clone()), (21, packet)]), [false, false]);
}

#[test]
fn without_an_identification_only_another_way_tells() {
    for packet in [frame(0x0800, &segment(0, 100)), frame(0x86dd, &six(b"again"))] {
        assert_eq!(judged(&[(0, packet.clone()), (1, packet)]), [false, false]);
    }
}

#[test]
fn other_packets_are_other_packets() {
    let mut payload = segment(7, 100);
    let checksum = 20 + 16;
    payload[checksum] ^= 1;
    let longer = ipv4_fields(CLIENT, SERVER, 6, 7, 0x4000, &tcp((40_000, 80), 100, 1, ACK, &[], b"payload!"));
    let back = ipv4_fields(SERVER, CLIENT, 6, 7, 0x4000, &tcp((80, 40_000), 100, 1, ACK, &[], b"payload"));
    let all = [segment(7, 100), payload, longer, back, segment(7, 101)];
    let frames: Vec<_> = all.iter().map(|packet| (0, frame(0x0800, packet))).collect();
    assert_eq!(judged(&frames), [false; 5]);
}

#[test]
fn fragments_differ_by_their_place() {
    let part = |field| frame(0x0800, &ipv4_fields(CLIENT, SERVER, 17, 9, field, &[1; 16]));
    let frames = [(0, part(0x2000)), (0, part(0x2002)), (0, part(0x0004)), (0, part(0x2002))];
    assert_eq!(judged(&frames), [false, false, false, true]);
}

#[test]
fn frames_without_ip_are_left_alone() {
    let arp = ethernet(CLIENT_MAC, SERVER_MAC, 0x0806, &[0; 28]);
    assert_eq!(judged(&[(0, arp.clone()), (0, arp)]), [false, false]);
}

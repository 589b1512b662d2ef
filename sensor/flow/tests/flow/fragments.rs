//! Joining fragments: complete, out of order, overlapping, too many, too late.

use std::{net::Ipv4Addr, time::Duration};

use wardwatch_flow::{
    fragments::{Config, Datagram, Defragmenter, Fragmented},
    packet::Transport,
};

use crate::frames::{frame, ipv4, ipv4_fields, ipv6, parse, udp};

const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const SECOND: u64 = 1_000_000_000;
const MORE: u16 = 0x2000;

/// Bytes `from..to` of an IPv4 payload as one fragment.
fn piece(identification: u16, payload: &[u8], from: usize, to: usize) -> Vec<u8> {
    let more = if to < payload.len() { MORE } else { 0 };
    let field = more | u16::try_from(from / 8).expect("small");
    frame(0x0800, &ipv4_fields(A, B, 17, identification, field, &payload[from..to]))
}

fn push(defragmenter: &mut Defragmenter, frame: &[u8], at: u64) -> Option<Datagram> {
    match defragmenter.push(&parse(frame), at) {
        Fragmented::Complete(datagram) => Some(datagram),
        Fragmented::Held => None,
        Fragmented::NotAFragment => panic!("not a fragment: {frame:?}"),
    }
}

fn expired(defragmenter: &mut Defragmenter, now: u64) -> Vec<Datagram> {
    let mut datagrams = Vec::new();
    defragmenter.expire(now, &mut |datagram| datagrams.push(datagram));
    datagrams
}

#[test]
fn a_datagram_is_complete_with_its_last_missing_fragment_in_any_order() {
    let payload = udp(47808, 47808, &(0..100).collect::<Vec<u8>>());
    let pieces = [piece(7, &payload, 0, 40), piece(7, &payload, 40, 80), piece(7, &payload, 80, 108)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut defragmenter = Defragmenter::default();
        assert!(push(&mut defragmenter, &pieces[order[0]], 0).is_none());
        assert!(push(&mut defragmenter, &pieces[order[1]], 1).is_none());
        let datagram = push(&mut defragmenter, &pieces[order[2]], 2).expect("complete");
        let packet = datagram.packet().expect("sound");
        assert_eq!(packet.transport, Transport::Udp { source_port: 47808, destination_port: 47808 });
        assert_eq!(packet.payload, (0..100).collect::<Vec<u8>>());
        // Every fragment is counted: three frames, three IP headers.
        assert_eq!((packet.frames, packet.frame_length), (3, 3 * 34 + 108));
        assert_eq!((packet.ip_length, packet.payload_length), (3 * 20 + 108, 100));
        assert_eq!(packet.fragment(), None);
        assert_eq!((defragmenter.len(), defragmenter.bytes()), (0, 0));
    }
}

#[test]
fn ipv6_fragments_may_begin_with_extension_headers() {
    let options = [17, 0, 1, 4, 0, 0, 0, 0];
    let payload = [&options[..], &udp(1, 2, b"in IPv6, joined")].concat();
    let fragment = |from: usize, to: usize| {
        let field = (from as u16) | u16::from(to < payload.len());
        let header = [60, 0, (field >> 8) as u8, field as u8, 0, 0, 0, 9];
        frame(0x86dd, &ipv6([1; 16], [2; 16], 44, &[&header[..], &payload[from..to]].concat()))
    };
    let mut defragmenter = Defragmenter::default();
    assert!(push(&mut defragmenter, &fragment(16, payload.len()), 0).is_none());
    let datagram = push(&mut defragmenter, &fragment(0, 16), 0).expect("complete");
    let packet = datagram.packet().expect("sound");
    assert_eq!(packet.payload, b"in IPv6, joined");
    assert_eq!(packet.ip().expect("IP").protocol, 17);
}

#[test]
fn identification_and_addresses_keep_datagrams_apart() {
    let payload = udp(1, 2, &[1; 56]);
    let mut defragmenter = Defragmenter::default();
    assert!(push(&mut defragmenter, &piece(1, &payload, 0, 32), 0).is_none());
    assert!(push(&mut defragmenter, &piece(2, &payload, 32, 64), 0).is_none());
    assert_eq!(defragmenter.len(), 2);
    assert!(push(&mut defragmenter, &piece(1, &payload, 32, 64), 0).is_some());
    assert_eq!(defragmenter.len(), 1);
}

#[test]
fn where_fragments_overlap_the_first_bytes_stay() {
    let first = udp(1, 2, &[b'a'; 24]);
    let second = udp(1, 2, &[b'b'; 24]);
    let mut defragmenter = Defragmenter::default();
    assert!(push(&mut defragmenter, &piece(1, &first, 8, 24), 0).is_none());
    assert!(push(&mut defragmenter, &piece(1, &second, 16, 32), 0).is_none());
    let datagram = push(&mut defragmenter, &piece(1, &second, 0, 16), 0).expect("complete");
    assert_eq!(datagram.packet().expect("sound").payload, b"aaaaaaaaaaaaaaaabbbbbbbb");
    assert_eq!(defragmenter.stats().overlaps, 2);
}

#[test]
fn contradictory_ends_are_refused_but_counted_with_the_datagram() {
    // As in the "teardrop" attack: the second fragment lies within the first.
    let payload = udp(1, 2, &[0; 56]);
    let mut defragmenter = Defragmenter::default();
    assert!(push(&mut defragmenter, &piece(1, &payload, 0, 48), 0).is_none());
    let within = frame(0x0800, &ipv4_fields(A, B, 17, 1, 3, &payload[24..28]));
    assert!(push(&mut defragmenter, &within, 0).is_none());
    assert_eq!(defragmenter.stats().invalid, 1);
    let beyond = frame(0x0800, &ipv4_fields(A, B, 17, 1, 0x1fff, &[0; 64]));
    assert!(push(&mut defragmenter, &beyond, 0).is_none());
    assert_eq!(defragmenter.stats().invalid, 2);
    let datagram = push(&mut defragmenter, &piece(1, &payload, 48, 64), 0).expect("complete");
    assert_eq!(datagram.packet().expect("sound").frames, 4);
}

#[test]
fn a_datagram_given_up_still_names_its_ports() {
    let payload = udp(4000, 69, &[0; 56]);
    let mut defragmenter = Defragmenter::default();
    assert!(push(&mut defragmenter, &piece(1, &payload, 0, 32), 0).is_none());
    assert!(expired(&mut defragmenter, 30 * SECOND).is_empty());
    let datagrams = expired(&mut defragmenter, 30 * SECOND + 1);
    let packet = datagrams[0].packet().expect("sound");
    assert_eq!(packet.transport, Transport::Udp { source_port: 4000, destination_port: 69 });
    assert_eq!((packet.frames, packet.frame_length, packet.payload), (1, 34 + 32, &[][..]));
    assert_eq!((defragmenter.stats().timed_out, defragmenter.bytes()), (1, 0));
}

#[test]
fn without_its_first_fragment_a_datagram_has_no_ports() {
    let payload = udp(4000, 69, &[0; 56]);
    let mut defragmenter = Defragmenter::default();
    assert!(push(&mut defragmenter, &piece(1, &payload, 32, 64), 0).is_none());
    let mut left = Vec::new();
    defragmenter.finish(&mut |datagram| left.push(datagram));
    let packet = left[0].packet().expect("sound");
    assert_eq!((packet.transport.clone(), packet.frames), (Transport::Fragment, 1));
    assert!(defragmenter.is_empty());
}

#[test]
fn datagrams_and_bytes_are_bounded_whether_or_not_they_are_fetched() {
    let config = Config { max_bytes: 10_000, max_datagrams: 8, timeout: Duration::from_secs(30) };
    for fetch_every in [1, 5, 20_000] {
        let mut defragmenter = Defragmenter::new(config.clone());
        let mut given_up = Vec::new();
        for identification in 0..10_000_u16 {
            let payload = udp(4000, 69, &[0; 1400]);
            assert!(push(&mut defragmenter, &piece(identification, &payload, 0, 1400), 0).is_none());
            assert!(defragmenter.bytes() <= 10_000 && defragmenter.len() <= 8);
            if identification % fetch_every == 0 {
                given_up.extend(expired(&mut defragmenter, 0));
            }
        }
        given_up.extend(expired(&mut defragmenter, 0));
        let stats = defragmenter.stats();
        assert_eq!(given_up.len() as u64 + stats.lost_frames, stats.evicted);
        assert_eq!(stats.evicted + defragmenter.len() as u64, 10_000);
        assert_eq!(stats.lost_frames > 0, fetch_every > 8);
        for datagram in given_up {
            let packet = datagram.packet().expect("sound");
            assert_eq!(packet.transport, Transport::Udp { source_port: 4000, destination_port: 69 });
            assert_eq!((packet.frames, packet.frame_length), (1, 34 + 1400));
        }
    }
}

#[test]
fn fragments_of_one_datagram_are_bounded() {
    let mut defragmenter = Defragmenter::default();
    for place in 0..4000 {
        let tiny = frame(0x0800, &ipv4_fields(A, B, 17, 1, MORE | (2 * place), &[0; 8]));
        assert!(push(&mut defragmenter, &tiny, 0).is_none());
    }
    assert_eq!(defragmenter.stats().invalid, 4000 - 1024);
}

#[test]
fn bytes_cut_by_a_snap_length_keep_their_place_in_the_lengths() {
    let payload = udp(1, 2, &[5; 56]);
    let whole = piece(1, &payload, 0, 32);
    let cut =
        wardwatch_flow::packet::parse(wardwatch_flow::Link::Ethernet, None, &whole[..50], whole.len() as u32)
            .expect("sound");
    let mut defragmenter = Defragmenter::default();
    assert!(matches!(defragmenter.push(&cut, 0), Fragmented::Held));
    let datagram = push(&mut defragmenter, &piece(1, &payload, 32, 64), 0).expect("complete");
    let packet = datagram.packet().expect("sound");
    assert_eq!((packet.payload, packet.payload_length), (&[5; 8][..], 56));
}

#[test]
fn a_whole_packet_is_no_fragment() {
    let whole = frame(0x0800, &ipv4(A, B, 17, &udp(1, 2, b"whole")));
    assert!(matches!(Defragmenter::default().push(&parse(&whole), 0), Fragmented::NotAFragment));
}

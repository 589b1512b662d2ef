//! Flows: who began them, what they carried, when they end.

use std::{net::Ipv4Addr, time::Duration};

use wardwatch_flow::table::{Config, Counters, Direction, EndReason, FlowRecord, FlowTable};

use crate::frames::{
    self, ACK, CLIENT_MAC, FIN, RST, SERVER_MAC, SYN, ethernet, icmp, ipv4, ipv4_fields, parse, udp,
};

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SECOND: u64 = 1_000_000_000;
/// Any time will do; this one is in November 2023.
const START: u64 = 1_700_000_000 * SECOND;

/// A table, and the records it stated since last asked.
struct Watch {
    table: FlowTable<&'static str>,
    records: Vec<FlowRecord>,
}

impl Watch {
    fn new(config: &Config) -> Self {
        Self { table: FlowTable::new(config), records: Vec::new() }
    }

    /// Observes an Ethernet frame at a number of seconds after the start.
    fn frame(&mut self, seconds: u64, frame: &[u8]) -> (Direction, bool) {
        let records = &mut self.records;
        let observed = self
            .table
            .observe(&parse(frame), START + seconds * SECOND, &mut |record, _: &mut _| records.push(record))
            .expect("an IP packet");
        (observed.direction, observed.is_new)
    }

    fn client(&mut self, seconds: u64, protocol: u8, payload: &[u8]) -> (Direction, bool) {
        self.frame(seconds, &frames::frame(0x0800, &ipv4(CLIENT, SERVER, protocol, payload)))
    }

    fn server(&mut self, seconds: u64, protocol: u8, payload: &[u8]) -> (Direction, bool) {
        let packet = ipv4(SERVER, CLIENT, protocol, payload);
        self.frame(seconds, &ethernet(SERVER_MAC, CLIENT_MAC, 0x0800, &packet))
    }

    fn advance(&mut self, seconds: u64) -> Vec<FlowRecord> {
        let records = &mut self.records;
        self.table.advance(START + seconds * SECOND, &mut |record, _: &mut _| records.push(record));
        std::mem::take(records)
    }

    fn finish(&mut self) -> Vec<FlowRecord> {
        let records = &mut self.records;
        self.table.finish(&mut |record, _: &mut _| records.push(record));
        std::mem::take(records)
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new(&Config::default())
    }
}

/// A segment from the client's port 50000 to the server's port 104, or with `false` the other way.
fn segment(from_client: bool, sequence: u32, acknowledgment: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let ports = if from_client { (50000, 104) } else { (104, 50000) };
    frames::tcp(ports, sequence, acknowledgment, flags, &[], payload)
}

/// A handshake that begins at sequence numbers 100 and 500.
fn handshake(watch: &mut Watch, seconds: u64) {
    watch.client(seconds, 6, &segment(true, 100, 0, SYN, b""));
    watch.server(seconds, 6, &segment(false, 500, 101, SYN | ACK, b""));
    watch.client(seconds, 6, &segment(true, 101, 501, ACK, b""));
}

fn packets(counters: Counters) -> u64 {
    counters.packets
}

fn packets_of(record: &FlowRecord) -> u64 {
    packets(record.from_initiator) + packets(record.from_responder)
}

#[test]
fn a_connection_is_counted_for_each_direction_from_syn_to_fin() {
    let mut watch = Watch::default();
    handshake(&mut watch, 0);
    watch.client(1, 6, &segment(true, 101, 501, ACK, b"request"));
    watch.server(1, 6, &segment(false, 501, 108, ACK, b"a longer response"));
    watch.server(2, 6, &segment(false, 518, 108, FIN | ACK, b""));
    watch.client(2, 6, &segment(true, 108, 519, FIN | ACK, b""));
    assert_eq!(watch.server(3, 6, &segment(false, 519, 109, ACK, b"")), (Direction::FromResponder, false));
    assert_eq!(watch.advance(10), []);

    let records = watch.advance(20);
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!((record.initiator.ip, record.initiator.port), (CLIENT.into(), 50000));
    assert_eq!((record.responder.ip, record.responder.port), (SERVER.into(), 104));
    assert_eq!(record.initiator.mac.map(|mac| mac.0), Some(CLIENT_MAC));
    assert_eq!(record.responder.mac.map(|mac| mac.0), Some(SERVER_MAC));
    assert!(!record.initiator_guessed);
    assert_eq!((record.end_reason, record.segment), (EndReason::Finished, 0));
    assert_eq!((record.start, record.end), (START, START + 3 * SECOND));
    assert_eq!(
        record.from_initiator,
        Counters { packets: 4, frame_bytes: 4 * 54 + 7, ip_bytes: 4 * 40 + 7, payload_bytes: 7 }
    );
    assert_eq!(
        record.from_responder,
        Counters { packets: 4, frame_bytes: 4 * 54 + 17, ip_bytes: 4 * 40 + 17, payload_bytes: 17 }
    );
    assert_eq!((record.tcp_flags_initiator, record.tcp_flags_responder), (SYN | ACK | FIN, SYN | ACK | FIN));
    assert!(watch.table.is_empty());
}

#[test]
fn the_sender_of_a_syn_ack_is_the_responder_even_when_seen_first() {
    let mut watch = Watch::default();
    let direction = watch.server(0, 6, &segment(false, 500, 101, SYN | ACK, b""));
    assert_eq!(direction, (Direction::FromResponder, true));
    let record = &watch.finish()[0];
    assert_eq!((record.initiator.port, record.initiator_guessed), (50000, false));
}

#[test]
fn without_a_handshake_ports_tell_and_the_record_says_so() {
    for (from, to, initiator) in [
        (104, 50000, 50000),   // from a server's port to none
        (50000, 104, 50000),   // to a server's port
        (50000, 50001, 50000), // neither: who was seen first
        (80, 8080, 8080),      // both: the lower one serves
        (8080, 80, 8080),
    ] {
        let mut watch = Watch::default();
        watch.client(0, 6, &frames::tcp((from, to), 1, 1, ACK, &[], b"data"));
        let record = &watch.finish()[0];
        assert_eq!((record.initiator.port, record.initiator_guessed), (initiator, true), "{from} to {to}");
    }
}

#[test]
fn a_later_handshake_corrects_a_guess() {
    // A client that uses a server's port, seen answering first.
    let mut watch = Watch::default();
    let tcp = |from_client: bool, sequence, flags| {
        let ports = if from_client { (1022, 60000) } else { (60000, 1022) };
        frames::tcp(ports, sequence, 0, flags, &[], b"")
    };
    watch.client(0, 6, &tcp(true, 101, ACK));
    assert_eq!(watch.server(0, 6, &tcp(false, 500, SYN | ACK)), (Direction::FromResponder, false));
    let record = &watch.finish()[0];
    assert_eq!((record.initiator.port, record.initiator_guessed), (1022, false));
    assert_eq!((packets(record.from_initiator), packets(record.from_responder)), (1, 1));
}

#[test]
fn a_segment_that_overtook_its_syn_belongs_to_the_same_connection() {
    let mut watch = Watch::default();
    watch.client(0, 6, &segment(true, 101, 0, ACK, b"early"));
    watch.client(0, 6, &segment(true, 100, 0, SYN, b""));
    let records = watch.finish();
    assert_eq!((records.len(), packets(records[0].from_initiator)), (1, 2));
    assert!(!records[0].initiator_guessed);
}

#[test]
fn a_new_syn_begins_a_new_connection() {
    let mut watch = Watch::default();
    handshake(&mut watch, 0);
    // The same SYN again is a retransmission.
    assert_eq!(watch.client(1, 6, &segment(true, 100, 0, SYN, b"")), (Direction::FromInitiator, false));
    assert_eq!(watch.client(2, 6, &segment(true, 9100, 0, SYN, b"")), (Direction::FromInitiator, true));
    let first = watch.records.remove(0);
    assert_eq!((first.end_reason, packets(first.from_initiator)), (EndReason::Reused, 3));
    let second = &watch.finish()[0];
    assert_ne!(first.id, second.id);
    assert_eq!(first.community_id, second.community_id);
    assert_eq!((second.segment, packets(second.from_initiator), second.tcp_flags_initiator), (0, 1, SYN));
}

#[test]
fn a_refused_connection_that_is_tried_again_is_one() {
    let mut watch = Watch::default();
    watch.client(0, 6, &segment(true, 100, 0, SYN, b""));
    watch.server(0, 6, &segment(false, 0, 101, RST | ACK, b""));
    watch.client(1, 6, &segment(true, 100, 0, SYN, b""));
    watch.server(1, 6, &segment(false, 500, 101, SYN | ACK, b""));
    watch.client(1, 6, &segment(true, 101, 501, ACK, b"data"));
    // It lives on beyond the time in which a refused one is forgotten.
    assert_eq!(watch.advance(30), []);
    let records = watch.finish();
    assert_eq!((records.len(), packets(records[0].from_initiator)), (1, 3));
}

#[test]
fn a_flow_that_lasts_states_intervals_with_delta_counters() {
    let mut watch = Watch::default();
    handshake(&mut watch, 0);
    let mut records = Vec::new();
    for second in 1..=150 {
        watch.client(second, 6, &segment(true, 101, 501, ACK, b"x"));
        records.extend(watch.advance(second));
    }
    records.append(&mut watch.records);
    records.extend(watch.finish());
    assert_eq!(records.iter().map(|record| record.segment).collect::<Vec<_>>(), [0, 1, 2]);
    let reasons: Vec<_> = records.iter().map(|record| record.end_reason).collect();
    assert_eq!(reasons, [EndReason::Active, EndReason::Active, EndReason::Shutdown]);
    let bytes: Vec<_> = records.iter().map(|record| record.from_initiator.payload_bytes).collect();
    assert_eq!(bytes.iter().sum::<u64>(), 150);
    assert!(bytes.iter().all(|bytes| (28..=61).contains(bytes)), "{bytes:?}");
    assert!(records.windows(2).all(|pair| pair[0].end < pair[1].start));
    assert!(records.iter().all(|record| record.id == records[0].id));
}

#[test]
fn how_often_the_timers_move_does_not_change_what_is_stated() {
    let run = |every: u64| {
        let mut watch = Watch::default();
        let mut records = Vec::new();
        for second in 0..600 {
            if second % 7 == 0 && second % 100 < 50 {
                watch.client(second, 17, &udp(40000, 161, b"get"));
            }
            if second % every == 0 {
                records.extend(watch.advance(second));
            }
            records.append(&mut watch.records);
        }
        records.extend(watch.finish());
        records
            .into_iter()
            .map(|record| (record.id, record.segment, record.start, record.end))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(10));
}

#[test]
fn an_interval_without_packets_is_not_stated() {
    let mut watch = Watch::default();
    handshake(&mut watch, 0);
    assert_eq!(watch.advance(61).len(), 1);
    assert_eq!(watch.advance(200), []);
    watch.client(201, 6, &segment(true, 101, 501, ACK, b"x"));
    let records = watch.advance(270);
    assert_eq!((records.len(), packets(records[0].from_initiator), records[0].segment), (1, 1, 1));
}

#[test]
fn one_request_states_one_record() {
    let mut watch = Watch::default();
    watch.client(0, 17, &udp(40000, 53, b"query"));
    watch.server(0, 17, &udp(53, 40000, b"answer"));
    let mut records = Vec::new();
    for second in 1..200 {
        records.extend(watch.advance(second));
    }
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].end_reason, records[0].segment), (EndReason::Idle, 0));
}

#[test]
fn idle_timeouts_are_those_of_the_transport() {
    for (protocol, payload, timeout) in [
        (17, udp(40000, 53, b""), 60),
        (1, icmp(8, 0, &[0; 4]), 30),
        (89, b"ospf".to_vec(), 60),
        (6, segment(true, 100, 0, SYN, b""), 70),
        (6, segment(true, 101, 501, ACK, b""), 300),
        (6, segment(true, 101, 501, RST, b""), 10),
    ] {
        let mut watch = Watch::default();
        watch.client(0, protocol, &payload);
        let ended = |records: &[FlowRecord]| records.iter().any(|record| record.end_reason.is_end());
        assert!(!ended(&watch.advance(timeout)), "protocol {protocol}: before {timeout} s");
        assert!(ended(&watch.advance(timeout + 1)), "protocol {protocol}: after {timeout} s");

        // A packet before the timeout continues the flow, one after it begins another.
        let mut watch = Watch::default();
        watch.client(0, protocol, &payload);
        assert!(!watch.client(timeout, protocol, &payload).1, "protocol {protocol}");
        assert!(watch.client(2 * timeout + 1, protocol, &payload).1, "protocol {protocol}");
    }
}

#[test]
fn an_answer_from_a_servers_port_was_asked_for() {
    let mut watch = Watch::default();
    assert_eq!(watch.server(0, 17, &udp(53, 40000, b"answer")), (Direction::FromResponder, true));
    let record = &watch.finish()[0];
    assert_eq!((record.initiator.port, record.responder.port), (40000, 53));
    assert!(record.initiator_guessed);
}

#[test]
fn a_group_never_begins_a_flow() {
    let groups = [Ipv4Addr::new(239, 255, 255, 250), Ipv4Addr::BROADCAST, Ipv4Addr::new(10, 0, 0, 255)];
    for group in groups {
        let mut watch = Watch::default();
        let packet = ipv4(SERVER, group, 17, &udp(67, 68, b"to all"));
        watch.frame(0, &ethernet(SERVER_MAC, [0xff; 6], 0x0800, &packet));
        let record = &watch.finish()[0];
        assert_eq!((record.initiator.ip, record.initiator_guessed), (SERVER.into(), false));
    }
}

#[test]
fn echo_request_and_reply_are_one_flow_that_the_request_began() {
    let mut watch = Watch::default();
    assert_eq!(watch.server(0, 1, &icmp(0, 0, &[0, 1, 0, 1])), (Direction::FromResponder, true));
    assert_eq!(watch.client(0, 1, &icmp(8, 0, &[0, 1, 0, 2])), (Direction::FromInitiator, false));
    let record = &watch.finish()[0];
    assert_eq!((record.initiator.port, record.responder.port), (8, 0));
    assert_eq!((packets(record.from_initiator), packets(record.from_responder)), (1, 1));
}

#[test]
fn one_way_messages_carry_type_and_code() {
    let mut watch = Watch::default();
    watch.server(0, 1, &icmp(3, 13, &[0; 32]));
    let record = &watch.finish()[0];
    assert_eq!((record.initiator.ip, record.initiator.port, record.responder.port), (SERVER.into(), 3, 13));
}

#[test]
fn all_frames_of_a_joined_datagram_count() {
    use wardwatch_flow::fragments::{Defragmenter, Fragmented};
    let payload = udp(40000, 69, &[7; 1592]);
    let mut fragments = Defragmenter::default();
    let mut watch = Watch::default();
    for (field, part) in [(0x2000, &payload[..800]), (100, &payload[800..])] {
        let frame = frames::frame(0x0800, &ipv4_fields(CLIENT, SERVER, 17, 7, field, part));
        if let Fragmented::Complete(datagram) = fragments.push(&parse(&frame), START) {
            watch.table.observe(&datagram.packet().expect("sound"), START, &mut |_, _: &mut _| {});
        }
    }
    assert_eq!(
        watch.finish()[0].from_initiator,
        Counters { packets: 2, frame_bytes: 2 * 34 + 1600, ip_bytes: 2 * 20 + 1600, payload_bytes: 1592 }
    );
}

#[test]
fn vlan_tags_are_noted_but_do_not_split_a_flow() {
    let mut watch = Watch::default();
    let query = ipv4(CLIENT, SERVER, 17, &udp(40000, 53, b""));
    watch.frame(0, &frames::frame(0x8100, &[&[0x60, 0x07, 0x08, 0x00], &query[..]].concat()));
    assert!(!watch.frame(0, &frames::frame(0x0800, &query)).1);
    let record = &watch.finish()[0];
    assert_eq!(record.vlan_ids().collect::<Vec<_>>(), [7]);
}

#[test]
fn a_full_table_gives_up_the_flow_idle_longest() {
    let mut watch = Watch::new(&Config { max_flows: 3, ..Config::default() });
    let query = |port| udp(port, 53, b"");
    for (second, port) in [(0, 1001), (8, 1002), (16, 1003), (24, 1001)] {
        watch.client(second, 17, &query(port));
    }
    watch.client(32, 17, &query(1004));
    assert_eq!(watch.table.len(), 3);
    let evicted = watch.records.remove(0);
    assert_eq!((evicted.initiator.port, evicted.end_reason), (1002, EndReason::Evicted));
    assert_eq!(watch.table.stats().evicted, 1);
}

#[test]
fn a_clock_set_back_neither_ends_flows_nor_keeps_them_for_ever() {
    let mut watch = Watch::default();
    watch.client(7200, 17, &udp(1001, 53, b""));
    watch.client(0, 17, &udp(1002, 53, b""));
    assert_eq!(watch.table.stats().backward_jumps, 1);
    assert_eq!(watch.advance(30), []);
    assert_eq!(watch.advance(65).len(), 2);
    // Reordering by a few seconds is no jump.
    watch.client(60, 17, &udp(1003, 53, b""));
    assert_eq!(watch.table.stats().backward_jumps, 1);
}

#[test]
fn one_wild_timestamp_is_counted_and_survived() {
    let mut watch = Watch::default();
    watch.client(0, 17, &udp(1001, 53, b""));
    watch.client(1 << 32, 17, &udp(1002, 53, b""));
    watch.client(1, 17, &udp(1003, 53, b""));
    let stats = watch.table.stats();
    assert_eq!((stats.forward_jumps, stats.backward_jumps), (1, 1));
    assert_eq!(watch.advance(40).len(), 1, "the first flow is idle by the jump, the others are not");
}

#[test]
fn state_and_tag_belong_to_the_flow_until_its_end() {
    let mut table: FlowTable<String> = FlowTable::new(&Config::default());
    let frame = frames::frame(0x0800, &ipv4(CLIENT, SERVER, 6, &segment(true, 101, 501, ACK, b"x")));
    let mut seen = Vec::new();
    let mut sink = |record: FlowRecord, state: &mut Option<Box<String>>| {
        seen.push((record.end_reason, record.tag, state.as_deref().cloned()));
    };
    let observed = table.observe(&parse(&frame), START, &mut sink).expect("IP");
    observed.flow.state = Some(Box::new("association".to_owned()));
    observed.flow.tag = 42;
    table.advance(START + 61 * SECOND, &mut sink);
    let observed = table.observe(&parse(&frame), START + 62 * SECOND, &mut sink).expect("IP");
    assert_eq!(observed.flow.state.as_deref().map(String::as_str), Some("association"));
    table.finish(&mut sink);
    let state = Some("association".to_owned());
    assert_eq!(seen, [(EndReason::Active, 42, state.clone()), (EndReason::Shutdown, 42, state)]);
    // The next flow on the same ports begins without either.
    let observed = table.observe(&parse(&frame), START + 63 * SECOND, &mut |_, _: &mut _| {}).expect("IP");
    assert!(observed.is_new && observed.flow.state.is_none() && observed.flow.tag == 0);
}

#[test]
fn prefetching_changes_nothing() {
    let queries: Vec<_> = (0..100)
        .map(|port| frames::frame(0x0800, &ipv4(CLIENT, SERVER, 17, &udp(40000 + port, 53, b""))))
        .collect();
    let packets: Vec<_> = queries.iter().map(|query| parse(query)).collect();
    let mut watch = Watch::default();
    watch.table.prefetch(packets.iter());
    assert!(watch.table.is_empty());
    for query in &queries {
        assert!(watch.frame(0, query).1);
    }
    watch.table.prefetch(packets.iter());
    for query in &queries {
        assert!(!watch.frame(1, query).1);
    }
    assert!(watch.finish().iter().all(|record| packets_of(record) == 2));
}

#[test]
fn packets_without_ip_belong_to_no_flow() {
    let mut table: FlowTable<()> = FlowTable::new(&Config::default());
    let arp = frames::frame(0x0806, &[0; 28]);
    assert!(table.observe(&parse(&arp), START, &mut |_, _: &mut _| {}).is_none());
    assert_eq!((table.len(), table.stats().not_ip), (0, 1));
}

#[test]
fn timeouts_out_of_range_are_limited() {
    let config = Config { udp: Duration::from_secs(u64::MAX), ..Config::default() };
    let mut watch = Watch::new(&config);
    watch.client(0, 17, &udp(1, 2, b""));
    assert!(watch.advance(29 * 86_400).iter().all(|record| !record.end_reason.is_end()));
}

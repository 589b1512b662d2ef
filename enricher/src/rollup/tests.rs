//! Sums of sums are the sums of the flows.

use std::net::Ipv6Addr;

use proptest::prelude::*;

use super::*;

/// A flow of few sites, sensors, ends and hours, so that many share a row.
fn flow() -> impl Strategy<Value = FlowRow> {
    let name = |kind: &'static str, of: u8| {
        (0..of).prop_map(move |number| Arc::<str>::from(format!("{kind}{number}")))
    };
    let protocol = prop_oneof![Just("http"), Just("dicom")];
    let place = (name("site", 2), name("sensor", 2), name("end", 3), name("end", 3), protocol);
    let kind = (prop_oneof![Just(80_u16), Just(104)], prop_oneof![Just(6_u8), Just(17)], 0_u32..3);
    // Some hours, the beginning of time, and its end.
    let start = prop_oneof![
        8 => 1_700_000_000_000_000_000..1_700_010_000_000_000_000_i64,
        1 => -5_i64..5,
        1 => i64::MAX - 5..=i64::MAX,
    ];
    let time = (start, 0_i64..100_000_000_000, 0_i64..10);
    // A sensor may say anything.
    let count = || prop_oneof![9 => 0_u64..100_000, 1 => any::<u64>()];
    let counts = prop::array::uniform8(count());
    (place, kind, time, counts).prop_map(
        |(place, (port, ip_protocol, segment), (start, long, received), counts)| {
            let (site, sensor, initiator, responder, protocol) = place;
            FlowRow {
                site,
                sensor,
                epoch: 1,
                sequence: 1,
                flow_id: 1,
                segment,
                community_id: String::new(),
                initiator,
                initiator_device: Arc::default(),
                initiator_mac: CompactString::default(),
                initiator_ip: Ipv6Addr::UNSPECIFIED,
                initiator_port: 40_000,
                responder,
                responder_device: Arc::default(),
                responder_mac: CompactString::default(),
                responder_ip: Ipv6Addr::UNSPECIFIED,
                responder_port: port,
                ip_protocol,
                protocol,
                vlans: Vec::new(),
                start,
                end: start.saturating_add(long),
                initiator_packets: counts[0],
                initiator_frame_bytes: counts[1],
                initiator_ip_bytes: counts[2],
                initiator_payload_bytes: counts[3],
                responder_packets: counts[4],
                responder_frame_bytes: counts[5],
                responder_ip_bytes: counts[6],
                responder_payload_bytes: counts[7],
                end_reason: "",
                initiator_guessed: false,
                initiator_tcp_flags: 0,
                responder_tcp_flags: 0,
                received,
                source_incarnation: 1,
                source_partition: 2,
                source_offset: 0,
                source_index: 0,
            }
        },
    )
}

fn flows() -> impl Strategy<Value = Vec<FlowRow>> {
    prop::collection::vec(flow(), 0..60)
}

fn sum<T>(rows: &[T], of: impl Fn(&T) -> u64) -> u64 {
    rows.iter().fold(0, |sum, row| sum.wrapping_add(of(row)))
}

/// Rows with equal keys added up, as a merge of the table does it.
fn merged(mut rows: Vec<ConversationRow>) -> Vec<ConversationRow> {
    let key = |row: &ConversationRow| {
        let names: [&str; 6] = [&row.site, &row.endpoint, &row.peer, &row.role, &row.protocol, &row.observer];
        (names.map(str::to_owned), row.hour, row.port, row.ip_protocol)
    };
    rows.sort_by_key(key);
    rows.into_iter().fold(Vec::new(), |mut merged: Vec<ConversationRow>, row| {
        match merged.last_mut().filter(|last| key(last) == key(&row)) {
            Some(last) => {
                last.records += row.records;
                last.flows += row.flows;
                last.sent_packets = last.sent_packets.wrapping_add(row.sent_packets);
                last.sent_frame_bytes = last.sent_frame_bytes.wrapping_add(row.sent_frame_bytes);
                last.sent_ip_bytes = last.sent_ip_bytes.wrapping_add(row.sent_ip_bytes);
                last.sent_payload_bytes = last.sent_payload_bytes.wrapping_add(row.sent_payload_bytes);
                last.received_packets = last.received_packets.wrapping_add(row.received_packets);
                last.received_frame_bytes = last.received_frame_bytes.wrapping_add(row.received_frame_bytes);
                last.received_ip_bytes = last.received_ip_bytes.wrapping_add(row.received_ip_bytes);
                last.received_payload_bytes =
                    last.received_payload_bytes.wrapping_add(row.received_payload_bytes);
                last.first_seen = last.first_seen.min(row.first_seen);
                last.last_seen = last.last_seen.max(row.last_seen);
                last.received = last.received.max(row.received);
                last.source_offset = last.source_offset.max(row.source_offset);
            }
            None => merged.push(row),
        }
        merged
    })
}

proptest! {
    #[test]
    fn each_end_of_a_conversation_sums_up_its_flows(flows in flows()) {
        let rows = conversations(&flows, 9);
        prop_assert_eq!(sum(&rows, |row| row.records), 2 * flows.len() as u64);
        let begun = flows.iter().filter(|flow| flow.segment == 0).count() as u64;
        prop_assert_eq!(sum(&rows, |row| row.flows), 2 * begun);
        for row in &rows {
            let is_initiator = row.role == "initiator";
            let of: Vec<&FlowRow> = flows
                .iter()
                .filter(|flow| {
                    let ends = [&flow.initiator, &flow.responder];
                    let [endpoint, peer] = if is_initiator { ends } else { [ends[1], ends[0]] };
                    let of_flow: [&str; 5] = [&flow.site, endpoint, peer, flow.protocol, &flow.sensor];
                    of_flow == [&*row.site, &*row.endpoint, &*row.peer, &*row.protocol, &*row.observer]
                        && (flow.responder_port, flow.ip_protocol) == (row.port, row.ip_protocol)
                        && period(flow.start, 3600) == row.hour
                })
                .collect();
            prop_assert_eq!(row.records, of.len() as u64);
            let (mut sent, mut received) = (
                sum(&of, |flow| flow.initiator_ip_bytes),
                sum(&of, |flow| flow.responder_ip_bytes),
            );
            if !is_initiator {
                std::mem::swap(&mut sent, &mut received);
            }
            prop_assert_eq!((row.sent_ip_bytes, row.received_ip_bytes), (sent, received));
            prop_assert_eq!(Some(row.first_seen), of.iter().map(|flow| flow.start).min());
            prop_assert_eq!(Some(row.last_seen), of.iter().map(|flow| flow.end).max());
            prop_assert_eq!(row.source_offset, 9);
        }
    }

    #[test]
    fn what_one_end_sent_the_other_received(flows in flows()) {
        let rows = conversations(&flows, 0);
        let of = |role: &str| -> Vec<ConversationRow> {
            rows.iter().filter(|row| row.role == role).cloned().collect()
        };
        let (initiators, responders) = (of("initiator"), of("responder"));
        for counts in [
            |row: &ConversationRow| (row.sent_packets, row.received_packets),
            |row: &ConversationRow| (row.sent_frame_bytes, row.received_frame_bytes),
            |row: &ConversationRow| (row.sent_ip_bytes, row.received_ip_bytes),
            |row: &ConversationRow| (row.sent_payload_bytes, row.received_payload_bytes),
        ] {
            prop_assert_eq!(sum(&initiators, |row| counts(row).0), sum(&responders, |row| counts(row).1));
            prop_assert_eq!(sum(&initiators, |row| counts(row).1), sum(&responders, |row| counts(row).0));
        }
        prop_assert_eq!(
            sum(&initiators, |row| row.sent_payload_bytes),
            sum(&flows, |flow| flow.initiator_payload_bytes)
        );
    }

    #[test]
    fn it_does_not_matter_where_a_range_is_cut(flows in flows(), cut in any::<prop::sample::Index>()) {
        let (first, second) = flows.split_at(cut.index(flows.len() + 1));
        let mut parts = conversations(first, 4);
        parts.extend(conversations(second, 9));
        let mut parts = merged(parts);
        let mut whole = merged(conversations(&flows, 9));
        for row in parts.iter_mut().chain(&mut whole) {
            row.source_offset = 0;
        }
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn minutes_sum_up_what_happened_in_them(flows in flows()) {
        let rows = site_minutes(&flows, 9);
        prop_assert_eq!(sum(&rows, |row| row.records), flows.len() as u64);
        for row in &rows {
            let of: Vec<&FlowRow> = flows
                .iter()
                .filter(|flow| {
                    let of_flow: [&str; 3] = [&flow.site, flow.protocol, &flow.sensor];
                    of_flow == [&*row.site, &*row.protocol, &*row.observer]
                        && period(flow.start, 60) == row.minute
                })
                .collect();
            prop_assert_eq!(row.records, of.len() as u64);
            prop_assert_eq!(row.initiator_packets, sum(&of, |flow| flow.initiator_packets));
            prop_assert_eq!(row.initiator_frame_bytes, sum(&of, |flow| flow.initiator_frame_bytes));
            prop_assert_eq!(row.responder_ip_bytes, sum(&of, |flow| flow.responder_ip_bytes));
            prop_assert_eq!(row.responder_payload_bytes, sum(&of, |flow| flow.responder_payload_bytes));
        }
    }
}

#[test]
fn a_period_is_the_one_that_the_calendar_has() {
    assert_eq!(period(1_700_000_000_000_000_000, 3600), 1_699_999_200, "2023-11-14 22:13:20 is in 22:00");
    assert_eq!(period(-1, 60), 0, "before 1970 there is nothing");
    let last = period(i64::MAX, 3600);
    assert_eq!(last % 3600, 0);
    assert!(u32::MAX - last < 3600, "2262 stands in the last hour of 2106");
}

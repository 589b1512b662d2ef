//! Whatever packets come, in whatever order and at whatever times: the sums close.

use std::{collections::HashMap, net::Ipv4Addr, time::Duration};

use proptest::prelude::*;
use wardwatch_flow::table::{Config, Counters, FlowRecord, FlowTable};

use crate::frames::{frame, ipv4, parse, tcp, udp};

/// A packet between a few endpoints: who, whom, ports, TCP or UDP, flags, sequence, payload length, time step (ms).
#[derive(Debug, Clone)]
struct Input {
    hosts: (u8, u8),
    ports: (u16, u16),
    is_tcp: bool,
    flags: u8,
    sequence: u32,
    length: usize,
    step: i64,
}

fn input() -> impl Strategy<Value = Input> {
    let port = prop::sample::select(vec![53u16, 104, 50000, 50001]);
    // Mostly small steps, some of minutes, some back.
    let step = prop_oneof![8 => 0i64..2000, 2 => 0i64..400_000, 1 => -100_000i64..0];
    let flags = prop::sample::select(vec![0x02u8, 0x12, 0x10, 0x10, 0x18, 0x11, 0x04]);
    ((0u8..3, 0u8..3), (port.clone(), port), any::<bool>(), flags, 0u32..3, 0usize..50, step).prop_map(
        |(hosts, ports, is_tcp, flags, sequence, length, step)| Input {
            hosts,
            ports,
            is_tcp,
            flags,
            sequence: sequence * 100_000,
            length,
            step,
        },
    )
}

fn bytes_of(input: &Input) -> Vec<u8> {
    let payload = vec![0; input.length];
    let address = |host| Ipv4Addr::new(10, 0, 0, host);
    let (protocol, transport) = if input.is_tcp {
        (6, tcp(input.ports, input.sequence, 0, input.flags, &[], &payload))
    } else {
        (17, udp(input.ports.0, input.ports.1, &payload))
    };
    frame(0x0800, &ipv4(address(input.hosts.0), address(input.hosts.1), protocol, &transport))
}

fn add(sum: &mut Counters, counters: Counters) {
    sum.packets += counters.packets;
    sum.frame_bytes += counters.frame_bytes;
    sum.ip_bytes += counters.ip_bytes;
    sum.payload_bytes += counters.payload_bytes;
}

fn assert_records_close(records: &[FlowRecord], put_in: Counters) {
    let mut sum = Counters::default();
    let mut next_segment: HashMap<u64, Option<u32>> = HashMap::new();
    for record in records {
        add(&mut sum, record.from_initiator);
        add(&mut sum, record.from_responder);
        assert!(record.start <= record.end);
        let expected = next_segment.entry(record.id).or_insert(Some(0));
        assert_eq!(*expected, Some(record.segment), "segments ascend from 0 and stop at the end: {record:?}");
        *expected = (!record.end_reason.is_end()).then_some(record.segment + 1);
    }
    assert_eq!(sum, put_in);
    assert!(next_segment.values().all(Option::is_none), "each flow has ended");
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(
        inputs in prop::collection::vec(input(), 0..200),
        max_flows in 1usize..12,
        advance_every in 1usize..20,
        interval in 1u64..100,
    ) {
        let config = Config { max_flows, active_interval: Duration::from_secs(interval), ..Config::default() };
        let mut table: FlowTable<u8> = FlowTable::new(&config);
        let mut records: Vec<FlowRecord> = Vec::new();
        let mut put_in = Counters::default();
        let mut at = 1_700_000_000_000_000_000_u64;
        for (number, input) in inputs.iter().enumerate() {
            at = at.saturating_add_signed(input.step * 1_000_000);
            let bytes = bytes_of(input);
            let packet = parse(&bytes);
            let mut sink = |record, _: &mut _| records.push(record);
            let observed = table.observe(&packet, at, &mut sink);
            prop_assert!(observed.is_some_and(|observed| !observed.is_new || observed.flow.state.is_none()));
            add(&mut put_in, Counters {
                packets: 1,
                frame_bytes: bytes.len() as u64,
                ip_bytes: bytes.len() as u64 - 14,
                payload_bytes: input.length as u64,
            });
            if number % advance_every == 0 {
                table.advance(at, &mut sink);
            }
            prop_assert!(table.len() <= max_flows);
        }
        table.finish(&mut |record, _: &mut _| records.push(record));
        prop_assert!(table.is_empty());
        prop_assert_eq!(table.stats().packets, inputs.len() as u64);
        prop_assert_eq!(table.stats().records, records.len() as u64);
        assert_records_close(&records, put_in);
    }
}

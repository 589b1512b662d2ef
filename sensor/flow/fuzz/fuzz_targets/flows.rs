//! Any frames at any times: what goes into the defragmenter and the table comes out of them.
//!
//! The input is a row of frames, each with its length (one byte) and a time step (one byte, signed, in seconds).
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wardwatch_flow::{
    FlowRecord, FlowTable, Link,
    fragments::{self, Datagram, Defragmenter, Fragmented},
    packet, table,
};

struct Sums {
    frames_in: u64,
    frames_out: u64,
}

fn observe(table: &mut FlowTable<u8>, datagram: &Datagram, at: u64, sums: &mut Sums) {
    match datagram.packet() {
        Ok(packet) => {
            let out = &mut sums.frames_out;
            table.observe(&packet, at, &mut |record: FlowRecord, _: &mut Option<Box<u8>>| *out += frames(&record));
        }
        Err(_) => sums.frames_out += u64::from(datagram.frames()),
    }
}

fn frames(record: &FlowRecord) -> u64 {
    record.from_initiator.packets + record.from_responder.packets
}

fuzz_target!(|input: &[u8]| {
    let config = table::Config { max_flows: 5, ..table::Config::default() };
    let mut table: FlowTable<u8> = FlowTable::new(&config);
    let bounds = fragments::Config { max_bytes: 2000, max_datagrams: 4, timeout: Duration::from_secs(30) };
    let mut defragmenter = Defragmenter::new(bounds);
    let mut sums = Sums { frames_in: 0, frames_out: 0 };
    let mut at = 1_700_000_000_000_000_000_u64;
    let mut rest = input;
    while let [length, step, behind @ ..] = rest {
        let (frame, next) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = next;
        at = at.saturating_add_signed(i64::from(*step as i8) * 1_000_000_000);
        let Ok(packet) = packet::parse(Link::RawIp, None, frame, frame.len() as u32) else { continue };
        sums.frames_in += 1;
        if packet.fragment().is_some() {
            if let Fragmented::Complete(datagram) = defragmenter.push(&packet, at) {
                observe(&mut table, &datagram, at, &mut sums);
            }
            defragmenter.expire(at, &mut |datagram| observe(&mut table, &datagram, at, &mut sums));
        } else {
            let out = &mut sums.frames_out;
            let mut sink = |record: FlowRecord, _: &mut Option<Box<u8>>| *out += frames(&record);
            table.observe(&packet, at, &mut sink);
            table.advance(at, &mut sink);
        }
    }
    defragmenter.finish(&mut |datagram| observe(&mut table, &datagram, at, &mut sums));
    table.finish(&mut |record: FlowRecord, _: &mut Option<Box<u8>>| sums.frames_out += frames(&record));
    assert_eq!(sums.frames_in, sums.frames_out);
    assert_eq!((defragmenter.bytes(), table.len()), (0, 0));
});

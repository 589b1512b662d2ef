//! Any frames at any times through the whole decoder: every packet is accounted for, every flow ends, and nothing outside the
//! grammars is stated.
//!
//! The input is a row of frames, each with its length (two bytes), a time step (one byte, signed, in units of 100 ms), and
//! what it begins with (one byte).
#![no_main]

use libfuzzer_sys::fuzz_target;
use wardwatch_capture::{Frame, LinkType};
use wardwatch_proto::attribute;
use wardwatch_proto::v1::{EndReason, Fact, fact};
use wardwatch_sensor::worker::{Limits, Worker};

fuzz_target!(|input: &[u8]| {
    let limits = Limits { flows: 8, reassembly_bytes: 4096, conversation_bytes: 4096, ..Limits::default() };
    let mut worker = Worker::new(&limits);
    let mut facts = Vec::new();
    let mut ended = 0;
    let mut at = 1_700_000_000_000_000_000_u64;
    let mut rest = input;
    while let [l0, l1, step, link, behind @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]) % 2048);
        let (bytes, next) = behind.split_at(behind.len().min(length));
        rest = next;
        at = at.saturating_add_signed(i64::from(*step as i8) * 100_000_000);
        let link = [LinkType::Ethernet, LinkType::RawIp, LinkType::LinuxSll, LinkType::LinuxSll2, LinkType::Null]
            [usize::from(link % 5)];
        let wire_length = bytes.len() as u32;
        worker.frames(&[Frame { at, wire_length, link, vlan: None, bytes }], &mut facts);
        ended += judge(&mut facts);
    }
    worker.finish(&mut facts);
    ended += judge(&mut facts);
    let totals = worker.totals();
    let elsewhere = totals.packets_not_ip
        + totals.duplicates
        + totals.fragments_lost
        + totals.malformed.values().sum::<u64>();
    assert_eq!(totals.packets + totals.packets_in_tunnels, totals.packets_in_flows + elsewhere);
    assert_eq!(totals.flows, ended);
});

/// Sees that facts are sound, and says how many flows have ended.
fn judge(facts: &mut Vec<Fact>) -> u64 {
    let mut ended = 0;
    for fact in facts.drain(..) {
        match fact.fact {
            Some(fact::Fact::Observation(observation)) => {
                let accepted = attribute::accept(observation.attribute(), &observation.value);
                assert_eq!(accepted.as_deref(), Some(observation.value.as_str()));
            }
            Some(fact::Fact::Flow(flow)) => {
                assert!(flow.start <= flow.end);
                ended += u64::from(flow.end_reason() != EndReason::Active);
            }
            None => {}
        }
    }
    ended
}

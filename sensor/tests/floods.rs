//! Floods and broken clocks: memory stays within its bounds, everything is counted, and what honest devices say is read.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::Path;

use etherparse::PacketBuilder;
use wardwatch_capture::{CaptureFile, Frame, LinkType, Pace, Source as _, Step};
use wardwatch_proto::v1::{Fact, fact};
use wardwatch_sensor::worker::{Limits, Totals, Worker};

const SECOND: u64 = 1_000_000_000;

struct Owned {
    at: u64,
    bytes: Vec<u8>,
}

/// What honest devices of a ward say.
fn honest() -> Vec<Owned> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures/bedside.pcap");
    let mut source = CaptureFile::open(&path, Pace::Full).expect("the project's capture");
    let mut frames = Vec::new();
    loop {
        match source.next().expect("a sound capture") {
            Step::Frames(some) => {
                frames.extend(some.iter().map(|frame| Owned { at: frame.at, bytes: frame.bytes.to_vec() }));
            }
            Step::Idle => {}
            Step::End => return frames,
        }
    }
}

/// Attributes and values, and the addresses of those they are about.
type Said = BTreeSet<(i32, String, Vec<u8>)>;

/// A worker, and what it has said so far, in the words that matter.
struct Watch {
    worker: Worker,
    facts: Vec<Fact>,
    said: Said,
    frames: u64,
    open: i64,
    most_open: i64,
}

impl Watch {
    fn new(limits: &Limits) -> Self {
        Self {
            worker: Worker::new(limits),
            facts: Vec::new(),
            said: Said::new(),
            frames: 0,
            open: 0,
            most_open: 0,
        }
    }

    fn frame(&mut self, at: u64, bytes: &[u8]) {
        let wire_length = bytes.len() as u32;
        let frame = Frame { at, wire_length, link: LinkType::Ethernet, vlan: None, bytes };
        self.worker.frames(&[frame], &mut self.facts);
        self.take();
    }

    fn take(&mut self) {
        for fact in self.facts.drain(..) {
            match fact.fact {
                Some(fact::Fact::Observation(observation)) => {
                    let ip = observation.subject.and_then(|subject| subject.endpoint);
                    let ip = ip.map(|endpoint| endpoint.ip).unwrap_or_default();
                    self.said.insert((observation.attribute, observation.value, ip));
                }
                Some(fact::Fact::Flow(flow)) => {
                    assert!(flow.start <= flow.end, "{flow:?}");
                    self.open -= i64::from(flow.end_reason != 1);
                }
                None => {}
            }
        }
        self.frames += 1;
        if self.frames.is_multiple_of(512) {
            let open = self.open + self.worker.totals().flows.cast_signed();
            self.most_open = self.most_open.max(open);
        }
    }

    /// Ends, and sees that every frame is accounted for.
    fn finish(mut self) -> (Said, Totals, i64) {
        self.worker.finish(&mut self.facts);
        self.take();
        let totals = self.worker.totals();
        let malformed: u64 = totals.malformed.values().sum();
        let counted = totals.packets_in_flows
            + totals.packets_not_ip
            + totals.duplicates
            + totals.fragments_lost
            + malformed;
        assert_eq!(counted, totals.packets + totals.packets_in_tunnels, "{totals:?}");
        assert_eq!(self.open + totals.flows.cast_signed(), 0, "every flow has a last record");
        (self.said, totals, self.most_open)
    }
}

fn undisturbed() -> Said {
    let mut watch = Watch::new(&Limits::default());
    for Owned { at, bytes } in honest() {
        watch.frame(at, &bytes);
    }
    let (said, ..) = watch.finish();
    assert!(said.len() > 20);
    said
}

/// Plays the honest frames with so many hostile ones after each.
fn flooded(limits: &Limits, for_each: usize, hostile: impl Fn(u32) -> Vec<u8>) -> (Totals, i64) {
    let mut watch = Watch::new(limits);
    let mut number = 0;
    for Owned { at, bytes } in honest() {
        watch.frame(at, &bytes);
        for _ in 0..for_each {
            watch.frame(at, &hostile(number));
            number += 1;
        }
    }
    let (said, totals, most_open) = watch.finish();
    let undisturbed = undisturbed();
    let missing: Vec<_> = undisturbed.difference(&said).collect();
    assert!(missing.is_empty(), "of {number} hostile frames: {missing:?}");
    (totals, most_open)
}

fn syn(number: u32) -> Vec<u8> {
    let [_, a, b, c] = number.to_be_bytes();
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 6, 6], [2, 0, 0, 0, 0, 1])
        .ipv4([198, a, b, c], [192, 0, 2, 80], 64)
        .tcp((number % 60_000) as u16 + 1024, 443, number, 1024)
        .syn();
    let mut frame = Vec::new();
    builder.write(&mut frame, &[]).expect("writing to memory");
    frame
}

#[test]
fn half_open_connections_give_way_before_those_that_speak() {
    let limits = Limits { flows: 20_000, ..Limits::default() };
    let for_each = 100_000 / honest().len() + 1;
    let (totals, most_open) = flooded(&limits, for_each, syn);
    assert!(totals.flows > 100_000, "{totals:?}");
    assert!(totals.evicted_flows > 75_000, "{totals:?}");
    assert!(most_open <= 20_000, "{most_open} flows at a time");
}

#[test]
fn a_million_half_open_connections_are_bounded() {
    let mut watch = Watch::new(&Limits { flows: 10_000, ..Limits::default() });
    for number in 0..1_000_000 {
        watch.frame(1_700_000_000 * SECOND + u64::from(number) * 1000, &syn(number));
    }
    let (_, totals, most_open) = watch.finish();
    assert_eq!((totals.flows, totals.evicted_flows, most_open), (1_000_000, 990_000, 10_000));
}

#[test]
fn a_flood_of_fragments_is_bounded_and_counted() {
    let fragment = |number: u32| {
        let [a, b, c, d] = number.to_be_bytes();
        let header = [0x45, 0, 0, 60, c, d, 0x20, 0, 64, 17, 0, 0, 198, a, b, 1, 192, 0, 2, 80];
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 6, 6, 8, 0][..], &header, &[7; 40]].concat()
    };
    let for_each = 50_000 / honest().len() + 1;
    let (totals, _) = flooded(&Limits::default(), for_each, fragment);
    assert!(totals.incomplete_datagrams > 40_000, "{totals:?}");
    assert_eq!(totals.fragments_held, 0);
}

#[test]
fn tunnels_in_tunnels_without_end_are_counted() {
    let deep = |number: u32| {
        let mut packet = syn(number)[14..].to_vec();
        for _ in 0..9 {
            let [l0, l1] = (packet.len() as u16 + 20).to_be_bytes();
            let header = [0x45, 0, l0, l1, 0, 1, 0x40, 0, 64, 4, 0, 0, 198, 51, 100, 1, 192, 0, 2, 80];
            packet = [&header[..], &packet].concat();
        }
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 6, 6, 8, 0][..], &packet].concat()
    };
    let (totals, _) =
        flooded(&Limits { duplicate_window: std::time::Duration::ZERO, ..Limits::default() }, 3, deep);
    let hostile = 3 * honest().len() as u64;
    assert_eq!(totals.malformed.get("tunnel_depth"), Some(&hostile));
    assert_eq!(totals.packets_in_tunnels, 5 * hostile);
}

#[test]
fn clocks_that_run_backwards_jump_or_lie_cost_no_fact_and_no_frame() {
    let frames = honest();
    let first = frames.first().expect("frames").at;
    let expected = undisturbed();
    let clocks: [&dyn Fn(usize, u64) -> u64; 5] = [
        // A second back with each frame; all at once; in 1970; at the end of time; set back a year in the middle.
        &|number, _| first - number as u64 * SECOND,
        &|_, _| first,
        &|_, _| 0,
        &|_, _| u64::MAX,
        &|number, at| if number > frames.len() / 2 { at - 365 * 86_400 * SECOND } else { at },
    ];
    for (which, clock) in clocks.iter().enumerate() {
        let mut watch = Watch::new(&Limits::default());
        for (number, Owned { at, bytes }) in frames.iter().enumerate() {
            watch.frame(clock(number, *at), bytes);
        }
        let (said, totals, _) = watch.finish();
        let missing: Vec<_> = expected.difference(&said).collect();
        assert!(missing.is_empty(), "clock {which}: {missing:?}");
        assert_eq!(totals.clock_jumps > 0, [0, 4].contains(&which), "clock {which}: {totals:?}");
    }
}

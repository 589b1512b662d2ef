use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use wardwatch_capture::{CaptureFile, LinkType, Pace, Source as _, Step, captures_below};

use super::*;
use wardwatch_proto::v1::fact;

/// A frame that owns its bytes.
#[derive(Clone)]
struct Owned {
    at: u64,
    bytes: Vec<u8>,
}

impl Owned {
    fn frame(&self) -> Frame<'_> {
        let wire_length = self.bytes.len() as u32;
        Frame { at: self.at, wire_length, link: LinkType::Ethernet, vlan: None, bytes: &self.bytes }
    }
}

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures");
    let paths = captures_below(&folder).expect("the project's captures");
    assert!(paths.len() > 3);
    paths
}

fn frames(path: &Path) -> Vec<Owned> {
    let mut source = CaptureFile::open(path, Pace::Full).expect("a capture");
    let mut frames = Vec::new();
    loop {
        match source.next().expect("a sound capture") {
            Step::Frames(some) => {
                for frame in some {
                    assert_eq!((frame.link, frame.vlan), (LinkType::Ethernet, None));
                    frames.push(Owned { at: frame.at, bytes: frame.bytes.to_vec() });
                }
            }
            Step::Idle => {}
            Step::End => return frames,
        }
    }
}

/// What is stated of some inputs, one after the other, and what is counted. Frames are taken so many at a time, by turns.
fn stated(workers: usize, inputs: &[Vec<Owned>], steps: &[usize]) -> (Vec<Fact>, Totals) {
    let mut cores = Cores::new(&Limits::default(), workers, true).expect("threads");
    let mut facts = Vec::new();
    let mut steps = steps.iter().copied().cycle();
    for input in inputs {
        let frames: Vec<_> = input.iter().map(Owned::frame).collect();
        let mut rest = &frames[..];
        while !rest.is_empty() {
            let (step, behind) = rest.split_at(steps.next().expect("a step").min(rest.len()));
            cores.frames(step, &mut facts).expect("workers that live");
            rest = behind;
        }
        cores.finish(&mut facts).expect("workers that live");
    }
    (facts, cores.totals())
}

/// Facts without the numbers of flows, which depend on who counts: in their place stands what the flow is.
fn anonymous(facts: &[Fact]) -> Vec<String> {
    let mut names = BTreeMap::new();
    for fact in facts {
        if let Some(fact::Fact::Flow(flow)) = &fact.fact {
            let name = format!("{:?} {:?} {}", flow.community_id, flow.tunnels, flow.start);
            names.entry(flow.id).or_insert(name);
        }
    }
    let mut texts: Vec<_> = facts
        .iter()
        .map(|fact| {
            let mut fact = fact.clone();
            let of = match &mut fact.fact {
                Some(fact::Fact::Flow(flow)) => std::mem::take(&mut flow.id),
                Some(fact::Fact::Observation(observation)) => std::mem::take(&mut observation.flow),
                None => 0,
            };
            format!("{fact:?} of {:?}", names.get(&of))
        })
        .collect();
    texts.sort();
    texts
}

/// Every sum that must close.
fn closes(totals: &Totals) {
    let malformed: u64 = totals.malformed.values().sum();
    let elsewhere = totals.packets_not_ip + malformed + totals.duplicates + totals.fragments_lost;
    let waiting = totals.fragments_held + totals.under_way;
    assert_eq!(
        totals.packets + totals.packets_in_tunnels,
        totals.packets_in_flows + elsewhere + waiting + totals.behind,
        "{totals:?}"
    );
}

fn same_on_any_number(inputs: &[Vec<Owned>]) {
    let (facts, totals) = stated(1, inputs, &[1]);
    closes(&totals);
    assert!(facts.len() > 10);
    let expected = anonymous(&facts);
    for workers in [2, 3, 7] {
        let (facts, theirs) = stated(workers, inputs, &[1, 32]);
        closes(&theirs);
        assert_eq!(theirs.under_way + theirs.behind, 0);
        let found = anonymous(&facts);
        let missing: Vec<_> = expected.iter().filter(|fact| found.binary_search(fact).is_err()).collect();
        let extra: Vec<_> = found.iter().filter(|fact| expected.binary_search(fact).is_err()).collect();
        assert!(missing.is_empty() && extra.is_empty(), "{workers} workers: {missing:#?}\nextra: {extra:#?}");
        assert_eq!(found.len(), expected.len());
        let counted = |totals: &Totals| serde_json::to_value(totals).expect("JSON");
        assert_eq!(counted(&theirs), counted(&totals), "{workers} workers");
    }
}

/// Each frame in a virtual network's: VXLAN on UDP, cut into fragments where it is longer than `most`.
fn tunnelled(frames: &[Owned], most: usize) -> Vec<Owned> {
    let mut wrapped = Vec::new();
    for (number, Owned { at, bytes }) in frames.iter().enumerate() {
        let vni = [0, 0, (number % 3) as u8, 0];
        let length = (bytes.len() as u16 + 16).to_be_bytes();
        let datagram = [&[0xc0, 0, 0x12, 0xb5], &length[..], &[0, 0, 8, 0, 0, 0], &vni, bytes].concat();
        let pieces = datagram.chunks(most & !7);
        let last = pieces.len() - 1;
        for (place, piece) in pieces.enumerate() {
            let field =
                ((place * (most & !7) / 8) as u16 | if place < last { 0x2000 } else { 0 }).to_be_bytes();
            let total = (piece.len() as u16 + 20).to_be_bytes();
            let identification = (number as u16).to_be_bytes();
            let frame = [
                &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0][..],
                &total,
                &identification,
                &field,
                &[64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2],
                piece,
            ]
            .concat();
            wrapped.push(Owned { at: *at, bytes: frame });
        }
    }
    wrapped
}

#[test]
fn the_same_facts_come_of_any_number_of_workers() {
    for path in captures() {
        same_on_any_number(&[frames(&path)]);
    }
}

#[test]
fn workers_go_on_from_one_file_to_the_next() {
    same_on_any_number(&captures().iter().map(|path| frames(path)).collect::<Vec<_>>());
}

#[test]
fn tunnels_and_their_fragments_are_followed_on_any_number_of_workers() {
    let all = captures();
    let own = frames(all.first().expect("a capture"));
    same_on_any_number(&[tunnelled(&own, 9000)]);
    same_on_any_number(&[tunnelled(&own, 600)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Tunnels, their fragments and frames that come twice among them.
    #[test]
    fn the_same_facts_come_of_frames_however_many_are_taken_at_a_time(
        steps in prop::collection::vec(1_usize..100, 1..20),
    ) {
        let all: Vec<_> = captures().iter().map(|path| frames(path)).collect();
        // None of them again in another one: what is remembered of duplicates is found by a hash that differs each time.
        let twice = all[2].iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
        let inputs = [all[0].clone(), tunnelled(&all[1], 600), twice];
        let counted = |totals: &Totals| serde_json::to_value(totals).expect("JSON");
        let (expected, one_by_one) = stated(1, &inputs, &[1]);
        let (facts, totals) = stated(1, &inputs, &steps);
        prop_assert!(anonymous(&facts) == anonymous(&expected));
        prop_assert_eq!(counted(&totals), counted(&one_by_one));
        prop_assert!(totals.duplicates > 0 && totals.packets_in_tunnels > 0 && totals.flow_records > 10);
    }
}

#[test]
fn what_is_dropped_on_a_live_interface_is_counted() {
    let own: Vec<_> = captures().iter().flat_map(|path| frames(path)).collect();
    let mut cores = Cores::new(&Limits::default(), 3, false).expect("threads");
    let mut facts = Vec::new();
    for _ in 0..5 {
        let frames: Vec<_> = own.iter().map(Owned::frame).collect();
        cores.frames(&frames, &mut facts).expect("workers that live");
        closes(&cores.totals());
    }
    cores.finish(&mut facts).expect("workers that live");
    let totals = cores.totals();
    closes(&totals);
    assert_eq!((totals.packets, totals.under_way), (5 * own.len() as u64, 0));
}

#[test]
fn a_worker_that_is_behind_loses_packets_and_no_timers() {
    let own = frames(captures().first().expect("a capture"));
    let mut lane = Lane::start(&Limits::default(), 0, 2).expect("a thread");
    let mut headers = Headers::new(&Limits::default());
    // Nothing is taken back, so at some point no batch is left.
    let mut offered = 0;
    for (number, frame) in own.iter().cycle().take(100).enumerate() {
        headers.frame(&frame.frame(), &mut |packet: &Packet<'_>, at, is_tunnel| {
            lane.filling.put(packet, at, is_tunnel, 0);
            offered += u64::from(packet.frames);
        });
        lane.filling.timer(Timer::Advance(frame.at), 1);
        lane.send(number as u64).expect("a worker that lives");
    }
    assert!(lane.is_behind());
    assert!(lane.dropped > 0 && lane.dropped < offered, "{} of {offered}", lane.dropped);
    assert!(!lane.filling.is_empty(), "its timers wait for a batch");
}

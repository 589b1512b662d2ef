//! From the frame to the fact, for what has no ports, and for what comes in tiny segments.

use wardwatch_capture::{Frame, LinkType};
use wardwatch_proto::name::Named as _;
use wardwatch_proto::v1::{Fact, fact};

use super::*;

/// What is stated of this frame: `attribute value` for observations, the protocol for flows.
fn stated(frame: &[u8]) -> Vec<String> {
    let mut worker = Worker::new(&Limits { flows: 16, ..Limits::default() });
    let mut facts: Vec<Fact> = Vec::new();
    let wire_length = frame.len() as u32;
    let frame = Frame { at: 1, wire_length, link: LinkType::Ethernet, vlan: None, bytes: frame };
    worker.frames(&[frame], &mut facts);
    worker.finish(&mut facts);
    let lines = facts.into_iter().filter_map(|fact| match fact.fact? {
        fact::Fact::Observation(told) => Some(format!("{} {}", told.attribute().name(), told.value)),
        fact::Fact::Flow(flow) => Some(format!("flow {}", flow.protocol().name())),
    });
    lines.collect()
}

const MACS: [u8; 12] = [0x01, 0x80, 0xc2, 0, 0, 0, 0x02, 0, 0, 0, 0, 7];

/// Behind LLC: these access points and control, then the payload, then padding.
fn framed(llc: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = (llc.len() + payload.len()) as u16;
    [&MACS[..], &length.to_be_bytes(), llc, payload, &[0; 8]].concat()
}

#[test]
fn frames_behind_an_ethertype_behind_llc_and_behind_snap_are_told_apart() {
    let lldp = [
        &MACS[..],
        &[
            0x88, 0xCC, 0x02, 0x07, 0x04, 0x02, 0, 0, 0, 0, 7, 0x04, 0x03, 0x07, b'e', b'1', 0x06, 0x02, 0,
            120, 0, 0,
        ],
    ];
    assert_eq!(stated(&lldp.concat()), ["mac_address 02:00:00:00:00:07", "link_port e1"]);
    let change = framed(&[0x42, 0x42, 0x03], &[0, 0, 0, 0x80]);
    assert_eq!(stated(&change), ["role bridge"]);
    let cdp = framed(&[0xAA, 0xAA, 0x03, 0, 0, 0x0C, 0x20, 0], &[2, 180, 0, 0, 0, 1, 0, 6, b'S', b'1']);
    assert_eq!(stated(&cdp), ["host_name s1"]);
    // The same behind another organisation's header.
    let foundry =
        framed(&[0xAA, 0xAA, 0x03, 0, 0xE0, 0x52, 0x20, 0], &[2, 180, 0, 0, 0, 1, 0, 6, b'S', b'1']);
    assert!(stated(&foundry).is_empty());
}

/// From 10.0.0.1 to 10.0.0.2, without a checksum.
fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16 + 20).to_be_bytes();
    let header = [0x45, 0, high, low, 0, 0, 0, 0, 1, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    [&MACS[..], &[0x08, 0x00], &header, payload].concat()
}

#[test]
fn packets_without_ports_are_read_and_keep_their_flow() {
    let query = [0x11, 0x64, 0xEE, 0x9B, 0, 0, 0, 0];
    assert_eq!(stated(&ipv4(2, &query)), ["role multicast-querier", "flow igmp"]);
    let redirect = [5, 1, 0, 0, 10, 0, 0, 9, 0x45, 0, 0, 20];
    assert_eq!(stated(&ipv4(1, &redirect)), ["role router", "role router", "flow icmp"]);
    // A ping says nothing, and its flow is told by the number of its IP protocol alone.
    assert_eq!(stated(&ipv4(1, &[8, 0, 0, 0, 0, 1, 0, 1])), ["flow "]);
}

#[test]
fn a_neighbour_on_the_link_is_believed_and_one_behind_a_router_is_not() {
    let advertisement = |hop_limit| {
        let own = [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
        let header = [0x60, 0, 0, 0, 0, 24, 58, hop_limit];
        let message = [136, 0, 0, 0, 0xA0, 0, 0, 0];
        [&MACS[..], &[0x86, 0xDD], &header, &own, &own, &message, &own].concat()
    };
    assert_eq!(stated(&advertisement(255)), ["ip_address fe80::7", "role router", "flow icmpv6"]);
    assert_eq!(stated(&advertisement(64)), ["flow "]);
}

/// From port 40000 to 2575, without a checksum.
fn tcp(sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let header =
        [&[0x9C, 0x40, 0x0A, 0x0F][..], &sequence.to_be_bytes(), &[0, 0, 0, 1, 0x50, flags, 255, 255]];
    ipv4(6, &[&header.concat()[..], &[0; 4], payload].concat())
}

#[test]
fn a_long_message_in_tiny_segments_is_read_when_nothing_more_comes_for_a_minute() {
    const SECOND: u64 = 1_000_000_000;
    let begin = 1_700_000_000 * SECOND;
    let mut message = b"GET / HTTP/1.1\r\nHost: ris.example\r\nUser-Agent: curl/8.1.2\r\nX-Long: ".to_vec();
    message.resize(7003, b'x');
    message.extend(b"\r\n\r\n");
    let told = |facts: &[Fact]| {
        let observed = facts.iter().filter_map(|fact| match fact.fact.as_ref()? {
            fact::Fact::Observation(told) => Some(format!("{} {}", told.attribute().name(), told.value)),
            fact::Fact::Flow(_) => None,
        });
        observed.collect::<Vec<_>>()
    };
    let said = |segment: usize| {
        let (mut worker, mut facts) = (Worker::new(&Limits { flows: 16, ..Limits::default() }), Vec::new());
        let mut frame = |bytes: &[u8], worker: &mut Worker| {
            let wire_length = bytes.len() as u32;
            let frame = Frame { at: begin, wire_length, link: LinkType::Ethernet, vlan: None, bytes };
            worker.frames(&[frame], &mut facts);
        };
        frame(&tcp(0, 0x02, &[]), &mut worker);
        for (number, bytes) in message.chunks(segment).enumerate() {
            frame(&tcp(1 + (number * segment) as u32, 0x18, bytes), &mut worker);
        }
        let at_once = told(&facts);
        worker.advance(begin + 30 * SECOND, &mut facts);
        worker.advance(begin + 61 * SECOND, &mut facts);
        (at_once, told(&facts))
    };
    let (at_once, in_the_end) = said(1400);
    assert!(!at_once.is_empty() && at_once == in_the_end, "{at_once:?}");
    let (early, late) = said(1);
    assert!(early.len() < late.len(), "it is for this test that it is not read before");
    assert_eq!(late, at_once);
}

/// The frame in a tunnel over UDP or GRE from one end of it to the other.
fn carried(protocol: u8, header: &[u8], inner: &[u8]) -> Vec<u8> {
    let port: u16 = if header.first() == Some(&0x08) { 4789 } else { 6081 };
    let length = (8 + header.len() + inner.len()) as u16;
    let udp = [&[0xC3, 0x50][..], &port.to_be_bytes(), &length.to_be_bytes(), &[0, 0]].concat();
    let udp: &[u8] = if protocol == 17 { &udp } else { &[] };
    ipv4(protocol, &[udp, header, inner].concat())
}

fn vxlan(vni: u32, inner: &[u8]) -> Vec<u8> {
    carried(17, &[&[0x08, 0, 0, 0][..], &(vni << 8).to_be_bytes()].concat(), inner)
}

fn geneve(vni: u32, inner: &[u8]) -> Vec<u8> {
    carried(17, &[&[0, 0, 0x65, 0x58][..], &(vni << 8).to_be_bytes()].concat(), inner)
}

/// NVGRE (RFC 7637): the upper 24 bits of the key are the virtual subnet.
fn gre(subnet: u32, inner: &[u8]) -> Vec<u8> {
    carried(47, &[&[0x20, 0, 0x65, 0x58][..], &(subnet << 8).to_be_bytes()].concat(), inner)
}

fn erspan(session: u16, inner: &[u8]) -> Vec<u8> {
    let [s0, s1] = session.to_be_bytes();
    carried(47, &[0x10, 0, 0x88, 0xbe, 0, 0, 7, 4, 0x10, 23, s0, s1, 0, 0, 0, 1], inner)
}

/// In which networks 10.0.0.1 says that it is a router, and in which its flows are; each as often as it is stated.
fn networks(limits: Limits, frames: &[Vec<u8>]) -> [Vec<String>; 2] {
    let mut worker = Worker::new(&Limits { flows: 64, ..limits });
    let mut facts: Vec<Fact> = Vec::new();
    for (number, bytes) in frames.iter().enumerate() {
        let (at, wire_length) = (1_000_000_000 * number as u64, bytes.len() as u32);
        worker.frames(&[Frame { at, wire_length, link: LinkType::Ethernet, vlan: None, bytes }], &mut facts);
    }
    worker.finish(&mut facts);
    let (mut said, mut flows) = (Vec::new(), Vec::new());
    for fact in facts {
        match fact.fact {
            Some(fact::Fact::Observation(told)) if told.value == "router" => {
                let ip = told.subject.and_then(|subject| subject.endpoint).unwrap_or_default().ip;
                said.extend((ip == [10, 0, 0, 1]).then_some(told.network));
            }
            Some(fact::Fact::Flow(flow)) if flow.ip_protocol == 1 => flows.push(flow.network),
            _ => {}
        }
    }
    flows.sort();
    [said, flows]
}

#[test]
fn one_address_in_two_virtual_networks_is_two_and_in_two_sessions_of_a_mirror_one() {
    // 10.0.0.1 tells 10.0.0.2 of another router, and so says that it is one.
    let said = || ipv4(1, &[5, 1, 0, 0, 10, 0, 0, 9, 0x45, 0, 0, 20]);
    let all = || {
        [
            said(),
            vxlan(5001, &said()),
            vxlan(5002, &said()),
            geneve(5001, &said()),
            gre(7, &said()),
            erspan(3, &said()),
        ]
    };
    let own = |kinds: &[NetworkKind]| Limits { own_networks: kinds.to_vec(), ..Limits::default() };
    let everything = own(&[NetworkKind::Vxlan, NetworkKind::Geneve, NetworkKind::Gre]);
    let [told, flows] = networks(everything.clone(), &all());
    assert_eq!(told, ["", "vxlan-5001", "vxlan-5002", "geneve-5001", "gre-7"]);
    // What ERSPAN brings a copy of is the flow that is there already.
    assert_eq!(flows, ["", "geneve-5001", "gre-7", "vxlan-5001", "vxlan-5002"]);
    let [told, _] = networks(own(&[NetworkKind::Geneve]), &all());
    assert_eq!(told, ["", "geneve-5001"]);

    let mirrors = Limits { mirrors: vec![5001, 5002, 7], ..everything };
    let [told, flows] = networks(mirrors, &all());
    assert_eq!((told, flows), (vec![String::new()], vec![String::new()]));
    // Where nothing is set, flows are kept apart, and all is one network.
    let [told, flows] = networks(Limits::default(), &all());
    assert_eq!((told, flows), (vec![String::new()], vec![String::new(); 5]));
}

//! Recognition among all candidates, on a port that tells nothing.

use wardwatch_proto::v1::Protocol;

use crate::canary::{CanaryStream, Transport, streams};
use crate::test_flow::TestFlow;
use crate::{LINK, TCP, UDP};

const NAMES: [(&str, Protocol); 8] = [
    ("modbus", Protocol::Modbus),
    ("ethernet/ip", Protocol::EthernetIp),
    ("s7comm", Protocol::S7comm),
    ("dnp3", Protocol::Dnp3),
    ("opc ua", Protocol::OpcUa),
    ("ads", Protocol::Ads),
    ("dlms", Protocol::Dlms),
    ("hl7", Protocol::Hl7),
];

fn recognised(stream: &CanaryStream) -> Protocol {
    let mut flow = match stream.transport {
        Transport::Tcp => TestFlow::new(TCP),
        Transport::Udp => TestFlow::new(UDP),
        Transport::Link(carrier) => TestFlow::new(LINK).with_carrier(carrier),
    };
    for turn in &stream.turns {
        match stream.transport {
            Transport::Tcp => flow.bytes(turn.direction, &turn.bytes),
            Transport::Udp | Transport::Link(_) => flow = flow.datagram(turn.direction, &turn.bytes),
        }
    }
    flow.conversation.protocol()
}

#[test]
fn each_protocol_is_recognised_among_all_others_on_any_port() {
    let all: Vec<CanaryStream> = streams().collect();
    for (name, protocol) in NAMES {
        let mut count = 0;
        for stream in all.iter().filter(|stream| stream.name.starts_with(name)) {
            assert_eq!(recognised(stream), protocol, "{}", stream.name);
            count += 1;
        }
        assert!(count > 0, "{name}");
    }
}

#[test]
fn no_stream_of_another_protocol_is_taken_for_one_of_these() {
    let industrial = |protocol: Protocol| (30..50).contains(&(protocol as i32));
    let others = streams().filter(|stream| !NAMES.iter().any(|(name, _)| stream.name.starts_with(name)));
    let mut count = 0;
    for stream in others {
        assert!(!industrial(recognised(&stream)), "{}", stream.name);
        count += 1;
    }
    assert!(count > 0);
}

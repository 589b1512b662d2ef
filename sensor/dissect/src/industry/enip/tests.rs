//! Identities, listed and asked for. The answer to ListIdentity is one that was recorded, which Wireshark reads in the
//! same way; the rest is written by the standard.

use proptest::prelude::*;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::{TestFlow, address};

const TCP: &[Candidate] = &[OVER_TCP];
const UDP: &[Candidate] = &[OVER_UDP];

fn on_port(candidates: &'static [Candidate]) -> TestFlow {
    TestFlow::new(candidates).with_responder(address("192.0.2.2", 44_818))
}

const SESSION: u32 = 0x0211_0201;

fn packet(command: u16, session: u32, context: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = [command.to_le_bytes(), (data.len() as u16).to_le_bytes()].concat();
    bytes.extend(session.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend([context; 8]);
    bytes.extend([0; 4]);
    bytes.extend(data);
    bytes
}

/// Vendor 1, communications adapter, product 58, revision 4.3, status, serial number, name.
const OBJECT: &[u8] = b"\x01\x00\x0c\x00\x3a\x00\x04\x03\x30\x00\x8e\x4d\x52\x00\x0b1756-ENBT/A";

fn listed() -> Vec<u8> {
    let socket = [0, 2, 0xAF, 0x12, 10, 1, 1, 164, 0, 0, 0, 0, 0, 0, 0, 0];
    let item = [&[1, 0][..], &socket, OBJECT, &[3]].concat();
    packet(0x63, 0, 7, &[&[1, 0, 0x0C, 0, item.len() as u8, 0][..], &item].concat())
}

const SAID: [&str; 6] = [
    "cip_vendor_id 1",
    "cip_device_type 12",
    "cip_product_code 58",
    "firmware_version 4.3",
    "serial_number 00524D8E",
    "model 1756-ENBT/A",
];

/// An unconnected message in SendRRData.
fn unconnected(context: u8, message: &[u8]) -> Vec<u8> {
    let data =
        [&[0, 0, 0, 0, 10, 0, 2, 0, 0, 0, 0, 0, 0xB2, 0][..], &(message.len() as u16).to_le_bytes(), message];
    packet(0x6F, SESSION, context, &data.concat())
}

/// Get_Attributes_All of the Identity object, and its answer.
const ALL: &[u8] = &[1, 2, 0x20, 1, 0x24, 1];

fn answered(service: u8, data: &[u8]) -> Vec<u8> {
    [&[service | 0x80, 0, 0, 0][..], data].concat()
}

fn of_server(facts: &[&str]) -> Vec<String> {
    facts.iter().map(|fact| format!("sender 192.0.2.2 {fact}")).collect()
}

#[test]
fn a_device_tells_who_it_is_when_devices_are_listed() {
    for flow in [
        TestFlow::new(TCP).ask(&packet(0x63, 0, 7, &[])).answer(&listed()),
        on_port(UDP).datagram(FromInitiator, &packet(0x63, 0, 7, &[])).datagram(FromResponder, &listed()),
    ] {
        let said = flow.said();
        assert_eq!(said[0], "sender 192.0.2.1 role cip-client");
        assert_eq!(said[1], "sender 192.0.2.2 role cip-server");
        assert_eq!(said[2..], of_server(&SAID));
    }
}

#[test]
fn an_answer_alone_is_recognised_on_any_port_a_bare_question_is_not() {
    let question = TestFlow::new(UDP).datagram(FromInitiator, &packet(0x63, 0, 7, &[]));
    assert_eq!(question.conversation.protocol(), Protocol::Unspecified);
    let flow = TestFlow::new(UDP).datagram(FromResponder, &listed());
    assert_eq!(flow.conversation.protocol(), Protocol::EthernetIp);
}

#[test]
fn the_identity_object_tells_what_it_was_asked_for() {
    let flow = TestFlow::new(TCP)
        .ask(&packet(0x65, 0, 1, &[1, 0, 0, 0]))
        .answer(&packet(0x65, SESSION, 1, &[1, 0, 0, 0]))
        .ask(&unconnected(2, ALL))
        .answer(&unconnected(2, &answered(1, OBJECT)));
    assert_eq!(flow.said()[2..], of_server(&SAID));
    let single = TestFlow::new(TCP)
        .ask(&unconnected(3, &[0x0E, 3, 0x20, 1, 0x24, 1, 0x30, 7]))
        .answer(&unconnected(3, &answered(0x0E, &OBJECT[14..])));
    assert_eq!(single.said()[2..], of_server(&SAID[5..]));
    let some = [&[2, 0, 9, 0, 0x14, 0, 6, 0, 0, 0][..], &OBJECT[10..14]].concat();
    let list = TestFlow::new(TCP)
        .ask(&unconnected(3, &[3, 2, 0x20, 1, 0x24, 1, 2, 0, 9, 0, 6, 0]))
        .answer(&unconnected(3, &answered(3, &some)));
    assert_eq!(list.said()[2..], of_server(&SAID[4..5]));
}

#[test]
fn an_answer_to_another_question_is_no_identity() {
    // Class 0xAC, whose attributes are others; a failure; an answer whose question was not seen.
    for flow in [
        TestFlow::new(TCP)
            .ask(&unconnected(2, &[1, 2, 0x20, 0xAC, 0x24, 1]))
            .answer(&unconnected(2, &answered(1, OBJECT))),
        TestFlow::new(TCP).ask(&unconnected(2, ALL)).answer(&unconnected(2, &[0x81, 0, 8, 0])),
        TestFlow::new(TCP).ask(&unconnected(2, ALL)).answer(&unconnected(9, &answered(1, OBJECT))),
    ] {
        assert_eq!(flow.said(), ["sender 192.0.2.1 role cip-client", "sender 192.0.2.2 role cip-server"]);
    }
}

#[test]
fn a_module_behind_the_backplane_is_a_third_device() {
    // Through the Connection Manager, on port 1 to slot 3.
    let routed = [&[0x52, 2, 0x20, 6, 0x24, 1, 5, 0x99, 6, 0][..], ALL, &[1, 0, 1, 3]].concat();
    let flow = TestFlow::new(TCP).ask(&unconnected(2, &routed)).answer(&unconnected(2, &answered(1, OBJECT)));
    assert_eq!(flow.said()[2..], SAID.map(|fact| format!("third 192.0.2.2 cip=0103 {fact}")));
}

/// A connected message in SendUnitData.
fn connected(number: u32, sequence: u16, message: &[u8]) -> Vec<u8> {
    let data = [
        &[0, 0, 0, 0, 0, 0, 2, 0, 0xA1, 0, 4, 0][..],
        &number.to_le_bytes(),
        &[0xB1, 0],
        &(message.len() as u16 + 2).to_le_bytes(),
        &sequence.to_le_bytes(),
        message,
    ];
    packet(0x70, SESSION, 0, &data.concat())
}

/// Forward_Open on this way to the message router, of class 3, and its answer: connections 0x0A to the target and 0x0B
/// back.
fn opened(route: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let path = [route, &[0x20, 2, 0x24, 1]].concat();
    let ask = [
        &[0x54, 2, 0x20, 6, 0x24, 1, 10, 5, 0, 0, 0, 0, 0x0B, 0, 0, 0, 1, 0, 0x37, 0x13, 1, 2, 3, 4][..],
        &[1, 0, 0, 0, 0x80, 0x84, 0x1E, 0, 0xF4, 0x43, 0x80, 0x84, 0x1E, 0, 0xF4, 0x43, 0xA3],
        &[path.len() as u8 / 2],
        &path,
    ]
    .concat();
    let numbers = [&[0x0A, 0, 0, 0, 0x0B, 0, 0, 0, 1, 0, 0x37, 0x13, 1, 2, 3, 4][..], &[0; 10]].concat();
    (unconnected(5, &ask), unconnected(5, &answered(0x54, &numbers)))
}

#[test]
fn over_a_connection_the_device_is_the_one_that_it_was_opened_to() {
    for (route, of) in [
        (&[][..], "sender 192.0.2.2"),
        (&[1, 0], "third 192.0.2.2 cip=0100"),
        // An electronic key before the router.
        (&[1, 2, 0x34, 4, 1, 0, 12, 0, 58, 0, 0x84, 3], "third 192.0.2.2 cip=0102"),
    ] {
        let (open, opened) = opened(route);
        let flow = TestFlow::new(TCP)
            .ask(&open)
            .answer(&opened)
            .ask(&connected(0x0A, 1, ALL))
            .answer(&connected(0x0B, 1, &answered(1, OBJECT)));
        assert_eq!(flow.said()[2..], SAID.map(|fact| format!("{of} {fact}")));
    }
    // One whose opening was not seen leads anywhere; an answer to another question, or of another connection.
    let (open, opened) = opened(&[]);
    let begun = || TestFlow::new(TCP).ask(&open).answer(&opened);
    let answer = |number, sequence| connected(number, sequence, &answered(1, OBJECT));
    for flow in [
        TestFlow::new(TCP).ask(&connected(0x0A, 1, ALL)).answer(&answer(0x0B, 1)),
        begun().ask(&connected(0x0A, 1, ALL)).answer(&answer(0x0B, 2)),
        begun().ask(&connected(0x0A, 1, ALL)).answer(&answer(0x0C, 1)),
        begun().ask(&connected(0x0A, 1, &[1, 2, 0x20, 0xAC, 0x24, 1])).answer(&answer(0x0B, 1)),
    ] {
        assert_eq!(flow.values(Attribute::Model), [""; 0]);
    }
}

/// As a controller sends its outputs: sequenced address, connected data.
fn io() -> Vec<u8> {
    let data = [1, 0, 9, 9];
    [&[2, 0, 2, 0x80, 8, 0, 0x0C, 0x18, 0x4B, 0, 1, 0, 0, 0, 0xB1, 0, data.len() as u8, 0][..], &data]
        .concat()
}

#[test]
fn a_controller_of_the_older_kind_tells_its_bulletin_number_in_its_status() {
    let requester = [7, 0x4D, 0, 0xD3, 0x23, 0xAA, 7];
    let ask = [&[0x4B, 2, 0x20, 0x67, 0x24, 1][..], &requester, &[6, 0, 0xD7, 0xB1, 3]].concat();
    let status =
        [&[0x46, 0, 0xD7, 0xB1, 0, 0xEE, 0x4A, 0x9C, 0x23][..], b"1763-LEC   ", &[0, 0, 0x26]].concat();
    let answer = [&[0xCB, 0, 0, 0][..], &requester, &status].concat();
    let flow = TestFlow::new(TCP).ask(&unconnected(2, &ask)).answer(&unconnected(2, &answer));
    assert_eq!(flow.values(Attribute::Model), ["1763-LEC"]);
    let echo = [&ask[..17], &[0]].concat();
    let flow = TestFlow::new(TCP).ask(&unconnected(2, &echo)).answer(&unconnected(2, &answer));
    assert_eq!(flow.values(Attribute::Model), [""; 0]);
}

#[test]
fn connected_messages_are_recognised_and_say_nothing() {
    let flow = TestFlow::new(UDP).datagram(FromInitiator, &io());
    assert_eq!((flow.conversation.protocol(), flow.said().len()), (Protocol::EthernetIp, 0));
    let connected =
        [&[0, 0, 0, 0, 0, 0, 2, 0, 0xA1, 0, 4, 0, 1, 2, 3, 4, 0xB1, 0, 3, 0][..], &[1, 0, 0xCC]].concat();
    let flow = TestFlow::new(TCP).answer(&packet(0x70, SESSION, 0, &connected));
    assert_eq!((flow.conversation.protocol(), flow.said().len()), (Protocol::EthernetIp, 0));
}

#[test]
fn bytes_of_others_are_not_for_us() {
    for bytes in [
        &[0_u8; 56][..],
        &[4, 0, 0, 0, 0, 0x30, 0, 0, 0, 0x2C, 1, 3, 0, 0, 0, 0, 4, 0, 0, 0, 0x38, 0, 0, 0],
        b"e is the letter that this begins with",
        &[2, 0, 2, 0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xB1, 0, 9, 0, 1],
    ] {
        for (candidates, is_stream) in [(TCP, true), (UDP, false)] {
            let flow = TestFlow::new(candidates);
            let flow = if is_stream { flow.ask(bytes) } else { flow.datagram(FromInitiator, bytes) };
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
        }
    }
}

#[test]
fn a_connection_goes_on_behind_a_hole() {
    let mut flow = on_port(TCP).ask(&packet(0x63, 0, 7, &[])).answer(&listed());
    flow.conversation.gap(FromResponder, 500, &mut flow.statements);
    let flow = flow.answer(&[0xEE; 40]).answer(&listed());
    assert_eq!(flow.said().len(), 2 + 2 * SAID.len());
}

#[test]
fn where_packets_are_cut_makes_no_difference() {
    let ask = [unconnected(2, ALL), packet(0x63, 0, 7, &[])].concat();
    let answer = [unconnected(2, &answered(1, OBJECT)), listed()].concat();
    let whole = TestFlow::new(TCP).ask(&ask).answer(&answer).said();
    assert_eq!(whole.len(), 2 + 2 * SAID.len());
    for size in 1..ask.len() {
        let mut flow = TestFlow::new(TCP);
        ask.chunks(size).for_each(|bytes| flow.bytes(FromInitiator, bytes));
        answer.chunks(size).for_each(|bytes| flow.bytes(FromResponder, bytes));
        assert_eq!(flow.said(), whole, "{size}");
    }
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_grows(
        turns in prop::collection::vec(
            (any::<bool>(), prop::sample::select(vec![0x63_u16, 0x65, 0x6F, 0x70, 4]), any::<u8>(),
             prop::sample::select(vec![
                 vec![], unconnected(1, ALL)[24..].to_vec(), unconnected(1, &answered(1, OBJECT))[24..].to_vec(),
                 vec![0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0xB2, 0], vec![1, 0, 0x0C, 0, 60, 0],
             ]),
             prop::collection::vec(any::<u8>(), 0..70)),
            0..40),
    ) {
        let mut flow = TestFlow::new(TCP).ask(&packet(0x65, 0, 1, &[1, 0, 0, 0]));
        for (is_answer, command, context, data, noise) in turns {
            let bytes = packet(command, SESSION, context, &[data, noise].concat());
            flow = if is_answer { flow.answer(&bytes) } else { flow.ask(&bytes) };
        }
        prop_assert!(flow.statements.observations.len() < 40 * 8);
    }

    #[test]
    fn random_datagrams_are_not_for_us(bytes in any::<Vec<u8>>()) {
        let flow = TestFlow::new(UDP).datagram(FromInitiator, &bytes);
        prop_assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
    }
}

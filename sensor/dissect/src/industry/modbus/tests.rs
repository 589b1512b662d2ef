//! Who asks, who answers, for which unit. Messages are written by the specification; the UMAS identity is that of a
//! recorded session, which Wireshark reads in the same way.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::test_flow::{TestFlow, address};

const CANDIDATES: &[Candidate] = &[CANDIDATE];

fn flow() -> TestFlow {
    TestFlow::new(CANDIDATES)
}

fn on_port() -> TestFlow {
    flow().with_responder(address("192.0.2.2", 502))
}

fn message(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    [&transaction.to_be_bytes()[..], &[0, 0], &(pdu.len() as u16 + 1).to_be_bytes(), &[unit], pdu].concat()
}

/// Read two holding registers, and the answer (specification, 6.3).
const READ: &[u8] = &[3, 0, 0x6B, 0, 2];
const REGISTERS: &[u8] = &[3, 4, 0x02, 0x2B, 0, 0x64];

fn identification() -> Vec<u8> {
    let object = |number: u8, text: &str| [&[number, text.len() as u8][..], text.as_bytes()].concat();
    let objects = [object(0, "Acme Controls"), object(1, "AC-900"), object(2, "V2.11"), object(4, "Meter")];
    [&[0x2B, 0x0E, 1, 1, 0, 0, 4][..], &objects.concat()].concat()
}

const IDENTITY: [&str; 4] =
    ["manufacturer Acme Controls", "model AC-900", "firmware_version V2.11", "description Meter"];

#[test]
fn an_exchange_on_the_port_names_client_and_server() {
    let flow = on_port().ask(&message(1, 255, READ)).answer(&message(1, 255, REGISTERS));
    assert_eq!(flow.said(), ["sender 192.0.2.1 role modbus-client", "sender 192.0.2.2 role modbus-server"]);
    assert_eq!(flow.conversation.protocol(), Protocol::Modbus);
}

#[test]
fn on_another_port_it_takes_two_messages() {
    let once = flow().ask(&message(1, 0, READ));
    assert_eq!(once.conversation.protocol(), Protocol::Unspecified);
    let twice = once.answer(&message(1, 0, REGISTERS)).ask(&message(2, 0, READ));
    assert_eq!(twice.said(), ["sender 192.0.2.2 role modbus-server", "sender 192.0.2.1 role modbus-client"]);
}

#[test]
fn a_device_tells_its_maker_model_and_version() {
    let flow = flow().ask(&message(7, 255, &[0x2B, 0x0E, 1, 0])).answer(&message(7, 255, &identification()));
    let said = flow.said();
    assert_eq!(said[2..], IDENTITY.map(|told| format!("sender 192.0.2.2 {told}")));
}

#[test]
fn a_model_has_a_code_and_a_name_and_the_name_may_come_in_a_later_answer() {
    // Read device id code 2 (specification, 6.21): basic objects, of which more follow from object 5; then the rest.
    let first = [&[0x2B, 0x0E, 2, 2, 0xFF, 5, 1][..], &[1, 6], b"AC-900"].concat();
    let rest = [&[0x2B, 0x0E, 2, 2, 0, 0, 2][..], &[5, 13], b"Acme Meter 90", &[6, 3], b"OR2"].concat();
    let flow = flow()
        .ask(&message(7, 255, &[0x2B, 0x0E, 2, 0]))
        .answer(&message(7, 255, &first))
        .ask(&message(8, 255, &[0x2B, 0x0E, 2, 5]))
        .answer(&message(8, 255, &rest));
    assert_eq!(flow.values(Attribute::Model), ["AC-900", "Acme Meter 90"]);
    assert_eq!(flow.said().len(), 4);
    let same = [&[0x2B, 0x0E, 2, 2, 0, 0, 2][..], &[1, 6], b"AC-900", &[5, 6], b"AC-900"].concat();
    let same = on_port().answer(&message(7, 255, &same));
    assert_eq!(same.values(Attribute::Model), ["AC-900"]);
}

#[test]
fn a_unit_behind_a_gateway_is_a_third_device() {
    let flow = on_port()
        .ask(&message(7, 17, &[0x2B, 0x0E, 1, 0]))
        .answer(&message(7, 17, &identification()))
        .answer(&message(8, 18, REGISTERS))
        .answer(&message(9, 19, &[0x83, 0x0B]));
    let mut expected = vec![
        "sender 192.0.2.1 role modbus-client".to_owned(),
        "sender 192.0.2.2 role modbus-server".to_owned(),
        "third 192.0.2.2 modbus=17 role modbus-server".to_owned(),
    ];
    expected.extend(IDENTITY.map(|told| format!("third 192.0.2.2 modbus=17 {told}")));
    expected.push("sender 192.0.2.2 role modbus-gateway".to_owned());
    expected.push("third 192.0.2.2 modbus=18 role modbus-server".to_owned());
    assert_eq!(flow.said(), expected);
}

#[test]
fn whoever_writes_is_told_once() {
    let write = message(3, 0, &[6, 0, 1, 0, 3]);
    let flow = on_port().ask(&write).answer(&write).ask(&write).answer(&write);
    assert_eq!(flow.values(Attribute::Role), ["modbus-client", "modbus-writer", "modbus-server"]);
    for pdu in [&[5, 0, 0xAC, 0xFF, 0][..], &[15, 0, 19, 0, 10, 2, 0xCD, 1], &[16, 0, 1, 0, 1, 2, 0, 10]] {
        assert_eq!(on_port().ask(&message(1, 0, pdu)).values(Attribute::Role).len(), 2, "{pdu:?}");
    }
}

#[test]
fn a_server_id_with_a_text_describes_the_device() {
    let text = [&[0x11, 15, 0x02, 0xFF][..], b"Acme PM 3.1", &[0, 1]].concat();
    assert_eq!(on_port().answer(&message(1, 0, &text)).values(Attribute::Description), ["Acme PM 3.1"]);
    let bare = on_port().answer(&message(1, 0, &[0x11, 2, 0x02, 0xFF]));
    assert_eq!(bare.values(Attribute::Description), [""; 0]);
}

/// As a Modicon Quantum answered.
const UMAS_IDENTITY: &[u8] =
    b"\x5a\x00\xfe\x10\xff\x5a\x01\x01\x00\x00\x00\x70\x02\x00\x00\x27\x00\x09\x00\x08\x00\x00\x00\
    \x00\x00\x0e140 CPU 311 10\x01\x01\x01\x00\x00\x00\x00\x11\x00";

#[test]
fn umas_tells_the_controller_only_where_its_identity_was_asked_for() {
    let asked = on_port().ask(&message(0, 0, &[0x5A, 0, 2])).answer(&message(0, 0, UMAS_IDENTITY));
    assert_eq!(asked.values(Attribute::Model), ["140 CPU 311 10"]);
    assert_eq!(asked.values(Attribute::FirmwareVersion), ["2.70"]);
    assert_eq!(
        asked.values(Attribute::Role),
        ["modbus-client", "umas-client", "modbus-server", "umas-server"]
    );
    let unasked = on_port().ask(&message(0, 0, &[0x5A, 0, 4])).answer(&message(0, 0, UMAS_IDENTITY));
    assert_eq!(unasked.values(Attribute::Model), [""; 0]);
    let stop = on_port().ask(&message(0, 0, &[0x5A, 0, 0x41, 0xFF, 0]));
    assert_eq!(stop.values(Attribute::Role), ["modbus-client", "umas-client", "plc-programmer"]);
}

#[test]
fn what_else_comes_to_the_port_is_not_modbus() {
    for bytes in [
        // DCE/RPC bind, Sun RPC, TLS, a connection request of X.224, text, zeros.
        &[5, 0, 0x0B, 3, 0x10, 0, 0, 0, 0x48, 0, 0, 0][..],
        &[0x80, 0, 0, 0x28, 0x7E, 0x86, 0xAB, 0x4A, 0, 0, 0, 0],
        &[0x16, 3, 1, 0, 0x85, 1, 0, 0, 0x81, 3, 3, 0x73],
        &[3, 0, 0, 0x2B, 0x26, 0xE0, 0, 0, 0, 0, 0, b'C'],
        b"GET / HTTP/1.1\r\n",
        &[0; 56],
        // A DICOM association request, whose length looks like Modbus's.
        &[1, 0, 0, 0, 0, 6, 0, 1, 0, 0, 0, 0],
        // A function that nobody has, and a quantity out of range.
        &[0, 1, 0, 0, 0, 3, 1, 0x64, 0],
        &[0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 200],
    ] {
        let flow = on_port().ask(bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

#[test]
fn a_connection_is_joined_in_the_middle_and_goes_on_behind_a_hole() {
    let mut flow = flow().answer(&message(9, 0, REGISTERS)).answer(&message(10, 0, REGISTERS));
    assert_eq!(flow.said(), ["sender 192.0.2.2 role modbus-server"]);
    flow.conversation.gap(Direction::FromResponder, 100, &mut flow.statements);
    let flow = flow.answer(&[0xFF; 9]).answer(&message(11, 0, &identification()));
    assert_eq!(flow.values(Attribute::Model), ["AC-900"]);
}

#[test]
fn where_messages_are_cut_makes_no_difference() {
    let ask = [message(7, 17, &[0x2B, 0x0E, 1, 0]), message(8, 0, READ)].concat();
    let answer = [message(7, 17, &identification()), message(8, 0, REGISTERS)].concat();
    let whole = on_port().ask(&ask).answer(&answer).said();
    for size in 1..answer.len() {
        let mut flow = on_port();
        ask.chunks(size).for_each(|bytes| flow.bytes(Direction::FromInitiator, bytes));
        answer.chunks(size).for_each(|bytes| flow.bytes(Direction::FromResponder, bytes));
        assert_eq!(flow.said(), whole, "{size}");
    }
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_grows(
        turns in prop::collection::vec(
            (any::<bool>(), any::<u16>(), any::<u8>(),
             prop::sample::select(vec![1_u8, 3, 5, 16, 17, 0x2B, 0x5A, 0x83]),
             prop::collection::vec(any::<u8>(), 0..80)),
            0..40),
    ) {
        let mut flow = on_port().ask(&message(1, 0, READ));
        for (is_answer, transaction, unit, function, noise) in turns {
            let bytes = message(transaction, unit, &[&[function][..], &noise].concat());
            flow = if is_answer { flow.answer(&bytes) } else { flow.ask(&bytes) };
        }
        prop_assert!(flow.conversation.held_bytes() < 4096);
        prop_assert!(flow.statements.observations.len() < 2000);
    }

    #[test]
    fn random_bytes_are_not_modbus(bytes in prop::collection::vec(1_u8.., 4..64)) {
        prop_assert_eq!(on_port().ask(&bytes).conversation.protocol(), Protocol::Unspecified);
    }
}

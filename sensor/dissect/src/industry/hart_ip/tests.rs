//! A gateway's own identity as it was recorded, which Wireshark reads in the same way, and devices behind it as the
//! specification has them.

use proptest::prelude::*;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::TestFlow;

const TCP: &[Candidate] = &[OVER_TCP];
const UDP: &[Candidate] = &[OVER_UDP];

fn message(kind: u8, id: u8, body: &[u8]) -> Vec<u8> {
    [&[1, kind, id, 0, 0, 3][..], &(body.len() as u16 + 8).to_be_bytes(), body].concat()
}

/// With the check behind it.
fn pdu(start: &[u8], command: u8, data: &[u8]) -> Vec<u8> {
    let frame = [start, &[command, data.len() as u8], data].concat();
    let check = frame.iter().fold(0, |sum, octet| sum ^ octet);
    [frame, vec![check]].concat()
}

const OWN: &[u8] = &[0x86, 0x26, 0x4E, 0, 0, 0xD2];
const OTHER: &[u8] = &[0x86, 0x26, 0x06, 1, 2, 3];

fn initiate(kind: u8) -> Vec<u8> {
    message(kind, 0, &[1, 0, 0, 0x75, 0x30])
}

/// Response code, status, and the identity of a wireless gateway.
const IDENTITY: &[u8] = &[
    0, 0xD0, 0xFE, 0x26, 0x4E, 5, 7, 4, 1, 0x0E, 0x0C, 0, 0, 0xD2, 5, 2, 0, 2, 0xD0, 0, 0x26, 0, 0x26, 0x84,
];

const SAID: [&str; 6] = [
    "role hart-device",
    "hart_manufacturer_id 38",
    "hart_device_type 9806",
    "serial_number 210",
    "hardware_version 1",
    "firmware_version 1",
];

/// The same as a transmitter would say it: no bridge.
fn transmitter() -> Vec<u8> {
    let mut identity = IDENTITY.to_vec();
    identity[10] = 0;
    identity[4] = 6;
    identity[11..14].copy_from_slice(&[1, 2, 3]);
    identity
}

fn tagged(text: &str) -> Vec<u8> {
    let mut data = vec![0, 0];
    data.extend(text.as_bytes());
    data.resize(34, 0);
    data
}

#[test]
fn a_gateway_tells_who_it_is() {
    for (flow, is_udp) in [(TestFlow::new(TCP), false), (TestFlow::new(UDP), true)] {
        let turns = [
            (FromInitiator, initiate(0)),
            (FromResponder, initiate(1)),
            (FromInitiator, message(0, 3, &pdu(&[2, 0], 0, &[]))),
            (FromResponder, message(1, 3, &pdu(&[6, 0], 0, IDENTITY))),
            (FromResponder, message(1, 3, &pdu(OWN, 20, &tagged("wihartgw")))),
        ];
        let flow = turns.into_iter().fold(flow, |flow, (direction, bytes)| match (is_udp, direction) {
            (true, _) => flow.datagram(direction, &bytes),
            (false, FromInitiator) => flow.ask(&bytes),
            (false, FromResponder) => flow.answer(&bytes),
        });
        let said = flow.said();
        assert_eq!(
            said[..2],
            ["sender 192.0.2.1 role hart-ip-client", "sender 192.0.2.2 role hart-ip-server"]
        );
        assert_eq!(said[2..8], SAID.map(|fact| format!("sender 192.0.2.2 {fact}")));
        assert_eq!(said[8..], ["sender 192.0.2.2 role hart-device", "sender 192.0.2.2 device_tag wihartgw"]);
    }
}

#[test]
fn a_bridge_is_the_server_however_it_is_addressed() {
    let flow = TestFlow::new(UDP).datagram(FromInitiator, &message(1, 3, &pdu(OWN, 0, IDENTITY)));
    assert_eq!(flow.said()[1], "sender 192.0.2.1 role hart-device");
}

#[test]
fn a_device_behind_the_server_is_a_third_device() {
    let flow = TestFlow::new(TCP).answer(&message(1, 3, &pdu(OTHER, 0, &transmitter()))).answer(&message(
        1,
        3,
        &pdu(OTHER, 16, &[0, 0, 0, 0x12, 0x34]),
    ));
    let said = flow.said();
    assert_eq!(said[1], "third 192.0.2.2 hart=2606010203 role hart-device");
    assert_eq!(said[4], "third 192.0.2.2 hart=2606010203 serial_number 66051");
    assert_eq!(said[8], "third 192.0.2.2 hart=2606010203 equipment_id 4660");
    let mut listed = vec![0, 0, 0, 1, 0, 0, 0, 0x26, 0x26, 0x06, 1, 2, 3, 7];
    listed.extend(&tagged("LT-204")[2..]);
    let flow = TestFlow::new(TCP).answer(&message(1, 3, &pdu(OWN, 84, &listed)));
    assert_eq!(
        flow.said()[4..],
        [
            "third 192.0.2.2 hart=2606010203 serial_number 66051",
            "third 192.0.2.2 hart=2606010203 device_tag LT-204",
        ]
    );
}

#[test]
fn an_unset_tag_and_a_failed_command_say_nothing() {
    let unset = [&[0, 0][..], &[0; 21]].concat();
    let failed = [&[6, 0][..], &IDENTITY[2..]].concat();
    let flow = TestFlow::new(TCP).answer(&message(1, 3, &pdu(OWN, 13, &unset))).answer(&message(
        1,
        3,
        &pdu(&[6, 0], 0, &failed),
    ));
    assert_eq!(flow.said(), ["sender 192.0.2.2 role hart-ip-server"]);
}

#[test]
fn bytes_of_others_are_not_for_us() {
    let mut wrong_check = message(1, 3, &pdu(OWN, 0, IDENTITY));
    *wrong_check.last_mut().expect("it has octets") ^= 1;
    // A DICOM association request, and a session of a day and more.
    let dicom = [&[1, 0, 0, 0, 0, 0xCD, 0, 1, 0, 0][..], &[b' '; 200]].concat();
    let endless = message(0, 0, &[1, 0xFF, 0, 0, 0]);
    for bytes in [wrong_check, dicom, endless, vec![0; 56], message(0, 2, &[1])] {
        assert_eq!(
            TestFlow::new(TCP).ask(&bytes).conversation.protocol(),
            Protocol::Unspecified,
            "{bytes:?}"
        );
        let flow = TestFlow::new(UDP).datagram(FromInitiator, &bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
    let alive = TestFlow::new(TCP).ask(&message(0, 2, &[]));
    assert_eq!(alive.conversation.protocol(), Protocol::Unspecified);
}

#[test]
fn where_messages_are_cut_and_lost_makes_no_difference() {
    let stream = [initiate(1), message(1, 3, &pdu(&[6, 0], 0, IDENTITY)), message(1, 2, &[])].concat();
    let whole = TestFlow::new(TCP).answer(&stream).said();
    assert_eq!(whole.len(), 7);
    for size in 1..stream.len() {
        let mut flow = TestFlow::new(TCP);
        stream.chunks(size).for_each(|bytes| flow.bytes(FromResponder, bytes));
        assert_eq!(flow.said(), whole, "{size}");
    }
    let mut flow = TestFlow::new(TCP).answer(&initiate(1));
    flow.conversation.gap(FromResponder, 9, &mut flow.statements);
    assert_eq!(flow.answer(&[9; 9]).answer(&stream).said().len(), 7);
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_grows(
        messages in prop::collection::vec(
            (0_u8..4, 0_u8..5, prop::sample::select(vec![OWN, OTHER, &[6, 0], &[2, 0], &[0xFF, 0xFF, 0xE6]]),
             prop::sample::select(vec![0_u8, 11, 13, 16, 20, 84]), prop::collection::vec(any::<u8>(), 0..60)),
            0..40),
    ) {
        let mut flow = TestFlow::new(TCP).answer(&initiate(1));
        for (kind, id, start, command, data) in messages {
            flow = flow.answer(&message(kind, id, &pdu(start, command, &data)));
        }
        prop_assert!(flow.conversation.held_bytes() < 4096);
        prop_assert!(flow.statements.observations.len() < 40 * 8);
    }

    #[test]
    fn random_datagrams_are_not_for_us(bytes in any::<Vec<u8>>()) {
        let flow = TestFlow::new(UDP).datagram(FromInitiator, &bytes);
        prop_assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
    }
}

//! Calls are written by the standard; the numbers are those of a recorded connection, which Wireshark reads so.

use proptest::prelude::*;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::TestFlow;

const CANDIDATES: &[Candidate] = &[CANDIDATE];

fn flow() -> TestFlow {
    TestFlow::new(CANDIDATES)
}

fn numbers(is_little: bool, words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| if is_little { word.to_le_bytes() } else { word.to_be_bytes() }).collect()
}

/// A call of the device interface of device 3 of vendor 346, with one block.
fn call(kind: u8, is_little: bool, operation: u16, block: &[u8]) -> Vec<u8> {
    let family = if is_little { FAMILY_LITTLE } else { FAMILY_BIG };
    let half = |number: u16| if is_little { number.to_le_bytes() } else { number.to_be_bytes() };
    let length = block.len() as u32;
    let arguments = numbers(is_little, &[0, length, 4096, 0, length]);
    [
        &[4, kind, 0x20, 0, if is_little { 0x10 } else { 0 }, 0, 0, 0][..],
        &numbers(is_little, &[OBJECT]),
        &family,
        &[0, 1, 0, 3, 0x01, 0x5A],
        &numbers(is_little, &[DEVICE]),
        &family,
        &[0, 0xA0, 0x24, 0x42, 0xDF, 0x7D],
        &[7; 16],
        &numbers(is_little, &[0, 1, 0]),
        &half(operation),
        &[0xFF; 4],
        &half(block.len() as u16 + 20),
        &[0; 4],
        &arguments,
        block,
    ]
    .concat()
}

fn connect() -> Vec<u8> {
    let name = b"pc-worx-rt-basic-6d-d3-43";
    let object = [&OBJECT.to_be_bytes()[..], &FAMILY_BIG, &[0, 1, 0, 4, 0, 0xB0]].concat();
    [&[1, 1, 0, 0x4F, 1, 0][..], &[9; 26], &object, &[9; 8], &(name.len() as u16).to_be_bytes(), name]
        .concat()
}

/// I&M0 of the subslot 1 of this slot.
fn maintenance(slot: u8) -> Vec<u8> {
    let header = [
        &[0x80, 9, 0, 0x3C, 1, 0, 0, 1][..],
        &[9; 16],
        &[0; 4],
        &[0, slot, 0, 1, 0, 0, 0xAF, 0xF0],
        &[0; 28],
    ];
    let record = [
        &[0, 0x20, 0, 0x38, 1, 0, 1, 0x5A][..],
        b"IC200PNS001-CD      ",
        b"SN-0042         ",
        &[0, 5, b'V', 2, 1, 0, 0, 1],
        &[0; 8],
    ];
    [header.concat(), record.concat()].concat()
}

#[test]
fn a_connection_names_controller_and_device() {
    for is_little in [false, true] {
        let flow = flow()
            .datagram(FromInitiator, &call(REQUEST, is_little, CONNECT, &connect()))
            .datagram(FromResponder, &call(RESPONSE, is_little, CONNECT, &[0x81, 1, 0, 0x1E, 1, 0]));
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role profinet-io-controller",
                "sender 192.0.2.1 device_tag pc-worx-rt-basic-6d-d3-43",
                "sender 192.0.2.1 profinet_vendor_id 176",
                "sender 192.0.2.1 profinet_device_id 4",
                "sender 192.0.2.2 role profinet-io-device",
                "sender 192.0.2.2 profinet_vendor_id 346",
                "sender 192.0.2.2 profinet_device_id 3",
            ]
        );
    }
}

#[test]
fn maintenance_data_are_those_of_the_device_or_of_a_module() {
    let said = [
        "profinet_vendor_id 346",
        "order_number IC200PNS001-CD",
        "serial_number SN-0042",
        "hardware_version 5",
        "firmware_version V2.1.0",
    ];
    let of = |slot| flow().datagram(FromResponder, &call(RESPONSE, true, 2, &maintenance(slot))).said();
    assert_eq!(of(0)[3..], said.map(|fact| format!("sender 192.0.2.2 {fact}")));
    assert_eq!(of(2)[3..], said.map(|fact| format!("third 192.0.2.2 profinet=2.1 {fact}")));
}

#[test]
fn other_calls_are_not_for_us() {
    let mut other_interface = call(REQUEST, true, 0, &connect());
    other_interface[24] = 9;
    let mut other_object = call(REQUEST, false, 0, &connect());
    other_object[12] = 0;
    let mut cut = call(REQUEST, false, 0, &connect());
    cut.truncate(100);
    let mut ping = call(REQUEST, false, 0, &connect());
    ping[1] = 1;
    for bytes in [other_interface, other_object, cut, ping, vec![4; 200]] {
        let flow = flow().datagram(FromInitiator, &bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300), is_little in any::<bool>(), operation in 0_u16..6, cut in 0_usize..130,
    ) {
        prop_assert!(flow().datagram(FromInitiator, &bytes).said().is_empty());
        for begin in [connect(), maintenance(1)] {
            let block = [&begin[..cut.min(begin.len())], &bytes].concat();
            let flow = flow()
                .datagram(FromInitiator, &call(REQUEST, is_little, operation, &block))
                .datagram(FromResponder, &call(RESPONSE, is_little, operation, &block));
            prop_assert!(flow.said().len() <= 12);
        }
    }
}

//! Associations and attributes, as the standard lays them out.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::TCP;
use crate::medical::mds::encode;
use crate::test_flow::TestFlow;

fn with_length(head: &[u8], body: &[u8]) -> Vec<u8> {
    [head, &(body.len() as u16).to_be_bytes(), body].concat()
}

fn octets(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn association() -> Vec<u8> {
    octets(
        "e2000032 80000000 0001002a 5079 0026 80000000 8000 80000000 00000000 00800000 0008 0011223344556677 0190 0001 0100 00000000",
    )
}

fn acceptance() -> Vec<u8> {
    octets(
        "e300002c 0000 5079 0026 80000000 8000 80000000 00000000 80000000 0008 8899aabbccddeeff 0000 0000 0000 00000000",
    )
}

/// The answer to a get of every attribute of the system.
fn attributes() -> Vec<u8> {
    let production = encode::production(&[
        (1, 0, b"SN0042\0\0"),
        (2, 0, b"PN-7"),
        (3, 0, b"1.0\0"),
        (4, 0, b"2.1\0"),
        (5, 0, b"3.2\0"),
        (6, 0, b"9.9\0"),
    ]);
    let model = [encode::string(b"Acme"), encode::string(b"Oxi 7\0")].concat();
    let list = encode::attributes(&[
        encode::attribute(0x0A5A, &octets("00010004 10040001")),
        encode::attribute(0x0928, &model),
        encode::attribute(0x0984, &octets("0008 0011223344556677")),
        encode::attribute(0x092D, &production),
        encode::attribute(0x0A44, &octets("0190")),
        encode::attribute(0x0A45, b"DOE7"),
    ]);
    let result = with_length(&octets("0001 0203"), &[&[0, 0][..], &list].concat());
    with_length(&octets("e700"), &with_length(&[], &result))
}

#[test]
fn an_agent_associates_and_tells_its_attributes() {
    let flow = TestFlow::new(TCP).ask(&association()).answer(&acceptance()).ask(&attributes());
    assert_eq!(flow.conversation.protocol(), Protocol::Ieee20601);
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role ieee20601-agent",
            "sender 192.0.2.1 eui64 00:11:22:33:44:55:66:77",
            "sender 192.0.2.1 configuration_id 400",
            "sender 192.0.2.2 role ieee20601-manager",
            "sender 192.0.2.2 eui64 88:99:aa:bb:cc:dd:ee:ff",
            "sender 192.0.2.1 device_type_code 528388",
            "sender 192.0.2.1 manufacturer Acme",
            "sender 192.0.2.1 model Oxi 7",
            "sender 192.0.2.1 eui64 00:11:22:33:44:55:66:77",
            "sender 192.0.2.1 serial_number SN0042",
            "sender 192.0.2.1 part_number PN-7",
            "sender 192.0.2.1 hardware_version 1.0",
            "sender 192.0.2.1 software_version 2.1",
            "sender 192.0.2.1 firmware_version 3.2",
            "sender 192.0.2.1 configuration_id 400",
        ]
    );
}

#[test]
fn where_the_bytes_are_cut_makes_no_difference() {
    let bytes = [association(), attributes()].concat();
    let whole = TestFlow::new(TCP).ask(&bytes).said();
    assert_eq!(whole.len(), 13);
    for size in 1..30 {
        let cut = bytes.chunks(size).fold(TestFlow::new(TCP), TestFlow::ask);
        assert_eq!(cut.said(), whole, "{size}");
    }
}

#[test]
fn data_in_the_middle_prove_themselves_and_a_hole_is_passed() {
    let mut flow = TestFlow::new(TCP).ask(&attributes());
    assert_eq!(flow.values(Attribute::SerialNumber), ["SN0042"]);
    assert_eq!(
        flow.conversation.gap(Direction::FromInitiator, 9, &mut flow.statements),
        crate::Interest::Keep
    );
    flow = flow.ask(&[&[0xE7, 0, 0, 9, 1][..], &attributes()].concat());
    assert_eq!(flow.values(Attribute::SerialNumber), ["SN0042", "SN0042"]);
}

#[test]
fn events_and_lengths_that_disagree_are_not_read() {
    let mut event = attributes();
    event[8..10].copy_from_slice(&[1, 1]);
    assert!(TestFlow::new(TCP).ask(&event).said().is_empty());
    for at in [3, 5, 11] {
        let mut other = attributes();
        other[at] ^= 1;
        let flow = TestFlow::new(&[CANDIDATE]).ask(&other);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{at}");
    }
    let mut foreign = association();
    foreign[12] = 0xFF;
    assert_eq!(TestFlow::new(&[CANDIDATE]).ask(&foreign).conversation.protocol(), Protocol::Unspecified);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), at in 0_usize..200, byte in any::<u8>()) {
        TestFlow::new(&[CANDIDATE]).ask(&bytes);
        TestFlow::new(&[CANDIDATE]).ask(&[association(), bytes].concat());
        let mut both = [association(), attributes()].concat();
        if let Some(place) = both.get_mut(at) {
            *place = byte;
        }
        let flow = TestFlow::new(&[CANDIDATE]).ask(&both);
        prop_assert!(!flow.said().iter().any(|line| line.contains("DOE")));
    }
}

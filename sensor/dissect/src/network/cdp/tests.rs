//! Messages as Cisco documents them; the first is that of a switch with IOS 12.2.

use super::*;
use crate::Address;
use crate::Direction::FromInitiator;
use crate::test_flow::TestFlow;
use proptest::prelude::*;

const SENDER: [u8; 6] = [0x00, 0x18, 0xba, 0x98, 0x68, 0x8f];

fn tlv(kind: u16, value: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &(value.len() as u16 + 4).to_be_bytes(), value].concat()
}

fn message(tlvs: &[Vec<u8>]) -> Vec<u8> {
    [&[2, 180, 0, 0][..], &tlvs.concat()].concat()
}

fn flow() -> TestFlow {
    let sender = Address { mac: Some(SENDER), ..Address::default() };
    TestFlow::new(&[CANDIDATE]).with_initiator(sender).with_responder(Address::default()).with_carrier(SNAP)
}

fn said(tlvs: &[Vec<u8>]) -> Vec<String> {
    let flow = flow().datagram(FromInitiator, &message(tlvs));
    assert_eq!(flow.conversation.protocol(), Protocol::Cdp);
    flow.said().iter().map(|line| line.trim_start_matches("sender 00:18:ba:98:68:8f ").to_owned()).collect()
}

#[test]
fn a_switch_tells_its_name_its_system_its_port_and_its_address() {
    let tlvs = [
        tlv(0x01, b"S1"),
        tlv(0x05, b"Cisco IOS Software, C3560 Software (C3560-M), Version 12.2(44)SE, RELEASE SOFTWARE (fc1)\nCopyright (c) 1986-2008 by Cisco Systems, Inc.\nCompiled Sat 05-Jan-08 00:15 by weiliu"),
        tlv(0x06, b"cisco WS-C3560-24TS"),
        tlv(0x02, &[0, 0, 0, 1, 1, 1, 0xCC, 0, 4, 10, 0, 0, 1]),
        tlv(0x03, b"FastEthernet0/13"),
        tlv(0x04, &[0, 0, 0, 0x28]),
        tlv(0x09, b"vtp"),
        tlv(0x0A, &[0, 7]),
        tlv(0x16, &[0, 0, 0, 1, 1, 1, 0xCC, 0, 4, 0, 0, 0, 0]),
        tlv(0x17, b"\0Plant room 2"),
    ];
    assert_eq!(
        said(&tlvs),
        [
            "host_name s1",
            "system_description Cisco IOS Software, C3560 Software (C3560-M), Version 12.2(44)SE, RELEASE SOFTWARE (fc1)",
            "operating_system Cisco IOS Software",
            "operating_system_version 12.2(44)SE",
            "model cisco WS-C3560-24TS",
            "ip_address 10.0.0.1",
            "link_port FastEthernet0/13",
            "role bridge",
            "link_vlan 7",
            "location Plant room 2",
        ]
    );
}

#[test]
fn a_phone_is_named_by_its_address() {
    let tlvs = [
        tlv(0x01, b"SEP0018BA98688F"),
        tlv(0x05, b"SCCP41.8-4-2S"),
        tlv(0x06, b"Cisco IP Phone 7941"),
        tlv(0x04, &[0, 0, 0, 0x90]),
    ];
    assert_eq!(
        said(&tlvs),
        [
            "mac_address 00:18:ba:98:68:8f",
            "host_name sep0018ba98688f",
            "software_version SCCP41.8-4-2S",
            "model Cisco IP Phone 7941",
            "role station",
            "role telephone",
        ]
    );
}

#[test]
fn a_serial_number_stands_in_the_parentheses_or_before_them() {
    for id in [&b"core-1(FOX1234ABCD)"[..], b"FOX1234ABCD(core-1)"] {
        assert_eq!(said(&[tlv(0x01, id)]), ["serial_number FOX1234ABCD", "host_name core-1"]);
    }
    assert_eq!(said(&[tlv(0x01, b"069003103(core-1)")]), ["serial_number 069003103", "host_name core-1"]);
}

#[test]
fn an_address_of_ip_version_6_is_known_by_its_ethertype() {
    let mut value = vec![0, 0, 0, 1, 2, 8, 0xAA, 0xAA, 3, 0, 0, 0, 0x86, 0xDD, 0, 16];
    value.extend("fe80::1".parse::<std::net::Ipv6Addr>().expect("a literal").octets());
    assert_eq!(said(&[tlv(0x02, &value)]), ["ip_address fe80::1"]);
}

#[test]
fn other_organisations_and_other_versions_are_something_else() {
    let whole = message(&[tlv(0x01, b"S1")]);
    let foundry = Carrier::Snap { organisation: [0x00, 0xE0, 0x52], protocol: 0x2000 };
    let vtp = Carrier::Snap { organisation: [0x00, 0x00, 0x0C], protocol: 0x2003 };
    for carrier in [foundry, vtp, Carrier::EtherType(0x2000)] {
        let flow = flow().with_carrier(carrier).datagram(FromInitiator, &whole);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
    }
    for bytes in [&[3, 180, 0, 0, 0, 1, 0, 5, b'x'][..], &[2, 180, 0, 0], &[2, 180, 0, 0, 0, 1, 0, 3]] {
        assert_eq!(flow().datagram(FromInitiator, bytes).conversation.protocol(), Protocol::Unspecified);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic_and_say_no_more_than_they_hold(
        bytes in any::<Vec<u8>>(),
        tlvs in prop::collection::vec((0_u16..0x20, prop::collection::vec(any::<u8>(), 0..60)), 0..16),
        cut in 0_usize..600,
    ) {
        let all: Vec<_> = tlvs.iter().map(|(kind, value)| tlv(*kind, value)).collect();
        let like = message(&all);
        for bytes in [bytes.as_slice(), &like[..cut.min(like.len())], &like] {
            prop_assert!(flow().datagram(FromInitiator, bytes).said().len() <= 8 * all.len());
        }
    }
}

//! Messages as IEEE 802.1AB, clause 8, and ANSI/TIA-1057, clause 10, lay them out.

use super::*;
use crate::Address;
use crate::Direction::FromInitiator;
use crate::test_flow::TestFlow;
use proptest::prelude::*;

const SENDER: [u8; 6] = [0x00, 0x19, 0x2f, 0xa7, 0xb2, 0x8d];

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    let head = u16::from(kind) << 9 | value.len() as u16;
    [&head.to_be_bytes()[..], value].concat()
}

fn specific(organisation: [u8; 3], subtype: u8, value: &[u8]) -> Vec<u8> {
    tlv(127, &[&organisation[..], &[subtype], value].concat())
}

/// From a chassis with the sender's address, through this port, with these TLVs.
fn message(port: &[u8], tlvs: &[Vec<u8>]) -> Vec<u8> {
    let chassis = [&[4_u8][..], &SENDER].concat();
    [tlv(1, &chassis), tlv(2, port), tlv(3, &[0, 120]), tlvs.concat(), tlv(0, &[])].concat()
}

fn flow() -> TestFlow {
    let sender = Address { mac: Some(SENDER), ..Address::default() };
    TestFlow::new(&[CANDIDATE])
        .with_initiator(sender)
        .with_responder(Address::default())
        .with_carrier(Carrier::EtherType(0x88CC))
}

/// What is said beyond the chassis.
fn said(port: &[u8], tlvs: &[Vec<u8>]) -> Vec<String> {
    let flow = flow().datagram(FromInitiator, &message(port, tlvs));
    assert_eq!(flow.conversation.protocol(), Protocol::Lldp);
    let mut said = flow.said();
    assert_eq!(said.remove(0), "sender 00:19:2f:a7:b2:8d mac_address 00:19:2f:a7:b2:8d");
    said.iter().map(|line| line.trim_start_matches("sender 00:19:2f:a7:b2:8d ").to_owned()).collect()
}

#[test]
fn a_switch_tells_its_name_its_system_its_address_and_what_it_does() {
    let description = b"Cisco IOS Software, C3560 Software (C3560-M), Version 12.2(44)SE, RELEASE SOFTWARE (fc1)\nCopyright (c) 1986-2008";
    let management = [5, 1, 10, 0, 0, 2, 2, 0, 0, 0, 1, 0];
    let tlvs = [
        tlv(5, b"S2.example"),
        tlv(6, description),
        tlv(4, b"GigabitEthernet0/13"),
        tlv(7, &[0x00, 0x14, 0x00, 0x04]),
        tlv(8, &management),
        specific([0, 0x80, 0xC2], 1, &[0, 20]),
    ];
    assert_eq!(
        said(b"\x07Gi0/13", &tlvs),
        [
            "link_port Gi0/13",
            "host_name s2.example",
            "system_description Cisco IOS Software, C3560 Software (C3560-M), Version 12.2(44)SE, RELEASE SOFTWARE (fc1)",
            "operating_system Cisco IOS Software",
            "operating_system_version 12.2(44)SE",
            "role bridge",
            "ip_address 10.0.0.2",
            "link_vlan 20",
        ]
    );
}

#[test]
fn what_a_port_says_of_the_system_is_said_of_the_chassis_too() {
    const CHASSIS: [u8; 6] = [0x00, 0x0E, 0x8C, 0xEF, 0x75, 0xC5];
    let system = [tlv(5, b"x208"), tlv(6, b"Siemens AG SCALANCE X 200 FAM\nline two")];
    let told = [
        "third 00:0e:8c:ef:75:c5 host_name x208",
        "third 00:0e:8c:ef:75:c5 system_description Siemens AG SCALANCE X 200 FAM",
    ];
    let by_profinet = specific([0, 0x0E, 0xCF], 5, &CHASSIS);
    let thirds = |chassis: &[u8], more: &[Vec<u8>]| {
        let message = [
            tlv(1, chassis),
            tlv(2, b"\x07port-004"),
            tlv(3, &[0, 20]),
            system.concat(),
            more.concat(),
            tlv(0, &[]),
        ];
        let said = flow().datagram(FromInitiator, &message.concat()).said();
        said.into_iter().filter(|line| line.starts_with("third")).collect::<Vec<_>>()
    };
    assert_eq!(thirds(b"\x07switch", &[by_profinet]), told);
    assert_eq!(thirds(&[&[4], &CHASSIS[..]].concat(), &[]), told);
    for own in [&[&[4], &SENDER[..]].concat()[..], b"\x07switch", &[4, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]] {
        assert_eq!(thirds(own, &[]), [""; 0]);
    }
}

#[test]
fn an_endpoint_tells_its_inventory_and_where_it_stands() {
    const TIA: [u8; 3] = [0, 0x12, 0xBB];
    let civic =
        [&[2, 24, 1][..], b"DE", &[25, 1], b"C", &[23, 8], b"Jane Doe", &[27, 1], b"2", &[28, 3], b"204"];
    let civic = civic.concat();
    assert_eq!(usize::from(civic[1]), civic.len() - 2);
    let tlvs = [
        specific(TIA, 1, &[0, 0x33, 3]),
        specific(TIA, 4, &[0x51, 0, 40]),
        specific(TIA, 5, b"5"),
        specific(TIA, 6, b"tnp65.8-4-3.bin"),
        specific(TIA, 7, b"SCCP45.8-4-2S"),
        specific(TIA, 8, b"FCH12345678"),
        specific(TIA, 9, b"Cisco Systems, Inc."),
        specific(TIA, 10, b"CP-7965G"),
        specific(TIA, 11, b"H-00417"),
        specific(TIA, 3, &civic),
    ];
    assert_eq!(
        said(&[&[3][..], &SENDER].concat(), &tlvs),
        [
            "mac_address 00:19:2f:a7:b2:8d",
            "role med-communication-device",
            "role poe-device",
            "hardware_version 5",
            "firmware_version tnp65.8-4-3.bin",
            "software_version SCCP45.8-4-2S",
            "serial_number FCH12345678",
            "manufacturer Cisco Systems, Inc.",
            "model CP-7965G",
            "asset_tag H-00417",
            "location building C, floor 2, room 204",
        ]
    );
}

#[test]
fn where_a_switch_says_its_listener_stands_is_not_where_it_stands() {
    let civic = [&[2, 6, 1][..], b"DE", &[28, 1], b"7"].concat();
    let tlvs = [specific([0, 0x12, 0xBB], 1, &[0, 0x33, 4]), specific([0, 0x12, 0xBB], 3, &civic)];
    assert_eq!(said(b"\x05ge-0/0/4", &tlvs), ["link_port ge-0/0/4"]);
}

#[test]
fn a_manufacturer_usage_description_is_told_by_its_url() {
    let tlvs = [specific([0, 0, 0x5E], 1, b"https://pumps.example/mud/v1/p7")];
    assert_eq!(said(b"\x05eth0", &tlvs), ["link_port eth0", "mud_url https://pumps.example/mud/v1/p7"]);
}

#[test]
fn a_device_on_profinet_names_its_chassis_and_the_address_of_the_whole() {
    let chassis = b"\x07siemens-x208-switch";
    let whole = specific([0, 0x0E, 0xCF], 5, &[0, 0x0e, 0x8c, 0xef, 0x75, 0xc5]);
    let bytes = [tlv(1, chassis), tlv(2, b"\x07port-004"), tlv(3, &[0, 20]), whole, tlv(0, &[])].concat();
    let sender = "sender 00:19:2f:a7:b2:8d";
    assert_eq!(
        flow().datagram(FromInitiator, &bytes).said(),
        [
            format!("{sender} chassis_id siemens-x208-switch"),
            format!("{sender} link_port port-004"),
            format!("{sender} mac_address 00:0e:8c:ef:75:c5"),
        ]
    );
}

#[test]
fn a_port_without_a_name_is_called_as_its_description_if_that_is_a_name() {
    assert_eq!(said(b"\x07515", &[tlv(4, b"ge-0/0/4.0")]), ["link_port ge-0/0/4.0"]);
    assert_eq!(said(b"\x0723", &[tlv(4, b"23")]), ["link_port 23"]);
    // What people write on a port says who sits there.
    assert!(said(b"\x01Uplink to S1", &[tlv(4, b"Dr. Doe room 7")]).is_empty());
    assert_eq!(said(b"\x01Uplink to S1", &[tlv(4, b"Gi0/13")]), ["link_port Gi0/13"]);
}

#[test]
fn power_is_supplied_or_taken_where_both_octets_agree() {
    const IEEE: [u8; 3] = [0, 0x12, 0x0F];
    assert_eq!(said(b"\x05e1", &[specific(IEEE, 2, &[0x07, 1, 4, 0x12, 0, 0])])[1..], ["role poe-source"]);
    assert_eq!(said(b"\x05e1", &[specific(IEEE, 2, &[0x00, 1, 4, 0x51, 0, 0])])[1..], ["role poe-device"]);
    for quiet in [&[0, 0, 0][..], &[0, 0, 0, 0], &[0x07, 1, 4, 0x51], &[0x01, 1, 0, 0x00]] {
        assert_eq!(said(b"\x05e1", &[specific(IEEE, 2, quiet)]).len(), 1, "{quiet:?}");
    }
}

#[test]
fn addresses_of_no_device_are_not_stated() {
    let addresses = [[0, 0, 0, 0], [127, 0, 0, 1], [224, 0, 0, 1]];
    let tlvs = addresses.map(|[a, b, c, d]| tlv(8, &[5, 1, a, b, c, d, 2, 0, 0, 0, 1, 0]));
    assert_eq!(said(b"\x05e1", &tlvs).len(), 1);
}

#[test]
fn a_station_that_leaves_says_no_more_than_who_it_was() {
    let mut bytes = message(b"\x05e1", &[tlv(5, b"s2")]);
    let end = tlv(1, &[0; 7]).len() + tlv(2, b"\x05e1").len() + 4;
    bytes[end - 2..end].fill(0);
    let flow = flow().datagram(FromInitiator, &bytes);
    assert_eq!(flow.said(), ["sender 00:19:2f:a7:b2:8d mac_address 00:19:2f:a7:b2:8d"]);
}

#[test]
fn another_ethertype_or_another_beginning_is_something_else() {
    let whole = message(b"\x05e1", &[]);
    let elsewhere = flow().with_carrier(Carrier::EtherType(0x88CD)).datagram(FromInitiator, &whole);
    assert_eq!(elsewhere.conversation.protocol(), Protocol::Unspecified);
    let swapped = [tlv(2, b"\x05e1"), tlv(1, &[4; 7]), tlv(3, &[0, 1])].concat();
    // As a capture in the wild begins: type 127 first.
    let bare = specific([0, 0x80, 0xC2], 7, &[1, 0, 0, 0, 0]);
    for bytes in [swapped, bare, whole[..17].to_vec()] {
        assert_eq!(flow().datagram(FromInitiator, &bytes).conversation.protocol(), Protocol::Unspecified);
    }
}

#[test]
fn what_runs_over_the_end_is_left_and_what_came_before_counts() {
    let whole = message(b"\x05e1", &[tlv(5, b"s2"), tlv(6, b"Linux 6")]);
    let cut = &whole[..whole.len() - 4];
    assert_eq!(flow().datagram(FromInitiator, cut).values(Attribute::HostName), ["s2"]);
    assert!(flow().datagram(FromInitiator, cut).values(Attribute::SystemDescription).is_empty());
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic_and_say_no_more_than_they_hold(
        bytes in any::<Vec<u8>>(),
        tlvs in prop::collection::vec((1_u8..=127, prop::collection::vec(any::<u8>(), 0..40)), 0..16),
        specific in prop::collection::vec((0_usize..4, 0_u8..12, prop::collection::vec(any::<u8>(), 0..24)), 0..8),
        cut in 0_usize..600,
    ) {
        let organisations = [[0, 0x80, 0xC2], [0, 0x12, 0x0F], [0, 0x12, 0xBB], [0, 0, 0x5E]];
        let mut all: Vec<_> = tlvs.iter().map(|(kind, value)| tlv(*kind, value)).collect();
        all.extend(specific.iter().map(|(of, subtype, value)| super::tests::specific(organisations[*of], *subtype, value)));
        let like = message(b"\x05e1", &all);
        for bytes in [bytes.as_slice(), &like[..cut.min(like.len())], &like] {
            prop_assert!(flow().datagram(FromInitiator, bytes).said().len() <= 3 + 8 * all.len());
        }
    }
}

//! Who says what, directly, through a forwarder and through a router. Datagrams are written by the standard.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::Direction;
use crate::test_flow::{TestFlow, address};

const CANDIDATES: &[Candidate] = &[CANDIDATE];
use Direction::{FromInitiator, FromResponder};

/// I-Am of device 254, vendor 260 (16.10; example in annex F.4.9).
const I_AM: &[u8] =
    &[0x10, 0x00, 0xC4, 0x02, 0x00, 0x00, 0xFE, 0x22, 0x01, 0xE0, 0x91, 0x00, 0x22, 0x01, 0x04];

fn flow() -> TestFlow {
    TestFlow::new(CANDIDATES)
}

fn bvlc(function: u8, body: &[u8]) -> Vec<u8> {
    [&[0x81, function][..], &(body.len() as u16 + 4).to_be_bytes(), body].concat()
}

/// A unicast message of the sender itself.
fn unicast(apdu: &[u8]) -> Vec<u8> {
    bvlc(0x0A, &[&[1, 0], apdu].concat())
}

/// A character string in UTF-8 behind an application tag.
fn string(text: &str) -> Vec<u8> {
    [&[0x75, text.len() as u8 + 1, 0][..], text.as_bytes()].concat()
}

/// ReadProperty-ACK of a property of device 254.
fn acknowledged(property: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0x30, 7, 12, 0x0C, 0x02, 0, 0, 0xFE][..], property, &[0x3E], value, &[0x3F]].concat()
}

#[test]
fn a_device_announces_itself() {
    let flow = flow().datagram(FromInitiator, &bvlc(0x0B, &[&[1, 0x20, 0xFF, 0xFF, 0, 0xFF], I_AM].concat()));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role bacnet-device",
            "sender 192.0.2.1 bacnet_instance 254",
            "sender 192.0.2.1 bacnet_vendor_id 260",
        ]
    );
}

#[test]
fn a_device_without_an_instance_asks_who_it_is() {
    // Who-Am-I (16.11): vendor 260, model, serial number.
    let who_am_i = [&[0x10, 13, 0x22, 0x01, 0x04][..], &string("AC-900"), &string("SN-0042")].concat();
    assert_eq!(
        flow().datagram(FromInitiator, &unicast(&who_am_i)).said(),
        [
            "sender 192.0.2.1 role bacnet-device",
            "sender 192.0.2.1 bacnet_vendor_id 260",
            "sender 192.0.2.1 model AC-900",
            "sender 192.0.2.1 serial_number SN-0042",
        ]
    );
}

#[test]
fn a_device_behind_a_router_is_not_the_router() {
    let routed = [&[1, 0x08, 0x07, 0xD1, 1, 0x0A], I_AM].concat();
    assert_eq!(
        flow().datagram(FromInitiator, &bvlc(0x0A, &routed)).said(),
        [
            "sender 192.0.2.1 role bacnet-router",
            "third 192.0.2.1 bacnet=2001:0a role bacnet-device",
            "third 192.0.2.1 bacnet=2001:0a bacnet_instance 254",
            "third 192.0.2.1 bacnet=2001:0a bacnet_vendor_id 260",
        ]
    );
}

#[test]
fn a_forwarded_announcement_is_of_the_address_in_it() {
    let forwarded = [&[198, 51, 100, 9, 0xBA, 0xC0, 1, 0], I_AM].concat();
    assert_eq!(
        flow().datagram(FromInitiator, &bvlc(0x04, &forwarded)).said(),
        [
            "sender 192.0.2.1 role bbmd",
            "third 198.51.100.9 ip_address 198.51.100.9",
            "third 198.51.100.9 role bacnet-device",
            "third 198.51.100.9 bacnet_instance 254",
            "third 198.51.100.9 bacnet_vendor_id 260",
        ]
    );
}

#[test]
fn properties_of_the_device_object_are_read_and_no_others() {
    for (property, value, attribute, text) in [
        (&[0x19, 121][..], string("Acme Controls"), Attribute::Manufacturer, "Acme Controls"),
        (&[0x19, 70], string("AC-900"), Attribute::Model, "AC-900"),
        (&[0x19, 44], string("4.2.1"), Attribute::FirmwareVersion, "4.2.1"),
        (&[0x19, 12], string("7.0 build 3"), Attribute::SoftwareVersion, "7.0 build 3"),
        (&[0x19, 77], string("AHU-3"), Attribute::BacnetObjectName, "AHU-3"),
        (&[0x19, 28], string("Air handling, floor 3"), Attribute::Description, "Air handling, floor 3"),
        (&[0x19, 58], string("Plant room 2"), Attribute::Location, "Plant room 2"),
        (&[0x19, 120], vec![0x21, 5], Attribute::BacnetVendorId, "5"),
        (&[0x1A, 0x01, 0x74], string("SN-0042"), Attribute::SerialNumber, "SN-0042"),
    ] {
        let flow = flow().datagram(FromResponder, &unicast(&acknowledged(property, &value)));
        assert_eq!(flow.values(attribute), [text], "{property:?}");
        assert_eq!(flow.values(Attribute::BacnetInstance), ["254"]);
    }
    // The object name of an input, and an entry of a list.
    let input = [&[0x30, 7, 12, 0x0C, 0, 0, 0, 1, 0x19, 77, 0x3E][..], &string("ZN-T"), &[0x3F]].concat();
    assert_eq!(flow().datagram(FromResponder, &unicast(&input)).said(), [""; 0]);
    let indexed = [&[0x19, 77, 0x29, 1][..]].concat();
    let flow = flow().datagram(FromResponder, &unicast(&acknowledged(&indexed, &string("X"))));
    assert_eq!(flow.values(Attribute::BacnetObjectName), [""; 0]);
}

#[test]
fn whoever_answers_for_any_device_speaks_of_itself() {
    let any = |property: &[u8], value: &[u8]| {
        [&[0x30, 1, 12, 0x0C, 0x02, 0x3F, 0xFF, 0xFF][..], property, &[0x3E], value, &[0x3F]].concat()
    };
    let flow = flow()
        .datagram(FromResponder, &unicast(&any(&[0x19, 70], &string("AC-900"))))
        .datagram(FromResponder, &unicast(&any(&[0x19, 75], &[0xC4, 0x02, 0x00, 0x00, 0xFE])));
    assert_eq!(flow.values(Attribute::Model), ["AC-900"]);
    assert_eq!(flow.values(Attribute::BacnetInstance), ["254"]);
}

fn multiple() -> Vec<u8> {
    [
        &[0x0C, 0x00, 0x00, 0x00, 0x01, 0x1E, 0x29, 77, 0x4E][..],
        &string("ZN-T"),
        &[0x4F, 0x1F, 0x0C, 0x02, 0x00, 0x00, 0xFE, 0x1E],
        &[0x29, 121, 0x4E],
        &string("Acme Controls"),
        &[0x4F, 0x29, 58, 0x5E, 0x91, 2, 0x91, 32, 0x5F, 0x29, 70, 0x4E],
        &string("AC-900"),
        &[0x4F, 0x1F],
    ]
    .concat()
}

const OF_MULTIPLE: [&str; 4] = [
    "sender 192.0.2.2 role bacnet-device",
    "sender 192.0.2.2 bacnet_instance 254",
    "sender 192.0.2.2 manufacturer Acme Controls",
    "sender 192.0.2.2 model AC-900",
];

#[test]
fn several_properties_come_in_one_answer_with_errors_between() {
    let answer = [&[0x30, 9, 14][..], &multiple()].concat();
    assert_eq!(flow().datagram(FromResponder, &unicast(&answer)).said(), OF_MULTIPLE);
}

#[test]
fn an_answer_in_segments_is_put_together() {
    let mut flow = flow();
    let parameters = multiple();
    let mut segments = parameters.chunks(20).enumerate().peekable();
    while let Some((sequence, octets)) = segments.next() {
        let more = if segments.peek().is_some() { 0x3C } else { 0x38 };
        let segment = [&[more, 9, sequence as u8, 4, 14], octets].concat();
        flow = flow
            .datagram(FromResponder, &unicast(&segment))
            .datagram(FromInitiator, &unicast(&[0x40, 9, 0, 4]));
    }
    assert_eq!(flow.said(), OF_MULTIPLE);
}

#[test]
fn a_password_in_clear_is_reported_and_not_kept() {
    let password = [&[0x1D, 0x07, 0x00][..], b"SECRET"].concat();
    let reinitialize = [&[0x00, 0x04, 1, 20, 0x09, 1][..], &password].concat();
    let flow = flow().datagram(FromInitiator, &unicast(&reinitialize));
    assert_eq!(
        flow.said(),
        ["sender 192.0.2.1 role bacnet-client", "sender 192.0.2.1 cleartext_credential bacnet-password"]
    );
    let without = flow.datagram(FromInitiator, &unicast(&[0x00, 0x04, 1, 20, 0x09, 1]));
    assert_eq!(without.values(Attribute::CleartextCredential).len(), 1);
}

#[test]
fn who_registers_a_foreign_device_is_a_forwarder_once_it_agrees() {
    let ports = || flow().with_responder(address("192.0.2.2", 47808));
    let register = bvlc(0x05, &[0, 60]);
    let agreed = ports().datagram(FromInitiator, &register).datagram(FromResponder, &bvlc(0, &[0, 0]));
    assert_eq!(agreed.said(), ["sender 192.0.2.1 role bacnet-foreign-device", "sender 192.0.2.2 role bbmd"]);
    let refused = ports().datagram(FromInitiator, &register).datagram(FromResponder, &bvlc(0, &[0, 0x30]));
    assert_eq!(refused.values(Attribute::Role), ["bacnet-foreign-device"]);
    // Six octets are too few to be sure of on other ports.
    assert_eq!(flow().datagram(FromInitiator, &register).said(), [""; 0]);
}

#[test]
fn a_message_of_a_wrong_length_is_recognised_on_bacnets_ports_and_not_read() {
    let ports = || flow().with_responder(address("192.0.2.2", 47808));
    // A client with a password, whose length is that of a shorter message (J.2.1).
    let reinitialize = [&[1, 4, 0, 4, 1, 20, 9, 1, 0x1D, 7, 0][..], b"SECRET"].concat();
    let mut message = bvlc(0x0A, &reinitialize);
    message[3] -= 7;
    let recognised = ports().datagram(FromInitiator, &message);
    assert_eq!(recognised.conversation.protocol(), Protocol::Bacnet);
    assert_eq!(recognised.said(), [""; 0]);
    // What comes behind it is read.
    assert_eq!(recognised.datagram(FromResponder, &unicast(I_AM)).values(Attribute::BacnetInstance), ["254"]);
    // Elsewhere the length is needed to be sure, and on the ports the message.
    let elsewhere = flow().datagram(FromInitiator, &message);
    assert_eq!(elsewhere.conversation.protocol(), Protocol::Unspecified);
    message[4] = 2;
    assert_eq!(ports().datagram(FromInitiator, &message).conversation.protocol(), Protocol::Unspecified);
}

#[test]
fn a_router_announces_its_networks() {
    let announced = flow().datagram(FromInitiator, &bvlc(0x0B, &[1, 0x80, 0x01, 0x07, 0xD1]));
    assert_eq!(announced.said(), ["sender 192.0.2.1 role bacnet-router"]);
}

#[test]
fn the_name_of_an_object_is_that_of_the_device_only_where_it_is_the_device() {
    let device = [0xC4, 0x02, 0, 0, 0xFE];
    let have = |object: &[u8]| [&[0x10, 0x01][..], &device, object, &string("AHU-3")].concat();
    let flow_of = |object: &[u8]| flow().datagram(FromInitiator, &unicast(&have(object)));
    assert_eq!(flow_of(&device).values(Attribute::BacnetObjectName), ["AHU-3"]);
    assert_eq!(flow_of(&[0xC4, 0, 0, 0, 1]).values(Attribute::BacnetObjectName), [""; 0]);
}

proptest! {
    #[test]
    fn whatever_the_datagrams_nothing_panics_and_nothing_grows(
        datagrams in prop::collection::vec(
            (prop::sample::select(vec![0_u8, 3, 4, 5, 9, 10, 11]),
             prop::sample::select(vec![
                 vec![1, 0], vec![1, 8, 7, 209, 1, 10], vec![1, 0x20, 255, 255, 0, 255], vec![], vec![1, 0x80],
                 vec![1, 0, 0x3C, 9, 0, 4, 14], vec![1, 0, 0x30, 7, 12, 0x0C, 2, 0, 0, 254, 0x19],
             ]),
             prop::collection::vec(any::<u8>(), 0..60)),
            0..60),
    ) {
        let mut flow = flow().datagram(FromInitiator, &unicast(I_AM));
        for (function, npdu, noise) in datagrams {
            flow = flow.datagram(FromResponder, &bvlc(function, &[npdu, noise].concat()));
        }
        prop_assert!(flow.conversation.held_bytes() == 0);
        prop_assert!(flow.statements.observations.len() < 60 * 40);
    }

    #[test]
    fn arbitrary_octets_are_hardly_ever_taken_for_this_protocol(octets in prop::collection::vec(any::<u8>(), 0..64)) {
        let flow = flow().datagram(FromInitiator, &octets);
        prop_assert!(octets.first() == Some(&0x81) || flow.said().is_empty());
    }
}

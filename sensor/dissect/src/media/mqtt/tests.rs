//! Packets built by the tables of MQTT 3.1.1 and 5.0 (3.1, 3.2).

use super::*;
use crate::Outcome;
use crate::test_flow::TestFlow;
use proptest::prelude::*;

fn field(text: &[u8]) -> Vec<u8> {
    [&u16::try_from(text.len()).expect("short").to_be_bytes()[..], text].concat()
}

fn packet(first: u8, content: &[u8]) -> Vec<u8> {
    let (low, high) = (content.len() % 128, content.len() / 128);
    let length = if high == 0 { vec![low as u8] } else { vec![low as u8 | 0x80, high as u8] };
    [&[first][..], &length, content].concat()
}

/// A client of this name with a will, and with a name and a password.
fn connect(level: u8, id: &str, user: &str, password: &str) -> Vec<u8> {
    let properties: &[u8] = if level == 5 { b"\x05\x11\0\0\0\x0A" } else { b"" };
    let will_properties: &[u8] = if level == 5 { b"\x02\x01\x01" } else { b"" };
    let content = [
        &field(b"MQTT")[..],
        &[level, USER_NAME | PASSWORD | WILL | 2, 0, 60],
        properties,
        &field(id.as_bytes()),
        will_properties,
        &field(b"ward/3/doe"),
        &field(&[b'w'; 150]),
        &field(user.as_bytes()),
        &field(password.as_bytes()),
    ];
    packet(0x10, &content.concat())
}

fn flow() -> TestFlow {
    TestFlow::new(crate::TCP)
}

#[test]
fn log_ins_of_both_versions_are_told() {
    for (level, version, answer) in
        [(4, "3.1.1", &b"\x20\x02\0\x05"[..]), (5, "5.0", b"\x20\x08\0\x86\x05\x1F\0\x02no")]
    {
        let flow = flow().ask(&connect(level, "shelly-E8DB84A1B2C3", "admin", "admin")).answer(answer);
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role mqtt-client".to_owned(),
                format!("sender 192.0.2.1 mqtt_version {version}"),
                "sender 192.0.2.1 mqtt_client_id shelly-E8DB84A1B2C3".to_owned(),
                "peer 192.0.2.2 cleartext_credential mqtt".to_owned(),
                "peer 192.0.2.2 default_credential mqtt".to_owned(),
                "sender 192.0.2.2 role mqtt-broker".to_owned(),
                "peer 192.0.2.1 failed_login mqtt".to_owned(),
            ]
        );
        assert_eq!(flow.conversation.outcome(), Outcome::Learned);
    }
}

#[test]
fn segments_make_no_difference() {
    let packet = connect(5, "a", "doe", "secret");
    for size in [1, 3, 1000] {
        let mut flow = flow();
        packet.chunks(size).for_each(|part| flow.bytes(Direction::FromInitiator, part));
        b"\x20\x03\0\0\0".chunks(size).for_each(|part| flow.bytes(Direction::FromResponder, part));
        let said = [
            "sender 192.0.2.1 role mqtt-client",
            "sender 192.0.2.1 mqtt_version 5.0",
            "peer 192.0.2.2 cleartext_credential mqtt",
            "sender 192.0.2.2 role mqtt-broker",
        ];
        assert_eq!(flow.said(), said, "{size}");
    }
}

#[test]
fn the_old_name_is_known_and_who_shows_nothing_shows_no_credentials() {
    let old = packet(0x10, &[&field(b"MQIsdp")[..], &[3, 2, 0, 60], &field(b"mosq/1")].concat());
    let flow = flow().ask(&old).answer(b"\x20\x02\0\0");
    assert_eq!(flow.values(Attribute::MqttVersion), ["3.1"]);
    assert_eq!(flow.values(Attribute::CleartextCredential), [""; 0]);
    assert_eq!(flow.values(Attribute::FailedLogin), [""; 0]);
}

#[test]
fn names_with_a_makers_address_are_of_devices_and_others_may_be_of_people() {
    for id in
        ["shelly-plug-E8DB84A1B2C3", "tasmota_A0B76523C1D2", "A0:B7:65:23:C1:D2", "cam/A0-B7-65-23-C1-D2"]
    {
        assert!(names_a_device(id), "{id}");
    }
    for id in [
        "john-doe",
        "doe-197001011234",
        "19700101-A0B76523C1D2",
        "paho-A0B76523C1D2",
        "E8DB84A1B2C3",
        "0f1e2d3c-4b5a-4978-8695-a0b76523c1d2",
        "x-A2B76523C1D2",
        "x-A0B76523C1D2-doe",
        "",
    ] {
        assert!(!names_a_device(id), "{id}");
    }
}

#[test]
fn others_are_not_taken_for_it() {
    for bytes in [
        &b"\x10\x0C\0\x04MQTT\x06\x02\0\x3C\0\0"[..],
        b"\x10\x0C\0\x04MQTT\x04\x03\0\x3C\0\0",
        b"\x10\x0C\0\x04HTTP\x04\x02\0\x3C\0\0",
        b"\x10\xFF\xFF\xFF\xFF\x04MQTT",
        b"\xC0\0",
        b"\x20\x02\0\0",
    ] {
        let flow = TestFlow::new(&[CANDIDATE]).ask(bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), at in 0_usize..240, octet in any::<u8>()) {
        let mut mutated = connect(5, "doe", "doe", "doe");
        if let Some(place) = mutated.get_mut(at) { *place = octet; }
        let flow = flow().ask(&mutated).answer(&bytes).ask(&bytes);
        prop_assert!(flow.said().iter().all(|line| !line.contains("doe")));
        TestFlow::new(crate::TCP).ask(&connect(4, "a", "b", "c")).ask(&bytes).answer(&bytes);
    }
}

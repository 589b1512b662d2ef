//! Announcements, associations and descriptions, written by the programming guide.

use proptest::prelude::*;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::UDP;
use crate::medical::mds::encode;
use crate::test_flow::TestFlow;

/// What the monitor says: the strings are as dirty as real ones.
fn attributes() -> Vec<u8> {
    let production = encode::production(&[
        (1, 8, b"DE000X0001\0\x09"),
        (2, 8, b"866062\0\0"),
        (3, 8, b" A.00.30"),
        (5, 120, b"--------"),
        (2, 88, b"S-M8003-1402A\0"),
        (4, 88, b"L.01.18\n"),
        (1, 80, b"BOARD7\0\0"),
    ]);
    let maker = [encode::string(b"Philips\0"), encode::string(b"866062\0\0")].concat();
    let bed: Vec<u8> = "ICU Bed 7\0".encode_utf16().flat_map(u16::to_be_bytes).collect();
    encode::attributes(&[
        encode::attribute(0x0986, &[0, 1, 0x11, 0x4D]),
        encode::attribute(0x0957, b"\0\x03DOE"),
        encode::attribute(0xF100, &[0, 9, 0xFB, 0, 0, 1, 192, 0, 2, 1, 255, 255, 0, 0]),
        encode::attribute(0x0984, &[0, 8, 0, 9, 0xFB, 0xFF, 0xFF, 0, 0, 1]),
        encode::attribute(0x0928, &maker),
        encode::attribute(0x092D, &production),
        encode::attribute(0x091E, &encode::string(&bed)),
    ])
}

fn with_length(head: &[u8], body: &[u8]) -> Vec<u8> {
    [head, &(body.len() as u16).to_be_bytes(), body].concat()
}

fn beacon() -> Vec<u8> {
    let event = with_length(&[0, 0x23, 0, 0, 0, 0, 9, 0x45, 0x7F, 0, 0x0D, 0x17], &attributes());
    with_length(&CONNECT_INDICATION, &with_length(&[0, 0, 0, 0], &event))
}

/// MDS Create Event: the system's class, and the object that was created.
fn description() -> Vec<u8> {
    let created = [&[0, 0x21, 0, 0, 0, 0][..], &attributes()].concat();
    let event = with_length(&[0, 0x21, 0, 0, 0, 0, 9, 0x45, 0x7F, 0, 0x0D, 0x06], &created);
    with_length(&[0xE1, 0, 0, 2, 0, 1], &with_length(&[0, 1, 0, 1], &event))
}

const MONITOR: [&str; 11] = [
    "role intellivue-monitor",
    "device_type_code 69965",
    "mac_address 00:09:fb:00:00:01",
    "eui64 00:09:fb:ff:ff:00:00:01",
    "manufacturer Philips",
    "part_number 866062",
    "serial_number DE000X0001",
    "part_number 866062",
    "hardware_version A.00.30",
    "software_name S-M8003-1402A",
    "software_version L.01.18",
];

fn monitor(address: &str) -> Vec<String> {
    let lines = MONITOR.iter().chain(&["location ICU Bed 7"]);
    lines.map(|line| format!("sender {address} {line}")).collect()
}

#[test]
fn a_monitor_announces_itself() {
    let flow = TestFlow::new(UDP).datagram(FromInitiator, &beacon());
    assert_eq!(flow.conversation.protocol(), Protocol::Intellivue);
    assert_eq!(flow.said(), monitor("192.0.2.1"));
}

#[test]
fn a_client_associates_and_the_monitor_describes_itself() {
    for (kind, length) in [(0x0D, vec![0xEC]), (0x0D, vec![0xFF, 1, 0])] {
        let request = [&[kind][..], &length, &ASSOCIATION, &[0xC1, 0xDC, 0x31, 0x80]].concat();
        let granted = [&[0x0E, 0xEC][..], &ASSOCIATION, &[0xC1, 0xDC, 0x31, 0x80]].concat();
        let flow = TestFlow::new(UDP)
            .datagram(FromInitiator, &request)
            .datagram(FromResponder, &granted)
            .datagram(FromResponder, &description());
        let expected =
            ["sender 192.0.2.1 role intellivue-client", "sender 192.0.2.2 role intellivue-monitor"];
        assert_eq!(flow.said(), [expected.map(str::to_owned).to_vec(), monitor("192.0.2.2")].concat());
    }
}

#[test]
fn polled_values_are_recognised_and_not_read() {
    let mut poll = description();
    poll[24..26].copy_from_slice(&[0x0C, 0x16]);
    let flow = TestFlow::new(UDP).datagram(FromResponder, &poll);
    assert_eq!((flow.conversation.protocol(), flow.said().len()), (Protocol::Intellivue, 0));
}

#[test]
fn a_length_or_an_event_that_is_wrong_is_another_protocol() {
    let mut longer = beacon();
    longer.push(0);
    let mut event = beacon();
    event[25] = 0x18;
    let mut short = description();
    short.pop();
    let request = [&[0x0D, 0xEC][..], &ASSOCIATION, &[0xC2]].concat();
    for other in [longer, event, short, request, vec![0xE1], vec![0x0D, 0xFF], vec![0; 64]] {
        let flow = TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &other);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{}", other.escape_ascii());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), at in 0_usize..400, byte in any::<u8>()) {
        TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &bytes);
        for mut message in [beacon(), description()] {
            if let Some(place) = message.get_mut(at) {
                *place = byte;
            }
            // With another identifier the name is said to be something else, such as the model.
            let is_a_name = message.windows(2).any(|octets| octets == [0x09, 0x57]);
            let flow = TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, &message);
            prop_assert!(!is_a_name || !flow.said().iter().any(|line| line.contains("DOE")));
        }
    }
}

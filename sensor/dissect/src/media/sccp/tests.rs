//! Frames built by the layout that Wireshark reads them by.

use super::*;
use crate::Outcome;
use crate::test_flow::TestFlow;
use proptest::prelude::*;

fn frame(message: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short");
    [&length.to_le_bytes()[..], &20_u32.to_le_bytes(), &message.to_le_bytes(), body].concat()
}

fn padded(text: &str, octets: usize) -> Vec<u8> {
    let mut field = text.as_bytes().to_vec();
    field.resize(octets, 0);
    field
}

/// Of a 7960, which has the number 7; with a load as newer telephones say it, or without.
fn register(name: &str, load: Option<&str>) -> Vec<u8> {
    let mut body = padded(name, 16);
    body.extend([0, 0, 0, 0, 1, 0, 0, 0, 192, 0, 2, 1, 7, 0, 0, 0, 5, 0, 0, 0]);
    if let Some(load) = load {
        body.resize(92, 0);
        body.extend(padded(load, 32));
        body.extend([0; 48]);
    }
    frame(REGISTER, &body)
}

fn alarm_of(text: &str) -> Vec<u8> {
    frame(ALARM, &[&2_u32.to_le_bytes()[..], &padded(text, 80), &[0; 8]].concat())
}

fn acknowledged() -> Vec<u8> {
    frame(REGISTER_ACK, &[0; 20])
}

const ALARMED: &str = "25: Name=SEP001AA289341F Load= SCCP41.8-5-2S Last=Initialized";

#[test]
fn a_telephone_that_registers_tells_what_it_is() {
    let flow = TestFlow::new(crate::TCP)
        .ask(&register("SEP001AA289341F", Some("SCCP41.8-5-2S")))
        .answer(&acknowledged());
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role sccp-phone",
            "sender 192.0.2.1 mac_address 00:1a:a2:89:34:1f",
            "sender 192.0.2.1 host_name sep001aa289341f",
            "sender 192.0.2.1 sccp_device_type 7",
            "sender 192.0.2.1 firmware_version SCCP41.8-5-2S",
            "sender 192.0.2.2 role sccp-server",
        ]
    );
    assert_eq!(flow.conversation.outcome(), Outcome::Learned);
}

#[test]
fn the_alarm_in_front_names_the_load_and_segments_make_no_difference() {
    let bytes = [alarm_of(ALARMED), register("SEP001AA289341F", None)].concat();
    for size in [1, 7, 1000] {
        let mut flow = TestFlow::new(crate::TCP);
        bytes.chunks(size).for_each(|part| flow.bytes(Direction::FromInitiator, part));
        acknowledged().chunks(size).for_each(|part| flow.bytes(Direction::FromResponder, part));
        assert_eq!(flow.values(Attribute::FirmwareVersion), ["SCCP41.8-5-2S"], "{size}");
        assert_eq!(flow.values(Attribute::SccpDeviceType), ["7"]);
        assert_eq!(flow.conversation.outcome(), Outcome::Learned);
    }
}

#[test]
fn names_that_people_give_are_not_told() {
    let flow =
        TestFlow::new(crate::TCP).ask(&alarm_of("1: Name=JDOE Load=x")).ask(&register("JDOE-CIPC", None));
    assert_eq!(flow.said(), ["sender 192.0.2.1 role sccp-phone", "sender 192.0.2.1 sccp_device_type 7"]);
}

#[test]
fn joined_in_the_middle_it_is_known_by_three_frames_of_their_lengths() {
    let flow = TestFlow::new(crate::TCP)
        .answer(&[frame(CALL_STATE, &[0; 24]), frame(SELECT_SOFT_KEYS, &[0; 16])].concat())
        .answer(&frame(0x82, &[0; 16]));
    assert_eq!(flow.said(), ["sender 192.0.2.2 role sccp-server"]);
}

#[test]
fn behind_a_hole_frames_are_found_again() {
    let mut flow = TestFlow::new(crate::TCP).ask(&alarm_of(ALARMED));
    flow.conversation.gap(Direction::FromInitiator, 100, &mut flow.statements);
    let flow = flow.ask(b"a piece of a frame").ask(&register("SEP001AA289341F", None));
    assert_eq!(flow.values(Attribute::SccpDeviceType), ["7"]);
}

#[test]
fn others_are_not_taken_for_it() {
    let same = [frame(0, &[]), frame(0, &[]), frame(0, &[]), frame(0, &[])].concat();
    let odd = [frame(CALL_STATE, &[0; 24]), frame(0x82, &[0; 17]), frame(0x83, &[0; 12])].concat();
    for bytes in [&same[..], &odd, &[0; 64], &frame(REGISTER, &[1; 60]), b"GET / HTTP/1.1\r\n\r\n"] {
        let flow = TestFlow::new(&[CANDIDATE]).ask(bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), at in 0_usize..180, octet in any::<u8>()) {
        let mut mutated = register("JDOE-CIPC", Some("1.2"));
        if let Some(place) = mutated.get_mut(at) { *place = octet; }
        let flow = TestFlow::new(crate::TCP).ask(&mutated).ask(&mutated).answer(&bytes).ask(&bytes);
        prop_assert!(flow.said().iter().all(|line| !line.contains("DOE")));
        TestFlow::new(crate::TCP).ask(&alarm_of(ALARMED)).ask(&bytes).answer(&bytes);
    }
}

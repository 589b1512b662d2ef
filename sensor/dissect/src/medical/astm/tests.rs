//! Whole sessions, as the low-level standard frames them.

use proptest::prelude::*;
use wardwatch_proto::v1::Attribute;

use super::*;
use crate::test_flow::TestFlow;
use crate::{TCP, UDP};

/// A frame with its checksum (LIS01-A2, 6.3.1.3).
fn frame(number: u8, text: &str, end: u8) -> Vec<u8> {
    let summed = [&[b'0' + number % 8], text.as_bytes(), &[end]].concat();
    let sum = summed.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    [&[STX][..], &summed, format!("{sum:02X}\r\n").as_bytes()].concat()
}

const HEADER: &str = r"H|\^&|||XYZ-9^Acme^2.1^SN0042|||||||P|1394-97|20260101120000";

/// The first whole frame of these, behind its predecessor, with the checksum that it has now.
fn resummed(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte == STX).expect("a frame") + 1;
    let end = start + bytes[start..].iter().position(|byte| matches!(*byte, ETX | ETB)).expect("its end");
    let sum = bytes[start..=end].iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    [&bytes[..=end], format!("{sum:02X}").as_bytes(), &bytes[end + 3..]].concat()
}

/// Every record in a frame of its own.
fn session(records: &[&str]) -> Vec<u8> {
    let frames = records.iter().zip(1_u8..).flat_map(|(record, number)| {
        let end = if usize::from(number) == records.len() { ETX } else { ETB };
        frame(number, &format!("{record}\r"), end)
    });
    [ENQ].into_iter().chain(frames).chain([EOT]).collect()
}

const SENDER: [&str; 5] = [
    "sender 192.0.2.1 role astm-sender",
    "sender 192.0.2.1 model XYZ-9",
    "sender 192.0.2.1 manufacturer Acme",
    "sender 192.0.2.1 software_version 2.1",
    "sender 192.0.2.1 serial_number SN0042",
];

#[test]
fn the_frame_of_the_standard_has_the_checksum_of_the_standard() {
    assert!(frame(1, &format!("{HEADER}\r"), ETX).ends_with(b"1B\r\n"));
}

#[test]
fn an_analyser_says_what_it_is_and_that_it_sends_patients_is_noted_once() {
    let records = [HEADER, "P|1||4711||DOE^JANE", "O|1|T20", "R|1|^^^413|40.1", "P|2||4712", "L|1|N"];
    let mut flow = TestFlow::new(TCP).ask(&[ENQ]).answer(&[ACK]);
    flow = flow.ask(&session(&records)[1..]).answer(&[ACK, ACK]);
    assert_eq!(flow.conversation.protocol(), Protocol::Astm);
    let expected = [
        &SENDER[..],
        &["sender 192.0.2.1 cleartext_patient_data astm-record", "sender 192.0.2.2 role astm-receiver"],
    ]
    .concat();
    assert_eq!(flow.said(), expected);
}

#[test]
fn where_the_bytes_are_cut_makes_no_difference() {
    let bytes = session(&[HEADER, "P|1||4711", "L|1|N"]);
    let whole = TestFlow::new(TCP).ask(&bytes).said();
    assert_eq!(whole.len(), 6);
    for size in 1..40 {
        let cut = bytes.chunks(size).fold(TestFlow::new(TCP), TestFlow::ask);
        assert_eq!(cut.said(), whole, "{size}");
    }
}

#[test]
fn a_record_goes_on_in_the_next_frame() {
    let (before, behind) = HEADER.split_at(20);
    let bytes = [frame(1, before, ETB), frame(2, &format!("{behind}\r"), ETX)].concat();
    assert_eq!(TestFlow::new(TCP).ask(&bytes).said(), SENDER);
}

#[test]
fn a_message_may_stand_in_one_frame_or_in_none() {
    let message = format!("{HEADER}\rL|1|N\r");
    let block = format!("\u{b}{message}\u{1c}\r");
    for bytes in [frame(1, &message, ETX), message.into_bytes(), block.into_bytes()] {
        assert_eq!(TestFlow::new(TCP).ask(&bytes).said(), SENDER, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_session_is_recognised_in_its_middle_by_a_checksum() {
    let orders = [frame(3, "O|1|T20||^^^6\r", ETB), frame(4, "P|2||4712\r", ETX)].concat();
    let flow = TestFlow::new(TCP).ask(&orders);
    assert_eq!(flow.conversation.protocol(), Protocol::Astm);
    assert_eq!(flow.said(), ["sender 192.0.2.1 cleartext_patient_data astm-record"]);
    // The capture began within a frame.
    let torn = [&b"28|c\x1702\r\n"[..], &orders].concat();
    assert_eq!(TestFlow::new(TCP).ask(&torn).conversation.protocol(), Protocol::Astm);
    // No carriage return behind the checksum.
    let bare = [&b"28|c\x1702\n"[..], &orders].concat().into_iter().filter(|byte| *byte != b'\r');
    let bare: Vec<u8> = bare.collect();
    assert_eq!(TestFlow::new(TCP).ask(&resummed(&bare)).conversation.protocol(), Protocol::Astm);
    // A checksum that is wrong.
    let wrong = [&orders[..5], b"X", &orders[6..]].concat();
    assert_eq!(TestFlow::new(TCP).ask(&wrong).conversation.protocol(), Protocol::Unspecified);
}

#[test]
fn reading_goes_on_behind_a_hole() {
    let mut flow = TestFlow::new(TCP).ask(&frame(1, "H|\\^&|||ABX||\r", ETB));
    assert_eq!(
        flow.conversation.gap(Direction::FromInitiator, 700, &mut flow.statements),
        crate::Interest::Keep
    );
    flow = flow.ask(b"D||\r\x0300\r\n\x04").ask(&session(&[HEADER]));
    assert_eq!(flow.values(Attribute::SerialNumber), ["SN0042"]);
}

#[test]
fn a_password_is_reported_and_not_kept() {
    let flow = TestFlow::new(TCP).ask(&session(&[r"H|\^&||SECRET7|ABX"]));
    assert_eq!(flow.values(Attribute::CleartextCredential), ["astm-password"]);
    assert!(!flow.said().iter().any(|line| line.contains("SECRET7")));
}

#[test]
fn other_protocols_are_not_taken_for_it() {
    for other in [
        &b"HTTP/1.1 200 OK\r\nServer: x|y\r\n\r\n"[..],
        b"\x0bMSH|^~\\&|A|B",
        b"\x02\x01H|\\^&|",
        b"\x02Hello|there|\x03",
        b"\x05\x00\x00\x01",
        b"\x05\x01\x00",
        &[0x05; 65],
    ] {
        let flow = TestFlow::new(&[CANDIDATE]).ask(other);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{}", other.escape_ascii());
    }
    assert!(!UDP.iter().any(|candidate| candidate.protocol == Protocol::Astm));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes in any::<Vec<u8>>(), at in 0_usize..200, byte in any::<u8>()) {
        TestFlow::new(&[CANDIDATE]).ask(&bytes);
        let mut session = session(&[HEADER, "P|1||4711"]);
        if let Some(place) = session.get_mut(at) {
            *place = byte;
        }
        bytes.splice(..0, session);
        let flow = TestFlow::new(&[CANDIDATE]).ask(&bytes);
        prop_assert!(!flow.said().iter().any(|line| line.contains("4711")));
    }
}

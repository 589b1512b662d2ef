//! Frames as a meter and its reader exchanged them, and the same in the wrapper.

use proptest::prelude::*;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::{TestFlow, address};

const TCP: &[Candidate] = &[OVER_TCP];
const UDP: &[Candidate] = &[OVER_UDP];

/// The link is opened and acknowledged.
const OPEN: &[u8] = &[0x7E, 0xA0, 7, 3, 0x21, 0x93, 0x0F, 1, 0x7E];
const OPENED: &[u8] =
    b"\x7e\xa0\x1e\x21\x03\x73\xc3\x7a\x81\x80\x12\x05\x01\x80\x06\x01\x80\x07\x04\x00\x00\x00\x01\x08\x04\
    \x00\x00\x00\x01\x53\x3b\x7e";

/// An association with the password `12345678` at low level security, without its tag and length.
const WITH_PASSWORD: &[u8] =
    b"\xa1\x09\x06\x07\x60\x85\x74\x05\x08\x01\x01\x8a\x02\x07\x80\x8b\x07\x60\x85\x74\x05\x08\x02\x01\
    \xac\x0a\x80\x0812345678\xbe\x10\x04\x0e\x01\x00\x00\x00\x06\x5f\x1f\x04\x00\x00\x7e\x1f\x00\x80";

fn association() -> Vec<u8> {
    [&[0x60, WITH_PASSWORD.len() as u8][..], WITH_PASSWORD].concat()
}

fn hdlc(information: &[u8]) -> Vec<u8> {
    let length = (information.len() + 9) as u8;
    let header = [0xA0, length, 3, 0x21, 0x10];
    let mut frame = [&header[..], &frame::checksum(&header).to_le_bytes(), information].concat();
    frame.extend(frame::checksum(&frame).to_le_bytes());
    [&[0x7E][..], &frame, &[0x7E]].concat()
}

fn wrapper(apdu: &[u8]) -> Vec<u8> {
    [&[0, 1, 0, 0x10, 0, 1][..], &(apdu.len() as u16).to_be_bytes(), apdu].concat()
}

const SAID: [&str; 2] = ["sender 192.0.2.1 role dlms-client", "peer 192.0.2.2 cleartext_credential dlms-lls"];

#[test]
fn frames_of_a_meter_are_recognised_and_a_password_is_reported() {
    let flow = TestFlow::new(TCP)
        .ask(OPEN)
        .answer(OPENED)
        .ask(&hdlc(&[&[0xE6, 0xE6, 0][..], &association()].concat()));
    assert_eq!(flow.said(), [SAID[0], "sender 192.0.2.2 role dlms-server", SAID[1]]);
}

#[test]
fn the_wrapper_is_recognised_by_an_association_or_on_its_port() {
    assert_eq!(TestFlow::new(TCP).ask(&wrapper(&association())).said(), SAID);
    assert_eq!(TestFlow::new(UDP).datagram(FromInitiator, &wrapper(&association())).said(), SAID);
    let get = wrapper(&[0xC0, 1, 0xC1, 0, 1, 1, 0, 0, 1, 0, 0xFF, 2, 0]);
    assert_eq!(TestFlow::new(TCP).ask(&get).conversation.protocol(), Protocol::Unspecified);
    let on_port = TestFlow::new(TCP).with_responder(address("192.0.2.2", 4059)).ask(&get);
    assert_eq!(on_port.said(), SAID[..1]);
}

/// A meter of Gurux' server, read by Gurux' client: its name, its number and its firmware.
const READ: [(&[u8], &[u8]); 3] = [
    (b"\xc0\x01\xc1\0\x01\0\0\x2a\0\0\xff\x02\0", b"\xc4\x01\xc1\0\x09\x10LRK0000070021884"),
    (b"\xc0\x01\xc1\0\x01\0\0\x60\x01\0\xff\x02\0", b"\xc4\x01\xc1\0\x09\x0aLF70021884"),
    (b"\xc0\x01\xc1\0\x01\x01\0\0\x02\0\xff\x02\0", b"\xc4\x01\xc1\0\x09\x064.17.2"),
];

#[test]
fn a_meter_tells_what_it_is_when_it_is_read_and_only_once() {
    let mut flow = TestFlow::new(TCP).ask(&wrapper(&association()));
    for (question, answer) in [READ, READ].concat() {
        flow = flow.ask(&wrapper(question)).answer(&wrapper(answer));
    }
    let told = [
        "sender 192.0.2.2 role dlms-server",
        "sender 192.0.2.2 device_tag LRK0000070021884",
        "sender 192.0.2.2 serial_number LF70021884",
        "sender 192.0.2.2 firmware_version 4.17.2",
    ];
    assert_eq!(flow.said(), [&SAID[..], &told].concat());
}

#[test]
fn an_answer_counts_for_its_own_question_alone() {
    let flow = TestFlow::new(TCP).ask(&wrapper(&association()));
    let energy = b"\xc0\x01\xc1\0\x03\x01\0\x01\x08\0\xff\x02\0";
    let refused = b"\xc4\x01\xc1\x01\x04";
    let other_number = b"\xc4\x01\xc2\0\x09\x0aLF70021884";
    let flow = flow.answer(&wrapper(READ[1].1)).ask(&wrapper(energy)).answer(&wrapper(READ[1].1));
    let mut flow = flow.ask(&wrapper(READ[1].0)).answer(&wrapper(other_number)).answer(&wrapper(refused));
    flow.conversation.gap(FromInitiator, 21, &mut flow.statements);
    let flow = flow.answer(&wrapper(READ[1].1));
    assert_eq!(flow.values(Attribute::SerialNumber), [""; 0]);
}

#[test]
fn without_low_level_security_there_is_no_password() {
    let mut high = association();
    // Mechanism 5: a challenge.
    high[23] = 5;
    assert_eq!(TestFlow::new(TCP).ask(&wrapper(&high)).said(), SAID[..1]);
}

#[test]
fn bytes_of_others_are_not_for_us() {
    let mut wrong_check = OPEN.to_vec();
    wrong_check[6] ^= 1;
    for bytes in [
        &wrong_check[..],
        b"~~~ text",
        &[0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2],
        &[0, 1, 0, 16, 0, 1, 0, 2, 0x11, 0],
    ] {
        assert_eq!(TestFlow::new(TCP).ask(bytes).conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
        let flow = TestFlow::new(UDP).datagram(FromInitiator, bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

#[test]
fn a_damaged_frame_is_stepped_over() {
    let mut damaged = hdlc(&[&[0xE6, 0xE6, 0][..], &association()].concat());
    damaged[30] ^= 1;
    let good = hdlc(&[&[0xE6, 0xE6, 0][..], &association()].concat());
    assert_eq!(TestFlow::new(TCP).ask(OPEN).ask(&damaged).ask(&good).said(), SAID);
}

#[test]
fn where_frames_are_cut_and_lost_makes_no_difference() {
    let stream = [OPENED, OPENED, &hdlc(&[0xE6, 0xE7, 0, 0xC4, 1, 0xC1, 0])].concat();
    for size in 1..stream.len() {
        let mut flow = TestFlow::new(TCP);
        stream.chunks(size).for_each(|bytes| flow.bytes(FromResponder, bytes));
        assert_eq!(flow.said(), ["sender 192.0.2.2 role dlms-server"], "{size}");
        assert_eq!(flow.conversation.outcome(), crate::Outcome::Going, "{size}");
    }
    let mut flow = TestFlow::new(TCP).ask(OPEN);
    flow.conversation.gap(FromInitiator, 5, &mut flow.statements);
    assert_eq!(flow.ask(&[7; 20]).ask(&wrapper(&association())).said(), SAID);
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_grows(
        frames in prop::collection::vec((any::<bool>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..60)), 0..40),
    ) {
        let mut flow = TestFlow::new(TCP).ask(OPEN);
        for (is_wrapped, tag, data) in frames {
            let apdu = [&[tag][..], &data].concat();
            let bytes = if is_wrapped { wrapper(&apdu) } else { hdlc(&[&[0xE6, 0xE6, 0][..], &apdu].concat()) };
            flow = flow.ask(&bytes);
        }
        prop_assert!(flow.statements.observations.len() < 90);
    }
}

//! Lists as two controllers sent them in recorded sessions, which Wireshark reads in the same way, and messages as open
//! implementations write them.

use proptest::prelude::*;

use super::*;
use crate::test_flow::TestFlow;

const CANDIDATES: &[Candidate] = &[CANDIDATE, PLUS];

fn flow() -> TestFlow {
    TestFlow::new(CANDIDATES)
}

fn tpkt(data: &[u8]) -> Vec<u8> {
    [&[3, 0][..], &(data.len() as u16 + 7).to_be_bytes(), &[2, 0xF0, 0x80], data].concat()
}

/// Connection request and confirm, with the selectors of rack 0, slot 1.
const CONNECT: &[u8] =
    b"\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc0\x01\x0a\xc1\x02\x01\x00\xc2\x02\x01\x01";
const CONFIRM: &[u8] =
    b"\x03\x00\x00\x16\x11\xd0\x00\x01\x00\x01\x00\xc0\x01\x0a\xc1\x02\x01\x00\xc2\x02\x01\x01";

fn s7(kind: u8, parameters: &[u8], data: &[u8]) -> Vec<u8> {
    let lengths = [(parameters.len() as u16).to_be_bytes(), (data.len() as u16).to_be_bytes()].concat();
    let error: &[u8] = if matches!(kind, ACK | ACK_DATA) { &[0, 0] } else { &[] };
    tpkt(&[&[0x32, kind, 0, 0, 0, 1][..], &lengths, error, parameters, data].concat())
}

/// An answer with a part of a list: `more` as the message says whether more follow.
fn list(reference: u8, more: u8, piece: &[u8]) -> Vec<u8> {
    let parameters = [0, 1, 0x12, 8, 0x12, 0x84, 1, 1, reference, more, 0, 0];
    let data = [&[0xFF, 9][..], &(piece.len() as u16).to_be_bytes(), piece].concat();
    s7(USERDATA, &parameters, &data)
}

/// 0011 of a CPU 315-2 PN/DP.
const MODULES: &[u8] = b"\x00\x11\x00\x00\x00\x1c\x00\x03\
    \x00\x016ES7 315-2EH14-0AB0 \x00\xc0\x00\x04\x00\x01\
    \x00\x066ES7 315-2EH14-0AB0 \x00\xc0\x00\x04\x00\x01\
    \x00\x07                    \x00\xc0\x56\x03\x02\x06";

/// 001C of the same.
fn components() -> Vec<u8> {
    let record = |index: u8, text: &str| {
        let mut record = vec![0, index];
        record.extend(text.as_bytes());
        record.resize(34, 0);
        record
    };
    let records = [
        record(1, "S7300/ET200M station_1"),
        record(2, "PLC_1"),
        record(3, ""),
        record(4, "Original Siemens Equipment"),
        record(5, "S C-B1U393142011"),
        record(7, "CPU 315-2 PN/DP"),
        record(8, "MMC 4AAC0019"),
    ];
    [&[0, 0x1C, 0, 0, 0, 34, 0, 7][..], &records.concat()].concat()
}

#[test]
fn a_controller_tells_order_number_and_versions() {
    let flow = flow().ask(CONNECT).answer(CONFIRM).answer(&list(0, 0, MODULES));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.2 role s7-server",
            "sender 192.0.2.2 order_number 6ES7 315-2EH14-0AB0",
            "sender 192.0.2.2 hardware_version 4",
            "sender 192.0.2.2 firmware_version 3.2.6",
        ]
    );
}

#[test]
fn a_list_in_two_answers_is_put_together() {
    let whole = components();
    let (first, second) = whole.split_at(100);
    let flow = flow().answer(&list(0xD5, 1, first)).answer(&list(0xD5, 0, second));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.2 role s7-server",
            "sender 192.0.2.2 description S7300/ET200M station_1",
            "sender 192.0.2.2 device_tag PLC_1",
            "sender 192.0.2.2 serial_number S C-B1U393142011",
            "sender 192.0.2.2 model CPU 315-2 PN/DP",
        ]
    );
}

#[test]
fn who_writes_and_who_programs_is_told() {
    let setup = s7(JOB, &[0xF0, 0, 0, 1, 0, 1, 1, 0xE0], &[]);
    let write = s7(JOB, &[5, 1, 0x12, 0x0A, 0x10, 2, 0, 1, 0, 0, 0x83, 0, 0, 0], &[0, 4, 0, 8, 1]);
    let stop = s7(JOB, &[0x29, 0, 0, 0, 0, 0, 9, b'P', b'_', b'P', b'R', b'O', b'G', b'R', b'A', b'M'], &[]);
    let flow = flow().ask(CONNECT).ask(&setup).ask(&write).ask(&write).ask(&stop);
    assert_eq!(flow.values(Attribute::Role), ["s7-client", "s7-writer", "plc-programmer"]);
}

#[test]
fn a_password_is_reported_and_not_kept() {
    let parameters = [0, 1, 0x12, 4, 0x11, 0x45, 1, 0];
    let flow = flow().ask(&s7(USERDATA, &parameters, &[0xFF, 9, 0, 8, 0x64, 1, 0x72, 2, 3, 4, 5, 6]));
    assert_eq!(
        flow.said(),
        ["sender 192.0.2.1 role s7-client", "peer 192.0.2.2 cleartext_credential s7-password"]
    );
}

#[test]
fn s7comm_plus_is_recognised_and_let_go() {
    let hello = [&[0x72, 1, 0, 6, 0x31, 0, 0, 4, 0xCA, 0][..], &[0x72, 1, 0, 0]].concat();
    let flow = flow().ask(CONNECT).answer(CONFIRM).ask(&tpkt(&hello));
    assert_eq!(flow.conversation.protocol(), Protocol::S7commPlus);
    assert_eq!(flow.said(), ["sender 192.0.2.1 role s7-client", "peer 192.0.2.2 role s7-server"]);
}

/// A message of S7comm-plus, version 1, with its trailer.
fn plus(data: &[u8]) -> Vec<u8> {
    tpkt(&[&[0x72, 1][..], &(data.len() as u16).to_be_bytes(), data, &[0x72, 1, 0, 0]].concat())
}

/// The session's version in an answer to CreateObject as open drivers write and read it: attribute 319, a text.
fn session(description: &str) -> Vec<u8> {
    let text = [&[0x82, 0x3F, 0x00, 0x15, description.len() as u8][..], description.as_bytes()].concat();
    let answer = [&[0x32, 0, 0, 4, 0xCA, 0, 0, 0, 1, 0x36, 0x11, 0x02][..], &text, &[0; 8]].concat();
    plus(&answer)
}

#[test]
fn a_controller_tells_its_order_number_as_it_opens_a_session() {
    let asked = || flow().ask(CONNECT).answer(CONFIRM).ask(&plus(&[0x31, 0, 0, 4, 0xCA, 0]));
    let flow = asked().answer(&session("1;6ES7 215-1AG40-0XB0 ;V4.2"));
    assert_eq!(
        flow.said()[2..],
        ["sender 192.0.2.2 order_number 6ES7 215-1AG40-0XB0", "sender 192.0.2.2 firmware_version 4.2",]
    );
    // A simulation on a computer has no firmware.
    let simulated = asked().answer(&session("1;6ES7 SIM-01500-APLC;S4.1"));
    assert_eq!(simulated.said()[2..], ["sender 192.0.2.2 order_number 6ES7 SIM-01500-APLC"]);
    for other in ["2;811810", "1;6ES7 215", "1;a;V1;b"] {
        assert_eq!(asked().answer(&session(other)).said().len(), 2, "{other}");
    }
    // What comes after the opening is not looked at.
    let mut late = asked();
    for _ in 0..4 {
        late = late.answer(&plus(&[0x32, 0]));
    }
    assert_eq!(late.answer(&session("1;6ES7 215-1AG40-0XB0 ;V4.2")).said().len(), 2);
}

#[test]
fn other_protocols_over_the_same_transport_are_not_for_us() {
    // RDP's request with a cookie and its negotiation; MMS; an S7 header whose lengths do not add up.
    let rdp = b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00";
    let mcs = tpkt(&[0x7F, 0x65, 0x82, 1, 0x94]);
    let mms = tpkt(&[0x0D, 0xB4, 5, 6, 0x13, 1, 0, 0x16]);
    let short = tpkt(&[0x32, 1, 0, 0, 0, 1, 0, 9, 0, 0, 1]);
    for bytes in [[&rdp[..], &mcs].concat(), mms, short] {
        assert_eq!(flow().ask(&bytes).conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

#[test]
fn a_connection_is_joined_in_the_middle_and_goes_on_behind_a_hole() {
    let mut flow = flow().answer(&list(0, 0, MODULES));
    flow.conversation.gap(Direction::FromResponder, 77, &mut flow.statements);
    let flow = flow.answer(b"rest of a packet").answer(&list(0, 0, &components()));
    assert_eq!(flow.values(Attribute::Model), ["CPU 315-2 PN/DP"]);
}

#[test]
fn where_packets_are_cut_makes_no_difference() {
    let stream =
        [CONFIRM, &list(0, 0, MODULES), &list(7, 1, &components()[..60]), &list(7, 0, &components()[60..])]
            .concat();
    let whole = flow().answer(&stream).said();
    assert_eq!(whole.len(), 8);
    for size in 1..100 {
        let mut flow = flow();
        stream.chunks(size).for_each(|bytes| flow.bytes(Direction::FromResponder, bytes));
        assert_eq!(flow.said(), whole, "{size}");
    }
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_grows(
        turns in prop::collection::vec(
            (prop::sample::select(vec![1_u8, 2, 3, 7]),
             prop::sample::select(vec![
                 vec![], vec![5], vec![0x29], vec![0, 1, 0x12, 8, 0x12, 0x84, 1, 1, 9, 1, 0, 0],
                 vec![0, 1, 0x12, 8, 0x12, 0x84, 1, 1, 9, 0, 0, 0], vec![0, 1, 0x12, 4, 0x11, 0x45, 1, 0],
             ]),
             prop::sample::select(vec![vec![], vec![0xFF, 9, 0, 20, 0, 0x11, 0, 0, 0, 28], vec![0xFF, 9, 0, 16, 0, 0x1C, 0, 0, 0, 0]]),
             prop::collection::vec(any::<u8>(), 0..60)),
            0..40),
    ) {
        let mut flow = flow().answer(&list(0, 0, MODULES));
        for (kind, parameters, data, noise) in turns {
            flow = flow.answer(&s7(kind, &parameters, &[data, noise].concat()));
        }
        prop_assert!(flow.conversation.held_bytes() == 0);
        prop_assert!(flow.statements.observations.len() < 400);
    }

    #[test]
    fn random_bytes_are_not_for_us(bytes in any::<Vec<u8>>()) {
        prop_assert_eq!(flow().ask(&tpkt(&[&[1][..], &bytes].concat())).conversation.protocol(), Protocol::Unspecified);
    }
}

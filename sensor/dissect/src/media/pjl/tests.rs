//! Questions and answers as the Technical Reference Manual prints them, with values as printers give them.

use super::*;
use crate::test_flow::TestFlow;
use proptest::prelude::*;

const CLIENT: &[u8] =
    b"\x1b%-12345X@PJL INFO ID\r\n@PJL INFO PRODINFO\r\n@PJL JOB NAME=\"Doe.pdf\"\r\n\x1b%-12345X%!PS Doe \x0C";
const SERVER: &[u8] = b"@PJL INFO ID\r\n\"Brother HL-L2360D series:84U-F75:Ver.b.26\"\r\n\x0C\
    @PJL INFO PRODINFO\r\nProductName = HP Color LaserJet M478\r\nProductSerialNumber = VNB4G64636\r\n\
    FirmwareDateCode = 20241211\r\nIPAddress = 192.0.2.2\r\nHWAddress = 48:E2:44:43:EC:C3\r\n\x0C\
    @PJL INFO VARIABLES\r\nUSERNAME=\"Doe\" [1 STRING]\r\nPASSWORD=0 [2 RANGE]\r\nFIRMWARE=\"1.2\"\r\n\x0C\
    @PJL USTATUS JOB\r\nNAME=\"Doe.pdf\"\r\n\x0C";
const OF_BOTH: [&str; 11] = [
    "sender 192.0.2.1 role pjl-client",
    "sender 192.0.2.2 role pjl-printer",
    "sender 192.0.2.2 model Brother HL-L2360D series",
    "sender 192.0.2.2 firmware_version b.26",
    "sender 192.0.2.2 role pjl-printer",
    "sender 192.0.2.2 model HP Color LaserJet M478",
    "sender 192.0.2.2 serial_number VNB4G64636",
    "sender 192.0.2.2 firmware_version 20241211",
    "sender 192.0.2.2 mac_address 48:e2:44:43:ec:c3",
    "sender 192.0.2.2 role pjl-printer",
    "sender 192.0.2.2 firmware_version 1.2",
];

fn flow() -> TestFlow {
    TestFlow::new(crate::TCP)
}

#[test]
fn a_printer_tells_what_it_is_and_jobs_are_not_seen() {
    let flow = flow().ask(CLIENT).answer(SERVER).ask(CLIENT);
    assert_eq!(flow.said(), OF_BOTH);
    assert_eq!(flow.conversation.protocol(), Protocol::Pjl);
}

#[test]
fn segments_make_no_difference() {
    for size in [1, 6] {
        let mut flow = flow();
        CLIENT.chunks(size).for_each(|part| flow.bytes(Direction::FromInitiator, part));
        SERVER.chunks(size).for_each(|part| flow.bytes(Direction::FromResponder, part));
        assert_eq!(flow.said(), OF_BOTH, "{size}");
    }
}

#[test]
fn who_prints_is_told_by_the_escape_whoever_seems_to_have_begun() {
    let flow = flow().answer(CLIENT).ask(SERVER);
    assert_eq!(flow.said()[..2], ["sender 192.0.2.2 role pjl-client", "sender 192.0.2.1 role pjl-printer"]);
}

#[test]
fn behind_a_hole_the_next_answer_is_read() {
    let mut flow = flow().ask(CLIENT);
    flow.conversation.gap(Direction::FromResponder, 40, &mut flow.statements);
    let flow = flow.answer(b"FIRMWARE=Doe\r\n\x0C").answer(SERVER);
    assert_eq!(flow.said(), OF_BOTH);
}

#[test]
fn others_are_not_taken_for_it() {
    for bytes in [&b"\x1b%-12346X@PJL\r\n"[..], b"\x1bE\x1b&l0O", b"%!PS-Adobe", b"@PJLX", b"@"] {
        let flow = TestFlow::new(&[CANDIDATE]).ask(bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), at in 0..SERVER.len(), octet in any::<u8>()) {
        let mut mutated = SERVER.to_vec();
        mutated[at] = octet;
        let flow = flow().ask(CLIENT).answer(&mutated).answer(&bytes).answer(SERVER).ask(&bytes);
        prop_assert!(flow.said().iter().all(|line| !line.contains("Doe")));
        TestFlow::new(&[CANDIDATE]).ask(PREFIX).answer(&bytes);
    }
}

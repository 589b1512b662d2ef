//! Frames are written by the standard.

use proptest::prelude::*;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::TestFlow;

const TCP: &[Candidate] = &[OVER_TCP];
const UDP: &[Candidate] = &[OVER_UDP];

const MASTER_ADDRESS: u16 = 100;

fn flow() -> TestFlow {
    TestFlow::new(TCP)
}

fn frame(control: u8, destination: u16, source: u16, data: &[u8]) -> Vec<u8> {
    let checked = |block: &[u8]| [block, &link::checksum(block).to_le_bytes()].concat();
    let [to, from] = [destination.to_le_bytes(), source.to_le_bytes()];
    let header = [&[5, 0x64, data.len() as u8 + 5, control][..], &to, &from].concat();
    let blocks: Vec<u8> = data.chunks(16).flat_map(checked).collect();
    [checked(&header), blocks].concat()
}

/// A request of the master to an outstation.
fn request(outstation: u16, application: &[u8]) -> Vec<u8> {
    frame(0xC4, outstation, MASTER_ADDRESS, &[&[0xC0][..], application].concat())
}

/// The answer, in segments of this size.
fn answer(outstation: u16, objects: &[u8], size: usize) -> Vec<u8> {
    let message = [&[0xC0, 0x81, 0, 0][..], objects].concat();
    let last = message.len().div_ceil(size) - 1;
    let segment = |(number, part): (usize, &[u8])| {
        let control =
            number as u8 & 0x3F | if number == 0 { 0x40 } else { 0 } | if number == last { 0x80 } else { 0 };
        frame(0x44, MASTER_ADDRESS, outstation, &[&[control][..], part].concat())
    };
    message.chunks(size).enumerate().flat_map(segment).collect()
}

fn attribute(variation: u8, text: &str) -> Vec<u8> {
    [&[0, variation, 0, 0, 0, 1, text.len() as u8][..], text.as_bytes()].concat()
}

fn device() -> Vec<u8> {
    [
        attribute(252, "Acme Relays"),
        attribute(250, "R-900"),
        attribute(248, "SN-0042"),
        attribute(243, "B2"),
        attribute(242, "4.2.1"),
        attribute(245, "Plant room 2"),
        attribute(246, "E-17"),
        attribute(247, "Feeder 3"),
        attribute(241, "not on the list"),
    ]
    .concat()
}

const SAID: [&str; 8] = [
    "manufacturer Acme Relays",
    "model R-900",
    "serial_number SN-0042",
    "hardware_version B2",
    "software_version 4.2.1",
    "location Plant room 2",
    "equipment_id E-17",
    "device_tag Feeder 3",
];

#[test]
fn the_check_is_that_of_the_standard() {
    // Reset of the link from 1024 to 1, as the annex on check sums has it.
    assert_eq!(link::checksum(&[5, 0x64, 5, 0xC0, 1, 0, 0, 4]), 0x21E9);
}

#[test]
fn an_outstation_tells_what_it_is() {
    let ask = request(5, &[0xC0, 1, 0, 254, 0, 0, 0]);
    for size in [200, 30] {
        let flow = flow().ask(&ask).answer(&answer(5, &device(), size));
        let said = flow.said();
        assert_eq!(
            said[..3],
            [
                "sender 192.0.2.1 role dnp3-master",
                "sender 192.0.2.2 role dnp3-outstation",
                "sender 192.0.2.2 dnp3_address 5",
            ]
        );
        assert_eq!(said[3..], SAID.map(|fact| format!("sender 192.0.2.2 {fact}")));
    }
}

#[test]
fn over_datagrams_it_is_the_same() {
    let flow = TestFlow::new(UDP).datagram(FromResponder, &answer(5, &device(), 60));
    assert_eq!(flow.said().len(), 2 + SAID.len());
}

#[test]
fn another_outstation_at_the_address_is_a_third_device() {
    let flow = flow().answer(&answer(5, &[], 200)).answer(&answer(6, &device()[..20], 200));
    assert_eq!(
        flow.said()[2..],
        [
            "third 192.0.2.2 dnp3=6 dnp3_address 6",
            "third 192.0.2.2 dnp3=6 role dnp3-outstation",
            "third 192.0.2.2 dnp3=6 manufacturer Acme Relays",
        ]
    );
}

#[test]
fn who_operates_and_who_shows_a_password_is_told() {
    let operate = [0xC0, 4, 12, 1, 0x28, 1, 0, 0, 0, 0x41, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let file = [0xC0, 0x1D, 70, 2, 0x5B, 1];
    let flow = flow().ask(&request(5, &operate)).ask(&request(5, &operate)).ask(&request(5, &file));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role dnp3-master",
            "sender 192.0.2.1 role dnp3-operator",
            "peer 192.0.2.2 cleartext_credential dnp3-file",
        ]
    );
}

#[test]
fn who_sets_the_clock_or_clears_the_restart_operates_nothing() {
    // As OpenDNP3's master does behind every start of an outstation, and with a clock.
    let clears = request(1047, &[0xC1, 2, 80, 1, 0, 7, 7, 0]);
    let sets = request(1047, &[0xC2, 2, 50, 1, 7, 1, 0x6A, 0x12, 0xC3, 0x1A, 0x9B, 1]);
    assert_eq!(flow().ask(&clears).ask(&sets).said(), ["sender 192.0.2.1 role dnp3-master"]);
    let dead_band = request(1047, &[0xC3, 2, 34, 1, 0, 0, 0, 5, 0]);
    assert_eq!(
        flow().ask(&dead_band).said(),
        ["sender 192.0.2.1 role dnp3-master", "sender 192.0.2.1 role dnp3-operator"]
    );
}

#[test]
fn a_wrong_check_is_not_dnp3() {
    let mut bytes = request(5, &[0xC0, 1, 60, 1, 6]);
    bytes[8] ^= 1;
    assert_eq!(flow().ask(&bytes).conversation.protocol(), Protocol::Unspecified);
    assert_eq!(flow().ask(&[5, 0x64, 0, 0]).conversation.protocol(), Protocol::Unspecified);
}

#[test]
fn a_frame_is_found_again_behind_a_hole() {
    let mut flow = flow().answer(&answer(5, &[], 200));
    flow.conversation.gap(FromResponder, 10, &mut flow.statements);
    let flow = flow.answer(&[&[9, 5, 9, 5, 0x64, 1, 5][..], &answer(5, &device(), 60)].concat());
    assert_eq!(flow.values(Attribute::Model), ["R-900"]);
}

#[test]
fn where_frames_are_cut_makes_no_difference() {
    let stream = [answer(5, &device(), 50), answer(7, &device(), 100)].concat();
    let whole = flow().answer(&stream).said();
    assert_eq!(whole.len(), 4 + 2 * SAID.len());
    for size in 1..60 {
        let mut flow = flow();
        stream.chunks(size).for_each(|bytes| flow.bytes(FromResponder, bytes));
        assert_eq!(flow.said(), whole, "{size}");
    }
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_grows(
        frames in prop::collection::vec(
            (any::<u8>(), any::<u16>(),
             prop::sample::select(vec![vec![], vec![0xC0, 0xC0, 0x81, 0, 0], vec![0x40], vec![0xC0, 0xC0, 0x81, 0, 0, 0, 252, 0, 0, 0, 1]]),
             prop::collection::vec(any::<u8>(), 0..200)),
            0..40),
        noise in any::<Vec<u8>>(),
    ) {
        let mut flow = flow().ask(&request(5, &[0xC0, 1]));
        for (control, source, data, noise) in frames {
            flow = flow.answer(&frame(control, 1, source, &[data, noise].concat()));
        }
        let flow = flow.answer(&noise);
        prop_assert!(flow.conversation.held_bytes() < 4096);
        prop_assert!(flow.statements.observations.len() < 40 * 4);
    }

    #[test]
    fn random_bytes_are_not_for_us(bytes in prop::collection::vec(any::<u8>(), 10..64)) {
        let flow = TestFlow::new(UDP).datagram(FromInitiator, &bytes);
        prop_assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
    }
}

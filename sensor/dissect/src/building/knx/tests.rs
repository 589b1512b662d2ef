//! Frames as the KNX Standard, 3/8/2 and 3/8/4, and for KNX IP Secure 3/8/9, lay them out.

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::{TestFlow, address};
use proptest::prelude::*;

const SERVER: &str = "10.0.0.5";

fn frame(service: u16, body: &[u8]) -> Vec<u8> {
    [&[6, 0x10][..], &service.to_be_bytes(), &(body.len() as u16 + 6).to_be_bytes(), body].concat()
}

fn endpoint() -> Vec<u8> {
    vec![8, 1, 10, 0, 0, 5, 0x0E, 0x57]
}

/// Device information: this medium, address 1.1.250, a serial number of maker 0x00C5, a name in ISO 8859-1.
fn device(medium: u8) -> Vec<u8> {
    let mut name = b"IP Router B\xFCro".to_vec();
    name.resize(30, 0);
    let head = [54, 1, medium, 0, 0x11, 0xFA, 0, 0, 0x00, 0xC5, 0x01, 0x02, 0xAB, 0x7D];
    [&head[..], &[224, 0, 23, 12], &[0x00, 0x24, 0x6d, 1, 2, 3], &name].concat()
}

const FAMILIES: [u8; 10] = [10, 2, 2, 1, 3, 1, 4, 1, 5, 1];

fn flow(candidates: &'static [Candidate]) -> TestFlow {
    TestFlow::new(candidates)
        .with_initiator(address("10.0.0.9", 40_000))
        .with_responder(address(SERVER, 40_001))
}

#[test]
fn a_router_describes_itself_to_a_tool_that_searches() {
    let maker = [8, 0xFE, 0x00, 0xC5, 1, 2, 3, 4];
    let response = frame(0x0202, &[endpoint(), device(2), FAMILIES.to_vec(), maker.to_vec()].concat());
    let flow = flow(&[OVER_UDP])
        .datagram(FromInitiator, &frame(0x0201, &endpoint()))
        .datagram(FromResponder, &response);
    assert_eq!(flow.conversation.protocol(), Protocol::KnxnetIp);
    assert_eq!(
        flow.said(),
        [
            "sender 10.0.0.9 role knx-client",
            "sender 10.0.0.5 role knx-server",
            "sender 10.0.0.5 knx_medium tp1",
            "sender 10.0.0.5 knx_individual_address 1.1.250",
            "sender 10.0.0.5 serial_number 00C5:0102AB7D",
            "sender 10.0.0.5 mac_address 00:24:6d:01:02:03",
            "sender 10.0.0.5 description IP Router Büro",
            "sender 10.0.0.5 role knx-router",
            "sender 10.0.0.5 knx_manufacturer_id 197",
        ]
    );
}

#[test]
fn a_device_on_ip_that_routes_is_no_router() {
    let response = frame(0x0204, &[device(0x20), FAMILIES.to_vec()].concat());
    let flow = flow(&[OVER_UDP]).datagram(FromResponder, &response);
    assert_eq!(flow.values(Attribute::Role), ["knx-server"]);
    assert_eq!(flow.values(Attribute::KnxMedium), ["ip"]);
}

#[test]
fn a_device_that_was_not_set_up_has_no_address() {
    let mut device = device(2);
    device[4..6].fill(0xFF);
    device[8..14].fill(0);
    device[18..24].fill(0);
    device[24..].fill(0);
    let flow = flow(&[OVER_UDP]).datagram(FromResponder, &frame(0x0204, &device));
    assert_eq!(flow.said(), ["sender 10.0.0.5 role knx-server", "sender 10.0.0.5 knx_medium tp1"]);
}

#[test]
fn security_is_noticed_in_what_is_offered_and_in_what_is_used() {
    let offered = frame(0x020C, &[endpoint(), device(2), vec![6, 6, 4, 1, 5, 1]].concat());
    let flow1 = flow(&[OVER_UDP]).datagram(FromResponder, &offered);
    assert_eq!(flow1.values(Attribute::KnxSecure), ["true"]);
    let wrapped = [frame(0x0950, &[0; 40]), frame(0x0950, &[0; 40])].concat();
    let flow2 = flow(&[OVER_TCP])
        .ask(&frame(0x0951, &[&[8, 2, 0, 0, 0, 0, 0, 0][..], &[7; 32]].concat()))
        .answer(&wrapped);
    assert_eq!(
        flow2.said(),
        [
            "sender 10.0.0.9 knx_secure true",
            "sender 10.0.0.9 role knx-client",
            "sender 10.0.0.5 knx_secure true",
        ]
    );
}

#[test]
fn frames_in_a_stream_are_told_apart_however_they_are_cut() {
    // Feature 4 of a tunnel: the manufacturer's code; feature 6 before it.
    let stream =
        [frame(0x0423, &[4, 1, 2, 0, 6, 0, 0x10, 0x87]), frame(0x0423, &[4, 1, 3, 0, 4, 0, 0x00, 0xC5])]
            .concat();
    let expected = ["sender 10.0.0.5 role knx-server", "sender 10.0.0.5 knx_manufacturer_id 197"];
    assert_eq!(flow(&[OVER_TCP]).answer(&stream).said(), expected);
    for cut in 1..stream.len() {
        let (first, second) = stream.split_at(cut);
        assert_eq!(flow(&[OVER_TCP]).answer(first).answer(second).said(), expected, "{cut}");
    }
}

#[test]
fn behind_a_hole_the_next_frame_is_found() {
    let mut flow = flow(&[OVER_TCP]).answer(&frame(0x0423, &[4, 1, 2, 0, 6, 0, 0x10, 0x87]));
    flow.conversation.gap(FromResponder, 100, &mut flow.statements);
    let flow =
        flow.answer(&[&[1, 6, 2, 6, 0x10][..], &frame(0x0423, &[4, 1, 3, 0, 4, 0, 0x00, 0xC5])].concat());
    assert_eq!(flow.values(Attribute::KnxManufacturerId), ["197"]);
}

#[test]
fn telegrams_say_nothing() {
    let telegram = [0x29, 0, 0xBC, 0xE0, 0x11, 0x03, 0x0A, 0x01, 1, 0, 0x81];
    let flow = flow(&[OVER_UDP]).datagram(FromInitiator, &frame(0x0530, &telegram));
    assert!(flow.said().is_empty());
    assert_eq!(flow.conversation.protocol(), Protocol::KnxnetIp);
}

#[test]
fn other_versions_services_lengths_and_contents_are_something_else() {
    let whole = frame(0x0201, &endpoint());
    let longer = [&whole[..], &[0]].concat();
    let mut baos = whole.clone();
    baos[1] = 0x20;
    let no_endpoint = frame(0x0201, &[9, 1, 10, 0, 0, 5, 0x0E, 0x57]);
    for bytes in [
        longer,
        baos,
        no_endpoint,
        frame(0x0301, &endpoint()),
        whole[..12].to_vec(),
        frame(0x0530, &[0x11; 11]),
    ] {
        let flow = flow(&[OVER_UDP]).datagram(FromInitiator, &bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in any::<Vec<u8>>(),
        service in prop::sample::select(vec![0x0202_u16, 0x0204, 0x020C, 0x0423, 0x0950]),
        body in prop::collection::vec(any::<u8>(), 0..120),
        at in 0_usize..60,
        byte in any::<u8>(),
    ) {
        let mut mutated = frame(0x0202, &[endpoint(), device(2), FAMILIES.to_vec()].concat());
        if let Some(place) = mutated.get_mut(at) {
            *place = byte;
        }
        let like = frame(service, &[endpoint(), body].concat());
        for bytes in [bytes, mutated, like] {
            prop_assert!(flow(&[OVER_UDP]).datagram(FromInitiator, &bytes).said().len() <= 8 * 16);
            let _ = flow(&[OVER_TCP]).ask(&bytes).said();
        }
    }
}

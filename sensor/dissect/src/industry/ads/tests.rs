//! Messages are written by the specification; the NetIds are those of a recorded connection.

use proptest::prelude::*;

use super::*;
use crate::Direction::{FromInitiator, FromResponder};
use crate::test_flow::TestFlow;

const TCP: &[Candidate] = &[OVER_TCP];
const UDP: &[Candidate] = &[DISCOVERY];

const SYSTEM: [u8; 6] = [5, 13, 117, 96, 1, 1];
const ENGINEER: [u8; 6] = [192, 168, 1, 99, 1, 1];

fn message(target: [u8; 6], source: [u8; 6], command: u16, flags: u16, data: &[u8]) -> Vec<u8> {
    [
        &[0, 0][..],
        &(data.len() as u32 + 32).to_le_bytes(),
        &target,
        &[0x10, 0x27],
        &source,
        &[0x10, 0x27],
        &command.to_le_bytes(),
        &flags.to_le_bytes(),
        &(data.len() as u32).to_le_bytes(),
        &[0, 0, 0, 0, 5, 0, 0, 0],
        data,
    ]
    .concat()
}

fn ask(command: u16, data: &[u8]) -> Vec<u8> {
    message(SYSTEM, ENGINEER, command, 4, data)
}

fn answer(command: u16, data: &[u8]) -> Vec<u8> {
    message(ENGINEER, SYSTEM, command, 5, data)
}

fn info() -> Vec<u8> {
    [&[0, 0, 0, 0, 3, 1, 0xB8, 0x0F][..], b"TwinCAT System\0\0"].concat()
}

#[test]
fn a_server_tells_its_name_and_version() {
    let flow = TestFlow::new(TCP).ask(&ask(1, &[])).answer(&answer(1, &info()));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role ads-client",
            "sender 192.0.2.2 role ads-server",
            "sender 192.0.2.2 ams_net_id 5.13.117.96.1.1",
            "sender 192.0.2.2 software_name TwinCAT System",
            "sender 192.0.2.2 software_version 3.1.4024",
        ]
    );
}

#[test]
fn a_name_may_end_with_the_message() {
    // The server of pyads.
    let short = b"\0\0\0\0\x01\x02\x03\0TestServer\0";
    let flow = TestFlow::new(TCP).ask(&ask(1, &[])).answer(&answer(1, short));
    assert_eq!(flow.values(Attribute::SoftwareName), ["TestServer"]);
    assert_eq!(flow.values(Attribute::SoftwareVersion), ["1.2.3"]);
    let nameless = TestFlow::new(TCP).answer(&answer(1, &short[..8]));
    assert_eq!(nameless.values(Attribute::SoftwareVersion), [""; 0]);
}

#[test]
fn who_writes_is_told_and_a_bus_is_no_system() {
    let flow = TestFlow::new(TCP).ask(&ask(5, &[5, 0, 0, 0, 0, 0, 0, 0])).answer(&message(
        ENGINEER,
        [5, 13, 117, 96, 4, 1],
        5,
        5,
        &[0; 4],
    ));
    assert_eq!(flow.values(Attribute::Role), ["ads-client", "ads-writer", "ads-server"]);
    assert_eq!(flow.values(Attribute::AmsNetId), [""; 0]);
}

/// An answer to a read.
fn value(text: &str) -> Vec<u8> {
    [&[0; 4][..], &(text.len() as u32 + 1).to_le_bytes(), text.as_bytes(), &[0]].concat()
}

fn description(net_id: &str, serial: &str, image: &str) -> Vec<u8> {
    value(&format!(
        "<TcTargetDesc><TargetType>CX1020-CE</TargetType><TargetFeatures><NetId>{net_id}</NetId></TargetFeatures>\
         <Hardware><Model>1020</Model><SerialNo>{serial}</SerialNo><CPUVersion>6.9</CPUVersion></Hardware>\
         <OsImage>{image}<OsName>Windows CE</OsName><OsVersion>6.0</OsVersion></OsImage></TcTargetDesc>"
    ))
}

#[test]
fn a_controller_describes_its_hardware() {
    let image = "<ImageDevice>CX1020</ImageDevice><ImageVersion>3.52</ImageVersion>";
    let flow = TestFlow::new(TCP).answer(&answer(2, &description("5.13.117.96.1.1", "63667", image)));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.2 role ads-server",
            "sender 192.0.2.2 ams_net_id 5.13.117.96.1.1",
            "sender 192.0.2.2 model CX1020",
            "sender 192.0.2.2 serial_number 63667",
            "sender 192.0.2.2 firmware_version 3.52",
            "sender 192.0.2.2 operating_system Windows CE",
        ]
    );
    let zero = TestFlow::new(TCP).answer(&answer(2, &description("5.13.117.96.1.1", "0", image)));
    assert_eq!(zero.values(Attribute::SerialNumber), [""; 0]);
}

#[test]
fn a_description_of_another_or_of_any_computer_says_nothing() {
    let image = "<ImageDevice>CX1020</ImageDevice>";
    for data in [
        description("5.13.117.97.1.1", "63667", image),
        description("5.13.117.96.1.1", "63667", ""),
        description("5.13.117.96.1.1", "63667", "<ImageDevice></ImageDevice>"),
        value("<TcTargetDesc><NetId>5.13.117.96.1.1</NetId>"),
        [&[7, 0, 0, 0][..], &description("5.13.117.96.1.1", "63667", image)[4..]].concat(),
        vec![0; 6],
    ] {
        let flow = TestFlow::new(TCP).answer(&answer(2, &data));
        assert_eq!(flow.said().len(), 2, "{:?}", flow.said());
    }
    let routed = message(ENGINEER, [5, 13, 117, 97, 1, 1], 2, 5, &description("5.13.117.97.1.1", "1", image));
    let flow = TestFlow::new(TCP).answer(&answer(1, &info())).answer(&routed);
    assert_eq!(flow.values(Attribute::Model), [""; 0], "of a system behind the one that answers");
}

fn datagram(service: u32, tags: &[(u16, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![3, 0x66, 0x14, 0x71, 0, 0, 0, 0];
    bytes.extend(service.to_le_bytes());
    bytes.extend(SYSTEM);
    bytes.extend([0x10, 0x27]);
    bytes.extend((tags.len() as u32).to_le_bytes());
    for (tag, value) in tags {
        bytes.extend([tag.to_le_bytes(), (value.len() as u16).to_le_bytes()].concat());
        bytes.extend(*value);
    }
    bytes
}

#[test]
fn a_system_is_discovered() {
    let os: Vec<u8> = [276_u32, 10, 0, 17763, 2].iter().flat_map(|word| word.to_le_bytes()).collect();
    let tags: [(u16, &[u8]); 4] =
        [(5, b"CX-1A2B3C\0"), (4, &os), (3, &[3, 1, 0xB8, 0x0F]), (18, b"fingerprint\0")];
    let flow = TestFlow::new(UDP)
        .datagram(FromInitiator, &datagram(1, &[]))
        .datagram(FromResponder, &datagram(0x8000_0001, &tags));
    assert_eq!(
        flow.said(),
        [
            "sender 192.0.2.1 role ads-client",
            "sender 192.0.2.2 role ads-server",
            "sender 192.0.2.2 ams_net_id 5.13.117.96.1.1",
            "sender 192.0.2.2 host_name cx-1a2b3c",
            "sender 192.0.2.2 operating_system Windows",
            "sender 192.0.2.2 operating_system_version 10.0.17763",
            "sender 192.0.2.2 software_name TwinCAT",
            "sender 192.0.2.2 software_version 3.1.4024",
        ]
    );
}

#[test]
fn a_route_is_added_with_a_password_in_clear() {
    let tags: [(u16, &[u8]); 5] =
        [(12, b"route\0"), (7, &SYSTEM), (13, b"Administrator\0"), (2, b"secret\0"), (5, b"station\0")];
    let flow = TestFlow::new(UDP).datagram(FromInitiator, &datagram(6, &tags));
    assert_eq!(
        flow.said(),
        ["sender 192.0.2.1 role ads-client", "peer 192.0.2.2 cleartext_credential ads-route"]
    );
}

#[test]
fn bytes_of_others_are_not_for_us() {
    let mut other_length = ask(1, &[1]);
    other_length[26] = 9;
    for bytes in [
        other_length,
        message(SYSTEM, ENGINEER, 10, 4, &[]),
        message(SYSTEM, ENGINEER, 1, 0, &[]),
        vec![0; 60],
    ] {
        assert_eq!(
            TestFlow::new(TCP).ask(&bytes).conversation.protocol(),
            Protocol::Unspecified,
            "{bytes:?}"
        );
    }
}

#[test]
fn where_messages_are_cut_and_lost_makes_no_difference() {
    let stream = [answer(2, &[0; 40]), answer(1, &info())].concat();
    let whole = TestFlow::new(TCP).answer(&stream).said();
    assert_eq!(whole.len(), 4);
    for size in 1..stream.len() {
        let mut flow = TestFlow::new(TCP);
        stream.chunks(size).for_each(|bytes| flow.bytes(FromResponder, bytes));
        assert_eq!(flow.said(), whole, "{size}");
    }
    let mut flow = TestFlow::new(TCP).answer(&answer(2, &[]));
    flow.conversation.gap(FromResponder, 5, &mut flow.statements);
    assert_eq!(flow.answer(&[7; 20]).answer(&answer(1, &info())).said().len(), 4);
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_grows(
        messages in prop::collection::vec((0_u16..12, any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)), 0..40),
        service in prop::sample::select(vec![1_u32, 6, 0x8000_0001, 0x8000_0006]),
        noise in any::<Vec<u8>>(),
    ) {
        let mut flow = TestFlow::new(TCP).ask(&ask(1, &[]));
        for (command, is_answer, data) in messages {
            flow = if is_answer { flow.answer(&answer(command, &data)) } else { flow.ask(&ask(command, &data)) };
        }
        prop_assert!(flow.statements.observations.len() < 90);
        let mut bytes = datagram(service, &[(5, &noise), (4, &noise), (3, &noise)]);
        bytes.extend(noise);
        prop_assert!(TestFlow::new(UDP).datagram(FromInitiator, &bytes).said().len() <= 8);
    }
}

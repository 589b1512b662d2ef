//! Answers, requests and announcements whose strings carry canaries (ASHRAE 135, clauses 15, 16 and 20).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder};

/// Listed properties of the device object: number, control value, attribute.
const LISTED: &[(u16, &str, Attribute)] = &[
    (12, "7.0 build 3", Attribute::SoftwareVersion),
    (28, "Air handling, floor 3", Attribute::Description),
    (44, "4.2.1", Attribute::FirmwareVersion),
    (58, "Plant room 2", Attribute::Location),
    (70, "AC-900", Attribute::Model),
    (77, "AHU-3", Attribute::BacnetObjectName),
    (121, "Acme Controls", Attribute::Manufacturer),
    (372, "SN-0042", Attribute::SerialNumber),
];

/// The device object 254, and an analogue input.
const DEVICE: [u8; 4] = [0x02, 0x00, 0x00, 0xFE];
const INPUT: [u8; 4] = [0x00, 0x00, 0x00, 0x01];

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![everything()];
    for (property, ..) in LISTED {
        streams.extend(BREAKERS.into_iter().map(|shape| broken_property(*property, shape)));
    }
    streams
}

/// A unicast datagram.
fn unicast(apdu: &[u8]) -> Vec<u8> {
    [&[0x81, 0x0A][..], &(apdu.len() as u16 + 6).to_be_bytes(), &[1, 0], apdu].concat()
}

/// A character string in UTF-8 behind this tag octet (with the extended length's mark).
fn string(tag: u8, text: &str) -> Vec<u8> {
    [&[tag, text.len() as u8 + 1, 0][..], text.as_bytes()].concat()
}

/// ReadProperty-ACK of one property.
fn acknowledged(object: [u8; 4], property: u16, value: &str) -> Vec<u8> {
    let number = match u8::try_from(property) {
        Ok(octet) => vec![0x19, octet],
        Err(_) => [&[0x1A][..], &property.to_be_bytes()].concat(),
    };
    let value = string(0x75, value);
    unicast(&[&[0x30, 7, 12, 0x0C][..], &object, &number, &[0x3E], &value, &[0x3F]].concat())
}

fn everything() -> CanaryStream {
    let mut mint = Mint::default();
    let mut turns = Vec::new();
    for property in (0_u16..=160).chain(340..=400) {
        let control = LISTED.iter().find(|(number, ..)| *number == property);
        let value = control.map_or_else(|| mint.token(), |(_, value, _)| (*value).to_owned());
        turns.push(from_responder(acknowledged(DEVICE, property, &value)));
        turns.push(from_responder(acknowledged(INPUT, property, &mint.token())));
    }
    // WriteProperty of the device's description, and requests with passwords.
    let write = [&[0, 4, 1, 15, 0x0C][..], &DEVICE, &[0x19, 28, 0x3E], &string(0x75, &mint.token()), &[0x3F]];
    turns.push(from_initiator(unicast(&write.concat())));
    let reinitialize = [&[0, 4, 2, 20, 0x09, 1][..], &string(0x1D, &mint.token())].concat();
    turns.push(from_initiator(unicast(&reinitialize)));
    let control = [&[0, 4, 3, 17, 0x19, 1][..], &string(0x2D, &mint.token())].concat();
    turns.push(from_initiator(unicast(&control)));
    // Who-Has by name, and I-Have of an input.
    turns.push(from_initiator(unicast(&[&[0x10, 7][..], &string(0x3D, &mint.token())].concat())));
    let have = [&[0x10, 1, 0xC4][..], &DEVICE, &[0xC4], &INPUT, &string(0x75, &mint.token())].concat();
    turns.push(from_responder(unicast(&have)));
    // Private transfer and text message.
    turns.push(from_initiator(unicast(
        &[&[0x10, 4, 0x09, 5, 0x19, 1, 0x2E][..], &string(0x75, &mint.token()), &[0x2F]].concat(),
    )));
    turns.push(from_initiator(unicast(
        &[&[0x10, 5, 0x0C][..], &DEVICE, &[0x29, 0], &string(0x3D, &mint.token())].concat(),
    )));
    let mut expected: Vec<_> = LISTED.iter().map(|(_, value, of)| (*of, (*value).to_owned())).collect();
    expected.extend([
        (Attribute::BacnetInstance, "254".to_owned()),
        (Attribute::Role, "bacnet-device".to_owned()),
        (Attribute::CleartextCredential, "bacnet-password".to_owned()),
    ]);
    stream("bacnet everything".to_owned(), mint, turns, expected)
}

fn broken_property(broken: u16, shape: &str) -> CanaryStream {
    let mut mint = Mint::default();
    let turns = LISTED
        .iter()
        .map(|(property, value, _)| {
            let value = if *property == broken { mint.broken(shape) } else { (*value).to_owned() };
            from_responder(acknowledged(DEVICE, *property, &value))
        })
        .collect();
    let expected = LISTED
        .iter()
        .filter(|(of, ..)| *of != broken)
        .map(|(_, value, of)| (*of, (*value).to_owned()))
        .collect();
    stream(format!("bacnet property {broken} broken, {shape}"), mint, turns, expected)
}

fn stream(name: String, mint: Mint, turns: Vec<Turn>, expected: Vec<(Attribute, String)>) -> CanaryStream {
    CanaryStream { name, transport: Transport::Udp, port: 47808, turns, canaries: mint.canaries, expected }
}

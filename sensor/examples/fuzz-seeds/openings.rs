//! Seeds for the protocols that no capture and no made-up stream has: how their connections begin.

use std::net::{IpAddr, Ipv4Addr};

use wardwatch_dissect::fuzzing::{Recording, Row, Table, What};
use wardwatch_dissect::{Address, Carrier, Direction};

use super::corpus::Corpus;

/// Takes them.
pub(crate) fn take(corpus: &mut Corpus) {
    for turns in [http2(), mysql(), ge_srtp()] {
        let rows = turns.into_iter().map(|(direction, bytes)| Row {
            direction,
            carrier: Carrier::Transport,
            what: What::Bytes(bytes),
        });
        let ends = [end(1, 40_000), end(2, 9999)];
        corpus.take_recording(Table::Tcp, &Recording { ends, rows: rows.collect() });
    }
}

fn end(number: u8, port: u16) -> Address {
    let ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, number));
    Address { mac: Some([2, 0, 0, 0, 0, number]), ip: Some(ip), port }
}

type Turns = Vec<(Direction, Vec<u8>)>;

/// The client's preface and both sides' SETTINGS (RFC 9113, 3.4).
fn http2() -> Turns {
    let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100];
    let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &settings].concat();
    vec![(Direction::FromInitiator, preface), (Direction::FromResponder, settings.to_vec())]
}

/// A server's greeting, a log-in, and its refusal (MySQL: Client/Server Protocol, connection phase).
fn mysql() -> Turns {
    let packet = |number: u8, content: &[u8]| [&[content.len() as u8, 0, 0, number], content].concat();
    let greeting = [
        &b"\x0A8.0.36\0"[..],
        &[9, 0, 0, 0],
        b"saltsalt\0",
        // Capabilities, character set, status, more capabilities, length of the salt, reserved.
        &[0xFF, 0xF7, 0xFF, 2, 0, 0xFF, 0xDF, 21],
        &[0; 10],
        b"saltsaltsalt\0mysql_native_password\0",
    ];
    let login = [&[0x05, 0xA2, 0x0E, 0, 0, 0, 0, 1, 0xFF][..], &[0; 23], b"ward\0\0"];
    let refusal = b"\xFF\x15\x04#28000Access denied";
    vec![
        (Direction::FromResponder, packet(0, &greeting.concat())),
        (Direction::FromInitiator, packet(1, &login.concat())),
        (Direction::FromResponder, packet(2, refusal)),
    ]
}

/// A connection is opened and confirmed, a request is answered: 56 octets each.
fn ge_srtp() -> Turns {
    let message = |kind: u8, of: u8, mailbox: usize| {
        let mut header = vec![0; 56];
        (header[0], header[2], header[9], header[17], header[30], header[31]) = (kind, 3, 1, 1, 3, of);
        header[mailbox..mailbox + 4].copy_from_slice(&[0x10, 0x0E, 0, 0]);
        (header[40], header[41], header[42]) = (1, 1, 4);
        header
    };
    let mut opened = vec![0; 56];
    opened[0] = 1;
    vec![
        (Direction::FromInitiator, vec![0; 56]),
        (Direction::FromResponder, opened),
        (Direction::FromInitiator, message(2, 0xC0, 36)),
        (Direction::FromResponder, message(3, 0xD4, 32)),
    ]
}

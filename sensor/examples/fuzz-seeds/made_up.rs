//! Seeds out of the streams that the canary generator makes up: for many protocols there are no others.

use std::net::{IpAddr, Ipv4Addr};

use wardwatch_dissect::canary::{self, CanaryStream, Transport};
use wardwatch_dissect::fuzzing::{Recording, Row, Table, What};
use wardwatch_dissect::{Address, Carrier};

use super::corpus::Corpus;

/// Octets of payload in a segment, as over Ethernet.
const SEGMENT: usize = 1460;

/// Takes of each kind of stream, which its name's first word tells, as many as of a capture.
pub(crate) fn take(corpus: &mut Corpus) {
    let mut kind = String::new();
    for stream in canary::streams() {
        let first = stream.name.split(' ').next().unwrap_or_default();
        if kind != first {
            first.clone_into(&mut kind);
            corpus.begin_source();
        }
        let (table, recording) = record(&stream);
        corpus.take_recording(table, &recording);
    }
}

fn record(stream: &CanaryStream) -> (Table, Recording) {
    let (table, carrier) = match stream.transport {
        Transport::Tcp => (Table::Tcp, Carrier::Transport),
        Transport::Udp => (Table::Udp, Carrier::Transport),
        Transport::Link(carrier) => (Table::Link, carrier),
    };
    let initiator = stream.initiator().unwrap_or(Ipv4Addr::new(192, 0, 2, 1));
    let ends = [end(table, 1, initiator, 40_000), end(table, 2, Ipv4Addr::new(192, 0, 2, 2), stream.port)];
    let mut rows = Vec::new();
    for turn in &stream.turns {
        let longest = if table == Table::Tcp { SEGMENT } else { usize::from(u16::MAX) };
        for piece in turn.bytes.chunks(longest) {
            rows.push(Row { direction: turn.direction, carrier, what: What::Bytes(piece.to_vec()) });
        }
    }
    (table, Recording { ends, rows })
}

fn end(table: Table, number: u8, ip: Ipv4Addr, port: u16) -> Address {
    let mac = Some([2, 0, 0, 0, 0, number]);
    if table == Table::Link {
        return Address { mac, ..Address::default() };
    }
    Address { mac, ip: Some(IpAddr::V4(ip)), port }
}

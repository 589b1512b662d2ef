//! A conversation as bytes that any mutation leaves readable.
//!
//! First both ends, the initiator's and the responder's: MAC address (6), IP address (16, IPv4 as RFC 4291, 2.5.5.2 has
//! it), port (2). A MAC or IP address of zeros is none. Then rows:
//!
//! - one byte: bit 0 is set if the responder sends, bit 1 if the bytes are missing, bits 2 to 4 tell the carrier's kind
//! - two bytes: length
//! - what the carrier says, by its kind
//! - as many bytes as the length tells, or what is left; none if they are missing
//!
//! All numbers are in network byte order. What is cut off is read as zeros, and every kind is one.

use std::net::{IpAddr, Ipv6Addr};

use super::Table;
use crate::{Address, Carrier, Conversation, Direction, Input, Interest, Statements};

const FROM_RESPONDER: u8 = 1;
const MISSING: u8 = 1 << 1;
const KIND: u32 = 2;

/// 2023-11-14 22:13:20 UTC, in nanoseconds.
const BEGIN: u64 = 1_700_000_000_000_000_000;
/// Between two rows: 1 s.
const STEP: u64 = 1_000_000_000;

/// Who talked, and what passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The initiator's end and the responder's.
    pub ends: [Address; 2],
    /// In the order in which they passed.
    pub rows: Vec<Row>,
}

/// What one segment, datagram or frame brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Who sent it.
    pub direction: Direction,
    /// What the header in front of it says.
    pub carrier: Carrier,
    /// What came.
    pub what: What,
}

/// Bytes, or their absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// These bytes; those behind the first 65535 are not kept.
    Bytes(Vec<u8>),
    /// So many bytes of a stream will never come.
    Missing(u16),
}

impl Recording {
    /// Reads any bytes.
    pub fn decode(bytes: &[u8]) -> Self {
        let mut rest = Rest(bytes);
        let ends = [rest.end(), rest.end()];
        let mut rows = Vec::new();
        while !rest.0.is_empty() {
            rows.push(rest.row());
        }
        Self { ends, rows }
    }

    /// What [`Self::decode`] reads as this.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for end in &self.ends {
            let ip = match end.ip {
                Some(IpAddr::V4(ip)) => ip.to_ipv6_mapped(),
                Some(IpAddr::V6(ip)) => ip,
                None => Ipv6Addr::UNSPECIFIED,
            };
            bytes.extend(end.mac.unwrap_or_default());
            bytes.extend(ip.octets());
            bytes.extend(end.port.to_be_bytes());
        }
        for row in &self.rows {
            row.encode(&mut bytes);
        }
        bytes
    }

    /// Shows a row to a conversation the way the sensor would; none where the sensor would not: a stream has no empty
    /// parts, and no datagram of which only the length is known. Rows are a second apart.
    pub fn show(
        &self,
        (number, row): (usize, &Row),
        table: Table,
        conversation: &mut Conversation,
        statements: &mut Statements,
    ) -> Option<Interest> {
        match &row.what {
            What::Bytes(bytes) => {
                let mut input = self.input(number, row, bytes);
                if matches!(table, Table::Tcp | Table::Udp) {
                    input.carrier = Carrier::Transport;
                }
                match table {
                    Table::Tcp if bytes.is_empty() => None,
                    Table::Tcp => Some(conversation.bytes(&input, statements)),
                    Table::Udp | Table::Ip | Table::Link => Some(conversation.datagram(&input, statements)),
                }
            }
            What::Missing(length) => (table == Table::Tcp && *length > 0)
                .then(|| conversation.gap(row.direction, u64::from(*length), statements)),
        }
    }

    fn input<'a>(&self, number: usize, row: &Row, bytes: &'a [u8]) -> Input<'a> {
        let [initiator, responder] = self.ends;
        let (sender, receiver) = match row.direction {
            Direction::FromInitiator => (initiator, responder),
            Direction::FromResponder => (responder, initiator),
        };
        let at = BEGIN + number as u64 * STEP;
        Input { direction: row.direction, sender, receiver, at, flow: 1, carrier: row.carrier, bytes }
    }
}

impl Row {
    /// What it takes when it is encoded, in bytes.
    pub fn encoded_length(&self) -> usize {
        let mut bytes = Vec::new();
        let head = Self { what: What::Missing(0), ..*self };
        head.encode(&mut bytes);
        match &self.what {
            What::Bytes(octets) => bytes.len() + octets.len(),
            What::Missing(_) => bytes.len(),
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        let (kind, says) = encode_carrier(self.carrier);
        let direction = if self.direction == Direction::FromResponder { FROM_RESPONDER } else { 0 };
        let (missing, length, octets) = match &self.what {
            What::Bytes(octets) => {
                let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
                (0, length, octets.get(..usize::from(length)).unwrap_or_default())
            }
            What::Missing(length) => (MISSING, *length, &[][..]),
        };
        bytes.push(direction | missing | kind << KIND);
        bytes.extend(length.to_be_bytes());
        bytes.extend(says);
        bytes.extend(octets);
    }
}

/// The kind's number, and what such a header says.
fn encode_carrier(carrier: Carrier) -> (u8, Vec<u8>) {
    match carrier {
        Carrier::Transport => (0, Vec::new()),
        Carrier::EtherType(number) => (1, number.to_be_bytes().to_vec()),
        Carrier::Llc { dsap, ssap } => (2, vec![dsap, ssap]),
        Carrier::Snap { organisation, protocol } => {
            (3, [&organisation[..], &protocol.to_be_bytes()[..]].concat())
        }
        Carrier::Icmp { kind, code } => (4, vec![kind, code]),
        Carrier::Icmpv6 { kind, code, hop_limit } => (5, vec![kind, code, hop_limit]),
        Carrier::Ip(number) => (6, vec![number]),
    }
}

/// What has not been read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut taken = [0; N];
        let (head, rest) = self.0.split_at(self.0.len().min(N));
        for (to, from) in taken.iter_mut().zip(head) {
            *to = *from;
        }
        self.0 = rest;
        taken
    }

    fn number(&mut self) -> u16 {
        u16::from_be_bytes(self.take())
    }

    fn end(&mut self) -> Address {
        let mac = Some(self.take()).filter(|mac| *mac != [0; 6]);
        let ip = Some(Ipv6Addr::from(self.take::<16>())).filter(|ip| !ip.is_unspecified());
        Address { mac, ip: ip.map(|ip| ip.to_canonical()), port: self.number() }
    }

    fn row(&mut self) -> Row {
        let [flags] = self.take();
        let length = self.number();
        let carrier = self.carrier(flags >> KIND & 7);
        let direction =
            if flags & FROM_RESPONDER == 0 { Direction::FromInitiator } else { Direction::FromResponder };
        let what = if flags & MISSING == 0 {
            let (bytes, rest) = self.0.split_at(self.0.len().min(usize::from(length)));
            self.0 = rest;
            What::Bytes(bytes.to_vec())
        } else {
            What::Missing(length)
        };
        Row { direction, carrier, what }
    }

    fn carrier(&mut self, kind: u8) -> Carrier {
        match kind {
            1 => Carrier::EtherType(self.number()),
            2 => {
                let [dsap, ssap] = self.take();
                Carrier::Llc { dsap, ssap }
            }
            3 => Carrier::Snap { organisation: self.take(), protocol: self.number() },
            4 => {
                let [kind, code] = self.take();
                Carrier::Icmp { kind, code }
            }
            5 => {
                let [kind, code, hop_limit] = self.take();
                Carrier::Icmpv6 { kind, code, hop_limit }
            }
            6 => {
                let [number] = self.take();
                Carrier::Ip(number)
            }
            _ => Carrier::Transport,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_flow::address;

    #[test]
    fn what_is_encoded_is_decoded() {
        let carriers = [
            Carrier::Transport,
            Carrier::EtherType(0x88cc),
            Carrier::Llc { dsap: 0x42, ssap: 0x42 },
            Carrier::Snap { organisation: [0, 0, 0x0c], protocol: 0x2000 },
            Carrier::Icmp { kind: 8, code: 0 },
            Carrier::Icmpv6 { kind: 135, code: 0, hop_limit: 255 },
            Carrier::Ip(2),
        ];
        let rows = carriers.into_iter().flat_map(|carrier| {
            let bytes = What::Bytes(b"said".to_vec());
            [
                Row { direction: Direction::FromInitiator, carrier, what: bytes },
                Row { direction: Direction::FromResponder, carrier, what: What::Missing(9) },
            ]
        });
        let far = Address { mac: Some([2, 0, 0, 0, 0, 1]), ..address("2001:db8::1", 53) };
        let recording = Recording { ends: [address("192.0.2.1", 40_000), far], rows: rows.collect() };
        let encoded = recording.encode();
        assert_eq!(Recording::decode(&encoded), recording);
        let ends = Recording { rows: Vec::new(), ..recording.clone() }.encode().len();
        let rows: usize = recording.rows.iter().map(Row::encoded_length).sum();
        assert_eq!(encoded.len(), ends + rows);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_recording(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let recording = Recording::decode(&bytes);
            prop_assert_eq!(Recording::decode(&recording.encode()).rows.len(), recording.rows.len());
        }
    }
}

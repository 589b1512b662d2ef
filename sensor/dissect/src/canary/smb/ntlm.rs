//! Tokens of NTLM ([MS-NLMP], 2.2.1): what both machines call themselves is listed; users, their domains, proofs and keys,
//! the forest and what a client asked for are canaries.

use wardwatch_proto::v1::Attribute;

use super::super::access::tlv;
use super::super::{Mint, utf16};
use super::control;

/// Listed names: those in the pairs of a server's challenge (2.2.2.1), by their numbers, and the client's workstation.
const NAMES: [(u16, &str, Attribute); 5] = [
    (1, "srv7", Attribute::HostName),
    (2, "CLINIC", Attribute::Domain),
    (3, "srv7.clinic.example", Attribute::HostName),
    (4, "clinic.example", Attribute::Domain),
    (WORKSTATION, "ws-11", Attribute::HostName),
];
const WORKSTATION: u16 = 0x8000;

/// Which names a server gives: of NetBIOS, and of DNS besides.
pub(super) const OF_NETBIOS: &[u16] = &[1, 2, WORKSTATION];
pub(super) const OF_DNS: &[u16] = &[1, 2, 3, 4, WORKSTATION];

/// Pairs that are not listed: the forest, and the name by which the client called the server.
const OTHER_PAIRS: [u16; 2] = [5, 9];

/// Names in UTF-16, and that a version is given (2.2.2.5).
const FLAGS: [u8; 4] = [1, 0, 0, 2];

/// Windows 10, build 17763 (2.2.2.10).
const VERSION: [u8; 8] = [10, 0, 0x63, 0x45, 0, 0, 0, 15];

/// Which names are given, and which of them breaks its grammar in which shape.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) given: &'static [u16],
    pub(super) broken: Option<(u16, &'a str)>,
}

/// What a message is laid out of: octets as they are, or the place of what stands behind it.
enum Piece {
    Fixed(Vec<u8>),
    Field(Vec<u8>),
}

fn message(kind: u8, pieces: Vec<Piece>) -> Vec<u8> {
    let octets = |piece: &Piece| if let Piece::Fixed(octets) = piece { octets.len() } else { 8 };
    let fixed: usize = pieces.iter().map(octets).sum();
    let (mut head, mut payload) = ([&b"NTLMSSP\0"[..], &[kind, 0, 0, 0]].concat(), Vec::new());
    let begin = head.len() + fixed;
    for piece in pieces {
        match piece {
            Piece::Fixed(octets) => head.extend(octets),
            Piece::Field(octets) => {
                let length = (octets.len() as u16).to_le_bytes();
                head.extend([length, length].concat());
                head.extend(((begin + payload.len()) as u32).to_le_bytes());
                payload.extend(octets);
            }
        }
    }
    [head, payload].concat()
}

fn pair(number: u16, value: &str) -> Vec<u8> {
    let value = utf16(value);
    [&number.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), &value].concat()
}

/// What a challenge says of its server, or, without names, what a copy says of nobody.
fn target(mint: &mut Mint, names: Option<Names<'_>>) -> Vec<u8> {
    let given = names.map_or(OF_DNS, |names| names.given);
    let mut pairs: Vec<u8> = OTHER_PAIRS.into_iter().flat_map(|number| pair(number, &mint.token())).collect();
    for number in given.iter().filter(|number| **number != WORKSTATION) {
        let value = match names {
            Some(names) => names.value(*number, mint),
            None => mint.token(),
        };
        pairs.extend(pair(*number, &value));
    }
    [pairs, vec![0; 4]].concat()
}

fn challenge_with(target: Vec<u8>, mint: &mut Mint) -> Vec<u8> {
    message(
        2,
        vec![
            Piece::Field(utf16(&mint.token())),
            Piece::Fixed([&FLAGS[..], &[7; 8], &[0; 8]].concat()),
            Piece::Field(target),
            Piece::Fixed(VERSION.to_vec()),
        ],
    )
}

/// A challenge that belongs to no log-in: a part of a file.
pub(super) fn in_a_file(mint: &mut Mint) -> Vec<u8> {
    let target = target(mint, None);
    challenge_with(target, mint)
}

/// What a client begins with; the names that it may give are not listed, since few do and they are not in UTF-16.
pub(super) fn negotiate(mint: &mut Mint) -> Vec<u8> {
    message(
        1,
        vec![
            Piece::Fixed(vec![2, 0x30, 0, 2]),
            Piece::Field(mint.token().into_bytes()),
            Piece::Field(mint.token().into_bytes()),
            Piece::Fixed(VERSION.to_vec()),
        ],
    )
}

/// Within SPNEGO (RFC 4178, 4.2.2), with a checksum behind it.
fn wrapped(token: &[u8], mint: &mut Mint) -> Vec<u8> {
    let checksum = tlv(0xA3, &tlv(4, mint.token().as_bytes()));
    tlv(0xA1, &tlv(0x30, &[tlv(0xA2, &tlv(4, token)), checksum].concat()))
}

impl Names<'_> {
    fn value(self, number: u16, mint: &mut Mint) -> String {
        match (self.broken, NAMES.iter().find(|(of, ..)| *of == number)) {
            (Some((of, shape)), _) if of == number => mint.broken(shape),
            (_, Some((_, value, _))) => (*value).to_owned(),
            (_, None) => mint.token(),
        }
    }

    pub(super) fn challenge(self, mint: &mut Mint) -> Vec<u8> {
        let target = target(mint, Some(self));
        let token = challenge_with(target, mint);
        wrapped(&token, mint)
    }

    /// The proof holds what the challenge said (2.2.2.8); here that is canaries.
    pub(super) fn authenticate(self, mint: &mut Mint) -> Vec<u8> {
        let padded = |text: String, octets: usize| format!("{text:octets$}").into_bytes();
        let copy = target(mint, None);
        let proof = [padded(mint.token(), 16), vec![1, 1], vec![0; 26], copy].concat();
        let token = message(
            3,
            vec![
                Piece::Field(padded(mint.token(), 24)),
                Piece::Field(proof),
                Piece::Field(utf16(&mint.token())),
                Piece::Field(utf16(&mint.token())),
                Piece::Field(utf16(&self.value(WORKSTATION, mint))),
                Piece::Field(padded(mint.token(), 16)),
                Piece::Fixed([&FLAGS[..], &VERSION, &padded(mint.token(), 16)].concat()),
            ],
        );
        wrapped(&token, mint)
    }

    /// A server is called by its names in DNS where it has them.
    pub(super) fn expected(self) -> Vec<(Attribute, String)> {
        let has_dns = self.given.contains(&3);
        let is_told =
            |number: u16| matches!((has_dns, number), (true, 3 | 4) | (false, 1 | 2) | (_, WORKSTATION));
        let names = NAMES.iter().filter(|(number, ..)| is_told(*number));
        let mut expected: Vec<_> = names
            .filter(|(number, ..)| self.broken.is_none_or(|(broken, _)| broken != *number))
            .map(|(_, value, attribute)| control(*attribute, value))
            .collect();
        expected.extend([
            control(Attribute::OperatingSystem, "Windows"),
            control(Attribute::OperatingSystemVersion, "10.0.17763"),
        ]);
        expected
    }
}

/// A ticket of Kerberos within GSS-API (RFC 4121, 4.1; RFC 4120, 5.5.1).
pub(super) fn kerberos(mint: &mut Mint) -> Vec<u8> {
    let text = |tag: u8, text: &str| tlv(tag, &tlv(0x1B, text.as_bytes()));
    let ticket = [text(0xA1, &mint.token()), text(0xA2, &mint.token()), text(0xA3, &mint.token())].concat();
    let request = tlv(0x6E, &tlv(0x30, &tlv(0xA3, &tlv(0x61, &tlv(0x30, &ticket)))));
    tlv(0x60, &[&b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00"[..], &request].concat())
}

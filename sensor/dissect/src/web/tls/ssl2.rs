//! The hellos of SSL 2.0: what very old servers still answer to, and the shape in which clients of the next ten years
//! said their first word to servers of either kind (RFC 5246, E.2).

use tls_parser::nom::number::complete::be_u16;
use tls_parser::nom::{IResult, sequence::tuple};

use crate::Probe;

/// Message types of the SSL 2.0 protocol.
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 4;

/// A hello that has come whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hello<'a> {
    pub(super) kind: Kind<'a>,
    /// Octets that it takes, with the record header of two.
    pub(super) length: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Client,
    Server {
        /// In DER.
        certificate: &'a [u8],
    },
}

/// Certain for a hello whose parts fill it exactly.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    match bytes {
        [] | [0x80..=0xFF] | [0x80..=0xFF, _] => Probe::Unsure,
        [0x80..=0xFF, _, CLIENT_HELLO, rest @ ..] if rest.len() < 8 => Probe::Unsure,
        [0x80..=0xFF, _, SERVER_HELLO, rest @ ..] if rest.len() < 10 => Probe::Unsure,
        [high @ 0x80..=0xFF, low, kind @ (CLIENT_HELLO | SERVER_HELLO), rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([high & 0x7F, *low]));
            match parts(*kind, rest) {
                Some(parts) if parts.fill(length) => {
                    if bytes.len() >= 2 + length {
                        Probe::Certain
                    } else {
                        Probe::Unsure
                    }
                }
                _ => Probe::NotForUs,
            }
        }
        _ => Probe::NotForUs,
    }
}

/// The hello at the start of these bytes.
pub(super) fn hello(bytes: &[u8]) -> Option<Hello<'_>> {
    if probe(bytes) != Probe::Certain {
        return None;
    }
    let ([high, low, kind], rest) = bytes.split_first_chunk::<3>()?;
    let length = 2 + usize::from(u16::from_be_bytes([high & 0x7F, *low]));
    if *kind == CLIENT_HELLO {
        return Some(Hello { kind: Kind::Client, length });
    }
    let parts = parts(*kind, rest)?;
    let [first, _, _] = parts.lengths;
    let certificate = bytes.get(2 + parts.fixed..)?.get(..usize::from(first))?;
    Some(Hello { kind: Kind::Server { certificate }, length })
}

/// The lengths of a hello's parts.
struct Parts {
    /// Octets before the parts, from the message type on.
    fixed: usize,
    lengths: [u16; 3],
}

impl Parts {
    fn fill(&self, length: usize) -> bool {
        self.fixed + self.lengths.iter().map(|part| usize::from(*part)).sum::<usize>() == length
    }
}

/// Reads what stands before the parts, behind the message type; `None` when no hello has such.
fn parts(kind: u8, rest: &[u8]) -> Option<Parts> {
    let three = |rest| -> IResult<&[u8], (u16, u16, u16)> { tuple((be_u16, be_u16, be_u16))(rest) };
    if kind == CLIENT_HELLO {
        // Version, then the lengths of the cipher specs (three octets each), session and challenge.
        let ([0, 2, rest @ ..] | [3, 0..=3, rest @ ..]) = rest else { return None };
        let (_, (ciphers, session, challenge)) = three(rest).ok()?;
        let fits = ciphers > 0
            && ciphers % 3 == 0
            && matches!(session, 0 | 16 | 32)
            && (16..=32).contains(&challenge);
        return fits.then_some(Parts { fixed: 9, lengths: [ciphers, session, challenge] });
    }
    // Whether the session is known, type of the certificate, version, then the lengths of the certificate, the cipher
    // specs and the connection identifier.
    let [0 | 1, 0 | 1, 0, 2, rest @ ..] = rest else { return None };
    let (_, (certificate, ciphers, connection)) = three(rest).ok()?;
    let fits = ciphers % 3 == 0 && (16..=32).contains(&connection);
    fits.then_some(Parts { fixed: 11, lengths: [certificate, ciphers, connection] })
}

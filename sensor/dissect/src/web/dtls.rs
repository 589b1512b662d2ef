//! DTLS 1.0 to 1.3 (RFC 4347, 6347, 9147), on any port: TLS on datagrams, of VPNs, CoAP and video.
//!
//! As with TLS, the handshake is read as long as it is in clear: what the client offers (as a JA4 fingerprint) and whom
//! it asks for, what the server chose, and, up to DTLS 1.2, the certificates.
//!
//! Traps: messages are cut into fragments that may come in any order; a client repeats its hello with a cookie that
//! the server gave it (RFC 6347, 4.2.1), and the cookie stands where TLS has none.

use tls_parser::{TlsMessageHandshake, parse_tls_handshake_msg_certificate};
use wardwatch_proto::v1::Protocol;

use super::pieces::Pieces;
use super::tls::certificate::{self, Owner};
use super::tls::hello::{self, Transport};
use super::tls::{CERTIFICATE, CLIENT_HELLO, SERVER_HELLO};
use crate::octets::{be16, be32, part, piece};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

/// DTLS on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Dtls, probe, start: || Box::new(Dtls::default()) };

/// Octets of a record's header, and of a fragment's.
const RECORD_HEADER: usize = 13;
const FRAGMENT_HEADER: usize = 12;

/// Longest message that is put together.
const LONGEST_MESSAGE: usize = 16 * 1024;

/// Datagrams in which the handshake must have passed, with everything sent twice.
const MOST_DATAGRAMS: u32 = 128;

/// Content types (RFC 6347, 4.3.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
const HEARTBEAT: u8 = 24;

/// In each message of STUN (RFC 8489, 5).
const STUN_COOKIE: u32 = 0x2112_A442;

#[derive(Default)]
struct Dtls {
    sides: [Side; 2],
    datagrams: u32,
}

#[derive(Default)]
struct Side {
    /// The message that is being put together: its number in the handshake.
    number: u16,
    pieces: Pieces<LONGEST_MESSAGE>,
    /// It sent a hello as this.
    speaks_as: Option<Owner>,
    /// What it says in clear has been said.
    is_finished: bool,
}

/// A record of a datagram.
#[derive(Clone, Copy, Debug)]
struct Record<'a> {
    kind: u8,
    /// Encrypted once it is not 0.
    epoch: u16,
    contents: &'a [u8],
}

/// A fragment of a handshake message.
#[derive(Clone, Copy, Debug)]
struct Fragment<'a> {
    kind: u8,
    /// Of the whole message.
    length: usize,
    number: u16,
    offset: usize,
    data: &'a [u8],
}

/// Records lie end to end and fill the datagram; a handshake's hold fragments that fit their messages. Video's handshake
/// comes behind messages of STUN on the same ports (RFC 7983), which decide nothing.
fn probe(input: &Input<'_>) -> Probe {
    if matches!(input.bytes.first(), Some(0..=3)) && be32(input.bytes, 4) == Some(STUN_COOKIE) {
        return Probe::Unsure;
    }
    let mut rest = input.bytes;
    while !rest.is_empty() {
        let Some((record, behind)) = record(rest) else { return Probe::NotForUs };
        if record.contents.is_empty()
            || record.epoch == 0 && record.kind == HANDSHAKE && fragment(record.contents).is_none()
        {
            return Probe::NotForUs;
        }
        rest = behind;
    }
    if input.bytes.is_empty() { Probe::NotForUs } else { Probe::Certain }
}

fn record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let kind = *bytes.first().filter(|kind| (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(kind))?;
    let version = be16(bytes, 1)?;
    if !matches!(version, 0xFEFF | 0xFEFD | 0xFEFC) {
        return None;
    }
    let length = usize::from(be16(bytes, 11)?);
    let contents = part(bytes, RECORD_HEADER, length)?;
    Some((Record { kind, epoch: be16(bytes, 3)?, contents }, bytes.get(RECORD_HEADER + length..)?))
}

fn fragment(bytes: &[u8]) -> Option<(Fragment<'_>, &[u8])> {
    let [kind, length @ ..] = piece::<4>(bytes, 0)?;
    let three = |[high, mid, low]: [u8; 3]| u32::from_be_bytes([0, high, mid, low]) as usize;
    let (length, offset) = (three(length), three(piece(bytes, 6)?));
    let own = three(piece(bytes, 9)?);
    let data = part(bytes, FRAGMENT_HEADER, own).filter(|_| offset + own <= length)?;
    let fragment = Fragment { kind, length, number: be16(bytes, 4)?, offset, data };
    Some((fragment, bytes.get(FRAGMENT_HEADER + own..)?))
}

impl Dissector for Dtls {
    fn protocol(&self) -> Protocol {
        Protocol::Dtls
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        self.datagrams += 1;
        let mut rest = input.bytes;
        while let Some((record, behind)) = record(rest) {
            if record.epoch > 0 || record.kind == CHANGE_CIPHER_SPEC {
                self.side(input.direction).finish();
            } else if record.kind == HANDSHAKE {
                self.handshake(input.direction, record.contents, facts);
            }
            rest = behind;
        }
        let is_over = self.sides.iter().all(|side| side.is_finished);
        if is_over || self.datagrams >= MOST_DATAGRAMS {
            Progress::Done
        } else {
            Progress::Consumed(input.bytes.len())
        }
    }
}

impl Dtls {
    fn side(&mut self, direction: Direction) -> &mut Side {
        let [initiator, responder] = &mut self.sides;
        match direction {
            Direction::FromInitiator => initiator,
            Direction::FromResponder => responder,
        }
    }

    fn handshake(&mut self, direction: Direction, contents: &[u8], facts: &mut Facts<'_>) {
        let mut rest = contents;
        while let Some((fragment, behind)) = fragment(rest) {
            rest = behind;
            let side = self.side(direction);
            if side.is_finished || !matches!(fragment.kind, CLIENT_HELLO | SERVER_HELLO | CERTIFICATE) {
                continue;
            }
            if fragment.number != side.number {
                side.number = fragment.number;
                side.pieces = Pieces::default();
            }
            side.pieces.take(fragment.offset, fragment.data);
            if side.pieces.beginning().len() == fragment.length {
                let message = std::mem::take(&mut side.pieces);
                self.message(direction, fragment.kind, message.beginning(), facts);
            }
        }
    }

    fn message(&mut self, direction: Direction, kind: u8, body: &[u8], facts: &mut Facts<'_>) {
        let side = self.side(direction);
        match kind {
            CLIENT_HELLO => {
                // It comes again with a cookie, and whenever an answer was lost.
                if side.speaks_as.replace(Owner::Client).is_none()
                    && let Some(body) = without_cookie(body)
                {
                    hello::state_client(Transport::Dtls, &body, facts);
                }
            }
            SERVER_HELLO => {
                let is_first = side.speaks_as.replace(Owner::Server).is_none();
                let chosen = is_first.then(|| hello::state_server(Transport::Dtls, body, facts)).flatten();
                if chosen.is_some_and(hello::is_encrypted_from_here) {
                    self.sides.iter_mut().for_each(Side::finish);
                }
            }
            CERTIFICATE => {
                let owner = side.speaks_as.unwrap_or(match direction {
                    Direction::FromInitiator => Owner::Client,
                    Direction::FromResponder => Owner::Server,
                });
                if let Ok((_, TlsMessageHandshake::Certificate(chain))) =
                    parse_tls_handshake_msg_certificate(body)
                    && let Some(first) = chain.cert_chain.first()
                {
                    certificate::state(first.data, owner, facts);
                }
            }
            _ => {}
        }
    }
}

impl Side {
    fn finish(&mut self) {
        self.is_finished = true;
        self.pieces = Pieces::default();
    }
}

/// A client's hello as TLS has it: version, random, session and then the ciphers, without the cookie between them.
fn without_cookie(body: &[u8]) -> Option<Vec<u8>> {
    let session = usize::from(*body.get(34)?);
    let (before, rest) = body.split_at_checked(35 + session)?;
    let cookie = usize::from(*rest.first()?);
    Some([before, rest.get(1 + cookie..)?].concat())
}

#[cfg(test)]
mod tests;

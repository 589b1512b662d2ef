//! TLS 1.0 to 1.3 (RFC 2246, 4346, 5246, 8446), SSL 3.0 (RFC 6101) and the hellos of SSL 2.0.
//!
//! Only the handshake is read, and only as long as it is in clear: what the client offers (as a JA4 fingerprint) and
//! whom it asks for, what the server chose, and, up to TLS 1.2, the certificates. Encrypted records are skipped, and
//! the flow is let go of when both sides have nothing more to say in clear. Where TLS begins within another protocol,
//! at a client's STARTTLS, it is read from there on.

pub(crate) mod certificate;
pub(in crate::web) mod hello;
mod ja4;
mod recognition;
mod ssl2;
mod upgrade;

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};
use certificate::Owner;
use hello::Transport;
use recognition::{APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, RecordHeader};

/// TLS on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Tls, probe, start: || Box::new(Tls::default()) };

/// Longest handshake message that is put together. Of a longer chain of certificates the first is read alone.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// Handshake types (RFC 8446, B.3; RFC 5246, 7.4).
pub(in crate::web) const CLIENT_HELLO: u8 = 1;
pub(in crate::web) const SERVER_HELLO: u8 = 2;
pub(in crate::web) const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;

#[derive(Default)]
struct Tls {
    sides: [Side; 2],
}

#[derive(Default)]
struct Side {
    /// Something was read of it.
    begun: bool,
    /// What it says in clear has been said.
    finished: bool,
    /// It sent a hello as this.
    speaks_as: Option<Owner>,
    /// The part of a handshake message that has come.
    partial: Vec<u8>,
    /// Octets to come of a handshake message of which enough was read.
    unwanted: usize,
}

fn probe(input: &Input<'_>) -> Probe {
    match recognition::probe(input) {
        Probe::NotForUs => upgrade::probe(input.bytes),
        known => known,
    }
}

impl Dissector for Tls {
    fn protocol(&self) -> Protocol {
        Protocol::Tls
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let progress = self.read(input, facts);
        if self.sides.iter().all(|side| side.finished) { Progress::Done } else { progress }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        self.side(direction).finish();
        self.sides.iter().any(|side| !side.finished)
    }
}

impl Tls {
    fn side(&mut self, direction: Direction) -> &mut Side {
        let [initiator, responder] = &mut self.sides;
        match direction {
            Direction::FromInitiator => initiator,
            Direction::FromResponder => responder,
        }
    }

    fn read(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let side = self.side(input.direction);
        if side.finished {
            return Progress::Consumed(input.bytes.len());
        }
        if !side.begun {
            match recognition::probe(input) {
                Probe::Certain => side.begun = true,
                Probe::Unsure => return Progress::NeedMore,
                Probe::NotForUs => {
                    let text = upgrade::text(input.bytes);
                    if text > 0 {
                        return Progress::Consumed(text);
                    }
                    // The other side is TLS, this one was joined in the middle of a record.
                    side.finish();
                    return Progress::Consumed(input.bytes.len());
                }
            }
            if let Some(hello) = ssl2::hello(input.bytes) {
                return self.ssl2(input.direction, &hello, facts);
            }
        }
        let Some((header, rest)) = input.bytes.split_first_chunk::<5>() else { return Progress::NeedMore };
        let header = RecordHeader::from(*header);
        if !header.is_plausible() {
            return Progress::Broken("not a TLS record");
        }
        match header.kind {
            HANDSHAKE => {
                let Some(fragment) = rest.get(..header.length) else { return Progress::NeedMore };
                if let Some(reason) = self.handshake(input.direction, fragment, facts) {
                    return Progress::Broken(reason);
                }
            }
            // What follows is encrypted.
            CHANGE_CIPHER_SPEC | APPLICATION_DATA => side.finish(),
            _ => {}
        }
        Progress::Consumed(5 + header.length)
    }

    fn ssl2(&mut self, direction: Direction, hello: &ssl2::Hello<'_>, facts: &mut Facts<'_>) -> Progress {
        match hello.kind {
            ssl2::Kind::Client => {
                facts.of_sender(Attribute::Role, "tls-client");
                self.side(direction).speaks_as = Some(Owner::Client);
            }
            ssl2::Kind::Server { certificate } => {
                facts.of_sender(Attribute::Role, "tls-server");
                facts.of_sender(Attribute::TlsVersion, "ssl2");
                facts.of_sender(Attribute::WeakProtocol, "ssl2");
                certificate::state(certificate, Owner::Server, facts);
                self.finish();
            }
        }
        Progress::Consumed(hello.length)
    }

    /// Takes up a record's part of the handshake, and reads the messages that are complete with it. Gives the reason
    /// why there is no going on, if so.
    fn handshake(
        &mut self,
        direction: Direction,
        fragment: &[u8],
        facts: &mut Facts<'_>,
    ) -> Option<&'static str> {
        let side = self.side(direction);
        let unwanted = side.unwanted.min(fragment.len());
        side.unwanted -= unwanted;
        let fragment = fragment.get(unwanted..).unwrap_or_default();
        let mut held = std::mem::take(&mut side.partial);
        let mut rest = if held.is_empty() {
            fragment
        } else {
            held.extend_from_slice(fragment);
            &held
        };
        while let Some(([kind, high, mid, low], body)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes([0, *high, *mid, *low]) as usize;
            let Some((body, behind)) = body.split_at_checked(length) else {
                if length <= LONGEST_MESSAGE {
                    break;
                }
                let is_too_long = first_length(body).is_some_and(|length| length > LONGEST_MESSAGE);
                if *kind != CERTIFICATE || is_too_long {
                    return Some("handshake message longer than 64 KiB");
                }
                let Some(first) = first_certificate(body) else { break };
                self.certificate(direction, first, facts);
                self.side(direction).unwanted = length - body.len();
                return None;
            };
            self.message(direction, *kind, body, facts);
            if self.side(direction).finished {
                return None;
            }
            rest = behind;
        }
        self.side(direction).partial = rest.to_vec();
        None
    }

    fn message(&mut self, direction: Direction, kind: u8, body: &[u8], facts: &mut Facts<'_>) {
        let side = self.side(direction);
        match kind {
            CLIENT_HELLO => {
                // A second one, after a retry request, differs from what the client offers on its own account.
                let is_first = side.speaks_as.replace(Owner::Client).is_none();
                if is_first {
                    hello::state_client(Transport::Tcp, body, facts);
                }
            }
            SERVER_HELLO => {
                side.speaks_as = Some(Owner::Server);
                if hello::state_server(Transport::Tcp, body, facts).is_some_and(hello::is_encrypted_from_here)
                {
                    side.finish();
                    let client = self.side(direction.reverse());
                    if client.speaks_as == Some(Owner::Client) {
                        client.finish();
                    }
                }
            }
            CERTIFICATE => {
                if let Some(first) = first_certificate(body) {
                    self.certificate(direction, first, facts);
                }
            }
            SERVER_HELLO_DONE | CLIENT_KEY_EXCHANGE => side.finish(),
            _ => {}
        }
    }

    fn certificate(&mut self, direction: Direction, der: &[u8], facts: &mut Facts<'_>) {
        let owner = self.side(direction).speaks_as.unwrap_or(match direction {
            Direction::FromInitiator => Owner::Client,
            Direction::FromResponder => Owner::Server,
        });
        certificate::state(der, owner, facts);
    }

    fn finish(&mut self) {
        self.sides.iter_mut().for_each(Side::finish);
    }
}

/// The first of a chain, which is the sender's own (RFC 5246, 7.4.2).
fn first_certificate(body: &[u8]) -> Option<&[u8]> {
    body.get(6..)?.get(..first_length(body)?)
}

/// Its length, which stands behind that of the chain in three octets each.
fn first_length(body: &[u8]) -> Option<usize> {
    let ([_, _, _, high, mid, low], _) = body.split_first_chunk::<6>()?;
    Some(u32::from_be_bytes([0, *high, *mid, *low]) as usize)
}

impl Side {
    fn finish(&mut self) {
        self.finished = true;
        self.partial = Vec::new();
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! SSH (RFC 4253; SSH-1 by its last draft), on any port.
//!
//! Both sides identify their software in one line of text, and offer their algorithms in clear; the server shows its
//! host key before encryption begins. Stated are the software and its version, the operating system where the line's
//! comment names one, the fingerprints of the offers (HASSH), the host key's SHA-256, and that a side still speaks SSH-1.
//! The comment itself may be anybody's text and is not stated.
//!
//! Refused log-ins are not stated: behind the key exchange only lengths can be seen, and they differ with the cipher,
//! the method of authentication and the padding, so that what they say of single sessions is a guess.
//!
//! A flow may be joined at the offers. Behind them everything is encrypted, and the flow is let go of.

mod identification;
mod key_exchange;

use sha2::{Digest as _, Sha256};
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{be32, part};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};
use identification::Identification;

/// SSH on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Ssh, probe, start: || Box::new(Ssh::default()) };

/// Longest identification line, with its end (RFC 4253, 4.2).
const LONGEST_LINE: usize = 255;

/// Bytes of greeting that a server may send before it identifies itself.
const LONGEST_GREETING: usize = 8 * 1024;

/// Longest packet that everybody has to take (RFC 4253, 6.1).
const LONGEST_PACKET: usize = 35_000;

/// Message numbers (RFC 4253, 12; RFC 4419, 5).
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const KEXDH_REPLY: u8 = 31;
const KEX_DH_GEX_REPLY: u8 = 33;

#[derive(Default)]
struct Ssh {
    sides: [Side; 2],
    has_host_key: bool,
}

/// Where one side stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Side {
    /// Its identification comes, behind this many bytes of greeting.
    #[default]
    Begun,
    Greeted(usize),
    /// Its packets are still in clear.
    Packets,
    /// It has nothing more to say in clear.
    Finished,
}

fn probe(input: &Input<'_>) -> Probe {
    const MARK: &[u8] = b"SSH-";
    match (input.bytes, MARK) {
        (bytes, mark) if bytes.len() < mark.len() && mark.starts_with(bytes) => Probe::Unsure,
        ([b'S', b'S', b'H', b'-', version @ ..], _) => match version {
            [b'1' | b'2', b'.', ..] => Probe::Certain,
            [] | [b'1' | b'2'] => Probe::Unsure,
            _ => Probe::NotForUs,
        },
        // Joined behind the identifications: offers are told by their layout.
        (bytes, _) => match packet(bytes) {
            Packet::Whole { number: KEXINIT, body, .. } if key_exchange::offers(body).is_some() => {
                Probe::Certain
            }
            Packet::Partial if matches!(bytes.get(5), None | Some(&KEXINIT)) => Probe::Unsure,
            _ => Probe::NotForUs,
        },
    }
}

/// What stands at the beginning of a side's bytes.
#[derive(Debug)]
enum Packet<'a> {
    Whole {
        number: u8,
        body: &'a [u8],
        length: usize,
    },
    /// The beginning of one.
    Partial,
    Not,
}

/// A packet in clear (RFC 4253, 6): length, padding length, message number and body, padding of four octets or more;
/// all of it in blocks of eight.
fn packet(bytes: &[u8]) -> Packet<'_> {
    let Some(length) = be32(bytes, 0).and_then(|length| usize::try_from(length).ok()) else {
        return Packet::Partial;
    };
    if !(12..=LONGEST_PACKET).contains(&length) || !(length + 4).is_multiple_of(8) {
        return Packet::Not;
    }
    let Some(padding) = bytes.get(4).map(|padding| usize::from(*padding)) else { return Packet::Partial };
    if padding < 4 || padding + 2 > length {
        return Packet::Not;
    }
    match part(bytes, 5, length - 1 - padding) {
        Some([number, body @ ..]) if bytes.len() >= 4 + length => {
            Packet::Whole { number: *number, body, length: 4 + length }
        }
        _ => Packet::Partial,
    }
}

impl Dissector for Ssh {
    fn protocol(&self) -> Protocol {
        Protocol::Ssh
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let progress = match *self.side(input.direction) {
            Side::Begun => self.identification(input, 0, facts),
            Side::Greeted(passed) => self.identification(input, passed, facts),
            Side::Packets => self.packet(input, facts),
            Side::Finished => Progress::Consumed(usize::MAX),
        };
        if self.sides.iter().all(|side| *side == Side::Finished) { Progress::Done } else { progress }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        *self.side(direction) = Side::Finished;
        self.sides.iter().any(|side| *side != Side::Finished)
    }
}

impl Ssh {
    fn side(&mut self, direction: Direction) -> &mut Side {
        let [initiator, responder] = &mut self.sides;
        match direction {
            Direction::FromInitiator => initiator,
            Direction::FromResponder => responder,
        }
    }

    fn identification(&mut self, input: &Input<'_>, passed: usize, facts: &mut Facts<'_>) -> Progress {
        // Nobody's greeting begins like a packet: with a zero.
        if input.bytes.first() == Some(&0) {
            *self.side(input.direction) = Side::Packets;
            return self.packet(input, facts);
        }
        let Some(end) = input.bytes.iter().position(|byte| *byte == b'\n') else {
            let limit =
                if passed == 0 && input.bytes.starts_with(b"SSH-") { LONGEST_LINE } else { LONGEST_GREETING };
            return if input.bytes.len() > limit {
                Progress::Broken("no identification")
            } else {
                Progress::NeedMore
            };
        };
        let line = input.bytes.get(..end).unwrap_or_default();
        let Some(said) = identification::read(line) else {
            let passed = passed + end + 1;
            if passed > LONGEST_GREETING {
                return Progress::Broken("no identification");
            }
            *self.side(input.direction) = Side::Greeted(passed);
            return Progress::Consumed(end + 1);
        };
        *self.side(input.direction) = Side::Packets;
        let is_of_version_1 = said.version.starts_with("1.") && said.version != "1.99";
        state(&said, input.direction, facts);
        if is_of_version_1 {
            // Its packets have another layout, and say nothing that this one has not said.
            *self.side(input.direction) = Side::Finished;
        }
        Progress::Consumed(end + 1)
    }

    fn packet(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let (number, body, length) = match packet(input.bytes) {
            Packet::Whole { number, body, length } => (number, body, length),
            Packet::Partial => return Progress::NeedMore,
            // Joined behind the offers, or version 1 was agreed on.
            Packet::Not => {
                *self.side(input.direction) = Side::Finished;
                return Progress::Consumed(usize::MAX);
            }
        };
        match number {
            KEXINIT => {
                if let Some(offers) = key_exchange::offers(body) {
                    state_offers(&offers, input.direction, facts);
                }
            }
            KEXDH_REPLY | KEX_DH_GEX_REPLY if !self.has_host_key => {
                if let Some(key) = key_exchange::host_key(body) {
                    self.has_host_key = true;
                    let fingerprint = key_exchange::hexadecimal(&Sha256::digest(key));
                    facts.of_sender(Attribute::SshHostKeySha256, &fingerprint);
                }
            }
            NEWKEYS => {
                *self.side(input.direction) = Side::Finished;
                return Progress::Consumed(usize::MAX);
            }
            _ => {}
        }
        Progress::Consumed(length)
    }
}

fn state(said: &Identification<'_>, direction: Direction, facts: &mut Facts<'_>) {
    let role = match direction {
        Direction::FromInitiator => "ssh-client",
        Direction::FromResponder => "ssh-server",
    };
    facts.of_sender(Attribute::Role, role);
    // 1.99 is a server's word for "both" (RFC 4253, 5.1).
    if said.version.starts_with("1.") {
        facts.of_sender(Attribute::WeakProtocol, "ssh1");
    }
    if let Some(name) = &said.software {
        facts.of_sender(Attribute::SoftwareName, name);
    }
    if let Some(version) = said.software_version {
        facts.of_sender(Attribute::SoftwareVersion, version);
    }
    if let Some(system) = said.operating_system {
        facts.of_sender(Attribute::OperatingSystem, system);
    }
    if let Some(version) = said.operating_system_version {
        facts.of_sender(Attribute::OperatingSystemVersion, version);
    }
}

fn state_offers(offers: &key_exchange::Offers<'_>, direction: Direction, facts: &mut Facts<'_>) {
    match direction {
        Direction::FromInitiator => facts.of_sender(Attribute::SshHassh, &offers.of_client()),
        Direction::FromResponder => facts.of_sender(Attribute::SshHasshServer, &offers.of_server()),
    }
}

#[cfg(test)]
mod tests;

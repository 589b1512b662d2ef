//! NTP and SNTP (RFC 5905, 4330), versions 1 to 4, with control messages (RFC 9327) and the private mode of ntpd.
//!
//! Who asks is a client, who answers a server, with its stratum. A server that answers questions about itself also tells its
//! software and system; that it does, and that it lists who asked it (monlist), lets it be turned against others
//! (CVE-2013-5211). Addresses of other servers are not stated: they say nothing about a device here.
//!
//! An answer is told on any port by two times next to each other; a question by its time, which is that of the packet, or by
//! holding nothing but a time, as simple clients send it (RFC 4330, 5) and those that keep their clock to themselves. Other
//! questions are 48 octets of which most may be anything, so that only the port tells them.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{be16, be32, part};
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

mod control;

/// NTP on UDP.
pub(crate) const CANDIDATE: Candidate = Candidate { protocol: Protocol::Ntp, probe, start: || Box::new(Ntp) };

const PORT: u16 = 123;

/// The header without extensions (RFC 5905, 7.3).
const HEADER: usize = 48;

/// Seconds from 1900 to 1970, and seconds by which a clock that is read may be wrong.
const UNIX_EPOCH: u64 = 2_208_988_800;
const DAY: u32 = 86_400;

/// Modes (RFC 5905, figure 10).
const CLIENT: u8 = 3;
const SERVER: u8 = 4;
const BROADCAST: u8 = 5;
const CONTROL: u8 = 6;
const PRIVATE: u8 = 7;
/// The precision of a client that does not tell its own.
const UNTOLD: u8 = 32;

/// A packet about the time.
#[derive(Debug)]
struct Packet {
    version: u8,
    mode: u8,
    stratum: u8,
    /// Seconds since 1900 of when the question came and of when this was sent.
    received: u32,
    sent: u32,
    /// A time of sending, below a second too, and nothing else behind the first word.
    is_bare: bool,
}

fn packet(bytes: &[u8]) -> Option<Packet> {
    let ([first, stratum, poll, precision], _) = bytes.split_first_chunk::<4>()?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    // Extensions and the message authentication code come in words. Precision is a power of two below a second; clients
    // that tell nothing about themselves put 32 there, as chrony does (draft-ietf-ntp-data-minimization, 4).
    let fits = bytes.len() >= HEADER && bytes.len().is_multiple_of(4);
    let is_precise = precision.cast_signed() <= 0 || mode == CLIENT && *precision == UNTOLD;
    let plausible = (1..=4).contains(&version) && *stratum <= 16 && poll.cast_signed() <= 17 && is_precise;
    let (sent, below) = (be32(bytes, 40)?, be32(bytes, 44)?);
    let is_bare = bytes.len() == HEADER && sent != 0 && below != 0 && part(bytes, 4, 36)? == [0; 36];
    let packet = Packet { version, mode, stratum: *stratum, received: be32(bytes, 32)?, sent, is_bare };
    (fits && plausible && (1..=BROADCAST).contains(&mode)).then_some(packet)
}

impl Packet {
    /// An answer, with the times between which it was made.
    fn is_answer(&self) -> bool {
        let took = self.sent.wrapping_sub(self.received);
        self.mode == SERVER && (1..=15).contains(&self.stratum) && self.received != 0 && took <= 1
    }

    /// A question whose sender's clock is about right at `at`, in nanoseconds since the Unix epoch, or that tells no more
    /// than its time.
    fn is_question(&self, at: u64) -> bool {
        let now = (at / 1_000_000_000 + UNIX_EPOCH) as u32;
        let ahead = self.sent.wrapping_sub(now);
        self.mode == CLIENT && (self.is_bare || ahead <= DAY || ahead.wrapping_neg() <= DAY)
    }

    fn state(&self, facts: &mut Facts<'_>) {
        let role = match self.mode {
            CLIENT => "ntp-client",
            SERVER | BROADCAST => "ntp-server",
            _ => "ntp-peer",
        };
        facts.of_sender(Attribute::Role, role);
        facts.of_sender(Attribute::NtpVersion, &self.version.to_string());
        // Zero is a refusal, sixteen a clock that was never set.
        if self.mode != CLIENT && (1..=15).contains(&self.stratum) {
            facts.of_sender(Attribute::NtpStratum, &self.stratum.to_string());
        }
    }
}

fn probe(input: &Input<'_>) -> Probe {
    let is_port = [input.sender.port, input.receiver.port].contains(&PORT);
    let mode = input.bytes.first().map_or(0, |first| first & 7);
    let fits = match mode {
        CONTROL => control::answer(input.bytes).is_some() || is_port && control::is_question(input.bytes),
        PRIVATE => control::lists_clients(input.bytes) || is_port && is_private_question(input.bytes),
        _ => packet(input.bytes)
            .is_some_and(|packet| is_port || packet.is_answer() || packet.is_question(input.at)),
    };
    if fits { Probe::Certain } else { Probe::NotForUs }
}

/// A question in the private mode: version 2 as a rule, implementation ntpd's old or new, no error.
fn is_private_question(bytes: &[u8]) -> bool {
    let [first, _, implementation, ..] = bytes else { return false };
    first & 0xC0 == 0
        && (2..=4).contains(&(first >> 3 & 7))
        && matches!(implementation, 0 | 2 | 3)
        && be16(bytes, 4) == Some(0)
}

struct Ntp;

impl Dissector for Ntp {
    fn protocol(&self) -> Protocol {
        Protocol::Ntp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(packet) = packet(input.bytes) {
            packet.state(facts);
        } else if control::lists_clients(input.bytes) {
            facts.of_sender(Attribute::Role, "ntp-server");
            facts.of_sender(Attribute::Amplifier, "ntp-monlist");
        } else if let Some(variables) = control::answer(input.bytes) {
            facts.of_sender(Attribute::Role, "ntp-server");
            facts.of_sender(Attribute::Amplifier, "ntp-control");
            for (attribute, value) in control::facts(variables) {
                facts.of_sender(attribute, value);
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

#[cfg(test)]
mod tests;

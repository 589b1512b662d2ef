//! LDAP (RFC 4511) on TCP, and on UDP as Windows looks for domain controllers (MS-ADTS, 6.3), on any port.
//!
//! Read are log-ins and their refusal, what a server says of itself in its root entry (RFC 4512, 5.1), and the answer of a
//! domain controller to a ping. Stated are kinds of credentials, names of hosts, domains and sites, and the server's software.
//! Names that log in, entries and searches are not read.
//!
//! A flow may be joined at any message. It is let go of when it goes on in TLS or in a protection of SASL.

mod netlogon;
mod root;

use wardwatch_proto::v1::{Attribute, Protocol};

use super::ber::{self, Begun, ENUMERATED, INTEGER, OCTET_STRING, SEQUENCE};
use super::ntlm;
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress, credentials};

/// LDAP on TCP.
pub(crate) const OVER_TCP: Candidate =
    Candidate { protocol: Protocol::Ldap, probe, start: || Box::new(Ldap::default()) };

/// LDAP on UDP.
pub(crate) const OVER_UDP: Candidate = Candidate {
    protocol: Protocol::Ldap,
    probe: probe_datagram,
    start: || Box::new(Ldap { is_datagram: true, ..Ldap::default() }),
};

/// Longest message that is read; what is longer is passed over.
const LONGEST: usize = 128 * 1024;

/// Operations (RFC 4511, 4.2 to 4.12).
const BIND_REQUEST: u8 = 0x60;
const BIND_RESPONSE: u8 = 0x61;
const SEARCH_REQUEST: u8 = 0x63;
const SEARCH_ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
const EXTENDED_REQUEST: u8 = 0x77;
const EXTENDED_RESPONSE: u8 = 0x78;

/// Ways to log in: a password, a mechanism of SASL; Windows' own forms of NTLM have tags from 9 on.
const SIMPLE: u8 = 0x80;
const SASL: u8 = 0xA3;

/// Results (RFC 4511, appendix A).
const SUCCESS: i64 = 0;
const INVALID_CREDENTIALS: i64 = 49;

/// The operation by which a client asks to go on in TLS (4.14).
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

#[derive(Default)]
struct Ldap {
    is_datagram: bool,
    /// How the client tries to log in: a kind of log-in, and whether it is of SASL.
    method: Option<(&'static str, bool)>,
    asked_for_tls: bool,
}

/// A message's beginning.
struct Message<'a> {
    operation: u8,
    /// As much of the operation as has come.
    content: &'a [u8],
    /// Of the whole message.
    length: usize,
}

/// Reads a message's beginning: lengths that fit into each other, and a number that is not negative.
fn begins(bytes: &[u8]) -> Begun<Message<'_>> {
    let outer = match ber::header(bytes) {
        Begun::Is(outer) if outer.tag == SEQUENCE => outer,
        Begun::Partial if matches!(bytes, [] | [SEQUENCE, ..]) => return Begun::Partial,
        _ => return Begun::Not,
    };
    let inside = bytes.get(outer.octets..).unwrap_or_default();
    let number = match ber::header(inside) {
        Begun::Is(number) if number.tag == INTEGER && (1..=4).contains(&number.content) => number,
        Begun::Partial if matches!(inside, [] | [INTEGER, ..]) => return Begun::Partial,
        _ => return Begun::Not,
    };
    if inside.get(number.octets).is_some_and(|first| first & 0x80 != 0) {
        return Begun::Not;
    }
    let rest = inside.get(number.whole()..).unwrap_or_default();
    let operation = match ber::header(rest) {
        Begun::Is(operation) => operation,
        Begun::Partial => return Begun::Partial,
        Begun::Not => return Begun::Not,
    };
    // Behind the operation there are controls or nothing.
    let room = outer.content.saturating_sub(number.whole());
    let behind = rest.get(operation.whole()).filter(|_| room > operation.whole());
    if operation.whole() > room || behind.is_some_and(|tag| *tag != 0xA0) {
        return Begun::Not;
    }
    let end = operation.whole().min(rest.len());
    let content = rest.get(operation.octets..end).unwrap_or_default();
    Begun::Is(Message { operation: operation.tag, content, length: outer.whole() })
}

fn probe(input: &Input<'_>) -> Probe {
    let message = match begins(input.bytes) {
        Begun::Is(message) => message,
        Begun::Partial => return Probe::Unsure,
        Begun::Not => return Probe::NotForUs,
    };
    // The operation's first fields.
    let content = message.content;
    let is_one = match message.operation {
        BIND_REQUEST => matches!(content, [INTEGER, 1, 2 | 3, OCTET_STRING, ..]),
        BIND_RESPONSE | SEARCH_DONE | EXTENDED_RESPONSE => {
            matches!(content, [ENUMERATED, 1, 0..=123, OCTET_STRING, ..])
        }
        SEARCH_REQUEST => matches!(
            ber::first(content),
            Some((OCTET_STRING, _, [ENUMERATED, 1, 0..=3, ENUMERATED, 1, 0..=3, ..]))
        ),
        SEARCH_ENTRY => matches!(ber::first(content), Some((OCTET_STRING, _, [SEQUENCE, ..]))),
        EXTENDED_REQUEST => matches!(ber::first(content), Some((SIMPLE, oid, _)) if is_oid(oid)),
        _ => return Probe::NotForUs,
    };
    let is_whole = input.bytes.len() >= message.length;
    match (is_one, is_whole) {
        (true, _) => Probe::Certain,
        (false, false) => Probe::Unsure,
        (false, true) => Probe::NotForUs,
    }
}

fn probe_datagram(input: &Input<'_>) -> Probe {
    match begins(input.bytes) {
        Begun::Is(message) if message.length <= input.bytes.len() && probe(input) == Probe::Certain => {
            Probe::Certain
        }
        _ => Probe::NotForUs,
    }
}

fn is_oid(text: &[u8]) -> bool {
    text.len() > 2 && text.iter().all(|octet| octet.is_ascii_digit() || *octet == b'.')
}

impl Dissector for Ldap {
    fn protocol(&self) -> Protocol {
        Protocol::Ldap
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if self.is_datagram {
            // The answer to a ping is one datagram: an entry, and the end of the search behind it.
            let mut rest = input.bytes;
            while let Begun::Is(message) = begins(rest)
                && rest.len() >= message.length
            {
                self.message(&message, facts);
                rest = rest.get(message.length..).unwrap_or_default();
            }
            return Progress::Consumed(input.bytes.len());
        }
        let message = match begins(input.bytes) {
            Begun::Is(message) => message,
            Begun::Partial => return Progress::NeedMore,
            // Joined behind a log-in, everything is within a protection.
            Begun::Not => return Progress::Broken("not a message"),
        };
        let is_read =
            matches!(message.operation, BIND_REQUEST | BIND_RESPONSE | EXTENDED_REQUEST | EXTENDED_RESPONSE)
                || message.operation == SEARCH_ENTRY && root::may_be(message.content);
        if !is_read || message.length > LONGEST {
            if message.operation == SEARCH_REQUEST {
                facts.of_sender(Attribute::Role, "ldap-client");
            }
            return Progress::Consumed(message.length);
        }
        if input.bytes.len() < message.length {
            return Progress::NeedMore;
        }
        if self.message(&message, facts) { Progress::Done } else { Progress::Consumed(message.length) }
    }
}

impl Ldap {
    /// States what a message says; whether what follows cannot be read.
    fn message(&mut self, message: &Message<'_>, facts: &mut Facts<'_>) -> bool {
        let content = message.content;
        match message.operation {
            BIND_REQUEST => {
                facts.of_sender(Attribute::Role, "ldap-client");
                self.bind(content, facts);
            }
            BIND_RESPONSE => {
                facts.of_sender(Attribute::Role, "ldap-server");
                return self.verdict(content, facts);
            }
            SEARCH_REQUEST if self.is_datagram => {
                facts.of_sender(Attribute::Role, "ldap-client");
                netlogon::state_request(content, facts);
            }
            SEARCH_ENTRY => {
                facts.of_sender(Attribute::Role, "ldap-server");
                root::state(content, facts);
            }
            EXTENDED_REQUEST => self.asked_for_tls = ber::leading(content, SIMPLE) == Some(START_TLS),
            EXTENDED_RESPONSE => return self.asked_for_tls && result(content) == Some(SUCCESS),
            _ => {}
        }
        false
    }

    /// BindRequest (4.2): version, name, and the way to log in.
    fn bind(&mut self, content: &[u8], facts: &mut Facts<'_>) {
        let mut fields = ber::elements(content);
        let (Some(_version), Some((_, name)), Some((way, proof))) =
            (fields.next(), fields.next(), fields.next())
        else {
            return;
        };
        if way == SIMPLE {
            self.method = None;
            // Without a password nobody logs in (RFC 4513, 5.1.2).
            if !proof.is_empty() {
                self.method = Some(("ldap", false));
                credentials::state("ldap", account(name), proof, facts);
            }
        } else if ntlm::state(proof, facts).is_some() {
            self.method = Some(("ntlm", true));
        } else if way == SASL {
            self.method = sasl(proof, facts).or(self.method);
        }
    }

    fn verdict(&mut self, content: &[u8], facts: &mut Facts<'_>) -> bool {
        ntlm::state(content, facts);
        let result = result(content);
        if let Some((kind, _)) = self.method
            && result == Some(INVALID_CREDENTIALS)
        {
            facts.of_receiver(Attribute::FailedLogin, kind);
        }
        // Behind it comes what SASL protects.
        result == Some(SUCCESS) && self.method.is_some_and(|(_, is_sasl)| is_sasl)
    }
}

/// SaslCredentials: the mechanism, and what it has to say. PLAIN carries a name and a password (RFC 4616).
fn sasl(proof: &[u8], facts: &mut Facts<'_>) -> Option<(&'static str, bool)> {
    let mut fields = ber::elements(proof);
    let (_, mechanism) = fields.next()?;
    match mechanism {
        b"PLAIN" => {
            let mut parts = fields.next().map(|(_, said)| said)?.split(|octet| *octet == 0).skip(1);
            let (name, secret) = (parts.next()?, parts.next()?);
            credentials::state("ldap", name, secret, facts);
            Some(("ldap", true))
        }
        b"GSSAPI" | b"GSS-SPNEGO" => Some(("kerberos", true)),
        _ => Some(("ldap", true)),
    }
}

/// `admin` of `cn=admin,dc=example`.
fn account(name: &[u8]) -> &[u8] {
    let first = name.split(|octet| *octet == b',').next().unwrap_or(name);
    first.split(|octet| *octet == b'=').next_back().unwrap_or(first)
}

fn result(content: &[u8]) -> Option<i64> {
    ber::integer(ber::leading(content, ENUMERATED)?)
}

#[cfg(test)]
mod tests;

//! Kerberos 5 between clients and key distribution centres (RFC 4120) on UDP and TCP, on any port.
//!
//! Stated are who is a centre and of which realm, the machine that an address list or a host's own principal names, that a
//! client was refused, and that a client offers nothing better than RC4 or DES (RFC 8429, RFC 6649): what old systems do,
//! and who wants tickets that can be guessed. Names of users and of services, and tickets, are not read.
//!
//! Traps: a realm that a client asks for is its user's, and need not be that of the machine, so it is not stated of the
//! machine. A name that ends in `$` is an account of a machine, or of a service that runs on many. Services that are asked
//! for need not exist.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::ber::{self, Begun, GENERAL_STRING, INTEGER, SEQUENCE};
use crate::octets::{be32, part};
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// Kerberos on UDP, a message in each datagram.
pub(crate) const OVER_UDP: Candidate = Candidate {
    protocol: Protocol::Kerberos,
    probe: probe_datagram,
    start: || Box::new(Kerberos { is_stream: false }),
};

/// Kerberos on TCP, the length before each message (7.2.2).
pub(crate) const OVER_TCP: Candidate = Candidate {
    protocol: Protocol::Kerberos,
    probe: probe_stream,
    start: || Box::new(Kerberos { is_stream: true }),
};

/// Longest message that is read: tickets for members of many groups stay below.
const LONGEST: usize = 128 * 1024;

/// Kinds of messages (7.5.7); their tags are of the application class.
const AS_REQ: u8 = 10;
const AS_REP: u8 = 11;
const TGS_REQ: u8 = 12;
const TGS_REP: u8 = 13;
const KRB_ERROR: u8 = 30;
const APPLICATION: u8 = 0x60;

/// Codes of errors (7.5.9): no such client, the client is locked or disabled, a wrong password, a proof is wanted.
const C_PRINCIPAL_UNKNOWN: i64 = 6;
const CLIENT_REVOKED: i64 = 18;
const PREAUTH_FAILED: i64 = 24;
const PREAUTH_REQUIRED: i64 = 25;

/// Kinds of encryption (RFC 3961, 8; RFC 4757): DES in three forms, RC4 in two; Windows' own numbers for RC4 are negative.
const RC4: [i64; 2] = [23, 24];
const DES: [i64; 3] = [1, 2, 3];

/// An address that is a NetBIOS name (7.5.3).
const NETBIOS: i64 = 20;

struct Kerberos {
    is_stream: bool,
}

fn probe_datagram(input: &Input<'_>) -> Probe {
    match begins(input.bytes, input.bytes.len()) {
        Begun::Is(_) => Probe::Certain,
        Begun::Partial | Begun::Not => Probe::NotForUs,
    }
}

fn probe_stream(input: &Input<'_>) -> Probe {
    let Some(length) = be32(input.bytes, 0).and_then(|length| usize::try_from(length).ok()) else {
        return if matches!(input.bytes, [] | [0, ..]) { Probe::Unsure } else { Probe::NotForUs };
    };
    if length > LONGEST {
        return Probe::NotForUs;
    }
    match begins(input.bytes.get(4..).unwrap_or_default(), length) {
        Begun::Is(_) => Probe::Certain,
        Begun::Partial => Probe::Unsure,
        Begun::Not => Probe::NotForUs,
    }
}

/// The kind of the message that begins here and is as long as this: two lengths that fit, version 5, and the same kind
/// in the tag and inside.
fn begins(bytes: &[u8], length: usize) -> Begun<u8> {
    let outer = match ber::header(bytes) {
        Begun::Is(outer) => outer,
        Begun::Partial => return Begun::Partial,
        Begun::Not => return Begun::Not,
    };
    let kind = outer.tag & 0x1F;
    let is_known = outer.tag & 0xE0 == APPLICATION
        && matches!(kind, AS_REQ | AS_REP | TGS_REQ | TGS_REP | KRB_ERROR)
        && outer.whole() == length;
    if !is_known {
        return Begun::Not;
    }
    let rest = bytes.get(outer.octets..).unwrap_or_default();
    let inner = match ber::header(rest) {
        Begun::Is(inner) => inner,
        Begun::Partial => return Begun::Partial,
        Begun::Not => return Begun::Not,
    };
    if inner.tag != SEQUENCE || inner.whole() != outer.content {
        return Begun::Not;
    }
    // Requests number these fields from 1, all others from 0.
    let first = if matches!(kind, AS_REQ | TGS_REQ) { 0xA1 } else { 0xA0 };
    let expected = [first, 3, INTEGER, 1, 5, first + 1, 3, INTEGER, 1, kind];
    let fields = rest.get(inner.octets..).unwrap_or_default();
    let seen = fields.len().min(expected.len());
    match (fields.get(..seen) == expected.get(..seen), seen == expected.len()) {
        (true, true) => Begun::Is(kind),
        (true, false) => Begun::Partial,
        (false, _) => Begun::Not,
    }
}

impl Dissector for Kerberos {
    fn protocol(&self) -> Protocol {
        Protocol::Kerberos
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if !self.is_stream {
            state(input.bytes, facts);
            return Progress::Consumed(input.bytes.len());
        }
        let Some(length) = be32(input.bytes, 0).and_then(|length| usize::try_from(length).ok()) else {
            return Progress::NeedMore;
        };
        if length > LONGEST {
            return Progress::Broken("message longer than 128 KiB");
        }
        let Some(message) = part(input.bytes, 4, length) else { return Progress::NeedMore };
        state(message, facts);
        Progress::Consumed(4 + length)
    }
}

fn state(message: &[u8], facts: &mut Facts<'_>) {
    let Begun::Is(kind) = begins(message, message.len()) else { return };
    let Some((_, content, _)) = ber::first(message) else { return };
    let Some(fields) = ber::leading(content, SEQUENCE) else { return };
    match kind {
        AS_REQ | TGS_REQ => {
            facts.of_sender(Attribute::Role, "kerberos-client");
            if let Some(body) = ber::element(fields, 0xA4).and_then(|body| ber::leading(body, SEQUENCE)) {
                request(body, facts);
            }
        }
        AS_REP | TGS_REP => {
            facts.of_sender(Attribute::Role, "kerberos-kdc");
            let ticket = ber::element(fields, 0xA5)
                .and_then(|ticket| ber::leading(ticket, APPLICATION | 1))
                .and_then(|ticket| ber::leading(ticket, SEQUENCE));
            if let Some(realm) = ticket.and_then(|ticket| text(ticket, 0xA1)) {
                facts.of_sender(Attribute::Domain, realm);
            }
            // A machine that proved that it is this host.
            if kind == AS_REP
                && let Some(host) = ber::element(fields, 0xA4).and_then(host)
            {
                facts.of_receiver(Attribute::HostName, host);
            }
        }
        _ => error(fields, facts),
    }
}

/// KDC-REQ-BODY (5.4.1).
fn request(body: &[u8], facts: &mut Facts<'_>) {
    let kinds = ber::element(body, 0xA8).and_then(|kinds| ber::leading(kinds, SEQUENCE)).unwrap_or_default();
    let kinds = || ber::elements(kinds).filter_map(|(_, number)| ber::integer(number));
    let is_rc4 = |kind: &i64| RC4.contains(kind) || *kind < 0;
    if kinds().next().is_some() && kinds().all(|kind| is_rc4(&kind) || DES.contains(&kind)) {
        let weakness = if kinds().any(|kind| is_rc4(&kind)) { "kerberos-rc4" } else { "kerberos-des" };
        facts.of_sender(Attribute::WeakProtocol, weakness);
    }
    let addresses =
        ber::element(body, 0xA9).and_then(|list| ber::leading(list, SEQUENCE)).unwrap_or_default();
    for (_, address) in ber::elements(addresses).take(16) {
        let kind = ber::element(address, 0xA0).and_then(|kind| ber::leading(kind, INTEGER));
        let name = ber::element(address, 0xA1).and_then(|name| ber::leading(name, ber::OCTET_STRING));
        // Fifteen octets padded with blanks, and the service's.
        if kind.and_then(ber::integer) == Some(NETBIOS)
            && let Some(name) =
                name.and_then(|name| name.get(..15)).and_then(|name| str::from_utf8(name).ok())
        {
            facts.of_sender(Attribute::HostName, name.trim_end());
        }
    }
}

/// KRB-ERROR (5.9.1).
fn error(fields: &[u8], facts: &mut Facts<'_>) {
    let code = ber::element(fields, 0xA6).and_then(|code| ber::leading(code, INTEGER)).and_then(ber::integer);
    let Some(code) = code else { return };
    if matches!(code, C_PRINCIPAL_UNKNOWN | CLIENT_REVOKED | PREAUTH_FAILED) {
        facts.of_receiver(Attribute::FailedLogin, "kerberos");
    }
    if matches!(code, CLIENT_REVOKED | PREAUTH_FAILED | PREAUTH_REQUIRED) {
        facts.of_sender(Attribute::Role, "kerberos-kdc");
        if let Some(realm) = text(fields, 0xA9) {
            facts.of_sender(Attribute::Domain, realm);
        }
    }
}

/// The text in a field.
fn text(fields: &[u8], tag: u8) -> Option<&str> {
    str::from_utf8(ber::leading(ber::element(fields, tag)?, GENERAL_STRING)?).ok()
}

/// The host in a principal `host/NAME`.
fn host(principal: &[u8]) -> Option<&str> {
    let names = ber::element(ber::leading(principal, SEQUENCE)?, 0xA1)?;
    let mut names = ber::elements(ber::leading(names, SEQUENCE)?);
    let (service, name, end) = (names.next()?, names.next()?, names.next());
    (service.1 == b"host" && end.is_none()).then(|| str::from_utf8(name.1).ok()).flatten()
}

#[cfg(test)]
mod tests;

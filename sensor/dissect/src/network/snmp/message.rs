//! The messages of SNMPv1 (RFC 1157), v2c (RFC 1901, 3416) and v3 (RFC 3412, 3414), as far as they are in clear.

use std::net::Ipv4Addr;

use super::ber::{Arcs, Elements, IP_ADDRESS, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, TIME_TICKS};

/// A whole message.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// v1 and v2c, where a word in clear is all that is asked of who speaks.
    Community { version: &'static str, community: &'a [u8], pdu: Pdu<'a> },
    /// v3.
    Secured {
        /// The engine whose clock and keys count: the sender of answers and traps, the receiver of what wants an answer.
        engine: &'a [u8],
        /// It wants an answer.
        is_reportable: bool,
        /// The engine whose objects these are, and what is said of them; nothing when it is encrypted.
        scoped: Option<(&'a [u8], Pdu<'a>)>,
    },
}

/// What is asked or told.
#[derive(Debug)]
pub(super) struct Pdu<'a> {
    pub(super) kind: Kind,
    /// Of a trap of version 1: what kind of device its agent is, or whose event it tells of; empty for any other.
    enterprise: &'a [u8],
    /// Names and values, not looked into yet.
    bindings: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Get, `GetNext`, `GetBulk`, Set.
    Request,
    Response,
    Inform,
    Report,
    Trap,
    /// The trap of SNMPv1: the address of the agent that it is about (RFC 1157, 4.1.6).
    TrapV1(Ipv4Addr),
}

/// `enterprises` (RFC 1155, 3.1.4), below which each maker has a number.
const ENTERPRISES: &[u8] = &[0x2B, 6, 1, 4, 1];

/// Enterprises whose objects every system has that runs their agent: UCD and Net-SNMP.
const SOFTWARE: [u32; 2] = [2021, 8072];

/// The maker in whose part of the tree an object stands.
fn maker(name: &[u8]) -> Option<u32> {
    let number = Arcs(name.strip_prefix(ENTERPRISES)?).next()?;
    // No number that is assigned takes more than four octets.
    (number < 1 << 28 && !SOFTWARE.contains(&number)).then_some(number)
}

impl<'a> Pdu<'a> {
    /// The one maker whose events or objects a notification tells of; nothing where it tells of several makers', and of what was
    /// asked for: a manager may ask for any maker's objects, and devices answer that imitate them.
    pub(super) fn maker(&self) -> Option<u32> {
        if !matches!(self.kind, Kind::Trap | Kind::Inform | Kind::TrapV1(_)) {
            return None;
        }
        let objects = self.bindings().flat_map(|(name, tag, value)| {
            [maker(name), Some(value).filter(|_| tag == OBJECT_IDENTIFIER).and_then(maker)]
        });
        let mut makers = [maker(self.enterprise)].into_iter().chain(objects).flatten();
        let first = makers.next()?;
        makers.all(|other| other == first).then_some(first)
    }

    /// Names and values, both with the tag of the value.
    pub(super) fn bindings(&self) -> impl Iterator<Item = (&'a [u8], u8, &'a [u8])> + use<'a> {
        Elements(self.bindings)
            .map_while(|(tag, contents)| if tag == SEQUENCE { binding(contents) } else { None })
    }
}

fn binding(contents: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let mut parts = Elements(contents);
    let name = parts.element(OBJECT_IDENTIFIER)?;
    let (tag, value) = parts.next()?;
    parts.is_empty().then_some((name, tag, value))
}

/// The message that fills these bytes, every element of its frame and of its bindings in its place.
pub(super) fn message(bytes: &[u8]) -> Option<Message<'_>> {
    let mut message = Elements(only(bytes, SEQUENCE)?);
    match message.integer()? {
        0 => community("snmpv1", message),
        1 => community("snmpv2c", message),
        3 => secured(message),
        _ => None,
    }
}

fn community<'a>(version: &'static str, mut message: Elements<'a>) -> Option<Message<'a>> {
    let community = message.element(OCTET_STRING)?;
    Some(Message::Community { version, community, pdu: pdu(message.0)? })
}

/// RFC 3412, 6 and RFC 3414, 2.4.
fn secured(mut message: Elements<'_>) -> Option<Message<'_>> {
    const USER_BASED: i64 = 3;
    let mut header = Elements(message.element(SEQUENCE)?);
    let (_id, _longest) = (header.integer()?, header.integer()?);
    let [flags] = header.element(OCTET_STRING)? else { return None };
    let model = header.integer()?;
    let parameters = message.element(OCTET_STRING)?;
    let engine =
        if model == USER_BASED { Elements(only(parameters, SEQUENCE)?).element(OCTET_STRING)? } else { &[] };
    let (tag, contents) = message.next()?;
    let scoped = match tag {
        SEQUENCE => {
            let mut scoped = Elements(contents);
            let (context, _name) = (scoped.element(OCTET_STRING)?, scoped.element(OCTET_STRING)?);
            Some((context, pdu(scoped.0)?))
        }
        OCTET_STRING => None,
        _ => return None,
    };
    message.is_empty().then_some(Message::Secured { engine, is_reportable: flags & 4 != 0, scoped })
}

/// RFC 3416, 3; for the trap of v1 RFC 1157, 4.1.6.
fn pdu(bytes: &[u8]) -> Option<Pdu<'_>> {
    let mut outer = Elements(bytes);
    let (tag, contents) = outer.next()?;
    let mut parts = Elements(contents);
    let mut enterprise: &[u8] = &[];
    let kind = match tag {
        0xA0 | 0xA1 | 0xA3 | 0xA5 => Kind::Request,
        0xA2 => Kind::Response,
        0xA4 => {
            enterprise = parts.element(OBJECT_IDENTIFIER)?;
            let agent: [u8; 4] = parts.element(IP_ADDRESS)?.try_into().ok()?;
            let (_generic, _specific) = (parts.integer()?, parts.integer()?);
            let _time = parts.element(TIME_TICKS)?;
            Kind::TrapV1(agent.into())
        }
        0xA6 => Kind::Inform,
        0xA7 => Kind::Trap,
        0xA8 => Kind::Report,
        _ => return None,
    };
    if tag != 0xA4 {
        // Request id, and the error and its place, or how much a GetBulk asks for.
        let _ = (parts.integer()?, parts.integer()?, parts.integer()?);
    }
    let bindings = parts.element(SEQUENCE)?;
    let pdu = Pdu { kind, enterprise, bindings };
    let has_all = Elements(bindings).count() == pdu.bindings().count();
    (outer.is_empty() && parts.is_empty() && has_all).then_some(pdu)
}

/// The contents of the one element that fills these bytes.
fn only(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let mut elements = Elements(bytes);
    elements.element(tag).filter(|_| elements.is_empty())
}

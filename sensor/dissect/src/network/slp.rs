//! Service Location Protocol, version 2 (RFC 2608) and version 1 (RFC 2165), on any UDP port.
//!
//! Agents say of themselves that they are there, and replies name services by URL, of which the kind of service is stated and
//! nothing else. A directory agent replies with services of others, so a reply is about the address in its URL, and where a
//! URL holds a name it is about nobody. Attributes and what is searched for are not read. Version 1 is recognised only.

use std::net::IpAddr;

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{be16, part, piece};
use crate::{Address, Candidate, Dissector, Facts, Input, Probe, Progress, scope};

/// SLP on UDP.
pub(crate) const CANDIDATE: Candidate = Candidate { protocol: Protocol::Slp, probe, start: || Box::new(Slp) };

/// URLs of one reply that are read.
const MOST_URLS: u16 = 32;

fn probe(input: &Input<'_>) -> Probe {
    if message(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

/// Functions (RFC 2608, 4).
const SERVICE_REQUEST: u8 = 1;
const SERVICE_REPLY: u8 = 2;
const REGISTRATION: u8 = 3;
const ATTRIBUTE_REQUEST: u8 = 6;
const DIRECTORY_AGENT: u8 = 8;
const TYPE_REQUEST: u8 = 9;
const SERVICE_AGENT: u8 = 11;

/// Flags that do not exist (RFC 2608, 8).
const RESERVED: u16 = 0x1FFF;

/// The function, and what follows the header; nothing of version 1.
fn message(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let ([version, function], _) = bytes.split_first_chunk::<2>()?;
    match version {
        2 => {
            let length: [u8; 3] = piece(bytes, 2)?;
            let [high, middle, low] = length.map(usize::from);
            let language = part(bytes, 14, usize::from(be16(bytes, 12)?))?;
            let is_reserved_zero = be16(bytes, 5)? & RESERVED == 0;
            let fits = (high << 16 | middle << 8 | low) == bytes.len() && is_reserved_zero;
            let known = (SERVICE_REQUEST..=SERVICE_AGENT).contains(function) && is_language(language);
            let body = bytes.get(14 + language.len()..)?;
            (fits && known).then_some((*function, body))
        }
        1 => {
            let language: [u8; 2] = piece(bytes, 6)?;
            // Characters in ASCII, Latin-1 or UTF-8 (RFC 2165, 4.2), by IANA's numbers.
            let is_text = matches!(be16(bytes, 8)?, 3 | 4 | 106);
            let fits = usize::from(be16(bytes, 2)?) == bytes.len() && (1..=10).contains(function);
            (fits && is_text && is_language(&language)).then_some((*function, &[]))
        }
        _ => None,
    }
}

/// A language tag (RFC 5646, as far as messages have it): `en`, `en-US`.
fn is_language(tag: &[u8]) -> bool {
    (2..=8).contains(&tag.len()) && tag.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-')
}

struct Slp;

impl Dissector for Slp {
    fn protocol(&self) -> Protocol {
        Protocol::Slp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some((function, body)) = message(input.bytes) {
            match function {
                SERVICE_REQUEST | ATTRIBUTE_REQUEST | TYPE_REQUEST => {
                    facts.of_sender(Attribute::Role, "slp-user-agent");
                }
                DIRECTORY_AGENT if is_at_sender(text(body, 6), input) => {
                    facts.of_sender(Attribute::Role, "slp-directory-agent");
                }
                SERVICE_AGENT if is_at_sender(text(body, 0), input) => {
                    facts.of_sender(Attribute::Role, "slp-service-agent");
                }
                REGISTRATION => {
                    if let Some((url, _)) = entry(body) {
                        service(url, input, facts);
                    }
                }
                SERVICE_REPLY => replies(body, input, facts),
                _ => {}
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

/// Whether an agent announces itself, at an address of its own or by a name.
fn is_at_sender(url: Option<&str>, input: &Input<'_>) -> bool {
    url.is_some_and(|url| host(url).is_none_or(|host| Some(host) == input.sender.ip))
}

/// The URLs of a reply without an error (RFC 2608, 8.2).
fn replies(body: &[u8], input: &Input<'_>, facts: &mut Facts<'_>) {
    let (Some(0), Some(count)) = (be16(body, 0), be16(body, 2)) else { return };
    let mut rest = body.get(4..).unwrap_or_default();
    for _ in 0..count.min(MOST_URLS) {
        let Some((url, behind)) = entry(rest) else { return };
        service(url, input, facts);
        rest = behind;
    }
}

/// The kind of service at this URL, of the device whose address is in it.
fn service(url: &str, input: &Input<'_>, facts: &mut Facts<'_>) {
    let Some((kind, ip)) = url.split_once("://").map(|(kind, _)| kind).zip(host(url)) else { return };
    if Some(ip) == input.sender.ip {
        facts.of_sender(Attribute::Role, "slp-service-agent");
        facts.of_sender(Attribute::SlpServiceType, kind);
    } else if scope::is_private(ip) {
        let at = Address { ip: Some(ip), ..Address::default() };
        facts.of_address(at, Attribute::SlpServiceType, kind);
    }
}

/// The address in a URL: `service:printer:lpr://10.0.0.7:515/queue`.
fn host(url: &str) -> Option<IpAddr> {
    let (_, rest) = url.split_once("://")?;
    let site = rest.split(['/', ';']).next()?;
    match site.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?.parse().ok(),
        None => site.split(':').next()?.parse().ok(),
    }
}

/// A URL and what stands behind its entry (RFC 2608, 4.3): a reserved octet, lifetime, the URL, and proofs that it is true,
/// each with its own length in its second pair of octets.
fn entry(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let url = text(bytes, 3)?;
    let (proofs, mut rest) = bytes.get(5 + url.len()..)?.split_first()?;
    for _ in 0..*proofs {
        let length = usize::from(be16(rest, 2)?);
        rest = rest.get(length.max(4)..)?;
    }
    Some((url, rest))
}

/// A text behind its length.
fn text(bytes: &[u8], at: usize) -> Option<&str> {
    let length = usize::from(be16(bytes, at)?);
    str::from_utf8(part(bytes, at + 2, length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{FromInitiator, FromResponder};
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    const CANDIDATES: &[Candidate] = &[CANDIDATE];

    fn message(function: u8, body: &[u8]) -> Vec<u8> {
        let length = (16 + body.len()) as u16;
        [&[2, function, 0][..], &length.to_be_bytes(), &[0, 0, 0, 0, 0, 0, 7, 0, 2], b"en", body].concat()
    }

    fn string(text: &str) -> Vec<u8> {
        [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
    }

    fn reply(urls: &[&str]) -> Vec<u8> {
        let entries =
            urls.iter().flat_map(|url| [&[0, 0, 60][..], &string(url), &[1, 0, 2, 0, 6, 9, 9]].concat());
        message(2, &[&[0, 0, 0, urls.len() as u8][..], &entries.collect::<Vec<_>>()].concat())
    }

    #[test]
    fn a_reply_names_the_kinds_of_service_of_the_addresses_in_it() {
        let request = message(1, &[string(""), string("service:printer"), string("DEFAULT")].concat());
        let urls = [
            "service:printer:lpr://192.0.2.2/queue-doe",
            "service:wbem:https://10.0.0.9:5989",
            "service:x://pump/",
        ];
        let flow = TestFlow::new(CANDIDATES)
            .datagram(FromInitiator, &request)
            .datagram(FromResponder, &reply(&urls));
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role slp-user-agent",
                "sender 192.0.2.2 role slp-service-agent",
                "sender 192.0.2.2 slp_service_type service:printer:lpr",
                "third 10.0.0.9 slp_service_type service:wbem:https",
            ]
        );
    }

    #[test]
    fn agents_announce_themselves() {
        let directory =
            message(8, &[&[0, 0, 0, 0, 0, 1][..], &string("service:directory-agent://192.0.2.1")].concat());
        let relayed = message(11, &string("service:service-agent://192.0.2.77"));
        let flow =
            TestFlow::new(CANDIDATES).datagram(FromInitiator, &directory).datagram(FromInitiator, &relayed);
        assert_eq!(flow.said(), ["sender 192.0.2.1 role slp-directory-agent"]);
    }

    #[test]
    fn what_is_cut_or_longer_is_not_this_protocol() {
        let whole = reply(&["service:x://192.0.2.2"]);
        let longer = [&whole[..], &[0]].concat();
        for length in 0..=longer.len() {
            let flow = TestFlow::new(CANDIDATES).datagram(FromInitiator, &longer[..length]);
            assert_eq!(flow.conversation.protocol() == Protocol::Slp, length == whole.len(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn mutated_replies_do_not_panic(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
            let mut bytes = reply(&["service:printer:lpr://192.0.2.2", "service:x://10.0.0.9"]);
            let at = at.index(bytes.len());
            bytes[at] = octet;
            let flow = TestFlow::new(CANDIDATES).datagram(FromInitiator, &reply(&[])).datagram(FromResponder, &bytes);
            prop_assert!(flow.said().len() <= 4);
        }

        #[test]
        fn arbitrary_octets_are_not_taken_for_this_protocol(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(TestFlow::new(CANDIDATES).datagram(FromInitiator, &octets).said().is_empty());
        }
    }
}

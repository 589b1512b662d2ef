//! CoAP (RFC 7252) over UDP: small devices ask and answer as in HTTP.
//!
//! A device lists what it offers under `.well-known/core` (RFC 6690): the kinds of its resources and their interfaces are
//! stated. Never stated: paths, queries, payloads. Who sends a request is a client, who sends a response a server, often both.
//!
//! The header is four octets of which most values are allowed, so without the port a message must ask for something by a
//! path of words, or be the list. Over DTLS (`coaps`) nothing of it shows.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::links::Links;
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

mod links;

/// CoAP on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Coap, probe, start: || Box::new(Coap) };

const PORT: u16 = 5683;

/// Options (RFC 7252, 12.2; RFC 7959, 7641, 9175) and how long their values are at most.
const OPTIONS: &[(u32, usize)] = &[
    (1, 8),
    (URI_HOST, 255),
    (4, 8),
    (5, 0),
    (6, 3),
    (7, 2),
    (8, 255),
    (9, 255),
    (URI_PATH, 255),
    (CONTENT_FORMAT, 2),
    (14, 4),
    (15, 255),
    (16, 1),
    (17, 2),
    (19, 3),
    (20, 255),
    (23, 3),
    (27, 3),
    (28, 4),
    (31, 3),
    (35, 1034),
    (39, 255),
    (60, 4),
    (252, 40),
    (258, 1),
    (292, 8),
];
const URI_HOST: u32 = 3;
const URI_PATH: u32 = 11;
const CONTENT_FORMAT: u32 = 12;

/// Octets of a path that tells a request.
const SHORTEST_PATH: usize = 4;

/// Kinds that are stated of one message.
const MOST_KINDS: usize = 64;

/// `application/link-format` (RFC 6690).
const LINK_FORMAT: &[u8] = &[40];

/// A message whose parts fit.
#[derive(Debug)]
struct Message<'a> {
    code: u8,
    options: &'a [u8],
    payload: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Empty,
    Request,
    Response,
}

impl Message<'_> {
    fn class(&self) -> Class {
        match self.code >> 5 {
            0 if self.code == 0 => Class::Empty,
            0 => Class::Request,
            _ => Class::Response,
        }
    }

    /// A request for a path of words, long enough to be no accident.
    fn asks_for_a_path(&self) -> bool {
        let path = options(self.options).filter(|(number, _)| *number == URI_PATH);
        let length = path.clone().map(|(_, segment)| segment.len()).sum::<usize>();
        let are_words = path.clone().all(|(_, segment)| segment.iter().all(u8::is_ascii_graphic));
        self.class() == Class::Request && are_words && length >= SHORTEST_PATH
    }

    fn has_links(&self) -> bool {
        let is_format = options(self.options).any(|option| option == (CONTENT_FORMAT, LINK_FORMAT));
        self.class() == Class::Response && is_format && self.payload.first() == Some(&b'<')
    }
}

fn message(bytes: &[u8]) -> Option<Message<'_>> {
    let ([first, code, _, _], rest) = bytes.split_first_chunk::<4>()?;
    let (version, kind, token) = (first >> 6, first >> 4 & 3, usize::from(first & 0xF));
    let rest = rest.get(token..).filter(|_| version == 1 && token <= 8)?;
    // The message ends with its options, or a mark and the payload follow (RFC 7252, 3).
    let end = options_end(rest)?;
    let (options, rest) = rest.split_at_checked(end)?;
    let payload = match rest.split_first() {
        None => rest,
        Some((0xFF, payload)) if !payload.is_empty() => payload,
        Some(_) => return None,
    };
    let message = Message { code: *code, options, payload };
    let fits = match message.class() {
        // A ping, an acknowledgement, a reset: nothing but the header.
        Class::Empty => bytes.len() == 4,
        Class::Request => (1..=7).contains(code) && kind < 2,
        Class::Response => {
            matches!(code, 0x41..=0x45 | 0x5F | 0x80..=0x86 | 0x88 | 0x89 | 0x8C..=0x8F | 0x96 | 0x9D | 0xA0..=0xA8)
                && kind < 3
        }
    };
    fits.then_some(message)
}

/// Where the options end; nothing when one is unknown or longer than it may be.
fn options_end(bytes: &[u8]) -> Option<usize> {
    let mut all = Options { rest: bytes, number: 0 };
    let known = all.by_ref().all(|(number, value)| {
        OPTIONS.iter().any(|(known, longest)| *known == number && value.len() <= *longest)
    });
    let rest = all.rest;
    (known && (rest.is_empty() || rest.starts_with(&[0xFF]))).then(|| bytes.len() - rest.len())
}

fn options(bytes: &[u8]) -> Options<'_> {
    Options { rest: bytes, number: 0 }
}

/// Number and value, one after another (RFC 7252, 3.1).
#[derive(Clone)]
struct Options<'a> {
    rest: &'a [u8],
    number: u32,
}

impl<'a> Iterator for Options<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.rest.split_first()?;
        let (delta, rest) = extended(head >> 4, rest)?;
        let (length, rest) = extended(head & 0xF, rest)?;
        let (value, rest) = rest.split_at_checked(usize::from(length))?;
        self.number += u32::from(delta);
        self.rest = rest;
        Some((self.number, value))
    }
}

/// Half an octet, or what it says stands in the next one or two.
fn extended(half: u8, rest: &[u8]) -> Option<(u16, &[u8])> {
    match half {
        0..=12 => Some((u16::from(half), rest)),
        13 => rest.split_first().map(|(octet, rest)| (13 + u16::from(*octet), rest)),
        14 => {
            let (octets, rest) = rest.split_first_chunk::<2>()?;
            Some((u16::from_be_bytes(*octets).checked_add(269)?, rest))
        }
        _ => None,
    }
}

fn probe(input: &Input<'_>) -> Probe {
    let is_port = [input.sender.port, input.receiver.port].contains(&PORT);
    let fits = message(input.bytes)
        .is_some_and(|message| is_port || message.asks_for_a_path() || message.has_links());
    if fits { Probe::Certain } else { Probe::NotForUs }
}

struct Coap;

impl Dissector for Coap {
    fn protocol(&self) -> Protocol {
        Protocol::Coap
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if let Some(message) = message(input.bytes) {
            match message.class() {
                Class::Empty => {}
                Class::Request => facts.of_sender(Attribute::Role, "coap-client"),
                Class::Response => facts.of_sender(Attribute::Role, "coap-server"),
            }
            if message.has_links() {
                let kinds = Links(message.payload).flat_map(|(attribute, kinds)| {
                    kinds.split_ascii_whitespace().map(move |kind| (attribute, kind))
                });
                for (attribute, kind) in kinds.take(MOST_KINDS) {
                    facts.of_sender(attribute, kind);
                }
            }
        }
        Progress::Consumed(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{FromInitiator, FromResponder};
    use crate::test_flow::{TestFlow, address};
    use proptest::prelude::*;

    const CANDIDATES: &[Candidate] = &[CANDIDATE];

    fn on_port() -> TestFlow {
        TestFlow::new(CANDIDATES).with_responder(address("192.0.2.2", PORT))
    }

    fn get(path: &[&str]) -> Vec<u8> {
        let mut options = Vec::new();
        for (place, segment) in path.iter().enumerate() {
            let delta = if place == 0 { 0xB0 } else { 0 };
            options.push(delta | segment.len() as u8);
            options.extend_from_slice(segment.as_bytes());
        }
        [&[0x42, 1, 0, 7, 0xAB, 0xCD][..], &options].concat()
    }

    fn content(format: u8, payload: &str) -> Vec<u8> {
        [&[0x62, 0x45, 0, 7, 0xAB, 0xCD, 0xC1, format, 0xFF][..], payload.as_bytes()].concat()
    }

    #[test]
    fn a_device_lists_what_it_offers() {
        let list =
            "</bed/jane>;rt=\"oic.r.temperature core.s\";if=\"sensor\";title=\"Jane\",</x>;rt=light;obs";
        let flow = TestFlow::new(CANDIDATES)
            .datagram(FromInitiator, &get(&[".well-known", "core"]))
            .datagram(FromResponder, &content(40, list));
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role coap-client",
                "sender 192.0.2.2 role coap-server",
                "sender 192.0.2.2 coap_resource_type oic.r.temperature",
                "sender 192.0.2.2 coap_resource_type core.s",
                "sender 192.0.2.2 coap_interface sensor",
                "sender 192.0.2.2 coap_resource_type light",
            ]
        );
    }

    #[test]
    fn requests_are_told_by_the_port_or_by_a_path_of_words_and_payloads_say_nothing() {
        for path in [&["a"][..], &[], &["\u{1}tients", "jane"]] {
            assert!(TestFlow::new(CANDIDATES).datagram(FromInitiator, &get(path)).said().is_empty());
            assert_eq!(on_port().datagram(FromInitiator, &get(path)).said().len(), 1);
        }
        let request = get(&["patients", "jane"]);
        let elsewhere = TestFlow::new(CANDIDATES).datagram(FromInitiator, &request);
        assert_eq!(elsewhere.said(), ["sender 192.0.2.1 role coap-client"]);
        let flow =
            on_port().datagram(FromInitiator, &request).datagram(FromResponder, &content(0, "<rt=\"jane\">"));
        assert_eq!(flow.said(), ["sender 192.0.2.1 role coap-client", "sender 192.0.2.2 role coap-server"]);
    }

    #[test]
    fn what_breaks_the_format_is_not_this_protocol() {
        for bytes in [
            &[0x02, 1, 0, 7, 0xAB, 0xCD][..],
            &[0x49, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x40, 1, 0, 7, 0xFF],
            &[0x40, 1, 0, 7, 0xF0],
            &[0x40, 1, 0, 7, 0x20],
            &[0x40, 0, 0, 7, 0xB1, b'a'],
            &[0x40, 0x60, 0, 7],
        ] {
            assert_eq!(
                on_port().datagram(FromInitiator, bytes).conversation.protocol(),
                Protocol::Unspecified
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_octets_do_not_panic_nor_are_they_recognised_without_the_port(
            octets in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            prop_assert!(TestFlow::new(CANDIDATES).datagram(FromInitiator, &octets).said().is_empty());
            on_port().datagram(FromInitiator, &get(&["a"])).datagram(FromInitiator, &octets);
        }

        #[test]
        fn mutated_lists_never_tell_titles(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
            let mut bytes = content(40, "</a>;title=\"Jane Doe\";rt=\"light\"");
            let at = at.index(bytes.len());
            bytes[at] = octet;
            let flow = on_port().datagram(FromInitiator, &get(&["a"])).datagram(FromResponder, &bytes);
            let said = format!("{:?}", flow.statements);
            prop_assert!(!said.contains("Jane"), "{said}");
        }
    }
}

//! TFTP (RFC 1350, 2347): requests to read and write a file, and the acknowledgement of options.
//!
//! Who asks is a client, who acknowledges options is a server. Names of files are never stated: they name people's configurations and
//! studies as well as firmware. The server goes on from another port, with blocks that look like nothing in particular; those
//! are not looked for.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::be16;
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// TFTP on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Tftp, probe, start: || Box::new(Tftp) };

/// Modes of transfer (RFC 1350, 1).
const MODES: [&[u8]; 3] = [b"octet", b"netascii", b"mail"];

/// Options (RFC 2348, 2349, 7440; `rollover` and `tsize`'s kin are what clients send besides).
const OPTIONS: [&[u8]; 7] =
    [b"blksize", b"blksize2", b"timeout", b"tsize", b"windowsize", b"rollover", b"multicast"];

/// The longest request (RFC 2347).
const LONGEST: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packet {
    Request,
    Acknowledgement,
}

fn packet(bytes: &[u8]) -> Option<Packet> {
    let operation = be16(bytes, 0)?;
    let texts = bytes.get(2..)?.strip_suffix(&[0])?;
    let mut texts = texts.split(|byte| *byte == 0);
    match operation {
        1 | 2 if bytes.len() <= LONGEST => {
            let file =
                texts.next().filter(|file| !file.is_empty() && file.iter().all(|byte| *byte >= b' '))?;
            let mode = texts.next()?;
            let is_mode = MODES.iter().any(|known| known.eq_ignore_ascii_case(mode));
            (file.len() < LONGEST && is_mode && are_options(texts, false)).then_some(Packet::Request)
        }
        6 => are_options(texts, true).then_some(Packet::Acknowledgement),
        _ => None,
    }
}

/// Pairs of option and value; in an acknowledgement at least one, and only such as exist.
fn are_options<'a>(mut texts: impl Iterator<Item = &'a [u8]>, is_acknowledgement: bool) -> bool {
    let mut count = 0;
    while let Some(name) = texts.next() {
        let has_value = texts.next().is_some();
        let is_known = OPTIONS.iter().any(|known| known.eq_ignore_ascii_case(name));
        if !has_value || is_acknowledgement && !is_known {
            return false;
        }
        count += 1;
    }
    !is_acknowledgement || count > 0
}

fn probe(input: &Input<'_>) -> Probe {
    if packet(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

struct Tftp;

impl Dissector for Tftp {
    fn protocol(&self) -> Protocol {
        Protocol::Tftp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        match packet(input.bytes) {
            Some(Packet::Request) => {
                facts.of_sender(Attribute::Role, "tftp-client");
                Progress::Consumed(input.bytes.len())
            }
            Some(Packet::Acknowledgement) => {
                facts.of_sender(Attribute::Role, "tftp-server");
                facts.of_receiver(Attribute::Role, "tftp-client");
                // What follows is the file.
                Progress::Done
            }
            None => Progress::Consumed(input.bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{FromInitiator, FromResponder};
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    const CANDIDATES: &[Candidate] = &[CANDIDATE];

    fn flow() -> TestFlow {
        TestFlow::new(CANDIDATES)
    }

    #[test]
    fn who_asks_is_a_client_and_the_file_is_not_told() {
        for request in [
            &b"\0\x01secret.bin\0octet\0"[..],
            b"\0\x02secret.bin\0NetASCII\0",
            b"\0\x01secret.bin\0octet\0tsize\x000\0",
        ] {
            assert_eq!(flow().datagram(FromInitiator, request).said(), ["sender 192.0.2.1 role tftp-client"]);
        }
    }

    #[test]
    fn who_acknowledges_options_is_a_server() {
        let flow = flow().datagram(FromResponder, b"\0\x06blksize\x001428\0tsize\x0099\0");
        assert_eq!(flow.said(), ["sender 192.0.2.2 role tftp-server", "peer 192.0.2.1 role tftp-client"]);
    }

    #[test]
    fn what_is_cut_or_has_other_modes_and_options_is_not_this_protocol() {
        for other in [
            &b"\0\x01secret.bin\0octet"[..],
            b"\0\x01secret.bin\0binary\0",
            b"\0\x01\0octet\0",
            b"\0\x01a\0octet\0tsize\0",
            b"\0\x06\0",
            b"\0\x06name\0value\0",
            b"\0\x03\0\x01data\0",
        ] {
            assert_eq!(flow().datagram(FromInitiator, other).conversation.protocol(), Protocol::Unspecified);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_octets_are_not_taken_for_this_protocol(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(flow().datagram(FromInitiator, &octets).said().is_empty());
        }
    }
}

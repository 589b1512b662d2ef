//! GE-SRTP, the service request transport of GE's controllers (now Emerson PACSystems) and of what speaks like them. The
//! layout is that which public research and open drivers agree on; GE publishes none.
//!
//! Recognised, with the roles. What is read and written is not looked at.
//!
//! The trap: a connection begins with 56 octets of zero, which say nothing. The first request decides.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{le16, part};
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// On any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::GeSrtp, probe, start: || Box::new(GeSrtp) };

/// Type (2), sequence (2), length of the text behind (2), reserved (20), time (3), reserved, sequence, type of message,
/// mailbox of the source (4), of the destination (4), number of the packet, packets in all, request.
const HEADER: usize = 56;
const LONGEST_TEXT: u16 = 4096;

/// Types: a connection is opened and confirmed, a request, a response.
const OPEN: u8 = 0;
const OPENED: u8 = 1;
const REQUEST: u8 = 2;
const RESPONSE: u8 = 3;

/// The mailbox of a controller's services.
const SERVICES: [u8; 4] = [0x10, 0x0E, 0, 0];

/// What the next octets of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// One of these types, with its text.
    Whole(u8, usize),
    Partial,
    Other,
}

fn read(bytes: &[u8]) -> Frame {
    let begins = bytes.get(..2.min(bytes.len())).unwrap_or_default();
    let kind = match *begins {
        [] => return Frame::Partial,
        [kind @ OPEN..=RESPONSE] | [kind @ OPEN..=RESPONSE, 0] => kind,
        _ => return Frame::Other,
    };
    let Some(header) = part(bytes, 0, HEADER) else {
        let reserved = bytes.get(6..26.min(bytes.len())).unwrap_or_default();
        return if reserved.iter().any(|octet| *octet > 1) { Frame::Other } else { Frame::Partial };
    };
    let reserved = part(header, 6, 20).unwrap_or_default();
    let length = le16(header, 4).unwrap_or(u16::MAX);
    let is_possible = reserved.iter().all(|octet| *octet <= 1)
        && length <= LONGEST_TEXT
        && match kind {
            OPEN => header.iter().all(|octet| *octet == 0),
            OPENED => true,
            _ => is_service(header),
        };
    if is_possible { Frame::Whole(kind, HEADER + usize::from(length)) } else { Frame::Other }
}

/// Short and long messages, acknowledged or refused; to the controller's services, or from them.
fn is_service(header: &[u8]) -> bool {
    let is_message = matches!(header.get(31), Some(0x80 | 0x94 | 0xC0 | 0xD1 | 0xD4));
    let has_mailbox = [32, 36].iter().any(|at| part(header, *at, 4) == Some(&SERVICES));
    let is_numbered = matches!(header.get(40..42), Some([number, of]) if *number > 0 && number <= of);
    is_message && has_mailbox && is_numbered
}

fn probe(input: &Input<'_>) -> Probe {
    let mut rest = input.bytes;
    loop {
        match read(rest) {
            Frame::Whole(REQUEST | RESPONSE, _) => return Probe::Certain,
            Frame::Whole(_, length) => rest = rest.get(length..).unwrap_or_default(),
            Frame::Partial => return Probe::Unsure,
            Frame::Other => return Probe::NotForUs,
        }
    }
}

#[derive(Debug)]
struct GeSrtp;

impl Dissector for GeSrtp {
    fn protocol(&self) -> Protocol {
        Protocol::GeSrtp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        match read(input.bytes) {
            Frame::Partial => Progress::NeedMore,
            Frame::Other => Progress::Broken("not a message of GE-SRTP"),
            // One message of either kind tells both roles, and there is no more to learn.
            Frame::Whole(kind @ (REQUEST | RESPONSE), _) => {
                let (own, others) = match kind {
                    REQUEST => ("ge-srtp-client", "ge-srtp-server"),
                    _ => ("ge-srtp-server", "ge-srtp-client"),
                };
                facts.of_sender(Attribute::Role, own);
                // Whoever is asked need not answer.
                if kind == RESPONSE {
                    facts.of_receiver(Attribute::Role, others);
                    return Progress::Done;
                }
                Progress::Consumed(input.bytes.len())
            }
            Frame::Whole(_, length) => Progress::Consumed(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_flow::TestFlow;
    use proptest::prelude::*;

    const CANDIDATES: &[Candidate] = &[CANDIDATE];

    fn flow() -> TestFlow {
        TestFlow::new(CANDIDATES)
    }

    fn message(kind: u8, of: u8, mailbox: usize) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        (header[0], header[2], header[9], header[17], header[30], header[31]) = (kind, 3, 1, 1, 3, of);
        header[mailbox..mailbox + 4].copy_from_slice(&SERVICES);
        (header[40], header[41], header[42]) = (1, 1, 4);
        header
    }

    #[test]
    fn a_request_and_its_answer_tell_the_roles() {
        let mut opened = [0; HEADER];
        opened[0] = OPENED;
        let flow = flow()
            .ask(&[0; HEADER])
            .answer(&opened)
            .ask(&message(REQUEST, 0xC0, 36))
            .answer(&message(RESPONSE, 0xD4, 32));
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role ge-srtp-client",
                "sender 192.0.2.2 role ge-srtp-server",
                "peer 192.0.2.1 role ge-srtp-client",
            ]
        );
        assert_eq!(flow.conversation.protocol(), Protocol::GeSrtp);
    }

    #[test]
    fn a_connection_joined_in_the_middle_is_recognised_however_it_is_cut() {
        for size in [1, 7, HEADER] {
            let mut flow = flow();
            for bytes in message(RESPONSE, 0xD4, 32).chunks(size) {
                flow.bytes(crate::Direction::FromResponder, bytes);
            }
            assert_eq!(flow.values(Attribute::Role), ["ge-srtp-server", "ge-srtp-client"]);
        }
    }

    #[test]
    fn zeros_and_bytes_of_others_are_not_enough() {
        let mut other_mailbox = message(REQUEST, 0xC0, 36);
        other_mailbox[36] = 9;
        // DICOM's association request and acceptance begin with the same octets.
        let dicom = [&[2, 0, 0, 0, 0, 0xCD, 0, 1, 0, 0][..], &[b' '; 60]].concat();
        for bytes in [&[0; 2 * HEADER][..], &other_mailbox, &dicom, &[3; HEADER]] {
            assert_eq!(flow().ask(bytes).conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), kind in 0_u8..4, of in any::<u8>()) {
            let flow = flow().ask(&message(kind, of, 36)).ask(&bytes).answer(&bytes);
            prop_assert!(flow.said().len() < 8);
        }
    }
}

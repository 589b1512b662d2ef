//! HTTP/2 without TLS and without an upgrade (RFC 9113, 3.3): between services, and gRPC.
//!
//! The client's preface is what recognises it. That both sides speak HTTP is stated; header fields are compressed with
//! what was said before them (RFC 7541), and are not read.
//!
//! Trap: behind its preface a client begins as a server does.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

/// HTTP/2 on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Http2, probe, start: || Box::new(Http2::default()) };

/// RFC 9113, 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Default)]
struct Http2 {
    /// Where the preface came from.
    client: Option<Direction>,
}

fn probe(input: &Input<'_>) -> Probe {
    if input.bytes.starts_with(PREFACE) {
        Probe::Certain
    } else if PREFACE.starts_with(input.bytes) {
        Probe::Unsure
    } else {
        Probe::NotForUs
    }
}

impl Dissector for Http2 {
    fn protocol(&self) -> Protocol {
        Protocol::Http2
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if input.bytes.starts_with(PREFACE) {
            facts.of_sender(Attribute::Role, "http-client");
            self.client = Some(input.direction);
            return Progress::Consumed(PREFACE.len());
        }
        if self.client == Some(input.direction) {
            return Progress::Consumed(input.bytes.len());
        }
        match input.bytes {
            // The server begins with SETTINGS, which is of stream 0 and holds numbers of six octets (RFC 9113, 6.5).
            [0, high, low, 4, 0, 0, 0, 0, 0, ..] => {
                if u16::from_be_bytes([*high, *low]).is_multiple_of(6) {
                    facts.of_sender(Attribute::Role, "http-server");
                }
                Progress::Done
            }
            bytes if bytes.len() < 9 => Progress::NeedMore,
            _ => Progress::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Outcome;
    use crate::test_flow::TestFlow;

    const SETTINGS: &[u8] = &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100];

    const BOTH: [&str; 2] = ["sender 192.0.2.1 role http-client", "sender 192.0.2.2 role http-server"];

    #[test]
    fn both_sides_are_known_by_how_they_begin() {
        let flow = TestFlow::new(crate::TCP).ask(PREFACE).answer(SETTINGS);
        assert_eq!(flow.conversation.protocol(), Protocol::Http2);
        assert_eq!(flow.said(), BOTH);
        assert_eq!(flow.conversation.outcome(), Outcome::Learned);
    }

    #[test]
    fn the_settings_behind_the_preface_are_the_clients() {
        let client = [PREFACE, SETTINGS].concat();
        for size in [1, 24, 1000] {
            let asked = client.chunks(size).fold(TestFlow::new(crate::TCP), TestFlow::ask);
            assert_eq!(asked.ask(SETTINGS).answer(SETTINGS).said(), BOTH, "{size}");
        }
    }

    #[test]
    fn octet_by_octet_it_is_the_same() {
        let mut flow = TestFlow::new(crate::TCP);
        for octet in PREFACE.chunks(1) {
            flow = flow.ask(octet);
        }
        for octet in SETTINGS.chunks(1) {
            flow = flow.answer(octet);
        }
        assert_eq!(flow.said(), BOTH);
    }

    proptest! {
        #[test]
        fn other_bytes_are_not_taken_for_it(bytes in proptest::collection::vec(any::<u8>(), 1..64)) {
            prop_assume!(!bytes.starts_with(PREFACE));
            let flow = TestFlow::new(&[CANDIDATE]).ask(&bytes).answer(&bytes);
            prop_assert!(flow.said().is_empty());
        }
    }
}

//! The Telocator alphanumeric protocol (TAP 1.8), over which nurse calls and servers hand pages to a paging system;
//! serial, met on TCP behind terminal servers or as it is.
//!
//! The server asks `ID=`, the client answers `ESC PG1 [password] CR`, the server grants it with `ESC [ p CR`. Both
//! ends are known by then, and whether a password crossed the wire. The pages that follow hold rooms and people's
//! names: reading ends before the first one.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, credentials};

/// TAP on any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Tap, probe, start: || Box::new(Tap::default()) };

/// A log-in of an automatic terminal, and the longest password (TAP 1.8, 4.2).
const LOG_IN: &[u8] = b"\x1bPG1";
const LONGEST_PASSWORD: usize = 6;

/// The server's prompt, and its leave to go on.
const PROMPT: &[u8] = b"ID=";
const GO_AHEAD: &[u8] = b"\x1b[p\r";

/// Octets before a log-in or a leave: line ends, a greeting.
const LONGEST_GREETING: usize = 256;

/// Certain on a client's log-in, and on a server's prompt with its leave behind.
fn probe(input: &Input<'_>) -> Probe {
    let text = input.bytes.trim_ascii_start();
    if LOG_IN.starts_with(text) || PROMPT.starts_with(text) {
        return Probe::Unsure;
    }
    if let Some(rest) = text.strip_prefix(LOG_IN) {
        return match password(rest) {
            Ok(Some(_)) => Probe::Certain,
            Ok(None) => Probe::Unsure,
            Err(()) => Probe::NotForUs,
        };
    }
    if text.starts_with(PROMPT) && text.len() <= LONGEST_GREETING {
        return if find(text, GO_AHEAD).is_some() { Probe::Certain } else { Probe::Unsure };
    }
    Probe::NotForUs
}

/// What stands between a log-in and its end; nothing while that has not come.
fn password(rest: &[u8]) -> Result<Option<&[u8]>, ()> {
    let end = rest.iter().position(|byte| *byte == b'\r');
    let password = rest.get(..end.unwrap_or(rest.len())).ok_or(())?;
    let is_one = password.len() <= LONGEST_PASSWORD && password.iter().all(u8::is_ascii_graphic);
    if is_one { Ok(end.map(|_| password)) } else { Err(()) }
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

/// One TCP connection: who has shown what it is.
#[derive(Debug, Default)]
struct Tap {
    is_known: [bool; 2],
}

impl Dissector for Tap {
    fn protocol(&self) -> Protocol {
        Protocol::Tap
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let [initiator, responder] = &mut self.is_known;
        let (this, other) = match input.direction {
            Direction::FromInitiator => (initiator, &*responder),
            Direction::FromResponder => (responder, &*initiator),
        };
        if *this {
            return Progress::Consumed(input.bytes.len());
        }
        if let Some(at) = find(input.bytes, LOG_IN) {
            let rest = input.bytes.get(at + LOG_IN.len()..).unwrap_or_default();
            match password(rest) {
                Ok(None) => return Progress::NeedMore,
                Err(()) => return Progress::Broken("a log-in without an end"),
                Ok(Some(secret)) => {
                    facts.of_sender(Attribute::Role, "tap-client");
                    if !secret.is_empty() {
                        credentials::state("tap-password", b"", secret, facts);
                    }
                }
            }
        } else if find(input.bytes, GO_AHEAD).is_some() {
            facts.of_sender(Attribute::Role, "tap-server");
        } else if input.bytes.len() < LONGEST_GREETING {
            return Progress::NeedMore;
        } else {
            return Progress::Done;
        }
        *this = true;
        if *other { Progress::Done } else { Progress::Consumed(input.bytes.len()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_flow::TestFlow;
    use crate::{Outcome, TCP};

    #[test]
    fn both_ends_are_known_before_the_first_page() {
        let flow = TestFlow::new(TCP)
            .ask(b"\r")
            .answer(b"ID=")
            .ask(b"\x1bPG1\r")
            .answer(b"110 1.8\r\x06\r\x1b[p\r")
            .ask(b"\x024711\rRoom 7 DOE\r\x03123\r");
        assert_eq!(flow.said(), ["sender 192.0.2.1 role tap-client", "sender 192.0.2.2 role tap-server"]);
        assert_eq!(
            (flow.conversation.protocol(), flow.conversation.outcome()),
            (Protocol::Tap, Outcome::Learned)
        );
    }

    #[test]
    fn where_the_bytes_are_cut_makes_no_difference() {
        for size in 1..12 {
            let flow = b"\r\x1bPG1S3CR7\r".chunks(size).fold(TestFlow::new(TCP), TestFlow::ask);
            let flow = b"\rID=\r\x06\r\x1b[p\r".chunks(size).fold(flow, TestFlow::answer);
            assert_eq!(
                flow.said(),
                [
                    "sender 192.0.2.1 role tap-client",
                    "peer 192.0.2.2 cleartext_credential tap-password",
                    "sender 192.0.2.2 role tap-server"
                ],
                "{size}"
            );
        }
    }

    #[test]
    fn terminals_and_other_prompts_are_another_protocol() {
        for other in [&b"\x1bPG2\r"[..], b"\x1bPG1toolong\r", b"\x1b[p\r", b"ID=4711&name=x\r\n", b"login: "]
        {
            let flow = TestFlow::new(&[CANDIDATE]).ask(other);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{}", other.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>()) {
            TestFlow::new(&[CANDIDATE]).ask(&bytes);
            let flow = TestFlow::new(&[CANDIDATE]).ask(b"\x1bPG1\r").ask(&bytes).answer(&bytes);
            prop_assert!(flow.said().len() <= 4);
        }
    }
}

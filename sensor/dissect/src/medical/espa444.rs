//! ESPA 4.4.4, the protocol between nurse calls, alarm servers and paging systems; serial, met on TCP behind terminal
//! servers.
//!
//! A block is `SOH header STX records ETX check`, records are `identifier US data` joined by RS, and the check is the
//! exclusive or of everything behind SOH. The right check and the shape of the records make it certain. Who sent it
//! takes part in ESPA; the texts in it hold rooms and people's names, so reading ends there.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// ESPA 4.4.4 on any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Espa444, probe, start: || Box::new(Espa) };

const SOH: u8 = 0x01;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
const RECORD: u8 = 0x1E;
const UNIT: u8 = 0x1F;

/// Octets of the longest block, and of polls before it.
const LONGEST_BLOCK: usize = 512;
const LONGEST_POLLS: usize = 512;

/// The first block behind polls: addresses, enquiries, acknowledgements.
fn probe(input: &Input<'_>) -> Probe {
    let is_poll = |byte: u8| byte.is_ascii_digit() || matches!(byte, EOT | ENQ | ACK | NAK);
    let Some(start) = input.bytes.iter().position(|byte| !is_poll(*byte)) else {
        return if input.bytes.len() <= LONGEST_POLLS { Probe::Unsure } else { Probe::NotForUs };
    };
    match input.bytes.get(start..).map(is_block) {
        Some(Some(true)) => Probe::Certain,
        Some(None) => Probe::Unsure,
        _ => Probe::NotForUs,
    }
}

/// Whether a block begins here; nothing while its end has not come.
fn is_block(bytes: &[u8]) -> Option<bool> {
    let (is_begun, rest) = match bytes {
        [SOH, b'1'..=b'4', STX, b'1'..=b'9', UNIT, ..] => (true, bytes.get(1..)?),
        [SOH] | [SOH, b'1'..=b'4'] | [SOH, b'1'..=b'4', STX] | [SOH, b'1'..=b'4', STX, b'1'..=b'9'] => {
            return None;
        }
        _ => (false, bytes),
    };
    if !is_begun {
        return Some(false);
    }
    let Some(end) = rest.iter().position(|byte| *byte == ETX) else {
        return if rest.len() > LONGEST_BLOCK { Some(false) } else { None };
    };
    let check = *rest.get(end + 1)?;
    let summed = rest.get(..=end)?;
    let are_records = rest.get(2..end)?.split(|byte| *byte == RECORD).all(
        |record| matches!(record, [b'1'..=b'9', UNIT, data @ ..] if data.iter().all(|byte| *byte >= b' ')),
    );
    Some(are_records && check == summed.iter().fold(0, |check, byte| check ^ byte))
}

struct Espa;

impl Dissector for Espa {
    fn protocol(&self) -> Protocol {
        Protocol::Espa444
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        if input.bytes.contains(&SOH) {
            facts.of_sender(Attribute::Role, "espa-station");
            return Progress::Done;
        }
        Progress::Consumed(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_flow::TestFlow;
    use crate::{Outcome, TCP};

    /// A call, with its check.
    fn call(text: &str) -> Vec<u8> {
        let block = format!("1\u{2}1\u{1f}4711\u{1e}2\u{1f}{text}\u{1e}3\u{1f}3\u{1e}6\u{1f}1\u{3}");
        let check = block.bytes().fold(0, |check, byte| check ^ byte);
        [&[SOH][..], block.as_bytes(), &[check]].concat()
    }

    #[test]
    fn a_call_shows_who_takes_part_and_is_not_read() {
        for size in 1..12 {
            let polled = [&b"1\x052\x05"[..], &call("Room 7 DOE")].concat();
            let flow = polled.chunks(size).fold(TestFlow::new(TCP), TestFlow::ask);
            assert_eq!(flow.said(), ["sender 192.0.2.1 role espa-station"], "{size}");
            assert_eq!(flow.conversation.protocol(), Protocol::Espa444);
            assert_eq!(flow.conversation.outcome(), Outcome::Learned);
        }
    }

    #[test]
    fn a_check_that_is_wrong_and_other_records_are_another_protocol() {
        let mut wrong = call("Room 7");
        wrong[8] ^= 1;
        for other in [&wrong[..], b"\x011\x02Hello\x03\x00", b"\x01\x00\x00\x01", b"1\x05\x00"] {
            let flow = TestFlow::new(&[CANDIDATE]).ask(other);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{}", other.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>()) {
            let bytes = [&b"\x011\x021\x1f"[..], &bytes].concat();
            prop_assert!(TestFlow::new(&[CANDIDATE]).ask(&bytes).said().len() <= 1);
        }
    }
}

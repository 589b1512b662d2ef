//! Tuya's local discovery over UDP: devices announce themselves, as a rule encrypted under a key that all of them share.
//!
//! Recognised by its frame only, so that such a device shows as what it is; nothing is deciphered and nothing stated.

use wardwatch_proto::v1::Protocol;

use crate::octets::be32;
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// Tuya's discovery on UDP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Tuya, probe, start: || Box::new(Tuya) };

/// What frames begin and end with. Between: number, command, length of all behind it.
const BEGIN: u32 = 0x0000_55AA;
const END: &[u8] = &[0, 0, 0xAA, 0x55];
const HEADER: usize = 16;

fn probe(input: &Input<'_>) -> Probe {
    let bytes = input.bytes;
    let length = be32(bytes, 12).and_then(|length| usize::try_from(length).ok());
    let fits = length.and_then(|length| length.checked_add(HEADER)) == Some(bytes.len());
    if fits && be32(bytes, 0) == Some(BEGIN) && bytes.ends_with(END) {
        Probe::Certain
    } else {
        Probe::NotForUs
    }
}

struct Tuya;

impl Dissector for Tuya {
    fn protocol(&self) -> Protocol {
        Protocol::Tuya
    }

    fn dissect(&mut self, _input: &Input<'_>, _facts: &mut Facts<'_>) -> Progress {
        Progress::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::FromInitiator;
    use crate::test_flow::TestFlow;

    #[test]
    fn a_frame_is_recognised_when_its_length_fits() {
        let frame = [&[0, 0, 0x55, 0xAA, 0, 0, 0, 0, 0, 0, 0, 0x13, 0, 0, 0, 12][..], &[7; 8], END].concat();
        let protocol =
            |bytes: &[u8]| TestFlow::new(&[CANDIDATE]).datagram(FromInitiator, bytes).conversation.protocol();
        assert_eq!(protocol(&frame), Protocol::Tuya);
        for length in 0..frame.len() {
            assert_eq!(protocol(&frame[..length]), Protocol::Unspecified);
        }
    }
}

//! Dräger Medibus (protocol definition 4.03): a serial protocol of ventilators and anaesthesia machines, met on TCP
//! behind terminal servers.
//!
//! A command is `ESC code [arguments] sum CR`, a response `SOH code [data] sum CR`; the sum of the octets before it,
//! modulo 256, stands in two hexadecimal digits. Octets of real-time data, which have bit 7 set, and those of flow
//! control may stand anywhere between. Such frames are short, so that a flow is recognised by three of them with the
//! right sum, or by the answer that identifies a device.
//!
//! That answer, to code 52h, is four characters of identification, the device's name in apostrophes, and two
//! revisions. The address on the network is the terminal server's: the device is a third one behind it. Values,
//! alarms and settings are not read.

use memchr::memchr;
use wardwatch_proto::v1::{Attribute, Protocol};

use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

/// Medibus on any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Medibus, probe, start: || Box::new(Medibus::default()) };

const SOH: u8 = 0x01;
const ESC: u8 = 0x1B;
const CR: u8 = b'\r';

/// The code that asks for, and answers with, the device's identification.
const IDENTIFY: u8 = 0x52;

/// Octets of the longest frame that is read.
const LONGEST_FRAME: usize = 1024;

/// Frames that make it certain.
const ENOUGH: usize = 3;

/// Frames one behind the other, from the first; a capture that begins within one begins with its end.
fn probe(input: &Input<'_>) -> Probe {
    if !may_be_frames(input.bytes) {
        return Probe::NotForUs;
    }
    let plain: Vec<u8> = input.bytes.iter().copied().filter(|byte| !is_between(*byte)).collect();
    let (mut known, mut is_first) = (0, true);
    for frame in plain.split_inclusive(|byte| *byte == CR) {
        let Some((&CR, frame)) = frame.split_last() else {
            let may_go_on = frame.len() <= LONGEST_FRAME && (is_first || matches!(frame, [SOH | ESC, ..]));
            return if may_go_on { Probe::Unsure } else { Probe::NotForUs };
        };
        match Frame::read(frame) {
            Some(Frame { start: SOH, code: IDENTIFY, data }) if Identity::read(data).is_some() => {
                return Probe::Certain;
            }
            Some(_) => known += 1,
            None if is_first && frame.len() <= LONGEST_FRAME => {}
            None => return Probe::NotForUs,
        }
        if known == ENOUGH {
            return Probe::Certain;
        }
        is_first = false;
    }
    Probe::Unsure
}

/// Whether a frame begins here or behind the first CR, as far as can be seen: every flow is asked, and nearly none is.
fn may_be_frames(bytes: &[u8]) -> bool {
    let begins = |bytes: &[u8]| {
        bytes.iter().find(|byte| !is_between(**byte)).is_none_or(|first| matches!(*first, SOH | ESC))
    };
    let shown = bytes.get(..=LONGEST_FRAME).unwrap_or(bytes);
    // What a frame has within it is text; flows of anything else are told by their first octets.
    let is_frame = |byte: &u8| matches!(*byte, b' '..=b'~' | SOH | ESC) || is_between(*byte);
    match memchr(CR, shown) {
        Some(end) => bytes.get(end + 1..).is_some_and(begins) && shown.iter().take(end).all(is_frame),
        None => bytes.len() <= LONGEST_FRAME && shown.iter().all(is_frame),
    }
}

/// Real-time data, and flow control: DC1, DC3, CAN.
fn is_between(byte: u8) -> bool {
    byte >= 0x80 || matches!(byte, 0x11 | 0x13 | 0x18)
}

/// One frame, without its sum and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame<'a> {
    start: u8,
    code: u8,
    data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Where the sum is right.
    fn read(frame: &'a [u8]) -> Option<Self> {
        let (summed, [first, second]) = frame.split_last_chunk::<2>()?;
        let [start @ (SOH | ESC), code @ 0x20..0x80, data @ ..] = summed else { return None };
        let sum = summed.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        let told = u8::from_str_radix(std::str::from_utf8(&[*first, *second]).ok()?, 16).ok()?;
        (told == sum).then_some(Self { start: *start, code: *code, data })
    }
}

/// What a device answers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    name: String,
    /// The device's revision, before the colon; behind it stands that of Medibus.
    revision: String,
}

impl Identity {
    /// `8200'Evita 2'01.10:03.00`.
    fn read(data: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(data).ok()?;
        let (number, rest) = text.split_at_checked(4)?;
        let (name, revisions) = rest.strip_prefix('\'')?.rsplit_once('\'')?;
        let (revision, medibus) = revisions.split_once(':')?;
        let is_revision = |text: &str| {
            text.len() == 5
                && text
                    .bytes()
                    .enumerate()
                    .all(|(at, byte)| if at == 2 { byte == b'.' } else { byte.is_ascii_digit() })
        };
        let is_shaped = number.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && (1..=32).contains(&name.len())
            && is_revision(revision)
            && is_revision(medibus);
        is_shaped.then(|| Self { name: name.trim().to_owned(), revision: revision.to_owned() })
    }
}

/// One TCP connection: the octets of a frame that is not whole, of each side.
#[derive(Debug, Default)]
struct Medibus {
    frames: [Vec<u8>; 2],
}

impl Dissector for Medibus {
    fn protocol(&self) -> Protocol {
        Protocol::Medibus
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let [initiator, responder] = &mut self.frames;
        let frame = if input.direction == Direction::FromInitiator { initiator } else { responder };
        for byte in input.bytes.iter().copied().filter(|byte| !is_between(*byte)) {
            match byte {
                // A frame begins anew wherever its first octet stands.
                SOH | ESC => {
                    frame.clear();
                    frame.push(byte);
                }
                CR => {
                    if let Some(Frame { start: SOH, code: IDENTIFY, data }) = Frame::read(frame)
                        && let Some(identity) = Identity::read(data)
                    {
                        identity.state(input, facts);
                    }
                    frame.clear();
                }
                _ if frame.len() < LONGEST_FRAME && !frame.is_empty() => frame.push(byte),
                _ => {}
            }
        }
        Progress::Consumed(input.bytes.len())
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        if let Some(frame) = self.frames.get_mut(direction.index()) {
            frame.clear();
        }
        true
    }
}

impl Identity {
    /// The device is told apart by the port of the terminal server where the port is one that was listened on.
    fn state(&self, input: &Input<'_>, facts: &mut Facts<'_>) {
        let port = match input.direction {
            Direction::FromResponder => input.sender.port.to_string(),
            Direction::FromInitiator => String::new(),
        };
        let key = Facts::third_key(
            "serial-port",
            &[(Attribute::EquipmentId, port.as_str()), (Attribute::Model, self.name.as_str())],
        );
        facts.of_sender(Attribute::Role, "gateway");
        facts.of_third(&key, Attribute::Role, "medibus-device");
        facts.of_third(&key, Attribute::Model, &self.name);
        facts.of_third(&key, Attribute::SoftwareVersion, &self.revision);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::TCP;
    use crate::test_flow::TestFlow;

    fn frame(text: &[u8]) -> Vec<u8> {
        let sum = text.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        [text, format!("{sum:02X}\r").as_bytes()].concat()
    }

    const EVITA: &[u8] = b"\x01\x528200'Evita 2'01.10:03.00";

    fn device() -> [String; 4] {
        [
            "sender 192.0.2.2 role gateway",
            "third 192.0.2.2 serial-port=7|Evita 2 role medibus-device",
            "third 192.0.2.2 serial-port=7|Evita 2 model Evita 2",
            "third 192.0.2.2 serial-port=7|Evita 2 software_version 01.10",
        ]
        .map(str::to_owned)
    }

    #[test]
    fn the_frames_of_the_definition_have_its_sums() {
        assert_eq!(frame(&[ESC, 0x51]), b"\x1b\x516C\r");
        assert_eq!(frame(&[SOH, IDENTIFY]), b"\x01\x5253\r");
        assert!(frame(EVITA).ends_with(b"D1\r"));
    }

    #[test]
    fn a_device_behind_a_terminal_server_tells_its_name() {
        let flow =
            TestFlow::new(TCP).ask(&frame(&[ESC, 0x51])).ask(&frame(&[ESC, IDENTIFY])).answer(&frame(EVITA));
        assert_eq!(flow.conversation.protocol(), Protocol::Medibus);
        assert_eq!(flow.said(), device());
    }

    #[test]
    fn real_time_data_within_and_cuts_anywhere_make_no_difference() {
        let mixed: Vec<u8> = frame(EVITA).iter().flat_map(|byte| [0xD0, 0x13, *byte]).collect();
        for size in 1..20 {
            let cut = mixed.chunks(size).fold(TestFlow::new(TCP), TestFlow::answer);
            assert_eq!(cut.said(), device(), "{size}");
        }
    }

    #[test]
    fn three_frames_make_it_certain_also_in_the_middle() {
        let no_operation = frame(&[ESC, 0x30]);
        let two = [&b"12345A\r"[..], &no_operation, &no_operation].concat();
        let flow = TestFlow::new(&[CANDIDATE]).ask(&two);
        assert_eq!(flow.conversation.protocol(), Protocol::Unspecified);
        let flow = flow.ask(&no_operation);
        assert_eq!((flow.conversation.protocol(), flow.said().len()), (Protocol::Medibus, 0));
    }

    #[test]
    fn an_empty_answer_and_other_data_say_nothing() {
        let values = frame(b"\x01\x24 4711 DOE");
        let bytes = [frame(&[SOH, IDENTIFY]), values, frame(b"\x01\x528200'DOE^JANE'01.10:03.00")].concat();
        let flow = TestFlow::new(TCP).answer(&bytes);
        assert_eq!(flow.conversation.protocol(), Protocol::Medibus);
        assert!(!flow.said().iter().any(|line| line.contains("DOE") || line.contains("4711")));
    }

    #[test]
    fn escapes_of_terminals_and_wrong_sums_are_another_protocol() {
        for other in [
            &b"\x1b[0m\r\x1b[1m\r\x1b[2m\r\x1b[3m\r"[..],
            b"\x01\x5254\r\x01\x5254\r",
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            let flow = TestFlow::new(&[CANDIDATE]).ask(other);
            assert_eq!(flow.conversation.protocol(), Protocol::Unspecified, "{}", other.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in any::<Vec<u8>>(), at in 0_usize..30, byte in any::<u8>()) {
            TestFlow::new(&[CANDIDATE]).answer(&bytes);
            let mut answer = frame(EVITA);
            if let Some(place) = answer.get_mut(at) {
                *place = byte;
            }
            let whole = [frame(&[SOH, IDENTIFY]).repeat(3), answer, bytes].concat();
            prop_assert!(TestFlow::new(&[CANDIDATE]).answer(&whole).said().len() <= 8);
        }
    }
}

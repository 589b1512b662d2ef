//! IEC 60870-5-104: telecontrol over TCP. The layout is that of the standard's parts 5-104 (clause 5) and 5-101 (7.1).
//!
//! Stated are which side controls and which is controlled, who operates, and the common addresses of the stations that
//! report. Points and their values are not looked at.
//!
//! The traps. The header has a single fixed octet: a format that says more, or a second message, must make it certain.
//! Other ports than 2404 are common, and so is a connection that is joined when only data flow.

use wardwatch_proto::v1::{Attribute, Protocol};

use super::once::Once;
use crate::octets::{le16, part};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

/// On any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Iec104, probe, start: || Box::new(Iec104::default()) };

const START: u8 = 0x68;
const PORT: u16 = 2404;

/// Octets of the control field, and most behind the length.
const CONTROL: usize = 4;
const LONGEST: u8 = 253;

/// Causes of transmission (5-101, 7.2.3): commanded, and confirmed.
const ACTIVATION: u8 = 6;
const DEACTIVATION: u8 = 8;

const CONTROLLING: u32 = 1 << 16;
const CONTROLLED: u32 = 2 << 16;
const OPERATOR: u32 = 3 << 16;

/// What the next octets of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    Whole(Apdu, usize),
    Partial,
    Other,
}

/// An application protocol data unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Apdu {
    /// Numbered information.
    Information(Asdu),
    /// An acknowledgement.
    Supervisory,
    /// Unnumbered: start, stop and test, each asked for or confirmed.
    Unnumbered(u8),
}

/// An application service data unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asdu {
    kind: u8,
    cause: u8,
    station: u16,
}

fn read(bytes: &[u8]) -> Frame {
    match bytes {
        [] | [START] => return Frame::Partial,
        [START, 4..=LONGEST, ..] => {}
        _ => return Frame::Other,
    }
    let length = bytes.get(1).map_or(0, |length| 2 + usize::from(*length));
    let Some(control) = part(bytes, 2, CONTROL) else { return Frame::Partial };
    let apdu = match *control {
        [function @ (0x07 | 0x0B | 0x13 | 0x23 | 0x43 | 0x83), 0, 0, 0] if length == 6 => {
            Apdu::Unnumbered(function)
        }
        [1, 0, low, _] if low & 1 == 0 && length == 6 => Apdu::Supervisory,
        [send, _, receive, _] if send & 1 == 0 && receive & 1 == 0 && length >= 15 => {
            let Some(asdu) = part(bytes, 6, length - 6) else {
                // What there is of it may already be wrong.
                return if bytes.get(6).is_some_and(|kind| !is_type(*kind)) {
                    Frame::Other
                } else {
                    Frame::Partial
                };
            };
            match asdu_of(asdu) {
                Some(asdu) => Apdu::Information(asdu),
                None => return Frame::Other,
            }
        }
        _ => return Frame::Other,
    };
    Frame::Whole(apdu, length)
}

/// Types that the standard has (5-101, 7.2.1; 5-104, 7.2): what a station reports, commands, system, parameters, files.
fn is_type(kind: u8) -> bool {
    matches!(kind, 1..=41 | 45..=51 | 58..=70 | 81..=95 | 100..=107 | 110..=113 | 120..=127)
}

/// Type, number of objects, cause and originator, common address, objects, whose addresses have three octets.
fn asdu_of(bytes: &[u8]) -> Option<Asdu> {
    let [kind, count, cause, _originator, _, _, objects @ ..] = bytes else { return None };
    let cause = cause & 0x3F;
    let is_known = is_type(*kind) && matches!(cause, 1..=15 | 20..=41 | 44..=47) && count & 0x7F != 0;
    (is_known && objects.len() >= 3).then_some(Asdu { kind: *kind, cause, station: le16(bytes, 4)? })
}

/// Certain on an unnumbered message, whose six octets are all fixed, on a second message, and on the protocol's port.
fn probe(input: &Input<'_>) -> Probe {
    let is_on_port = [input.sender.port, input.receiver.port].contains(&PORT);
    let (mut rest, mut is_second) = (input.bytes, false);
    loop {
        match read(rest) {
            Frame::Whole(apdu, length) => {
                if is_second || is_on_port || matches!(apdu, Apdu::Unnumbered(_)) {
                    return Probe::Certain;
                }
                is_second = true;
                rest = rest.get(length..).unwrap_or_default();
            }
            Frame::Partial => return Probe::Unsure,
            Frame::Other => return Probe::NotForUs,
        }
    }
}

/// One connection.
#[derive(Debug, Default)]
struct Iec104 {
    lost: [bool; 2],
    stated: Once,
}

impl Dissector for Iec104 {
    fn protocol(&self) -> Protocol {
        Protocol::Iec104
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_lost = self.lost.get(input.direction.index()).copied().unwrap_or_default();
        match read(input.bytes) {
            Frame::Partial => Progress::NeedMore,
            Frame::Other if is_lost => Progress::Consumed(input.bytes.len()),
            Frame::Other => Progress::Broken("not an APDU of IEC 60870-5-104"),
            Frame::Whole(apdu, length) => {
                self.lost.get_mut(input.direction.index()).into_iter().for_each(|lost| *lost = false);
                self.apdu(apdu, facts);
                Progress::Consumed(length)
            }
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        self.lost.get_mut(direction.index()).into_iter().for_each(|lost| *lost = true);
        true
    }
}

impl Iec104 {
    fn apdu(&mut self, apdu: Apdu, facts: &mut Facts<'_>) {
        match apdu {
            // Only the controlling side starts and stops; both test.
            Apdu::Unnumbered(0x07 | 0x13) => self.role(CONTROLLING, "iec104-controlling", facts),
            Apdu::Unnumbered(0x0B | 0x23) => self.role(CONTROLLED, "iec104-controlled", facts),
            Apdu::Information(asdu) => self.asdu(asdu, facts),
            Apdu::Unnumbered(_) | Apdu::Supervisory => {}
        }
    }

    fn asdu(&mut self, asdu: Asdu, facts: &mut Facts<'_>) {
        let is_command = matches!(asdu.kind, 45..=69 | 100..=113);
        if is_command && matches!(asdu.cause, ACTIVATION | DEACTIVATION) {
            self.role(CONTROLLING, "iec104-controlling", facts);
            if asdu.kind < 70 {
                self.role(OPERATOR, "iec104-operator", facts);
            }
        } else if !matches!(asdu.kind, 110..=127) && asdu.cause != 5 {
            // Reports, and commands that come back confirmed; asking (5) goes both ways.
            self.role(CONTROLLED, "iec104-controlled", facts);
            // 0 is nobody's address, 65535 everybody's.
            if !matches!(asdu.station, 0 | u16::MAX) && self.stated.first(asdu.station.into()) {
                facts.of_sender(Attribute::Iec104CommonAddress, &asdu.station.to_string());
            }
        }
    }

    fn role(&mut self, number: u32, role: &str, facts: &mut Facts<'_>) {
        if self.stated.first(number) {
            facts.of_sender(Attribute::Role, role);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_flow::{TestFlow, address};
    use proptest::prelude::*;

    const CANDIDATES: &[Candidate] = &[CANDIDATE];
    const START_DATA: [u8; 6] = [0x68, 4, 7, 0, 0, 0];
    const START_CONFIRMED: [u8; 6] = [0x68, 4, 0x0B, 0, 0, 0];
    const ACKNOWLEDGEMENT: [u8; 6] = [0x68, 4, 1, 0, 4, 0];

    fn flow() -> TestFlow {
        TestFlow::new(CANDIDATES)
    }

    /// One object, with its address and these octets.
    fn asdu(kind: u8, cause: u8, station: u16, object: &[u8]) -> Vec<u8> {
        let [low, high] = station.to_le_bytes();
        let asdu = [&[kind, 1, cause, 0, low, high, 11, 0, 0][..], object].concat();
        [&[0x68, asdu.len() as u8 + 4, 2, 0, 6, 0][..], &asdu].concat()
    }

    #[test]
    fn the_sides_show_by_who_starts_and_who_reports() {
        let flow = flow()
            .ask(&START_DATA)
            .answer(&START_CONFIRMED)
            .ask(&asdu(100, 6, 47, &[20]))
            .answer(&asdu(100, 7, 47, &[20]))
            .answer(&asdu(1, 20, 47, &[0]))
            .ask(&asdu(45, 6, 47, &[1]));
        assert_eq!(
            flow.said(),
            [
                "sender 192.0.2.1 role iec104-controlling",
                "sender 192.0.2.2 role iec104-controlled",
                "sender 192.0.2.2 iec104_common_address 47",
                "sender 192.0.2.1 role iec104-operator",
            ]
        );
    }

    #[test]
    fn data_alone_take_two_messages_or_the_port() {
        let report = asdu(13, 3, 9, &[0, 0, 0, 0, 0]);
        assert_eq!(flow().answer(&report).conversation.protocol(), Protocol::Unspecified);
        assert_eq!(
            flow().answer(&report).answer(&ACKNOWLEDGEMENT).values(Attribute::Iec104CommonAddress),
            ["9"]
        );
        let on_port = flow().with_responder(address("192.0.2.2", 2404)).answer(&report);
        assert_eq!(on_port.conversation.protocol(), Protocol::Iec104);
    }

    #[test]
    fn bytes_of_others_are_not_for_us() {
        let unknown_type = asdu(200, 3, 9, &[0]);
        for bytes in
            [b"hello, this is text".as_slice(), &[0x68, 4, 7, 0, 0, 1], &[0x68, 3, 7, 0, 0], &unknown_type]
        {
            assert_eq!(flow().ask(bytes).conversation.protocol(), Protocol::Unspecified, "{bytes:?}");
        }
    }

    #[test]
    fn a_message_is_found_again_behind_a_hole() {
        let mut flow = flow().answer(&START_CONFIRMED);
        flow.conversation.gap(Direction::FromResponder, 3, &mut flow.statements);
        let flow = flow.answer(&[1, 2, 3]).answer(&asdu(1, 3, 7, &[0]));
        assert_eq!(flow.values(Attribute::Iec104CommonAddress), ["7"]);
    }

    #[test]
    fn where_messages_are_cut_makes_no_difference() {
        let stream =
            [&START_CONFIRMED[..], &asdu(1, 3, 7, &[0]), &ACKNOWLEDGEMENT, &asdu(1, 3, 8, &[0])].concat();
        let whole = flow().answer(&stream).said();
        assert_eq!(whole.len(), 3);
        for size in 1..stream.len() {
            let mut flow = flow();
            stream.chunks(size).for_each(|bytes| flow.bytes(Direction::FromResponder, bytes));
            assert_eq!(flow.said(), whole, "{size}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_nothing_panics_and_nothing_grows(
            messages in prop::collection::vec((any::<u8>(), any::<u8>(), any::<u16>(), prop::collection::vec(any::<u8>(), 0..30)), 0..40),
            noise in any::<Vec<u8>>(),
        ) {
            let mut flow = flow().answer(&START_CONFIRMED);
            for (kind, cause, station, object) in messages {
                flow = flow.answer(&asdu(kind, cause, station, &object));
            }
            let flow = flow.answer(&noise);
            prop_assert!(flow.statements.observations.len() < 50);
        }
    }
}

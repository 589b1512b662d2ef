//! HL7 v2 over MLLP (HL7 v2 chapter 2; transport specification: MLLP release 1), with the device profiles of IHE PCD.
//!
//! A message is read segment by segment as it arrives, never as a whole: a result may carry megabytes of a document in
//! one segment. The header names the two applications; segments on a closed list name software, equipment and, in the
//! containment tree of observations, devices behind the sender. Of a patient only the presence is noted.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::containment::Containment;
use self::header::Header;
use self::segment::{Encoding, Segment};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

mod containment;
mod equipment;
mod header;
mod instance;
mod segment;

/// HL7 v2 on any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Hl7, probe, start: || Box::new(Hl7::default()) };

/// MLLP: before a message, behind it, and behind that.
const BLOCK_START: u8 = 0x0B;
const BLOCK_END: u8 = 0x1C;

/// Octets of the longest segment that is read.
const LONGEST_SEGMENT: usize = 32 * 1024;

/// Software segments that are read of one message.
const MOST_SOFTWARE: u8 = 4;

/// Participations that are read of one message.
const MOST_PARTICIPATIONS: u8 = 32;

/// Certain on a block that begins with a header; also in the middle of a stream, on the end of one block and the
/// beginning of the next.
fn probe(input: &Input<'_>) -> Probe {
    let bytes = input.bytes;
    let start = bytes.trim_ascii_start();
    if let Some((&BLOCK_START, block)) = start.split_first() {
        return match is_header(block) {
            Some(true) => Probe::Certain,
            Some(false) => Probe::NotForUs,
            None => Probe::Unsure,
        };
    }
    // Few flows have the octet at all.
    let with_ends = if bytes.contains(&BLOCK_END) { bytes } else { &[] };
    let next = with_ends.windows(3).position(|window| window == [BLOCK_END, b'\r', BLOCK_START]);
    if let Some(block) = next.and_then(|at| bytes.get(at + 3..)) {
        return match is_header(block) {
            Some(true) => Probe::Certain,
            Some(false) | None => Probe::Unsure,
        };
    }
    let is_like_segments = bytes.contains(&b'|') && bytes.windows(5).any(|window| {
        matches!(window, [b'\r', name @ .., b'|'] if name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
    });
    if start.is_empty() || is_like_segments { Probe::Unsure } else { Probe::NotForUs }
}

/// Whether a header segment begins here; nothing while too little has come.
fn is_header(block: &[u8]) -> Option<bool> {
    const NAMES: [&[u8]; 3] = [b"MSH", b"FHS", b"BHS"];
    let name = block.get(..3.min(block.len()))?;
    if !NAMES.iter().any(|known| known.starts_with(name)) {
        return Some(false);
    }
    // The name, the field separator, the component separator and one more.
    (block.len() >= 6).then(|| Encoding::of_header(block.get(..6).unwrap_or_default()).is_some())
}

/// One TCP connection: messages both ways.
#[derive(Debug, Default)]
struct Hl7 {
    sides: [Side; 2],
}

/// Where the reading of one direction stands.
#[derive(Debug, Default)]
struct Side {
    position: Position,
    message: Option<Message>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    /// Before a block, or behind a hole.
    #[default]
    Between,
    /// At the beginning of a segment.
    Segment,
    /// In a segment that is not read.
    Unread,
}

/// The message that is being read.
#[derive(Debug)]
struct Message {
    encoding: Encoding,
    header: Header,
    devices: Containment,
    has_patient: bool,
    software: u8,
    participations: u8,
}

impl Dissector for Hl7 {
    fn protocol(&self) -> Protocol {
        Protocol::Hl7
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let side = self.side(input.direction);
        let mut at = 0;
        while let Some(used) = side.step(input.bytes.get(at..).unwrap_or_default(), facts) {
            at += used;
        }
        if at == 0 { Progress::NeedMore } else { Progress::Consumed(at) }
    }

    /// The message that was torn is given up; the next block is read.
    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        *self.side(direction) = Side::default();
        true
    }
}

impl Hl7 {
    fn side(&mut self, direction: Direction) -> &mut Side {
        let [initiator, responder] = &mut self.sides;
        match direction {
            Direction::FromInitiator => initiator,
            Direction::FromResponder => responder,
        }
    }
}

impl Side {
    /// Reads one thing; says how many octets that took, at least one, or nothing where more are needed.
    fn step(&mut self, rest: &[u8], facts: &mut Facts<'_>) -> Option<usize> {
        if rest.is_empty() {
            return None;
        }
        if self.position == Position::Between {
            return self.find_block(rest);
        }
        let end = rest.iter().position(|byte| matches!(*byte, b'\r' | b'\n' | BLOCK_START | BLOCK_END));
        let segment = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let Some(end) = end else {
            let is_read =
                self.position == Position::Segment && is_wanted(segment) && segment.len() < LONGEST_SEGMENT;
            if is_read {
                return None;
            }
            self.position = Position::Unread;
            return Some(rest.len());
        };
        if self.position == Position::Segment && is_wanted(segment) {
            self.segment(segment, facts);
        }
        self.position = Position::Segment;
        let delimiter = rest.get(end).copied();
        if matches!(delimiter, Some(BLOCK_START | BLOCK_END)) {
            self.finish(facts);
            self.position = Position::Between;
        }
        match delimiter {
            // A block begins before the last has ended.
            Some(BLOCK_START) if end == 0 => self.find_block(rest),
            Some(BLOCK_START) => Some(end),
            _ => Some(end + 1),
        }
    }

    /// Looks for the beginning of a block.
    fn find_block(&mut self, rest: &[u8]) -> Option<usize> {
        let Some(start) = rest.iter().position(|byte| *byte == BLOCK_START) else { return Some(rest.len()) };
        match is_header(rest.get(start + 1..).unwrap_or_default()) {
            Some(true) => {
                self.position = Position::Segment;
                Some(start + 1)
            }
            Some(false) => Some(start + 1),
            None => (start > 0).then_some(start),
        }
    }

    fn segment(&mut self, bytes: &[u8], facts: &mut Facts<'_>) {
        let name = bytes.get(..3).unwrap_or_default();
        if name == b"MSH" {
            self.finish(facts);
            self.message = Message::begin(bytes, facts);
        } else if let Some(message) = &mut self.message {
            message.segment(name, bytes, facts);
        }
    }

    /// The message is whole: its devices can be stated.
    fn finish(&mut self, facts: &mut Facts<'_>) {
        if let Some(mut message) = self.message.take() {
            message.devices.state(&message.header, facts);
        }
    }
}

impl Message {
    fn begin(bytes: &[u8], facts: &mut Facts<'_>) -> Option<Self> {
        let encoding = Encoding::of_header(bytes)?;
        let set = Segment::header(bytes, &encoding).header_field(18).component(1);
        let encoding = encoding.with_character_set(&set);
        let header = Header::read(&Segment::header(bytes, &encoding), facts);
        let devices = Containment::default();
        Some(Self { encoding, header, devices, has_patient: false, software: 0, participations: 0 })
    }

    fn segment(&mut self, name: &[u8], bytes: &[u8], facts: &mut Facts<'_>) {
        let segment = Segment::new(bytes, &self.encoding);
        match name {
            b"SFT" if self.software < MOST_SOFTWARE => {
                self.software += 1;
                header::software(&segment, facts);
            }
            b"UAC" => facts.of_sender(Attribute::CleartextCredential, "hl7-uac"),
            // PID-1 is a counter.
            b"PID" if !self.has_patient && (2..40).any(|number| segment.field(number).has_content()) => {
                self.has_patient = true;
                facts.of_sender(Attribute::CleartextPatientData, "hl7-message");
            }
            b"EQU" => equipment::equipment(&segment, &self.header, facts),
            b"PRT" if self.participations < MOST_PARTICIPATIONS => {
                self.participations += 1;
                equipment::participation(&segment, facts);
            }
            b"OBX" => self.devices.observation(&segment, &self.header),
            _ => {}
        }
    }
}

/// Whether a segment that begins like this may be one that is read.
fn is_wanted(segment: &[u8]) -> bool {
    const NAMES: [&[u8]; 7] = [b"MSH", b"SFT", b"UAC", b"PID", b"EQU", b"PRT", b"OBX"];
    let name = segment.get(..3.min(segment.len())).unwrap_or_default();
    NAMES.iter().any(|known| known.starts_with(name))
}

#[cfg(test)]
mod tests;

//! Laboratory analysers: frames of ASTM E1381 (CLSI LIS01-A2) that carry records of ASTM E1394 (CLSI LIS02-A2), on TCP
//! or behind a terminal server.
//!
//! A sender asks with ENQ, sends frames `STX n text ETX|ETB c c CR LF`, and ends with EOT; the receiver acknowledges.
//! A record may be spread over frames, and a frame may hold a whole message, so frames are taken off first, and
//! records are what stands between carriage returns behind that. Some senders leave the checksum, the control
//! characters or the frames out, and some put the message into an MLLP block: a header record is one wherever it
//! begins.
//!
//! Stated are who sends and who receives, and what the header record says of the analyser. Of orders and results
//! nothing is read; of a patient only the presence is noted.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::record::Header;
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, credentials};

mod frame;
mod record;

/// ASTM on any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Astm, probe, start: || Box::new(Astm::default()) };

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;
const VT: u8 = 0x0B;
const NAK: u8 = 0x15;
const ETB: u8 = 0x17;
const FS: u8 = 0x1C;

/// Octets of the longest record that is read; of longer ones only the beginning is.
const LONGEST_RECORD: usize = 2048;

/// Certain on a header record in a frame, and on any frame of a record whose checksum is right.
fn probe(input: &Input<'_>) -> Probe {
    let begins = input.bytes.iter().position(|byte| !matches!(*byte, ENQ | ACK | NAK | EOT));
    let Some(text) = begins.and_then(|at| input.bytes.get(at..)) else {
        // A receiver sends nothing else; what sends much of it is something else.
        return if input.bytes.len() <= 64 { Probe::Unsure } else { Probe::NotForUs };
    };
    frame::recognise(text)
}

/// One TCP connection: messages both ways.
#[derive(Debug, Default)]
struct Astm {
    sides: [Side; 2],
}

/// Where the reading of one direction stands.
#[derive(Debug, Default)]
struct Side {
    position: Position,
    record: Vec<u8>,
    /// What the last header declared.
    header: Option<Header>,
    has_sent: bool,
    has_received: bool,
    has_patient: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    /// Between frames, in a checksum, or behind a hole.
    #[default]
    Outside,
    /// At the frame's number.
    Number,
    /// In the text of a frame.
    Text,
}

impl Dissector for Astm {
    fn protocol(&self) -> Protocol {
        Protocol::Astm
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let [this, other] = self.sides_of(input.direction);
        for byte in input.bytes {
            this.octet(*byte, other.has_sent, facts);
        }
        Progress::Consumed(input.bytes.len())
    }

    /// The record that was torn is given up.
    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        let [this, _] = self.sides_of(direction);
        this.position = Position::Outside;
        this.record.clear();
        true
    }
}

impl Astm {
    /// The side that sends, and the other.
    fn sides_of(&mut self, direction: Direction) -> [&mut Side; 2] {
        let [initiator, responder] = &mut self.sides;
        match direction {
            Direction::FromInitiator => [initiator, responder],
            Direction::FromResponder => [responder, initiator],
        }
    }
}

impl Side {
    fn octet(&mut self, byte: u8, other_has_sent: bool, facts: &mut Facts<'_>) {
        match (self.position, byte) {
            (_, STX) => self.position = Position::Number,
            (_, ENQ | EOT | VT | FS) => self.finish(byte, facts),
            (Position::Outside, ACK | NAK) if other_has_sent && !self.has_received => {
                self.has_received = true;
                facts.of_sender(Attribute::Role, "astm-receiver");
            }
            // A message without frames.
            (Position::Outside, b'H') => {
                self.record.clear();
                self.text(byte, facts);
            }
            (Position::Number, b'0'..=b'7') => self.position = Position::Text,
            (Position::Outside, _) => {}
            // A record that is cut goes on in the next frame; the last one ends with the message.
            (Position::Number | Position::Text, ETB) => self.position = Position::Outside,
            (Position::Number | Position::Text, ETX) => self.finish(byte, facts),
            (Position::Number | Position::Text, _) => self.text(byte, facts),
        }
    }

    fn text(&mut self, byte: u8, facts: &mut Facts<'_>) {
        self.position = Position::Text;
        match byte {
            b'\r' | b'\n' => self.end_of_record(facts),
            _ if self.record.len() < LONGEST_RECORD => self.record.push(byte),
            _ => {}
        }
    }

    fn finish(&mut self, byte: u8, facts: &mut Facts<'_>) {
        self.end_of_record(facts);
        self.position = if byte == VT { Position::Text } else { Position::Outside };
        if byte == EOT {
            self.header = None;
            self.has_patient = false;
        }
    }

    fn end_of_record(&mut self, facts: &mut Facts<'_>) {
        let record = std::mem::take(&mut self.record);
        match record.first() {
            Some(b'H') => self.header(&record, facts),
            Some(b'P') if !self.has_patient && record::has_patient(&record, self.header.as_ref()) => {
                self.has_patient = true;
                facts.of_sender(Attribute::CleartextPatientData, "astm-record");
            }
            _ => {}
        }
    }

    fn header(&mut self, record: &[u8], facts: &mut Facts<'_>) {
        let Some(header) = Header::read(record) else { return };
        if !self.has_sent {
            self.has_sent = true;
            facts.of_sender(Attribute::Role, "astm-sender");
        }
        for (attribute, value) in header.sender(record) {
            facts.of_sender(attribute, &value);
        }
        if let Some(password) = header.password(record) {
            credentials::state("astm-password", b"", password, facts);
        }
        self.header = Some(header);
    }
}

#[cfg(test)]
mod tests;

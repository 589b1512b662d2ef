//! Point-of-care testing devices: POCT1-A (CLSI POCT01-A2, appendix B: device messaging layer) on TCP.
//!
//! Both sides send XML documents one behind the other, without any length: a document ends where its root element
//! does. So tags are read as they come, and nothing is kept but what the device says of itself in `HEL.R01`. A value
//! stands in the attribute `V`, or, with some makers, in the element's text. Which message it is, the root element
//! tells; what the header says of its type may be wrong.
//!
//! Of results, patients, operators and reagents nothing is read; that patients and operators' passwords crossed the
//! wire is stated.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::document::Document;
use self::token::Token;
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

mod document;
mod token;

/// POCT1-A on any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Poct1, probe, start: || Box::new(Poct1::default()) };

/// Names of messages, before `.R0` and a digit.
const MESSAGES: [&[u8]; 12] =
    [b"HEL", b"ACK", b"DST", b"REQ", b"OBS", b"EOT", b"DTV", b"END", b"OPL", b"PTL", b"EVS", b"KPA"];

/// Elements of every message's header, which tell it where the root was not seen.
const HEADER: [&[u8]; 3] = [b"HDR.control_id", b"HDR.message_type", b"HDR.version_id"];

/// Certain on the tag of a message or of its header, wherever it stands in text that is no web page's.
fn probe(input: &Input<'_>) -> Probe {
    let bytes = input.bytes;
    if !bytes.contains(&b'<') {
        // Most flows end here: what follows is not looked for where it cannot be.
        return if bytes.trim_ascii_start().is_empty() { Probe::Unsure } else { Probe::NotForUs };
    }
    let mut starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'<').map(|(at, _)| at);
    let found = starts.find(|at| is_known_tag(bytes.get(at + 1..).unwrap_or_default()));
    let before = bytes.get(..found.unwrap_or(bytes.len())).unwrap_or_default();
    let is_text = before.iter().all(|byte| *byte >= b' ' || byte.is_ascii_whitespace());
    let is_web = before.windows(7).any(|window| window == b"HTTP/1.");
    match found {
        _ if !is_text || is_web => Probe::NotForUs,
        Some(_) => Probe::Certain,
        None if before.trim_ascii_start().is_empty() || before.contains(&b'<') => Probe::Unsure,
        None => Probe::NotForUs,
    }
}

/// Whether behind `<` a tag of ours follows.
fn is_known_tag(tag: &[u8]) -> bool {
    let tag = tag.strip_prefix(b"/").unwrap_or(tag);
    let Some(end) = tag.iter().position(|byte| byte.is_ascii_whitespace() || matches!(*byte, b'>' | b'/'))
    else {
        return false;
    };
    let name = tag.get(..end).unwrap_or_default();
    let is_message = |known: &&[u8]| matches!(name.strip_prefix(*known), Some([b'.', b'R', b'0', release]) if release.is_ascii_digit());
    MESSAGES.iter().any(is_message) || HEADER.contains(&name)
}

/// One TCP connection.
#[derive(Debug, Default)]
struct Poct1 {
    sides: [Side; 2],
}

#[derive(Debug, Default)]
struct Side {
    document: Document,
    role: Option<Role>,
    has_patient: bool,
    has_password: bool,
}

/// What a side is by what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Device,
    DataManager,
}

impl Role {
    /// By the root element; everybody acknowledges and ends.
    fn of_message(name: &str) -> Option<Self> {
        match name.get(..3)? {
            "HEL" | "DST" | "OBS" | "EVS" => Some(Self::Device),
            "REQ" | "DTV" | "OPL" | "PTL" => Some(Self::DataManager),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Device => "poct1-device",
            Self::DataManager => "poct1-data-manager",
        }
    }
}

impl Dissector for Poct1 {
    fn protocol(&self) -> Protocol {
        Protocol::Poct1
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let side = self.side(input.direction);
        let mut at = 0;
        loop {
            let rest = input.bytes.get(at..).unwrap_or_default();
            match token::next(rest) {
                Ok(Some((token, used))) => {
                    at += used;
                    side.token(&token, facts);
                }
                Ok(None) if at == 0 => return Progress::NeedMore,
                Ok(None) => return Progress::Consumed(at),
                Err(reason) => return Progress::Broken(reason),
            }
        }
    }

    /// The document that was torn is given up.
    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        self.side(direction).document = Document::default();
        true
    }
}

impl Poct1 {
    fn side(&mut self, direction: Direction) -> &mut Side {
        let [initiator, responder] = &mut self.sides;
        match direction {
            Direction::FromInitiator => initiator,
            Direction::FromResponder => responder,
        }
    }
}

impl Side {
    fn token(&mut self, token: &Token<'_>, facts: &mut Facts<'_>) {
        let is_begun = self.document.is_begun();
        let ended = self.document.token(token);
        if !is_begun && self.role.is_none() {
            self.role = Role::of_message(self.document.name());
            if let Some(role) = self.role {
                facts.of_sender(Attribute::Role, role.name());
            }
        }
        if self.document.has_patient() && !self.has_patient {
            self.has_patient = true;
            facts.of_sender(Attribute::CleartextPatientData, "poct1-message");
        }
        if self.document.has_password() && !self.has_password {
            self.has_password = true;
            facts.of_receiver(Attribute::CleartextCredential, "poct1-operator-list");
        }
        if let Some(device) = ended {
            for (attribute, value) in device {
                facts.of_sender(attribute, &value);
            }
        }
    }
}

#[cfg(test)]
mod tests;

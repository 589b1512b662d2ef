//! Infusion pumps of B. Braun behind a SpaceCom, a battery module or a CompactPlus: B. Braun communication protocol
//! (interface description I0022, version 4), ASCII on TCP.
//!
//! A message is `SOH length STX bed/1/1>information ETX|ETB sum EOT`, length and sum in five digits. Letters are
//! stuffed: `EX` is D, `EE` is E, likewise in small letters, which only a reading from left to right undoes. A client
//! asks (`ADMIN:`, `MEM:`); a server answers in quadruples `seconds,address,key,value`, joined by RS. An address
//! `501xy` is the pump in slot y of pillar x, and `50100` the server itself.
//!
//! Stated are the bed that the server is set up for, and of each pump type, serial number and identifier: third
//! devices, told apart by their serial numbers. Keys on no list are not read; that a patient's were filled is stated.

use wardwatch_proto::v1::{Attribute, Protocol};

use self::quadruple::{Item, quadruples, unstuffed};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

mod quadruple;

/// BCC on any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Bcc, probe, start: || Box::new(Bcc::default()) };

const SOH: u8 = 0x01;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
const ETB: u8 = 0x17;

/// Behind the bed: the mark of every message.
const MARK: &[u8] = b"/1/1>";

/// Octets of the longest bed (stuffed) and of the longest message that is read; pumps that are kept of one flow.
const LONGEST_BED: usize = 30;
const LONGEST_MESSAGE: usize = 64 * 1024;
const MOST_PUMPS: usize = 32;

/// A message that begins here, or behind the end of another.
fn probe(input: &Input<'_>) -> Probe {
    let bytes = input.bytes;
    let start = bytes.iter().position(|byte| !matches!(*byte, ACK | NAK)).unwrap_or(bytes.len());
    let rest = bytes.get(start..).unwrap_or_default();
    if rest.is_empty() {
        return if start <= 16 { Probe::Unsure } else { Probe::NotForUs };
    }
    if rest.first() == Some(&SOH) {
        return match is_message(rest) {
            Some(true) => Probe::Certain,
            Some(false) => Probe::NotForUs,
            None => Probe::Unsure,
        };
    }
    // Few flows have the octet at all.
    let with_ends = if rest.contains(&EOT) { rest } else { &[] };
    let next = with_ends.windows(2).position(|window| window == [EOT, SOH]);
    if let Some(next) = next.and_then(|at| rest.get(at + 1..)) {
        return match is_message(next) {
            Some(true) => Probe::Certain,
            Some(false) => Probe::NotForUs,
            None => Probe::Unsure,
        };
    }
    // The information is text in any script.
    let is_text = |byte: &u8| *byte >= b' ' || matches!(*byte, 0x1E | ETX | EOT | ETB);
    if rest.iter().all(is_text) { Probe::Unsure } else { Probe::NotForUs }
}

/// Whether a message begins here; nothing while too little has come.
fn is_message(bytes: &[u8]) -> Option<bool> {
    for (at, byte) in bytes.iter().take(7).enumerate() {
        let is_right = match at {
            0 => *byte == SOH,
            6 => *byte == STX,
            _ => byte.is_ascii_digit(),
        };
        if !is_right {
            return Some(false);
        }
    }
    let bed = bytes.get(7..)?;
    let start = bed.get(..bed.len().min(LONGEST_BED + MARK.len()))?;
    if start.windows(MARK.len()).any(|window| window == MARK) {
        Some(true)
    } else if start.len() == LONGEST_BED + MARK.len() || start.iter().any(|byte| *byte < b' ') {
        Some(false)
    } else {
        None
    }
}

/// One TCP connection.
#[derive(Debug, Default)]
struct Bcc {
    is_client: bool,
    is_server: bool,
    has_patient: bool,
    /// Pumps by slot.
    pumps: Vec<Pump>,
}

/// What is known of the pump in a slot.
#[derive(Debug, Default)]
struct Pump {
    slot: String,
    model: String,
    serial: String,
    unit: String,
}

impl Dissector for Bcc {
    fn protocol(&self) -> Protocol {
        Protocol::Bcc
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let Some(start) = input.bytes.iter().position(|byte| *byte == SOH) else {
            return Progress::Consumed(input.bytes.len());
        };
        if start > 0 {
            return Progress::Consumed(start);
        }
        let Some(end) = input.bytes.iter().position(|byte| *byte == EOT) else {
            // What is longer is left, up to the next message.
            return if input.bytes.len() > LONGEST_MESSAGE {
                Progress::Consumed(1)
            } else {
                Progress::NeedMore
            };
        };
        if let Some(message) = input.bytes.get(..end).filter(|message| is_message(message) == Some(true)) {
            self.message(message.get(7..).unwrap_or_default(), facts);
        }
        Progress::Consumed(end + 1)
    }

    /// The message that was torn is given up: the next one begins with its own octet.
    fn gap(&mut self, _direction: Direction, _missing: u64) -> bool {
        true
    }
}

impl Bcc {
    /// Bed and information, up to ETX or ETB.
    fn message(&mut self, content: &[u8], facts: &mut Facts<'_>) {
        let content = content.split(|byte| matches!(*byte, ETX | ETB)).next().unwrap_or_default();
        let text = unstuffed(&String::from_utf8_lossy(content));
        let Some((bed, information)) = text.split_once("/1/1>") else { return };
        if information.starts_with("ADMIN:") || information.starts_with("MEM:") {
            if !self.is_client {
                self.is_client = true;
                facts.of_sender(Attribute::Role, "bcc-client");
            }
            return;
        }
        let mut is_answer = is_version(information);
        if is_answer {
            facts.of_sender(Attribute::SoftwareVersion, information);
        }
        for (address, item) in quadruples(information) {
            is_answer = true;
            match item {
                Item::Patient if !self.has_patient => {
                    self.has_patient = true;
                    facts.of_sender(Attribute::CleartextPatientData, "bcc-message");
                }
                Item::Is(attribute, value) => self.pump(address, attribute, value, facts),
                Item::Patient | Item::Unlisted => {}
            }
        }
        if is_answer && !self.is_server {
            self.is_server = true;
            facts.of_sender(Attribute::Role, "bcc-server");
            facts.of_sender(Attribute::Role, "gateway");
            // The bed of a server that was not set up is `1`.
            if !bed.is_empty() && bed != "1" {
                facts.of_sender(Attribute::Location, bed);
            }
        }
    }

    /// A pump is stated once its serial number is known. Another type in the slot is another pump, until it tells its
    /// number.
    fn pump(&mut self, slot: &str, attribute: Attribute, value: &str, facts: &mut Facts<'_>) {
        let index = self.pumps.iter().position(|pump| pump.slot == slot).or_else(|| {
            let pump = Pump { slot: slot.to_owned(), ..Pump::default() };
            (self.pumps.len() < MOST_PUMPS).then(|| self.pumps.push(pump)).map(|()| self.pumps.len() - 1)
        });
        let Some(pump) = index.and_then(|index| self.pumps.get_mut(index)) else { return };
        let known = match attribute {
            Attribute::Model => &mut pump.model,
            Attribute::SerialNumber => &mut pump.serial,
            _ => &mut pump.unit,
        };
        if *known == value {
            return;
        }
        value.clone_into(known);
        if attribute == Attribute::Model {
            pump.serial.clear();
        }
        pump.state(facts);
    }
}

impl Pump {
    fn state(&self, facts: &mut Facts<'_>) {
        let key = Facts::third_key("bcc", &[(Attribute::SerialNumber, self.serial.as_str())]);
        if key.is_empty() {
            return;
        }
        // The identifier ends with the serial number, in hexadecimal: one that does not is that of the pump before.
        let number = u32::from_str_radix(&self.unit, 16).map(|unit| unit & 0x00FF_FFFF);
        let is_own = number.is_ok_and(|number| self.serial.parse() == Ok(number));
        facts.of_third(&key, Attribute::Role, "bcc-pump");
        facts.of_third(&key, Attribute::SerialNumber, &self.serial);
        for (attribute, value) in [(Attribute::Model, &self.model), (Attribute::EquipmentId, &self.unit)] {
            if !value.is_empty() && (attribute == Attribute::Model || is_own) {
                facts.of_third(&key, attribute, value);
            }
        }
    }
}

/// `V3.30`.
fn is_version(information: &str) -> bool {
    let numbers = information.trim_end().strip_prefix('V').unwrap_or_default();
    (3..=8).contains(&numbers.len())
        && numbers.contains('.')
        && numbers.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;

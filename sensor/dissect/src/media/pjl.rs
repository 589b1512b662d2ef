//! Printer Job Language (HP, PJL Technical Reference Manual) on the raw port of printers, 9100, and on any other.
//!
//! Stated are model, firmware, serial number and hardware address as the printer's answers to `INFO ID`, `INFO CONFIG`, `INFO
//! VARIABLES` and `INFO PRODINFO` give them, out of a list of names: variables are what people set, and some are secrets. What is
//! sent to the printer, jobs with their names, users and pages, is skipped unseen.
//!
//! Trap: question and answer begin with the same line. An answer ends with a form feed; who leaves the language of another
//! kind by the escape sequence is who prints.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, scope};

/// PJL on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Pjl, probe, start: || Box::new(Pjl::default()) };

/// The Universal Exit Language command, in front of and behind each job.
const ESCAPE: &[u8] = b"\x1b%-12345X";

/// What commands and answers begin with.
const PREFIX: &[u8] = b"@PJL ";

const FORM_FEED: u8 = 0x0C;

/// Longest answer that is read.
const LONGEST: usize = 32 * 1024;

/// Names in answers, without blanks and in lower case, and what they tell.
const NAMES: [(&str, Attribute); 9] = [
    ("productname", Attribute::Model),
    ("serialnumber", Attribute::SerialNumber),
    ("productserialnumber", Attribute::SerialNumber),
    ("deviceserialnumber", Attribute::SerialNumber),
    ("firmware", Attribute::FirmwareVersion),
    ("firmwareversion", Attribute::FirmwareVersion),
    ("firmwaredatecode", Attribute::FirmwareVersion),
    ("firmwarerevision", Attribute::FirmwareVersion),
    ("hwaddress", Attribute::MacAddress),
];

#[derive(Default)]
struct Pjl {
    printer: Option<Direction>,
}

fn probe(input: &Input<'_>) -> Probe {
    look(input.bytes)
}

fn look(bytes: &[u8]) -> Probe {
    if bytes.starts_with(ESCAPE) || bytes.starts_with(PREFIX) {
        Probe::Certain
    } else if ESCAPE.starts_with(bytes) || PREFIX.starts_with(bytes) {
        Probe::Unsure
    } else {
        Probe::NotForUs
    }
}

impl Dissector for Pjl {
    fn protocol(&self) -> Protocol {
        Protocol::Pjl
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let printer = match self.printer {
            Some(printer) => printer,
            None if look(input.bytes) == Probe::Unsure => return Progress::NeedMore,
            None if input.bytes.starts_with(ESCAPE) => input.direction.reverse(),
            None => Direction::FromResponder,
        };
        self.printer = Some(printer);
        if input.direction != printer {
            facts.of_sender(Attribute::Role, "pjl-client");
            return Progress::Consumed(usize::MAX);
        }
        let Some(end) = input.bytes.iter().position(|byte| *byte == FORM_FEED) else {
            // Without its end it is no answer, or there is a hole in it.
            return if input.bytes.len() > LONGEST {
                Progress::Consumed(input.bytes.len())
            } else {
                Progress::NeedMore
            };
        };
        answer(input.bytes.get(..end).unwrap_or_default(), facts);
        Progress::Consumed(end + 1)
    }

    fn gap(&mut self, _direction: Direction, _missing: u64) -> bool {
        // What is left of an answer begins with no command and is passed over.
        true
    }
}

/// An answer up to its form feed.
fn answer(bytes: &[u8], facts: &mut Facts<'_>) {
    // Some put an end of line in front.
    let bytes = bytes.trim_ascii_start();
    let Ok(text) = str::from_utf8(bytes) else { return };
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(category) = lines.next().and_then(|line| line.strip_prefix("@PJL INFO ")) else { return };
    facts.of_sender(Attribute::Role, "pjl-printer");
    match category.trim() {
        "ID" => {
            if let Some(line) = lines.next() {
                id(line.trim_matches('"'), facts);
            }
        }
        "CONFIG" | "VARIABLES" | "PRODINFO" => lines.for_each(|line| named(line, facts)),
        _ => {}
    }
}

/// `Brother HL-L2360D series:84U-F75:Ver.b.26`: the model, a code of the board, the firmware.
fn id(line: &str, facts: &mut Facts<'_>) {
    let mut parts = line.split(':');
    facts.of_sender(Attribute::Model, parts.next().unwrap_or_default());
    if let Some(version) = parts.find_map(|part| part.strip_prefix("Ver.")) {
        facts.of_sender(Attribute::FirmwareVersion, version);
    }
}

/// `FirmwareDateCode = 20241211`, in either case of letters, with quotes or without.
fn named(line: &str, facts: &mut Facts<'_>) {
    let Some((name, value)) = line.split_once('=') else { return };
    let name: String = name.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    let Some((_, attribute)) = NAMES.iter().find(|(known, _)| *known == name) else { return };
    // Behind a value of a variable stands what else it might be.
    let value = value.split('[').next().unwrap_or_default().trim().trim_matches('"');
    match attribute {
        Attribute::MacAddress => {
            let octets: Option<Vec<u8>> =
                value.split([':', '-']).map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
            if let Some(address) = octets.as_deref().and_then(scope::hardware_address) {
                facts.of_sender(Attribute::MacAddress, &address);
            }
        }
        attribute => facts.of_sender(*attribute, value),
    }
}

#[cfg(test)]
mod tests;

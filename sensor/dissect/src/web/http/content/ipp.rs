//! The Internet Printing Protocol's answers (RFC 8010, 3; RFC 8011, 5.4; PWG 5100.13): the printer's own attributes.
//!
//! An operation's attributes come first, then groups of a job or a printer. Of printers' groups a few attributes are
//! read; of jobs, whose names and users are people's business, none. Traps: a spooler answers for the printers that it
//! serves, so that only a serial number or UUID makes those devices, third ones; several values follow one name.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::Facts;
use crate::octets::{be16, part};

/// Octets of version, status and request number.
const HEADER: usize = 8;

/// Delimiters (RFC 8010, 3.5.1).
const END: u8 = 3;
const PRINTER: u8 = 4;

/// Printers that are told of in one answer, and values.
const MOST_PRINTERS: usize = 64;
const MOST_VALUES: usize = 4096;

/// One printer's attributes that matter.
#[derive(Debug, Default)]
struct Printer<'a> {
    make_and_model: &'a str,
    /// IEEE 1284: `MFG:Acme;MDL:LaserJet 7;SN:X1;`
    device_id: &'a str,
    firmware: &'a str,
    location: &'a str,
    uuid: &'a str,
}

/// Reads an answer; tells whether its end was there.
pub(super) fn read(bytes: &[u8], is_spooler: bool, facts: &mut Facts<'_>) -> bool {
    let Some(printers) = printers(bytes) else { return false };
    let mut facts = facts.within(Protocol::Ipp);
    match printers.as_slice() {
        [printer] if !is_spooler => {
            facts.of_sender(Attribute::Role, "ipp-printer");
            for (attribute, value) in printer.facts() {
                facts.of_sender(attribute, value);
            }
        }
        several => {
            for printer in several {
                let key = printer.key();
                if !key.is_empty() {
                    for (attribute, value) in printer.facts() {
                        facts.of_third(&key, attribute, value);
                    }
                }
            }
        }
    }
    true
}

/// The printers' groups up to the end of attributes; none when that has not come.
fn printers(bytes: &[u8]) -> Option<Vec<Printer<'_>>> {
    // Version 1 or 2; in answers the status has a first octet of 0 to 5.
    match bytes {
        [1 | 2, 0..=2, 0..=5, ..] => {}
        _ => return None,
    }
    let (mut printers, mut at): (Vec<Printer<'_>>, usize) = (Vec::new(), HEADER);
    let mut is_in_printer = false;
    for _ in 0..MOST_VALUES {
        let tag = *bytes.get(at)?;
        at += 1;
        match tag {
            END => return Some(printers),
            0..=0x0F => {
                is_in_printer = tag == PRINTER;
                if is_in_printer && printers.len() < MOST_PRINTERS {
                    printers.push(Printer::default());
                }
                continue;
            }
            _ => {}
        }
        let (name, behind) = text(bytes, at)?;
        let (value, behind) = text(bytes, behind)?;
        at = behind;
        // Without a name it is a further value of the one before; the first one counts.
        if is_in_printer && let Some(printer) = printers.last_mut() {
            printer.take(name, value);
        }
    }
    None
}

/// Two octets of length and so many octets; empty where they are no text.
fn text(bytes: &[u8], at: usize) -> Option<(&str, usize)> {
    let length = usize::from(be16(bytes, at)?);
    let octets = part(bytes, at + 2, length)?;
    Some((str::from_utf8(octets).unwrap_or_default(), at + 2 + length))
}

impl<'a> Printer<'a> {
    fn take(&mut self, name: &str, value: &'a str) {
        let place = match name {
            "printer-make-and-model" => &mut self.make_and_model,
            "printer-device-id" => &mut self.device_id,
            "printer-firmware-string-version" => &mut self.firmware,
            "printer-location" => &mut self.location,
            "printer-uuid" => &mut self.uuid,
            _ => return,
        };
        if place.is_empty() {
            *place = value;
        }
    }

    /// A field of the IEEE 1284 identifier.
    fn identified(&self, names: [&str; 2]) -> &'a str {
        let fields = self.device_id.split(';').filter_map(|field| field.split_once(':'));
        let is = |name: &str| names.iter().any(|known| name.trim().eq_ignore_ascii_case(known));
        fields.filter(|(name, _)| is(name)).map(|(_, value)| value.trim()).next().unwrap_or_default()
    }

    fn facts(&self) -> impl Iterator<Item = (Attribute, &'a str)> {
        let model = self.identified(["MDL", "MODEL"]);
        [
            (Attribute::Manufacturer, self.identified(["MFG", "MANUFACTURER"])),
            (Attribute::Model, if model.is_empty() { self.make_and_model } else { model }),
            (Attribute::SerialNumber, self.identified(["SN", "SERN"])),
            (Attribute::FirmwareVersion, self.firmware),
            (Attribute::Location, self.location),
            (Attribute::DeviceUuid, self.uuid.strip_prefix("urn:uuid:").unwrap_or(self.uuid)),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    }

    fn key(&self) -> String {
        let find = |wanted| {
            let value = self.facts().find(|(attribute, _)| *attribute == wanted);
            value.unwrap_or((wanted, ""))
        };
        let serial = find(Attribute::SerialNumber);
        if Facts::third_key("serial", &[serial]).is_empty() {
            return Facts::third_key("uuid", &[find(Attribute::DeviceUuid)]);
        }
        Facts::third_key("serial", &[find(Attribute::Manufacturer), find(Attribute::Model), serial])
    }
}

#[cfg(test)]
pub(super) mod tests;

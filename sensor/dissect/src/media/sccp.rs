//! Skinny Client Control Protocol on TCP (Cisco), of telephones and their call managers, on any port.
//!
//! Stated are who is telephone and who is server, and of a telephone that registers its name and the hardware address in
//! that, Cisco's number for its kind, and its load, which the alarm in front of the registration names too. Numbers that
//! are dialled, names on displays and states of calls are not.
//!
//! Traps: a frame is a length, a version and a number of a message, all with the lowest octet first, which is a shape that
//! others have. Without a registration it takes three frames of two kinds whose lengths are those of their kinds. A
//! program on a computer may have its user's name for its own: only names with a hardware address in them are stated.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::octets::{le32, part};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress, scope};

/// SCCP on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Sccp, probe, start: || Box::new(Sccp::default()) };

/// Octets of the length and the version, which the length does not count.
const HEADER: usize = 8;

/// Longest message, by its length field.
const LONGEST: usize = 4096;

/// Newest version of the header.
const NEWEST: u32 = 22;

/// Messages that say who they are.
const REGISTER: u32 = 0x01;
const ALARM: u32 = 0x20;
const REGISTER_ACK: u32 = 0x81;
const SELECT_SOFT_KEYS: u32 = 0x110;
const CALL_STATE: u32 = 0x111;

/// Parts of a registration, counted from the number of the message.
const NAME: usize = 4;
const NAME_OCTETS: usize = 16;
const DEVICE_TYPE: usize = 32;
const LOAD: usize = 96;
const LOAD_OCTETS: usize = 32;

/// Octets of the text of an alarm, and where it begins.
const TEXT: usize = 8;
const TEXT_OCTETS: usize = 80;

/// Frames after which a flow has said what it says.
const MOST_FRAMES: usize = 1000;

/// Messages whose lengths are fixed, in the older form and in the newer one: key sets, lamps, tones, states of calls.
const LENGTHS: [(u32, [u32; 2]); 13] = [
    (0x00, [4, 8]),
    (0x06, [4, 12]),
    (0x07, [4, 12]),
    (0x22, [24, 40]),
    (0x26, [16, 16]),
    (0x82, [8, 20]),
    (0x83, [4, 16]),
    (0x85, [8, 20]),
    (0x86, [16, 16]),
    (0x88, [8, 8]),
    (0x100, [4, 4]),
    (SELECT_SOFT_KEYS, [20, 20]),
    (CALL_STATE, [16, 28]),
];

#[derive(Default)]
struct Sccp {
    frames: usize,
    has_registered: bool,
    has_load: bool,
    roles_said: [bool; 2],
    is_lost: [bool; 2],
}

/// A header, with the number of the message behind it.
#[derive(Clone, Copy, Debug)]
struct Frame {
    message: u32,
    /// From the number on.
    length: u32,
}

impl Frame {
    /// `Err` where these bytes cannot begin one; `None` where they are too few.
    fn read(bytes: &[u8]) -> Result<Option<Self>, ()> {
        let fits = |at, most| le32(bytes, at).is_none_or(|number| number <= most);
        let is_one = fits(0, LONGEST as u32) && le32(bytes, 0).is_none_or(|length| length >= 4);
        if !is_one || !fits(4, NEWEST) || !fits(HEADER, 0x15F) {
            return Err(());
        }
        let frame = le32(bytes, HEADER).zip(le32(bytes, 0));
        Ok(frame.map(|(message, length)| Self { message, length }))
    }

    fn octets(self) -> usize {
        HEADER + self.length as usize
    }

    fn has_its_length(self) -> bool {
        LENGTHS.iter().any(|(message, lengths)| *message == self.message && lengths.contains(&self.length))
    }
}

fn probe(input: &Input<'_>) -> Probe {
    let (mut rest, mut first, mut count, mut kinds) = (input.bytes, None, 0, 1);
    loop {
        let frame = match Frame::read(rest) {
            Err(()) => return Probe::NotForUs,
            Ok(None) => return Probe::Unsure,
            Ok(Some(frame)) => frame,
        };
        let body = part(rest, HEADER, frame.length as usize);
        match (frame.message, body) {
            (REGISTER | ALARM, None) => return Probe::Unsure,
            (REGISTER, Some(body)) if device_name(body).is_some() => return Probe::Certain,
            (ALARM, Some(body)) if alarm(body).is_some() => return Probe::Certain,
            _ if !frame.has_its_length() => return Probe::NotForUs,
            (_, None) => return Probe::Unsure,
            _ => {}
        }
        count += 1;
        if *first.get_or_insert(frame.message) != frame.message {
            kinds = 2;
        }
        if count >= 3 && kinds == 2 {
            return Probe::Certain;
        }
        rest = rest.get(frame.octets()..).unwrap_or_default();
    }
}

/// Letters, digits and such up to the first NUL.
fn text(bytes: &[u8]) -> Option<&str> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = str::from_utf8(bytes.get(..end)?).ok()?;
    (!text.is_empty() && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())).then_some(text)
}

/// The name in a registration, whoever gave it.
fn device_name(body: &[u8]) -> Option<&str> {
    let name = text(part(body, NAME, NAME_OCTETS)?)?;
    let is_name =
        name.len() >= 4 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    is_name.then_some(name)
}

/// The text of an alarm that names a device: `25: Name=SEP001AA289341F Load= SCCP41.8-5-2S Last=Initialized`.
fn alarm(body: &[u8]) -> Option<&str> {
    let text = text(part(body, TEXT, TEXT_OCTETS)?)?;
    text.contains("Name=").then_some(text)
}

impl Dissector for Sccp {
    fn protocol(&self) -> Protocol {
        Protocol::Sccp
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let side = input.direction.index();
        let frame = match Frame::read(input.bytes) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Progress::NeedMore,
            Err(()) if self.is_lost.get(side).copied().unwrap_or_default() => {
                return Progress::Consumed(input.bytes.len());
            }
            Err(()) => return Progress::Broken("no frame"),
        };
        let Some(body) = part(input.bytes, HEADER, frame.length as usize) else { return Progress::NeedMore };
        match frame.message {
            REGISTER => {
                self.say_role(side, "sccp-phone", facts);
                self.register(body, facts);
            }
            ALARM => {
                self.say_role(side, "sccp-phone", facts);
                self.alarm(body, facts);
            }
            REGISTER_ACK | SELECT_SOFT_KEYS | CALL_STATE => self.say_role(side, "sccp-server", facts),
            0x06 | 0x07 | 0x22 | 0x26 => self.say_role(side, "sccp-phone", facts),
            _ => {}
        }
        self.frames += 1;
        let is_known = self.has_registered && self.has_load && self.roles_said == [true; 2];
        if is_known || self.frames >= MOST_FRAMES {
            return Progress::Done;
        }
        Progress::Consumed(frame.octets())
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        if let Some(lost) = self.is_lost.get_mut(direction.index()) {
            *lost = true;
        }
        true
    }
}

impl Sccp {
    fn say_role(&mut self, side: usize, role: &str, facts: &mut Facts<'_>) {
        if let Some(said) = self.roles_said.get_mut(side)
            && !std::mem::replace(said, true)
        {
            facts.of_sender(Attribute::Role, role);
        }
    }

    fn register(&mut self, body: &[u8], facts: &mut Facts<'_>) {
        self.has_registered = true;
        if let Some(name) = device_name(body) {
            state_name(name, facts);
        }
        if let Some(kind) = le32(body, DEVICE_TYPE) {
            facts.of_sender(Attribute::SccpDeviceType, &kind.to_string());
        }
        if let Some(load) = part(body, LOAD, LOAD_OCTETS).and_then(text) {
            self.has_load = true;
            facts.of_sender(Attribute::FirmwareVersion, load);
        }
    }

    fn alarm(&mut self, body: &[u8], facts: &mut Facts<'_>) {
        let Some(text) = alarm(body) else { return };
        let word = |name| text.split_once(name).and_then(|(_, rest)| rest.split_whitespace().next());
        if let Some(name) = word("Name=") {
            state_name(name, facts);
        }
        if let Some(load) = word("Load=") {
            self.has_load = true;
            facts.of_sender(Attribute::FirmwareVersion, load);
        }
    }
}

/// `SEP001AA289341F`: three letters for the family, and the hardware address.
fn state_name(name: &str, facts: &mut Facts<'_>) {
    let Some(digits) = name.strip_prefix("SEP").filter(|digits| digits.len() == 12) else { return };
    let Ok(number) = u64::from_str_radix(digits, 16) else { return };
    let octets = number.to_be_bytes();
    if let Some(address) = octets.get(2..).and_then(scope::hardware_address) {
        facts.of_sender(Attribute::MacAddress, &address);
        facts.of_sender(Attribute::HostName, name);
    }
}

#[cfg(test)]
mod tests;

//! Point-of-care and personal health devices: IEEE 11073-20601 on TCP, behind gateways as a rule; MDER, big endian.
//!
//! An agent, which is the device, associates with a manager: its system identifier is its EUI-64, and the configuration
//! that it offers says what it measures. Asked for its attributes, it tells maker, model and production specification.
//! Measurements and persons are not read.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::medical::mds;
use crate::octets::{be16, be32, part};
use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};

/// 20601 on any TCP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Ieee20601, probe, start: || Box::new(Ieee20601::default()) };

/// Kinds of APDU (20601, 7.2).
const REQUEST: u16 = 0xE200;
const RESPONSE: u16 = 0xE300;
const DATA: u16 = 0xE700;

/// The protocol in an association: this standard's own.
const DATA_PROTOCOL: u16 = 0x5079;

/// A result of reading attributes, and the system as an object.
const GET_RESULT: u16 = 0x0203;
const SYSTEM: u16 = 0;

/// Attributes that only 20601 has: types of specialisation, and the configuration.
const TYPE_LIST: u16 = 0x0A5A;
const CONFIGURATION: u16 = 0x0A44;

/// Types of specialisation that are read, and the partition that they stand in (infrastructure).
const MOST_TYPES: usize = 8;
const INFRASTRUCTURE: u32 = 8 << 16;

/// Octets that tell an APDU from others.
const HEAD: usize = 14;

/// Certain on an association, and on data whose three lengths agree.
fn probe(input: &Input<'_>) -> Probe {
    let bytes = input.bytes;
    if matches!(bytes, [] | [0xE2 | 0xE3 | 0xE7]) {
        return Probe::Unsure;
    }
    if bytes.first().is_none_or(|first| !matches!(*first, 0xE2 | 0xE3 | 0xE7)) || bytes.get(1) != Some(&0) {
        return Probe::NotForUs;
    }
    match is_apdu(bytes) {
        Some(true) => Probe::Certain,
        Some(false) => Probe::NotForUs,
        None => Probe::Unsure,
    }
}

/// Whether an APDU begins here; nothing while too little has come.
fn is_apdu(bytes: &[u8]) -> Option<bool> {
    let head = bytes.get(..HEAD)?;
    let length = be16(head, 2)?;
    match be16(head, 0)? {
        // Version 1, and a list whose first protocol is this one.
        REQUEST => Some(
            be32(head, 4)? == 0x8000_0000
                && be16(head, 10)?.checked_add(8) == Some(length)
                && be16(head, 12)? == DATA_PROTOCOL,
        ),
        // Results are 0 to 8; behind the protocol comes the length of the rest.
        RESPONSE => Some(
            be16(head, 4)? <= 8
                && be16(head, 6)? == DATA_PROTOCOL
                && be16(head, 8)?.checked_add(6) == Some(length),
        ),
        DATA => Some(
            be16(head, 4)?.checked_add(2) == Some(length)
                && matches!(be16(head, 8)?, 0x0100..=0x0107 | 0x0200..=0x0207 | 0x0300 | 0x0400)
                && be16(head, 10)?.checked_add(8) == Some(length),
        ),
        _ => Some(false),
    }
}

/// One TCP connection: whether a direction has lost its footing.
#[derive(Debug, Default)]
struct Ieee20601 {
    is_lost: [bool; 2],
}

impl Dissector for Ieee20601 {
    fn protocol(&self) -> Protocol {
        Protocol::Ieee20601
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        let is_lost = match (input.direction, &mut self.is_lost) {
            (Direction::FromInitiator, [lost, _]) | (Direction::FromResponder, [_, lost]) => lost,
        };
        if *is_lost {
            match find_footing(input.bytes) {
                Some(0) => *is_lost = false,
                Some(at) => return Progress::Consumed(at),
                // The beginning of one may stand at the end.
                None => return Progress::Consumed(input.bytes.len().saturating_sub(HEAD - 1)),
            }
        }
        let Some(kind) = be16(input.bytes, 0) else { return Progress::NeedMore };
        if !matches!(kind, REQUEST | RESPONSE | DATA | 0xE400 | 0xE500 | 0xE600) {
            return Progress::Broken("not an APDU of IEEE 11073-20601");
        }
        let Some(body) = be16(input.bytes, 2).and_then(|length| part(input.bytes, 4, length.into())) else {
            return Progress::NeedMore;
        };
        match kind {
            REQUEST => request(body, facts),
            RESPONSE => response(body, facts),
            DATA => data(body, facts),
            _ => {}
        }
        Progress::Consumed(4 + body.len())
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        if let Some(lost) = self.is_lost.get_mut(direction.index()) {
            *lost = true;
        }
        true
    }
}

/// Where the next APDU proves itself.
fn find_footing(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| bytes.get(*at..).and_then(is_apdu) == Some(true))
}

/// The agent's request; offsets count from behind the length.
fn request(body: &[u8], facts: &mut Facts<'_>) {
    facts.of_sender(Attribute::Role, "ieee20601-agent");
    // Protocol version (4), encoding rules (2), nomenclature (4), functional units (4), system type (4).
    let Some(system) = part(body, 32, be16(body, 30).unwrap_or_default().into()) else { return };
    if let Some(address) = mds::eui64(system) {
        facts.of_sender(Attribute::Eui64, &address);
    }
    if let Some(configuration) = be16(body, 32 + system.len()) {
        facts.of_sender(Attribute::ConfigurationId, &configuration.to_string());
    }
}

/// The manager's response. A refusal may come from anything that speaks for one.
fn response(body: &[u8], facts: &mut Facts<'_>) {
    facts.of_sender(Attribute::Role, "ieee20601-manager");
    let system = be16(body, 24).and_then(|length| part(body, 26, length.into()));
    if let Some(address) = system.and_then(mds::eui64) {
        facts.of_sender(Attribute::Eui64, &address);
    }
}

/// A get result about the system: octets, invoke identifier, kind, length, handle, attributes.
fn data(body: &[u8], facts: &mut Facts<'_>) {
    if be16(body, 4) != Some(GET_RESULT) || be16(body, 8) != Some(SYSTEM) {
        return;
    }
    let mut say = |attribute, value: &str| {
        if !value.is_empty() {
            facts.of_sender(attribute, value);
        }
    };
    for (identifier, value) in mds::attributes(body.get(10..).unwrap_or_default()) {
        match identifier {
            mds::SYSTEM_ID => {
                let octets = be16(value, 0).and_then(|length| part(value, 2, length.into()));
                say(Attribute::Eui64, &octets.and_then(mds::eui64).unwrap_or_default());
            }
            mds::MODEL => mds::model(value).iter().for_each(|(attribute, value)| say(*attribute, value)),
            mds::PRODUCTION => {
                for (kind, _, text) in mds::production(value) {
                    if let Some(attribute) = specification(kind) {
                        say(attribute, &text);
                    }
                }
            }
            CONFIGURATION => {
                say(Attribute::ConfigurationId, &be16(value, 0).map(|id| id.to_string()).unwrap_or_default());
            }
            TYPE_LIST => types(value).for_each(|code| say(Attribute::DeviceTypeCode, &code.to_string())),
            _ => {}
        }
    }
}

fn specification(kind: u16) -> Option<Attribute> {
    match kind {
        mds::SERIAL => Some(Attribute::SerialNumber),
        mds::PART => Some(Attribute::PartNumber),
        mds::HARDWARE => Some(Attribute::HardwareVersion),
        mds::SOFTWARE => Some(Attribute::SoftwareVersion),
        mds::FIRMWARE => Some(Attribute::FirmwareVersion),
        _ => None,
    }
}

/// Specialisations: count, length, and of each its term and its version.
fn types(value: &[u8]) -> impl Iterator<Item = u32> {
    let list = be16(value, 2).and_then(|length| part(value, 4, length.into())).unwrap_or_default();
    list.chunks_exact(4)
        .take(MOST_TYPES)
        .filter_map(|entry| Some(INFRASTRUCTURE + u32::from(be16(entry, 0)?)))
}

#[cfg(test)]
mod tests;

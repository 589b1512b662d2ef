//! Philips IntelliVue patient monitors: Data Export (IntelliVue Patient Monitor, Data Export Interface Programming
//! Guide) on UDP. Big endian; the nomenclature is that of IEEE 11073-10101.
//!
//! A monitor announces itself in Connect Indications, to a group or to everybody; a client associates with it; the
//! monitor then describes itself in an MDS Create Event. Stated is what these two say of the monitor: maker, model,
//! serial number, hardware and software, hardware address, bed. Nothing else is read: polled values and the patient's
//! data stand in messages that are recognised by their first octets and left.

use wardwatch_proto::v1::{Attribute, Protocol};

use crate::medical::mds;
use crate::octets::{be16, be32, part, piece};
use crate::{Candidate, Dissector, Facts, Input, Probe, Progress};

/// Data Export on any UDP port.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Intellivue, probe, start: || Box::new(Intellivue) };

/// Nomenclature 1.0, and the operation of an announcement.
const CONNECT_INDICATION: [u8; 6] = [0, 0, 1, 0, 0, 1];

/// Session and presentation of an association (ISO 8327, 8823), behind the type and the length.
const ASSOCIATION: [u8; 14] =
    [0x05, 0x08, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02, 0x80, 0x00, 0x14, 0x02, 0x00, 0x02];

/// Events: the announcement's, and that of the description.
const CONNECTED: u16 = 0x0D17;
const MDS_CREATED: u16 = 0x0D06;

/// Classes of the monitor as a system.
const SYSTEMS: [u16; 2] = [0x0021, 0x0023];

/// Attributes of Philips's own: addresses of the network.
const NETWORK: u16 = 0xF100;

/// Components that a production specification is about: the product, and its application software.
const PRODUCT: u16 = 8;
const APPLICATION: u16 = 88;

/// What a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message<'a> {
    /// The monitor describes itself: its attributes.
    Description(&'a [u8]),
    /// A client asks for an association.
    Request,
    /// The monitor grants it.
    Accepted,
    /// Anything else of the protocol.
    Other,
}

fn probe(input: &Input<'_>) -> Probe {
    if message(input.bytes).is_some() { Probe::Certain } else { Probe::NotForUs }
}

fn message(bytes: &[u8]) -> Option<Message<'_>> {
    match bytes.first()? {
        0x00 => connect_indication(bytes).map(Message::Description),
        0x0D | 0x0E => association(bytes),
        0xE1 => data(bytes),
        _ => None,
    }
}

/// The attributes of an announcement. Its length and its event prove it.
fn connect_indication(bytes: &[u8]) -> Option<&[u8]> {
    let is_whole = bytes.starts_with(&CONNECT_INDICATION) && usize::from(be16(bytes, 6)?) + 8 == bytes.len();
    let is_ours = is_whole && SYSTEMS.contains(&be16(bytes, 14)?) && be16(bytes, 24)? == CONNECTED;
    bytes.get(28..).filter(|_| is_ours)
}

/// Behind the length, which is one octet, or three where the first is 255.
fn association(bytes: &[u8]) -> Option<Message<'_>> {
    let at = if *bytes.get(1)? == 0xFF { 4 } else { 2 };
    let is_ours =
        part(bytes, at, ASSOCIATION.len())? == ASSOCIATION && *bytes.get(at + ASSOCIATION.len())? == 0xC1;
    let kind = if bytes.first() == Some(&0x0D) { Message::Request } else { Message::Accepted };
    is_ours.then_some(kind)
}

/// Data after the association: session, operation, length.
fn data(bytes: &[u8]) -> Option<Message<'_>> {
    let is_ours = be32(bytes, 0)? == 0xE100_0002
        && matches!(be16(bytes, 4)?, 1 | 2 | 3 | 5)
        && usize::from(be16(bytes, 6)?) + 8 == bytes.len();
    if !is_ours {
        return None;
    }
    // An invoked event report about the system; behind its head the object that was created, then the attributes.
    let is_description = be16(bytes, 4)? == 1
        && matches!(be16(bytes, 10), Some(0 | 1))
        && be16(bytes, 14).is_some_and(|class| SYSTEMS.contains(&class))
        && be16(bytes, 24) == Some(MDS_CREATED);
    Some(bytes.get(34..).filter(|_| is_description).map_or(Message::Other, Message::Description))
}

struct Intellivue;

impl Dissector for Intellivue {
    fn protocol(&self) -> Protocol {
        Protocol::Intellivue
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        match message(input.bytes) {
            Some(Message::Description(attributes)) => monitor(attributes, facts),
            Some(Message::Request) => facts.of_sender(Attribute::Role, "intellivue-client"),
            Some(Message::Accepted) => facts.of_sender(Attribute::Role, "intellivue-monitor"),
            Some(Message::Other) | None => {}
        }
        Progress::Consumed(input.bytes.len())
    }
}

fn monitor(list: &[u8], facts: &mut Facts<'_>) {
    facts.of_sender(Attribute::Role, "intellivue-monitor");
    let mut say = |attribute, value: &str| {
        if !value.is_empty() {
            facts.of_sender(attribute, value);
        }
    };
    for (identifier, value) in mds::attributes(list) {
        match identifier {
            mds::TYPE => say(Attribute::DeviceTypeCode, &mds::device_type(value).unwrap_or_default()),
            // The MAC address with FF-FF within, and its own length before.
            mds::SYSTEM_ID => {
                let octets = be16(value, 0).and_then(|length| part(value, 2, length.into()));
                say(Attribute::Eui64, &octets.and_then(mds::eui64).unwrap_or_default());
            }
            mds::MODEL => mds::model(value).iter().for_each(|(attribute, value)| say(*attribute, value)),
            mds::PRODUCTION => {
                for (kind, component, text) in mds::production(value) {
                    if let Some(attribute) = specification(kind, component) {
                        say(attribute, &text);
                    }
                }
            }
            mds::BED_LABEL => say(Attribute::Location, &bed(value)),
            NETWORK => {
                if let Some(mac) = piece::<6>(value, 0).filter(|mac| *mac != [0; 6]) {
                    say(Attribute::MacAddress, &wardwatch_proto::address::mac_text(&mac));
                }
            }
            _ => {}
        }
    }
}

/// What of the production specification is stated: other components are boards and configurations within.
fn specification(kind: u16, component: u16) -> Option<Attribute> {
    match (kind, component) {
        (mds::SERIAL, PRODUCT) => Some(Attribute::SerialNumber),
        (mds::PART, PRODUCT) => Some(Attribute::PartNumber),
        (mds::HARDWARE, PRODUCT) => Some(Attribute::HardwareVersion),
        (mds::PART, APPLICATION) => Some(Attribute::SoftwareName),
        (mds::SOFTWARE, APPLICATION) => Some(Attribute::SoftwareVersion),
        _ => None,
    }
}

/// The bed's label: a length, and UTF-16 that a NUL ends.
fn bed(value: &[u8]) -> String {
    let octets = be16(value, 0).and_then(|length| part(value, 2, length.into())).unwrap_or_default();
    let units = octets.chunks_exact(2).filter_map(|pair| be16(pair, 0)).take_while(|unit| *unit != 0);
    char::decode_utf16(units).collect::<Result<String, _>>().unwrap_or_default()
}

#[cfg(test)]
mod tests;
